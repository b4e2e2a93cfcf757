"""Backing up and restoring a whole site: the vault into one folder, keys and the keyholder's store into another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from gateway import config
from gateway.config import Settings
from gateway.domain.errors import ConfigError, Refused, Tampered
from gateway.store.backup import Backup, Copied, Kept, make_empty, missing_blobs, verified
from gateway.store.blobs import BlobFolder, NamedBlob
from gateway.store.engines import open_engine
from gateway.store.failures import store_error
from gateway.store.site import require_environment
from gateway.store.snapshot import check_sqlite, load_postgres, named_blobs

VAULT = "vault"
KEYS = "keys"
DATABASE = "database"
KEYHOLDER = "keyholder-store"
SITE = "site/"
BLOBS = "blobs/"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was copied. `apart` are files of the site that lie outside its folder and were left for the operator."""

    vault: Copied
    keys: Copied | None
    apart: tuple[Path, ...]


def back_up(settings: Settings, vault: Path, keys: Path | None, at: datetime) -> Outcome:
    """Back up a site that may be running. The vault holds ciphertext; `keys` belongs on another medium.

    The passphrase of the vault key is in neither. Raises Refused for a folder that is not empty, StoreUnavailable,
    StoreFull, and Tampered when a segment is missing or damaged, or a copy does not read back.
    """
    facts = {"site": settings.site.name, "environment": settings.site.environment, "domain": settings.site.domain}
    made = Backup(vault, VAULT)
    made.add_database(settings.store.url, DATABASE)
    # At once after it: its keys are then no fewer than the cases copied, its row versions no newer than the rows.
    secret = None if keys is None else Backup(keys, KEYS)
    if secret is not None:
        secret.add_database(settings.keyholder.store_url, KEYHOLDER)
    made.add_blobs(_blobs_of(settings), BlobFolder(settings.store.blobs))
    apart = _add_site(made, settings, _public_files(settings))
    copied = made.finish(at, facts)
    if secret is None:
        return Outcome(copied, None, tuple(apart))
    apart += _add_site(secret, settings, _secret_files(settings))
    return Outcome(copied, secret.finish(at, facts), tuple(apart))


def restore(vault: Path, keys: Path | None, into: Path) -> tuple[Settings, Outcome]:
    """Put a backup into a new folder; return the settings found in it.

    Everything is read and compared before anything is written. Raises Malformed for what is no backup, Refused for a
    folder that is not empty, Tampered for a backup, or a result, that is not whole.
    """
    kept = verified(vault, VAULT)
    secret = None if keys is None else verified(keys, KEYS)
    if secret is not None and any(secret.facts.get(name) != kept.facts.get(name) for name in ("environment", "domain")):
        raise Refused("The backup of the keys belongs to another site than the backup of the vault.")
    into = into.absolute()
    make_empty(into)
    for one in filter(None, (secret, kept)):
        one.restore(lambda name: into / name.removeprefix(SITE) if name.startswith(SITE) else None)
    configuration = into / "gateway.toml"
    try:
        settings = config.load(configuration)
        copied = _restore_vault(kept, settings)
        opened = None if secret is None else _restore_keyholder(secret, settings)
        _check(settings)
    except BaseException:
        configuration.unlink(missing_ok=True)  # what is not whole must not be started
        raise
    return settings, Outcome(copied, opened, ())


def _restore_vault(kept: Kept, settings: Settings) -> Copied:
    database = _database_place(settings.store.url, kept.folder / DATABASE)

    def place(name: str) -> Path | None:
        if name == DATABASE:
            return database
        return settings.store.blobs / name.removeprefix(BLOBS) if name.startswith(BLOBS) else None

    return kept.restore(place)


def _restore_keyholder(kept: Kept, settings: Settings) -> Copied:
    store = _database_place(settings.keyholder.store_url, kept.folder / KEYHOLDER)
    return kept.restore(lambda name: store if name == KEYHOLDER else None)


def _database_place(url: str, source: Path) -> Path | None:
    """Return where an SQLite file goes; a PostgreSQL dump is loaded at once and goes nowhere."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        return Path(address.database or "")
    load_postgres(source, url)
    return None


def _check(settings: Settings) -> None:
    address = make_url(settings.store.url)
    if address.get_backend_name() == "sqlite":
        check_sqlite(Path(address.database or ""))
    engine = open_engine(settings.store.url, read_only=True)
    try:
        with engine.begin() as connection:
            require_environment(connection, settings.site.environment)
            missing = missing_blobs(named_blobs(connection), BlobFolder(settings.store.blobs))
    except DBAPIError as problem:
        raise store_error(problem) from problem
    finally:
        engine.dispose()
    if missing:
        raise Tampered(f"{missing} sealed segments are missing or damaged after the restore. Use another backup.")


def _blobs_of(settings: Settings) -> list[NamedBlob]:
    """Name the blobs of all rows there are after the snapshot: those of the snapshot are among them."""
    engine = open_engine(settings.store.url, read_only=True)
    try:
        with engine.begin() as connection:
            return list(named_blobs(connection))
    except DBAPIError as problem:
        raise store_error(problem) from problem
    finally:
        engine.dispose()


def _add_site(made: Backup, settings: Settings, files: Iterable[Path]) -> list[Path]:
    base = settings.file.parent
    apart: list[Path] = []
    for path in sorted(set(files)):
        if not path.is_file():
            raise ConfigError(f"{path} is missing or cannot be read, and the configuration names it.")
        if path.is_relative_to(base):
            made.add_file(path, f"{SITE}{path.relative_to(base)}")
        else:
            apart.append(path)
    return apart


def _public_files(settings: Settings) -> list[Path]:
    folders = [*settings.programmes, *filter(None, [settings.notifier.templates])]
    own = [folder for folder in folders if folder.is_relative_to(settings.file.parent)]
    return [settings.file, *(path for folder in own for path in folder.rglob("*") if path.is_file())]


def _secret_files(settings: Settings) -> list[Path]:
    relay, smime, copies = settings.notifier.relay, settings.notifier.smime, settings.full_copies.keys
    named = [
        settings.submission.certificate,
        settings.submission.key,
        settings.portal.certificate,
        settings.portal.key,
        settings.mx.certificate if settings.mx else None,
        settings.mx.key if settings.mx else None,
        relay.credentials_file if relay else None,
        relay.ca_file if relay else None,
        settings.notifier.direct.ca_file if settings.notifier.direct else None,
        smime.certificate if smime else None,
        smime.key if smime else None,
        copies.smime.authorities if copies.smime else None,
    ]
    passphrase = settings.keys.passphrase_file
    folders = (settings.keys.folder, settings.notifier.dkim.folder)
    keys = [path for folder in folders for path in folder.rglob("*") if path.is_file() and path != passphrase]
    own = copies.openpgp
    keys += [path for path in own.parent.glob(f"{own.stem}*{own.suffix}") if path.is_file() and path not in keys]
    return [*filter(None, named), *keys]
