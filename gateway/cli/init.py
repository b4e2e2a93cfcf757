"""`gateway init`: a new site in a folder. Run again, it finishes what was interrupted and overwrites nothing."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from gateway import config
from gateway.cli.output import say, today
from gateway.config import Settings
from gateway.config.example import Site, example
from gateway.domain.errors import ConfigError, GatewayError
from gateway.domain.notice import PRODUCTION
from gateway.store.backup import write_durably
from gateway.store.keyfiles import RETURN_PATH_KEY, SECRET_OCTETS, write_private

CONFIG_NAME = "gateway.toml"
_DEFAULT = Site()


class AlreadyThere(GatewayError):
    """The folder holds a whole site, or something else."""

    code = os.EX_CANTCREAT


def init(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    name: Annotated[str, typer.Option(help="What people call this site.")] = _DEFAULT.name,
    domain: Annotated[str, typer.Option(help="The mail domain of the cases.")] = "",
    environment: Annotated[str, typer.Option(help='"production", or a word of your own.')] = _DEFAULT.environment,
    portal_url: Annotated[str, typer.Option(help="The portal's address: https://host/")] = "",
    programme: Annotated[str, typer.Option(help="A shipped programme, or a folder with a slash.")] = _DEFAULT.programme,
    starttls: Annotated[str, typer.Option(help="host:port of the mail door with STARTTLS.")] = "",
    tls: Annotated[str, typer.Option(help="host:port of the mail door with TLS.")] = "",
    portal: Annotated[str, typer.Option(help="host:port of the portal.")] = "",
    relay: Annotated[str, typer.Option(help="The host that takes outgoing mail.")] = "",
) -> None:
    """Make keys, database, a trial certificate and gateway.toml in FOLDER."""
    production = environment == PRODUCTION
    if production and not domain:
        raise typer.BadParameter("In production name the mail domain of the cases: --domain secure.example.gov.")
    site = Site(
        name=name,
        domain=domain or _DEFAULT.domain,
        portal_url=portal_url or (f"https://{domain}/" if production else _DEFAULT.portal_url),
        environment=environment,
        programme=programme,
        starttls=starttls or ("0.0.0.0:587" if production else _DEFAULT.starttls),
        tls=tls or ("0.0.0.0:465" if production else _DEFAULT.tls),
        portal=portal or ("0.0.0.0:443" if production else _DEFAULT.portal),
        relay=relay or ("relay.example.gov" if production else ""),
    )
    settings = make_site(folder, example(site))
    _say_next(settings)


def make_site(folder: Path, text: str) -> Settings:
    """Make a whole site whose configuration is `text`, or finish one that was begun; return its settings.

    What is there already stays as it is, the configuration too. Raises AlreadyThere when nothing is left to make or the
    folder holds something else, ConfigError for a configuration with problems.
    """
    before = os.umask(0o077)
    try:
        return _make_missing(folder, text)
    finally:
        os.umask(before)


def _make_missing(folder: Path, text: str) -> Settings:
    file = folder.absolute() / CONFIG_NAME
    if not file.exists():
        if folder.exists() and any(folder.iterdir()):
            raise AlreadyThere(f"{folder} is not empty and holds no {CONFIG_NAME}. Name a new folder.")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write_configuration(file, text)
    settings = config.load(file)
    made = [
        _make_passphrase(settings),
        _make_keys(settings),
        _make_later_keys(settings),
        _make_certificate(settings),
        _make_stores(settings),
    ]
    if not any(made):
        raise AlreadyThere(f"{folder} holds a whole site already; nothing is overwritten. Start it: gateway run")
    return settings


def _write_configuration(file: Path, text: str) -> None:
    """A configuration with problems is never left behind."""
    write_durably(file, text.encode("utf-8"))
    try:
        config.load(file)
    except ConfigError:
        file.unlink()
        raise


def _make_passphrase(settings: Settings) -> bool:
    path = settings.keys.passphrase_file
    if path is None or path.exists():
        return False
    if (settings.keys.folder).exists():
        raise ConfigError(f"{path}: is missing, and the keys that it opens are there. Put the passphrase back.")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(path, f"{secrets.token_urlsafe(32)}\n".encode("ascii"))
    return True


def _make_keys(settings: Settings) -> bool:
    """All keys of a site appear at once: made beside their place, then moved to it."""
    from gateway.keyholder.keys import find_passphrase, generate

    folder = settings.keys.folder
    if folder.exists():
        return False
    new = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    generate(new, find_passphrase(settings.keys.passphrase_file, os.environ))
    new.rename(folder)
    return True


def _make_later_keys(settings: Settings) -> bool:
    """Make what a site of an earlier version does not have."""
    path = settings.keys.folder / RETURN_PATH_KEY
    if path.exists():
        return False
    write_private(path, secrets.token_bytes(SECRET_OCTETS))
    return True


def _make_certificate(settings: Settings) -> bool:
    from gateway.cli.certificate import make_certificate, new_key

    own = settings.tls
    if own.certificate.exists():
        return False
    host = urlsplit(settings.site.portal_url).hostname or settings.site.domain
    names = [host, settings.submission.hostname, settings.site.domain]
    if settings.site.is_trial:
        names += ["localhost", "127.0.0.1", "::1"]
    for path in (own.certificate, own.key):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not own.key.exists():
        write_private(own.key, new_key())
    write_durably(own.certificate, make_certificate(own.key.read_bytes(), names, today()))
    return True


def _make_stores(settings: Settings) -> bool:
    from sqlalchemy import make_url

    from gateway.store import migrations
    from gateway.store.blobs import BlobFolder
    from gateway.store.database import Database
    from gateway.store.keystore import KeyStore
    from gateway.store.site import enter_site

    for url in (settings.store.url, settings.keyholder.store_url):
        address = make_url(url)
        if address.get_backend_name() == "sqlite":
            Path(address.database or "").parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    missing = migrations.current(settings.store.url) != migrations.head()
    migrations.upgrade(settings.store.url)
    database = Database(settings.store.url)
    try:
        entered = database.call(enter_site, settings.site.environment, settings.site.domain)
    finally:
        database.close()
    KeyStore(settings.keyholder.store_url).close()
    BlobFolder(settings.store.blobs)
    return missing or entered


def _say_next(settings: Settings) -> None:
    folder = settings.file.parent
    say(f"{folder} is ready: {settings.site.name}, environment {settings.site.environment}.")
    say()
    say("Next:")
    say(f"  export GATEWAY_CONFIG={settings.file}")
    say("  gateway run                                  start it; Ctrl-C stops it")
    say('  gateway employee add "Ann Lee" ann@agency.example --username ann')
    say("  gateway employee password ann                and: totp, app-password add")
    say("  gateway case open --person ann")
    say("  gateway doctor                               what is there, and what is missing")
    say()
    if settings.keys.passphrase_file is not None:
        say(f"Keep a copy of {settings.keys.passphrase_file} apart: without it nobody ever reads the vault.")
    say(f"Mail tools and browsers must be told to trust {settings.tls.certificate}, or bring your own certificate.")
