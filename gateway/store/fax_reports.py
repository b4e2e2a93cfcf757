"""Reports that fax servers asked for: entered with the fax, sealed for the notifier, sent once, then forgotten.

Rows are leased, not locked: a program that dies loses nothing, and the row comes due again under the same id.
"""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import ColumnElement, Connection, Integer, Row, and_, bindparam, delete, select, text, update

from gateway.domain.clock import from_microseconds
from gateway.domain.errors import Tampered
from gateway.domain.fax_report import FaxReport
from gateway.failpoints import failpoint
from gateway.store.ids import new_id
from gateway.store.tables import fax_report
from gateway.store.transaction import Transaction

KEPT_US: Final = 60 * 24 * 3600 * 1_000_000
_MOST_REPLY: Final = 200
_NONCE: Final = 12
_CONTEXT: Final = b"gateway fax report v1\x00"


class ReportState(IntEnum):
    """Where a row stands. Only waiting rows are in the index that claims use."""

    WAITING = 0
    SENT = 1
    FAILED = 2


@dataclass(frozen=True, slots=True)
class SealedReport:
    """A report as it rests."""

    id: str
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """One leased row. `lease_us` is the end of the lease and its token."""

    id: str
    source: str
    sealed: bytes = field(repr=False)
    attempts: int
    created: datetime
    lease_us: int


def report_key(return_path_key: bytes) -> bytes:
    """Return the key that reports rest under: who takes faxes and who sends mail has it. It opens no fax."""
    return hmac.digest(return_path_key, _CONTEXT, "sha256")


def seal_report(key: bytes, report: FaxReport) -> SealedReport:
    """Seal a report under an id of its own."""
    row_id, nonce = new_id(), os.urandom(_NONCE)
    return SealedReport(row_id, nonce + AESGCM(key).encrypt(nonce, report.to_bytes(), _CONTEXT + row_id.encode()))


def open_report(key: bytes, entry: ReportEntry) -> FaxReport:
    """Open what `seal_report` sealed. Raises Tampered."""
    nonce, sealed = entry.sealed[:_NONCE], entry.sealed[_NONCE:]
    try:
        return FaxReport.from_bytes(AESGCM(key).decrypt(nonce, sealed, _CONTEXT + entry.id.encode()))
    except (InvalidTag, ValueError, KeyError, TypeError):
        raise Tampered("A report of a fax is not as it was sealed.") from None


def enter_report(tx: Transaction, source: str, report: SealedReport) -> None:
    """Enter a report that is to be sent."""
    tx.insert(
        fax_report, id=report.id, source=source, sealed=report.sealed, state=ReportState.WAITING.value,
        due_us=tx.now_us, lease_until_us=None, attempts=0, created_us=tx.now_us, settled_us=None, last_reply=None,
    )  # fmt: skip


def claim(tx: Transaction, lease_us: int, limit: int) -> list[ReportEntry]:
    """Lease up to `limit` due rows for `lease_us` microseconds, the longest due first."""
    rows = tx.all(_DUE, {"now": tx.now_us, "most": limit})
    until = tx.now_us + lease_us
    for row in rows:
        leased = {"due_us": until, "lease_until_us": until, "attempts": row.attempts + 1}
        tx.execute(update(fax_report).where(fax_report.c.id == row.id).values(leased))
    failpoint("fax_report.claim")
    return [_entry(row, until) for row in rows]


def settle(tx: Transaction, entry: ReportEntry, state: ReportState, reply: str, next_due_us: int | None = None) -> bool:
    """Write down what became of an attempt; return False when the lease was lost. With `next_due_us` it waits.

    What has ended keeps its outcome alone.
    """
    values: dict[str, Any] = {"lease_until_us": None, "last_reply": reply[:_MOST_REPLY]}
    if next_due_us is None:
        values |= {"state": state.value, "settled_us": tx.now_us, "sealed": b""}
    else:
        values |= {"due_us": next_due_us}
    return bool(tx.execute(update(fax_report).where(_held(entry)).values(values)))


def listed(rows: Connection, *, ended: bool, limit: int) -> list[Row[Any]]:
    """Return reports, the newest first: source, state, attempts, when asked for, when due, what was last answered.
    Those that ended only where `ended`.
    """
    columns = [column for column in fax_report.c if column.name != "sealed"]
    wanted = select(*columns).order_by(fax_report.c.created_us.desc(), fax_report.c.id).limit(limit)
    return list(rows.execute(wanted if ended else wanted.where(text("fax_report.state = 0"))))


def forget(tx: Transaction) -> None:
    """Delete what ended long ago."""
    tx.execute(delete(fax_report).where(fax_report.c.state != 0, fax_report.c.created_us < tx.now_us - KEPT_US))


# `state = 0` stands in the text: as a parameter it would keep the partial index from being used.
_DUE = (
    select(fax_report)
    .where(text("fax_report.state = 0"), fax_report.c.due_us <= bindparam("now"))
    .order_by(fax_report.c.due_us, fax_report.c.id)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)


def _entry(row: Row[Any], lease_us: int) -> ReportEntry:
    created = from_microseconds(row.created_us)
    return ReportEntry(row.id, row.source, bytes(row.sealed), row.attempts + 1, created, lease_us)


def _held(entry: ReportEntry) -> ColumnElement[bool]:
    return and_(fax_report.c.id == entry.id, fax_report.c.state == 0, fax_report.c.lease_until_us == entry.lease_us)
