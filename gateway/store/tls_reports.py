"""TLS reports to be sent (RFC 8460): a row for each domain and day, then one for each place that wants it.

Rows are leased, not locked: a program that dies loses nothing, and the row comes due again under the same id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Integer, Row, and_, bindparam, delete, select, text, update

from gateway.domain.clock import from_microseconds, to_microseconds
from gateway.failpoints import failpoint
from gateway.store.ids import new_id
from gateway.store.tables import tls_outcome, tls_report
from gateway.store.tls_outcomes import forget_before
from gateway.store.transaction import Transaction

LATE_DAYS: Final = 3
"""A day that lies further back is not reported any more, as after a long stop."""
KEPT_DAYS: Final = 60
MOST_URI: Final = 500
_MOST_REPLY: Final = 200


class ReportState(IntEnum):
    """Where a row stands. Only waiting rows are in the index that claims use."""

    WAITING = 0
    SENT = 1
    FAILED = 2
    UNWANTED = 3
    """The domain asks for no reports."""
    ASKED = 4
    """DNS has said where to: rows of their own have it."""


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """One leased row. `uri` is empty until DNS was asked. `lease_us` is the end of the lease and its token."""

    id: str
    day: date
    domain: str
    uri: str
    attempts: int
    created: datetime
    lease_us: int


def plan(tx: Transaction, delay: Callable[[], timedelta]) -> int:
    """Enter a row for each day that is over and each domain that was counted on it; return how many. Tidies, too.

    Each is due `delay()` after the day's end, so that not all sites report at midnight (RFC 8460 section 4.1).
    """
    today = from_microseconds(tx.now_us).date()
    known = select(tls_report.c.id).where(
        tls_report.c.day == tls_outcome.c.day, tls_report.c.domain == tls_outcome.c.domain
    )
    over = and_(tls_outcome.c.day < today.isoformat(), tls_outcome.c.day >= _before(today, LATE_DAYS))
    rows = tx.all(select(tls_outcome.c.day, tls_outcome.c.domain).where(over, ~known.exists()).distinct())
    for row in rows:
        end = datetime.combine(date.fromisoformat(row.day), time(), UTC) + timedelta(days=1)
        _enter(tx, row.day, row.domain, "", max(tx.now_us, to_microseconds(end + delay())))
    forget_before(tx, today - timedelta(days=KEPT_DAYS))
    tx.execute(delete(tls_report).where(tls_report.c.day < _before(today, KEPT_DAYS)))
    return len(rows)


def claim(tx: Transaction, lease_us: int, limit: int) -> list[ReportEntry]:
    """Lease up to `limit` due rows for `lease_us` microseconds, the longest due first."""
    rows = tx.all(_DUE, {"now": tx.now_us, "most": limit})
    until = tx.now_us + lease_us
    for row in rows:
        leased = {"due_us": until, "lease_until_us": until, "attempts": row.attempts + 1}
        tx.execute(update(tls_report).where(tls_report.c.id == row.id).values(leased))
    failpoint("tls_report.claim")
    return [_entry(row, until) for row in rows]


def spread(tx: Transaction, entry: ReportEntry, uris: Sequence[str]) -> bool:
    """Write down where a domain wants its report; with nowhere it is unwanted. Return False when the lease was lost."""
    fit = [uri for uri in uris if len(uri) <= MOST_URI]
    if not _end(tx, entry, ReportState.ASKED if fit else ReportState.UNWANTED, ""):
        return False
    for uri in fit:
        _enter(tx, entry.day.isoformat(), entry.domain, uri, tx.now_us)
    return True


def settle(tx: Transaction, entry: ReportEntry, state: ReportState, reply: str, next_due_us: int | None = None) -> bool:
    """Write down what became of an attempt; return False when the lease was lost. With `next_due_us` it waits."""
    if next_due_us is None:
        return _end(tx, entry, state, reply)
    waits = {"due_us": next_due_us, "lease_until_us": None, "last_reply": reply[:_MOST_REPLY]}
    return bool(tx.execute(update(tls_report).where(_held(entry)).values(waits)))


def reports(connection: Connection, limit: int) -> list[Row[Any]]:
    """Return rows for `gateway tls-report list`, the newest day first."""
    newest = select(tls_report).order_by(tls_report.c.day.desc(), tls_report.c.domain, tls_report.c.uri)
    return list(connection.execute(newest.limit(limit)))


def days(connection: Connection, limit: int) -> Iterable[Row[Any]]:
    """Return the counts of sessions, the newest day first."""
    newest = select(tls_outcome).order_by(tls_outcome.c.day.desc(), *list(tls_outcome.primary_key)[1:])
    return connection.execute(newest.limit(limit)).all()


# `state = 0` stands in the text: as a parameter it would keep the partial index from being used.
_DUE = (
    select(tls_report)
    .where(text("tls_report.state = 0"), tls_report.c.due_us <= bindparam("now"))
    .order_by(tls_report.c.due_us, tls_report.c.id)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)


def _enter(tx: Transaction, day: str, domain: str, uri: str, due_us: int) -> None:
    tx.insert(
        tls_report, id=new_id(), day=day, domain=domain, uri=uri, state=ReportState.WAITING.value, due_us=due_us,
        lease_until_us=None, attempts=0, created_us=tx.now_us, settled_us=None, last_reply=None,
    )  # fmt: skip


def _entry(row: Row[Any], lease_us: int) -> ReportEntry:
    created = from_microseconds(row.created_us)
    return ReportEntry(
        row.id, date.fromisoformat(row.day), row.domain, row.uri, row.attempts + 1, created, lease_us
    )  # fmt: skip


def _held(entry: ReportEntry) -> ColumnElement[bool]:
    return and_(tls_report.c.id == entry.id, tls_report.c.state == 0, tls_report.c.lease_until_us == entry.lease_us)


def _end(tx: Transaction, entry: ReportEntry, state: ReportState, reply: str) -> bool:
    ended = {
        "state": state.value,
        "lease_until_us": None,
        "settled_us": tx.now_us,
        "last_reply": reply[:_MOST_REPLY],
    }
    return bool(tx.execute(update(tls_report).where(_held(entry)).values(ended)))


def _before(today: date, count: int) -> str:
    return (today - timedelta(days=count)).isoformat()
