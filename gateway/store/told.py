"""What a person was told by plain mail: the rows of the outbox as that person may see them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, or_, select

from gateway.domain.notice import NoticeKind
from gateway.domain.reach import ReportKind
from gateway.store.outbox import OutboxState
from gateway.store.tables import case, notice_report, outbox

_NOT_SENT = (OutboxState.WITHHELD.value, OutboxState.JOINED.value)


class Outcome(StrEnum):
    """What became of a notification, as far as anybody said."""

    WAITING = "waiting"
    DELAYED = "delayed"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    RETURNED = "returned"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Told:
    """One notification: what of, when it was made and settled, to which address (None before it was first tried)."""

    id: str
    kind: NoticeKind
    reference: str
    count: int
    address: str | None
    at_us: int
    settled_us: int | None
    outcome: Outcome
    is_sample: bool


def told(connection: Connection, person_id: str, limit: int, before: str = "") -> list[Told]:
    """Return what a person was told, the newest first; `before` is the id where the last page ended."""
    statement = _rows(person_id).order_by(outbox.c.id.desc()).limit(limit)
    if before:
        statement = statement.where(outbox.c.id < before)
    return _read(connection, list(connection.execute(statement)))


def told_once(connection: Connection, person_id: str, outbox_id: str) -> Told | None:
    """Return one notification of a person by its id, or None."""
    rows = list(connection.execute(_rows(person_id).where(outbox.c.id == outbox_id)))
    return next(iter(_read(connection, rows)), None)


def told_of(connection: Connection, person_id: str, reference: str, limit: int) -> list[Told]:
    """Return the newest notifications of a person that carried this reference, as `parse` has read it."""
    named = or_(
        outbox.c.fields.contains(f'"{reference}"', autoescape=True),
        and_(case.c.reference == reference, ~outbox.c.fields.contains('"reference"')),
    )
    rows = connection.execute(_rows(person_id).where(named).order_by(outbox.c.id.desc()).limit(limit))
    return [one for one in _read(connection, list(rows)) if one.reference == reference]


def sent_at(connection: Connection, outbox_id: str) -> int | None:
    """Return when the notification of a row was made, or None when none has left us under this id."""
    left = or_(outbox.c.attempts > 0, outbox.c.state.in_((OutboxState.DELIVERED.value, OutboxState.FAILED.value)))
    statement = select(outbox.c.created_us).where(outbox.c.id == outbox_id, left, outbox.c.state.not_in(_NOT_SENT))
    row = connection.execute(statement).first()
    return None if row is None else int(row.created_us)


def samples_since(connection: Connection, person_id: str, since_us: int) -> int:
    """Return how many samples a person was sent since an instant."""
    statement = select(func.count()).where(
        outbox.c.person_id == person_id, outbox.c.created_us >= since_us, outbox.c.fields.contains('"sample"')
    )
    return int(connection.execute(statement).scalar_one())


def _rows(person_id: str) -> Select[Any]:
    waits = outbox.c.state == OutboxState.WAITING.value
    told_with_another = and_(outbox.c.lead_id.is_not(None), outbox.c.attempts == 0, ~waits)
    return (
        select(*_COLUMNS, case.c.reference.label("case_reference"))
        .select_from(outbox.outerjoin(case, case.c.id == outbox.c.case_id))
        .where(outbox.c.person_id == person_id, outbox.c.state.not_in(_NOT_SENT), ~told_with_another)
    )


_COLUMNS = tuple(outbox.c[name] for name in ("id", "kind", "fields", "state", "attempts", "created_us", "settled_us"))


def _read(connection: Connection, rows: list[Row[Any]]) -> list[Told]:
    reports: dict[str, set[str]] = {}
    ids = [row.id for row in rows]
    statement = select(notice_report.c.outbox_id, notice_report.c.kind).where(notice_report.c.outbox_id.in_(ids))
    for report in connection.execute(statement):
        reports.setdefault(report.outbox_id, set()).add(report.kind)
    return [one for row in rows if (one := _told(row, reports.get(row.id, set()))) is not None]


def _told(row: Row[Any], reports: set[str]) -> Told | None:
    """Return a row as it is told, None for one that we never wrote."""
    try:
        fields = dict(json.loads(row.fields).items())
        kind = NoticeKind(row.kind)
        count = int(fields.get("count", 1))
    except (ValueError, TypeError, AttributeError):
        return None
    return Told(
        id=row.id,
        kind=kind,
        reference=str(fields.get("reference", row.case_reference) or ""),
        count=count,
        address=fields.get("address"),
        at_us=row.created_us,
        settled_us=row.settled_us,
        outcome=_outcome(row, reports),
        is_sample="sample" in fields,
    )


def _outcome(row: Row[Any], reports: set[str]) -> Outcome:
    if row.state == OutboxState.FAILED.value:
        return Outcome.FAILED
    if row.state == OutboxState.WAITING.value:
        return Outcome.DELAYED if row.attempts else Outcome.WAITING
    if ReportKind.FAILED in reports:
        return Outcome.RETURNED
    if ReportKind.DELIVERED in reports:
        return Outcome.DELIVERED
    return Outcome.DELAYED if ReportKind.DELAYED in reports else Outcome.ACCEPTED
