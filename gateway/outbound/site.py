"""What a site says of outgoing mail: the relay that takes it, the keys that sign it, the notifier that has both."""

from __future__ import annotations

from datetime import timedelta

from gateway.clock import system_clock
from gateway.config import RelaySettings, Settings, require_private
from gateway.domain.address import parse_address
from gateway.domain.errors import ConfigError
from gateway.outbound.backoff import Schedule
from gateway.outbound.courier import AllowList, Courier, Relay
from gateway.outbound.dkim_keys import KeyFolder, LiveSigners
from gateway.outbound.notification import Renderer
from gateway.outbound.notifier import Notifier, NotifierKeys, NotifierSite
from gateway.outbound.templates import Templates
from gateway.programmes import load_programmes
from gateway.resources import templates_folder
from gateway.store import keyfiles
from gateway.store.database import Database


def notifier_of(settings: Settings, database: Database) -> Notifier | None:
    """Return the notifier, None without a relay. Raises ConfigError where a file does not fit."""
    own, site, keys = settings.notifier, settings.site, settings.keys.folder
    programmes = load_programmes(settings.programmes)
    languages = frozenset(language for programme in programmes.values() for language in programme.languages)
    renderer = Renderer(Templates(templates_folder() / "notifications", languages), parse_address(own.sender))
    authority, address_key = keyfiles.authority_public(keys), keyfiles.address_key(keys)
    signers = signers_of(settings)
    if own.relay is None:
        return None
    return Notifier(
        database,
        programmes,
        renderer,
        Courier(relay_of(settings, own.relay), AllowList.of(own.allow_list) if site.is_trial else None),
        signers,
        NotifierSite(site.portal_url, site.domain, site.environment, site.run),
        NotifierKeys(authority, address_key, keyfiles.return_path_key(keys)),
        clock=system_clock,
        schedule=Schedule(
            first=timedelta(seconds=own.first_retry_seconds),
            ceiling=timedelta(seconds=own.longest_retry_seconds),
            give_up=timedelta(seconds=own.give_up_seconds),
        ),
    )


def signers_of(settings: Settings) -> LiveSigners:
    """Return the DKIM signers. Raises ConfigError where a key can be read by others, or is none."""
    return LiveSigners(KeyFolder(settings.notifier.dkim.folder, settings.notifier.dkim.domain))


def relay_of(settings: Settings, named: RelaySettings) -> Relay:
    """Return the relay, with its credentials. Raises ConfigError where their file can be read by others, or is none."""
    username = password = None
    if named.credentials_file is not None:
        require_private(settings, [named.credentials_file])
        lines = named.credentials_file.read_text("utf-8").splitlines()
        if len(lines) != 2:
            raise ConfigError(f"{named.credentials_file}: has a user name and a password, a line each.")
        username, password = lines
    return Relay(
        host=named.host,
        port=named.port,
        helo=settings.notifier.hostname,
        tls=named.tls,
        ca_file=named.ca_file,
        username=username,
        password=password,
        connections=settings.notifier.connections,
    )
