"""The store's promise, with a program killed or a disk failing at every step: what was acknowledged is there and opens;
of what was not, there is no row, at most an orphan blob that the sweep takes away.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import select

from gateway.store.blobs import FILE_DIGITS, BlobFolder
from gateway.store.database import Database
from gateway.store.maintenance import sweep
from gateway.store.migrations import upgrade
from gateway.store.sealing import (
    HPKE_SUITE,
    MLKEM768_X25519,
    SealingKey,
    body_key,
    open_box,
    summary_context,
    summary_key,
    wrap_info,
)
from gateway.store.segments import SegmentReader
from gateway.store.tables import case, leaf, message, message_wrap, sealing_key, segment
from gateway.store.transaction import Transaction
from tests.crash.depositor import KEY_ID, deposit, plaintext
from tests.postgres import Postgres, PostgresMissingError

ROOT = Path(__file__).parents[2]
BLOB_STEPS = ["blob.write.before", "blob.write.after", "blob.fsync", "blob.rename", "blob.folder_fsync"]
COMMIT_STEPS = ["store.commit.before", "store.commit.after"]
ALL = os.environ.get("SWEEP") == "all"
SEED = int(os.environ.get("CRASH_SEED", "1"))


def passings(step: str, action: str) -> list[int]:
    """At which passing of a step it fails: all of the first twelve in a sweep, else one by the seed."""
    return list(range(1, 13)) if ALL else [random.Random(f"{SEED}{step}{action}").randint(1, 8)]


KILLS = [(step, at) for step in BLOB_STEPS + COMMIT_STEPS for at in passings(step, "kill")]
FAULTS = [
    (step, action, at)
    for step in BLOB_STEPS + COMMIT_STEPS
    for action in (("eio", "enospc") if ALL else random.Random(f"{SEED}{step}").choices(["eio", "enospc"]))
    for at in passings(step, action)
]


@dataclass
class Vault:
    """A store in a folder, and the private keys that its messages open with."""

    folder: Path
    url: str
    mlkem: MLKEM768PrivateKey
    x25519: X25519PrivateKey

    def run(self, mode: str, count: int, failpoints: str = "") -> Outcome:
        """Run the depositor to its end."""
        child = subprocess.run(
            [sys.executable, "-m", "tests.crash.depositor", str(self.folder), mode, str(count)],
            cwd=ROOT,
            env={**os.environ, "GATEWAY_FAILPOINTS": failpoints},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        lines = [line.split() for line in child.stdout.splitlines()]
        return Outcome(
            status=child.returncode,
            done=["done"] in lines,
            tried={line[1] for line in lines if line[0] == "try"},
            kept={line[1] for line in lines if line[0] == "kept"},
            failed={line[1]: line[2] for line in lines if line[0] == "failed"},
        )

    def open(self, only: set[str] | None = None) -> set[str]:
        """Open every message there is a row of, or `only` these, as their entitled reader would; return all ids."""
        database, blobs = Database(self.url), BlobFolder(self.folder / "blobs", reserve_octets=0)
        try:
            with database._read_engine.connect() as connection:
                rows = connection.execute(select(message)).all()
                wraps = {row.message_id: row.wrapped for row in connection.execute(select(message_wrap))}
                segments = {row.message_id: row for row in connection.execute(select(segment))}
                bodies = connection.execute(select(leaf.c.body)).scalars().all()
        finally:
            database.close()
        ids = {row.id for row in rows}
        assert set(wraps) == set(segments) == ids
        assert len(bodies) == len(ids)
        assert all(any(f'"message":"{known}"' in body for body in bodies) for known in ids)
        for row in rows:
            if only is not None and row.id not in only:
                continue
            content_key = self.unwrap(bytes(wraps[row.id]), row.id)
            summary = open_box(summary_key(content_key, row.id), row.sealed_summary, summary_context(row.id))
            assert summary == b"summary"
            reader = SegmentReader(blobs, segments[row.id], body_key(content_key, row.id))
            assert b"".join(reader.read()) == plaintext(row.id)
        return ids

    def blobs(self) -> tuple[set[str], set[str]]:
        """Return the names of the files of blobs, and of those that rows name."""
        database = Database(self.url)
        named = database.read_now(lambda c: set(c.execute(select(segment.c.blob)).scalars()))
        database.close()
        return set(BlobFolder(self.folder / "blobs", reserve_octets=0).names()), {
            name[:FILE_DIGITS] for name in named - {None}
        }

    def unwrap(self, wrapped: bytes, message_id: str) -> bytes:
        private = hpke.MLKEM768X25519PrivateKey(self.mlkem, self.x25519)
        return HPKE_SUITE.decrypt(wrapped, private, wrap_info(KEY_ID, MLKEM768_X25519, message_id))


@dataclass
class Outcome:
    status: int
    done: bool
    tried: set[str]
    kept: set[str]
    failed: dict[str, str]


def make_vault(folder: Path, url: str) -> Vault:
    folder.mkdir(exist_ok=True)
    upgrade(url)
    vault = Vault(folder, url, MLKEM768PrivateKey.generate(), X25519PrivateKey.generate())
    public = vault.mlkem.public_key().public_bytes_raw() + vault.x25519.public_key().public_bytes_raw()
    (folder / "public").write_bytes(public)
    (folder / "url").write_text(url)

    def enter_key(tx: Transaction) -> None:
        tx.insert(case, id="case", programme="cwa", reference="SM-2222", opened_us=0)
        tx.insert(
            sealing_key,
            id=KEY_ID,
            case_id="case",
            suite=MLKEM768_X25519,
            public=public,
            created_us=0,
            version=1,
            signature=b"",
        )

    database = Database(url)
    database.call(enter_key)
    database.close()
    return vault


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return make_vault(tmp_path / "vault", f"sqlite:///{tmp_path}/vault/gateway.db")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    try:
        server = Postgres()
        server.start()
    except PostgresMissingError as problem:
        pytest.skip(str(problem))
    yield server
    server.delete()


@pytest.mark.parametrize(("step", "at"), KILLS)
def test_a_kill_loses_nothing_acknowledged_and_keeps_nothing_else(vault: Vault, step: str, at: int) -> None:
    outcome = vault.run("alone", 30, f"{step}=kill@{at}")
    assert outcome.status == -signal.SIGKILL, f"the story never passed {step} {at} times"
    present = vault.open()
    assert outcome.kept <= present
    committed_unsaid = outcome.tried - outcome.kept if step == "store.commit.after" else set()
    assert present == outcome.kept | committed_unsaid
    assert_recovers(vault, present)


@pytest.mark.parametrize(("step", "at"), KILLS)
def test_a_kill_among_many_deposits_loses_nothing_acknowledged(vault: Vault, step: str, at: int) -> None:
    outcome = vault.run("together", 60, f"{step}=kill@{at}")
    assert outcome.status == -signal.SIGKILL, f"the story never passed {step} {at} times"
    present = vault.open()
    assert outcome.kept <= present <= outcome.tried
    assert_recovers(vault, present)


@pytest.mark.parametrize(("step", "action", "at"), FAULTS)
def test_a_failing_disk_is_told_and_the_program_goes_on(vault: Vault, step: str, action: str, at: int) -> None:
    outcome = vault.run("alone", 30, f"{step}={action}@{at}")
    assert outcome.done
    assert list(outcome.failed.values()) == ["StoreFull" if action == "enospc" else "StoreUnavailable"]
    present = vault.open()
    said_wrongly = set(outcome.failed) if step == "store.commit.after" else set()
    assert present == outcome.kept | said_wrongly
    assert len(outcome.kept) == 29
    assert list((vault.folder / "blobs" / "tmp").iterdir()) == []
    assert_recovers(vault, present)


@pytest.mark.parametrize("at", passings("sweep.delete", "kill"))
def test_a_killed_sweep_has_taken_only_orphans(vault: Vault, at: int) -> None:
    vault.run("alone", 12)
    present = vault.open()
    blobs = BlobFolder(vault.folder / "blobs", reserve_octets=0)
    for number in range(15):
        orphan = blobs.create(f"{number:032x}")
        orphan.write(b"x")
        orphan.commit()
    assert vault.run("sweep", 0, f"sweep.delete=kill@{at}").status == -signal.SIGKILL
    there, named = vault.blobs()
    assert named <= there
    assert len(there - named) == 15 - (at - 1)
    assert vault.run("sweep", 0).done
    assert vault.blobs() == (named, named)
    assert vault.open() == present


@pytest.mark.parametrize(("step", "at"), KILLS if ALL else [pair for pair in KILLS if pair[0] in COMMIT_STEPS])
def test_a_kill_loses_nothing_acknowledged_on_postgresql(
    postgres: Postgres, tmp_path: Path, step: str, at: int
) -> None:
    vault = make_vault(tmp_path / "vault", postgres.url(postgres.new_database()))
    outcome = vault.run("together", 60, f"{step}=kill@{at}")
    assert outcome.status == -signal.SIGKILL
    present = vault.open()
    assert outcome.kept <= present <= outcome.tried
    assert_recovers(vault, present)


def assert_recovers(vault: Vault, present: set[str]) -> None:
    """The next program deposits as if nothing had been, and the sweep leaves exactly the blobs that rows name."""
    database = Database(vault.url, clock=lambda: datetime.now(UTC) + timedelta(hours=49))
    blobs = BlobFolder(vault.folder / "blobs", reserve_octets=0)
    again = {f"{number:032x}" for number in range(8)}
    for message_id in again:
        deposit(
            database, blobs, SealingKey(KEY_ID, MLKEM768_X25519, (vault.folder / "public").read_bytes()), message_id
        )
    sweep(database, blobs)
    database.close()
    there, named = vault.blobs()
    assert there == named
    assert list((vault.folder / "blobs" / "tmp").iterdir()) == []
    assert vault.open() == present | again
