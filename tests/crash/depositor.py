"""A program that deposits messages until it is done or killed: `python -m tests.crash.depositor FOLDER MODE COUNT`.

MODE is `alone` (one deposit at a time), `together` (four threads, so that verbs share commits) or `sweep`. It prints
`try ID` before and `kept ID SECONDS` (by the machine's monotonic clock) or `failed ID KIND` after each deposit, and
`done` at its end.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.domain.errors import StoreUnavailable
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from gateway.store.ids import new_id
from gateway.store.maintenance import sweep
from gateway.store.sealing import (
    MLKEM768_X25519,
    SealingKey,
    body_key,
    new_key,
    seal_box,
    summary_context,
    summary_key,
)
from gateway.store.segments import PACKED_OCTETS, SealedSegment, SegmentWriter
from gateway.store.tables import message, message_wrap, segment
from gateway.store.transaction import Transaction

KEY_ID = "key"
SIZES = (10, PACKED_OCTETS + 1, 200_000, PACKED_OCTETS + 70_000)


def plaintext(message_id: str) -> bytes:
    """Return what the message of this id holds."""
    size = SIZES[int(message_id[-1], 16) % len(SIZES)]
    return hashlib.shake_128(message_id.encode()).digest(size)


def deposit(database: Database, blobs: BlobFolder, key: SealingKey, message_id: str) -> None:
    """Deposit one message: segment first, then its rows and its entry in one verb."""
    writer = SegmentWriter(blobs)
    try:
        octets = plaintext(message_id)
        for at in range(0, len(octets), 50_000):
            writer.write(octets[at : at + 50_000])
        sealed = writer.finish()
    except BaseException:
        writer.abandon()
        raise
    database.call(enter, key, message_id, sealed)


def enter(tx: Transaction, key: SealingKey, message_id: str, sealed: SealedSegment) -> None:
    """Write the rows of one message."""
    content_key = new_key()
    tx.insert(
        message,
        id=message_id,
        side="office",
        composed=0,
        octets=sealed.octets,
        sealed_summary=seal_box(summary_key(content_key, message_id), b"summary", summary_context(message_id)),
        received_us=tx.now_us,
    )
    wrapped = key.wrap(content_key, message_id)
    tx.insert(message_wrap, message_id=message_id, key_id=key.id, suite=key.suite, wrapped=wrapped)
    tx.insert(segment, **sealed.row(message_id, body_key(content_key, message_id)))
    tx.record("deposited", "test", message=message_id)


def main(folder: Path, mode: str, count: int) -> None:
    """Do what the command line says."""
    late = timedelta(hours=49 if mode == "sweep" else 0)
    database = Database((folder / "url").read_text(), clock=lambda: datetime.now(UTC) + late)
    blobs = BlobFolder(folder / "blobs", reserve_octets=0)
    key = SealingKey(KEY_ID, MLKEM768_X25519, (folder / "public").read_bytes())

    def one(number: int) -> None:
        # Each size in its turn, so that every run passes a step as often.
        message_id = f"{new_id()[:-1]}{number % len(SIZES)}"
        say("try", message_id)
        try:
            deposit(database, blobs, key, message_id)
        except StoreUnavailable as problem:
            say("failed", message_id, type(problem).__name__)
        else:
            say("kept", message_id, str(time.monotonic()))

    if mode == "sweep":
        sweep(database, blobs)
    else:
        with ThreadPoolExecutor(4 if mode == "together" else 1) as pool:
            list(pool.map(one, range(count)))
    database.close()
    say("done")


def say(*words: str) -> None:
    """Print a line at once and in one piece."""
    os.write(sys.stdout.fileno(), (" ".join(words) + "\n").encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
