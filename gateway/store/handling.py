"""Rows of what clerks do with items of the tray, as the desk shows them: lines of the queue, what was done just now."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, func, select

from gateway.domain.fax import Outcome
from gateway.domain.intake import Tray
from gateway.domain.rights import Side
from gateway.store.fax import facts_of
from gateway.store.intake import items
from gateway.store.tables import (
    case,
    fax_arrival,
    fax_recognition,
    intake,
    intake_act,
    intake_claim,
    intake_section,
    message,
    person,
)


@dataclass(frozen=True, slots=True)
class Claim:
    """Who works on an item, since when and until when; nobody's id and name are a local operator's."""

    person_id: str | None
    name: str
    at_us: int
    until_us: int


@dataclass(frozen=True, slots=True)
class Waits:
    """An item of the queue by its rows: what its fax is known by, how often it came, what was recognised, its claim."""

    row: Row[Any]
    fax: Row[Any] | None
    repeats: int
    recognition: Row[Any] | None
    claim: Claim | None


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How a person has put the pages of an item: sections of pages (none: as the machine has them), turns by page."""

    sections: tuple[tuple[int, ...], ...] = ()
    turns: Mapping[int, int] = field(default_factory=dict)
    version: int = 0


@dataclass(frozen=True, slots=True)
class Recent:
    """An act that can still be undone: on which item, by whom, the case that it was filed in."""

    item: str
    kind: str
    name: str
    at_us: int
    case: str | None


def queue(
    connection: Connection, programme: str, now_us: int, limit: int, after: tuple[int, str] | None = None
) -> list[Waits]:
    """Return a page of what waits for the clerks of a programme, the oldest first, from beyond `after` on."""
    rows = items(connection, Tray.CASES, programme=programme, limit=limit, after=after)
    ids = [row.id for row in rows]
    faxes, repeats, claims = facts_of(connection, ids), _repeats(connection, ids), claims_of(connection, ids, now_us)
    known = fax_recognition
    found = {row.message_id: row for row in connection.execute(select(known).where(known.c.message_id.in_(ids)))}
    return [
        Waits(row, faxes.get(row.id), repeats.get(row.id, 0), found.get(row.id), claims.get(row.id)) for row in rows
    ]


def claims_of(connection: Connection, message_ids: Iterable[str], now_us: int) -> dict[str, Claim]:
    """Return who works on which of these items now."""
    wanted = (
        select(intake_claim, person.c.name)
        .outerjoin(person, person.c.id == intake_claim.c.person_id)
        .where(intake_claim.c.message_id.in_(list(message_ids)), intake_claim.c.until_us > now_us)
    )
    return {
        row.message_id: Claim(row.person_id, row.name or "", row.at_us, row.until_us)
        for row in connection.execute(wanted)
    }


def arrangement_of(connection: Connection, message_id: str) -> Arrangement:
    """Return how a person has put an item's pages."""
    row = connection.execute(select(intake_section).where(intake_section.c.message_id == message_id)).first()
    if row is None:
        return Arrangement()
    sections = tuple(tuple(pages) for pages in json.loads(row.sections))
    return Arrangement(sections, {int(page): turn for page, turn in json.loads(row.turns).items()}, row.version)


def recent_acts(connection: Connection, programme: str, since_us: int) -> list[Recent]:
    """Return what employees of a programme have done since then and was not undone, the latest of each item."""
    wanted = (
        select(intake_act, intake.c.reference, person.c.name, case.c.reference.label("case"))
        .join(intake, intake.c.message_id == intake_act.c.message_id)
        .join(message, message.c.id == intake_act.c.message_id)
        .join(person, person.c.id == intake_act.c.person_id)
        .outerjoin(case, case.c.id == message.c.case_id)
        .where(
            intake_act.c.at_us > since_us,
            intake_act.c.undone_us.is_(None),
            person.c.programme == programme,
            person.c.side == Side.OFFICE.value,
        )
        .order_by(intake_act.c.at_us.desc(), intake_act.c.id.desc())
    )
    latest: dict[str, Recent] = {}
    for row in connection.execute(wanted):
        latest.setdefault(row.reference, Recent(row.reference, row.kind, row.name, row.at_us, row.case))
    return list(latest.values())


def _repeats(connection: Connection, message_ids: Iterable[str]) -> dict[str, int]:
    wanted = (
        select(fax_arrival.c.message_id, func.count())
        .where(fax_arrival.c.message_id.in_(list(message_ids)), fax_arrival.c.outcome == Outcome.REPEATED.value)
        .group_by(fax_arrival.c.message_id)
    )
    return {row[0]: int(row[1]) for row in connection.execute(wanted)}
