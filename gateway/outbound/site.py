"""What a site's settings say of outgoing mail: the relay that takes it, and the keys that sign it."""

from __future__ import annotations

from gateway.config import RelaySettings, Settings, require_private
from gateway.domain.address import parse_address
from gateway.domain.errors import ConfigError
from gateway.outbound.courier import Relay
from gateway.outbound.dkim import Signer, load_signer


def signers_of(settings: Settings) -> tuple[Signer, ...]:
    """Return the DKIM signers. Raises ConfigError where a key can be read by others, or is none."""
    dkim = settings.notifier.dkim
    if dkim is None:
        return ()
    require_private(settings, [dkim.key])
    return (load_signer(dkim.domain, dkim.selector, dkim.key),)


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
        return_path=parse_address(settings.notifier.sender),
        connections=settings.notifier.connections,
    )
