"""What the pages of a fax were taken for, sealed: each fax has a key pair of its own, made as it is filed.

The private half is sealed with the fax's summary, so that who may open that may read what was found. The public half
stands in a row, so that a program which opens nothing can seal to it at any later time. Beside it stands a keyed hash:
a public key that somebody else puts there gets nothing.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from sqlalchemy import Connection, Row, select

from gateway import maillog
from gateway.domain.errors import Tampered
from gateway.domain.recognition import Recognition
from gateway.domain.summary import OwnKey, Summary
from gateway.store.pairs import new_pair, public_of, read_private, suite_of
from gateway.store.sealing import HPKE_SUITES, SealingKey
from gateway.store.tables import fax_arrival, fax_recognition, intake

_UNOPENED: Final = "What was recognised of this fax does not open."


@dataclass(frozen=True, slots=True)
class RecognitionKey:
    """The public key that what is found of one fax is sealed to, and the keyed hash that says it is ours."""

    message_id: str
    suite: int
    public: bytes
    proof: str

    def row(self) -> dict[str, Any]:
        """Return the columns of its row."""
        return {"message_id": self.message_id, "suite": self.suite, "public": self.public, "proof": self.proof}


def new_recognition_key(proving: bytes, suite: int, message_id: str) -> tuple[OwnKey, RecognitionKey]:
    """Make a fax's own pair: what is sealed with its summary, and what stands in its row."""
    private, public = new_pair(suite)
    return OwnKey(suite, private), RecognitionKey(message_id, suite, public, _proof(proving, message_id, suite, public))


def proving_key(deposit_key: bytes) -> bytes:
    """Return the key by which a public key of a fax is known as ours: it opens nothing."""
    return hmac.digest(deposit_key, b"recognition\x00", "sha256")


def proven_key(proving: bytes, row: Row[Any]) -> RecognitionKey:
    """Return the key of a row. Raises Tampered, with an alarm, for one that no program of ours put there."""
    public = bytes(row.public)
    if not hmac.compare_digest(_proof(proving, row.message_id, row.suite, public), row.proof):
        maillog.alarm("key", fax_recognition.name, row.message_id)
        raise Tampered("The key of a fax is not ours.")
    return RecognitionKey(row.message_id, row.suite, public, row.proof)


def own_public_key(summary: Summary, message_id: str) -> RecognitionKey | None:
    """Return the key that belongs to an open summary, None where its fax came before there were any."""
    own = summary.own_key
    if own is None:
        return None
    try:
        return RecognitionKey(message_id, suite_of(own.private), public_of(own.private), "")
    except ValueError:
        raise Tampered(_UNOPENED) from None


def seal_recognition(key: RecognitionKey, version: int, recognition: Recognition) -> bytes:
    """Seal what was found to a fax's own key; fax and version are bound to it. Raises ValueError where it is too long.

    The public key's shape is judged as that of any sealing key.
    """
    checked = SealingKey(key.message_id, key.suite, key.public)
    info = _info(key.message_id, key.suite, version)
    return HPKE_SUITES[key.suite].encrypt(recognition.to_bytes(), checked.components(), info)


def open_recognition(summary: Summary, row: Row[Any] | None) -> Recognition | None:
    """Return what was recognised of a fax whose summary is open, None where nothing was so far.

    `row` is that of `recognition_row`. What comes out is of a child, or of whoever could write the row, until it is
    read as a value. Raises Tampered where it does not open, or is no such value.
    """
    if row is None or row.sealed is None or summary.own_key is None:
        return None
    own = summary.own_key
    try:
        if suite_of(own.private) != row.suite:
            raise ValueError
        info = _info(row.message_id, row.suite, row.version)
        octets = HPKE_SUITES[row.suite].decrypt(bytes(row.sealed), read_private(own.private), info)
        return Recognition.from_bytes(octets)
    except (InvalidTag, ValueError):
        maillog.alarm("recognition", fax_recognition.name, row.message_id)
        raise Tampered(_UNOPENED) from None


def recognition_row(connection: Connection, message_id: str) -> Row[Any] | None:
    """Return the row of what was recognised of a fax; its `version` is 0 where nothing was so far."""
    return connection.execute(select(fax_recognition).where(fax_recognition.c.message_id == message_id)).first()


def fax_of_mail(connection: Connection, key: str) -> str | None:
    """Return the message that a mail with this keyed hash was filed as, "" for one that was entered and is no new fax,
    None where no such mail was ever brought.
    """
    wanted = (
        select(fax_arrival.c.outcome, intake.c.message_id)
        .outerjoin(intake, intake.c.message_id == fax_arrival.c.message_id)
        .where(fax_arrival.c.key == key)
    )
    row = connection.execute(wanted).first()
    if row is None:
        return None
    return str(row.message_id or "") if row.outcome == "filed" else ""


def _info(message_id: str, suite: int, version: int) -> bytes:
    """The HPKE `info`, which binds what is sealed to its fax and its version."""
    return b"gateway recognition v1\x00" + f"{suite}\x00{message_id}\x00{version}".encode("ascii")


def _proof(proving: bytes, message_id: str, suite: int, public: bytes) -> str:
    told = f"{message_id}\x00{suite}\x00".encode("ascii") + public
    return hmac.digest(proving, told, "sha256").hex()
