"""A vault with sealing switched off, in a process and folder of its own: the other half of "search the disk".

A search that finds nothing proves something only when the same search finds the same message where nothing is sealed.
`python -m gateway.demo.unsealed FOLDER` deposits the message on standard input through the code of the vault, with
AES-GCM replaced by copying, into `FOLDER`. Nothing else imports this module.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gateway.casework.deposit import ReceivedDeposit, seal_received
from gateway.casework.sealed import SealedMessage
from gateway.domain.summary import Mailbox, Summary
from gateway.mime.summary import read_facts
from gateway.store import sealing, tables
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from gateway.store.sealing import MLKEM768_X25519, TAG_OCTETS, SealingKey
from gateway.store.transaction import Transaction

BLOCK = 64 * 1024


class Copying:
    """Has the shape of AESGCM and seals nothing."""

    def __init__(self, key: bytes) -> None:
        del key

    def encrypt(self, nonce: bytes, data: bytes, associated: bytes | None) -> bytes:
        """Return the data itself, as long as a ciphertext would be."""
        del nonce, associated
        return bytes(data) + b"\0" * TAG_OCTETS

    def decrypt(self, nonce: bytes, data: bytes, associated: bytes | None) -> bytes:
        """Return what `encrypt` was given."""
        del nonce, associated
        return bytes(data[:-TAG_OCTETS])


def deposit_unsealed(folder: Path, octets: bytes) -> None:
    """Put a message into an unsealed vault in `folder`, which is made."""
    setattr(sealing, "AESGCM", Copying)  # noqa: B010 - no name of another module may be assigned to otherwise
    folder.mkdir(parents=True, exist_ok=True)
    deposit = ReceivedDeposit(BlobFolder(folder / "blobs"))
    for start in range(0, len(octets), BLOCK):
        deposit.write(octets[start : start + BLOCK])
    received = deposit.finish()
    facts = read_facts(received.structure)
    public = MLKEM768PrivateKey.generate().public_key().public_bytes_raw()
    key = SealingKey("key", MLKEM768_X25519, public + X25519PrivateKey.generate().public_key().public_bytes_raw())
    nobody = Mailbox("", "")
    map_ = received.structure.part_map
    summary = Summary(facts.subject, nobody, (), (), (), None, facts.message_id, map_, (), "", "")
    database = Database(f"sqlite:///{folder / 'vault.db'}", has_rights=False)
    database.call(_prepare)
    database.call(_insert, seal_received(received, summary, key, b"\0" * 32))
    database.close()


def _prepare(tx: Transaction) -> None:
    tables.METADATA.create_all(tx.connection)


def _insert(tx: Transaction, sealed: SealedMessage) -> None:
    if tx.one(tables.message.select().where(tables.message.c.message_id_hash == sealed.message_id_hash)) is not None:
        return
    tx.insert(
        tables.message,
        id=sealed.id,
        side="office",
        composed=0,
        octets=sealed.octets,
        sealed_summary=sealed.sealed_summary,
        message_id_hash=sealed.message_id_hash,
        received_us=tx.now_us,
    )
    for row in sealed.segments:
        tx.insert(tables.segment, **row)


if __name__ == "__main__":
    deposit_unsealed(Path(sys.argv[1]), sys.stdin.buffer.read())
