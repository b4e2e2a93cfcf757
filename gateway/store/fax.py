"""Rows of what fax sources brought: what became of a mail, how each source does, what waits of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from gateway.domain.fax import Outcome, Rhythm
from gateway.store.tables import fax_arrival, fax_recognition, intake, message
from gateway.store.transaction import Lookup

WINDOW_US = 28 * 24 * 3600 * 1_000_000
"""How far back a source's usual pauses are looked for."""

CLOCK_LAST = 10
CLOCK_FEWEST = 3
"""Of how many faxes a source's clock is judged."""

ARRIVAL = Lookup(fax_arrival.c.key, (fax_arrival.c.outcome, fax_arrival.c.message_id))
REFERENCE = Lookup(intake.c.message_id, (intake.c.reference,))
_WAITING = (intake.c.filed_us.is_(None), intake.c.discarded_us.is_(None))


@dataclass(frozen=True, slots=True)
class SourceCount:
    """How a source has done in all, and what of it waits in the tray now. Instants are microseconds, None for never.

    Of the filed ones some are `recognised`, and some will be: they have a key, and nothing was found so far.
    """

    source: str
    outcomes: Mapping[Outcome, int]
    review: int
    last_us: int | None
    waiting: int
    oldest_us: int | None
    recognised: int = 0
    unrecognised: int = 0

    @property
    def received(self) -> int:
        """All mails that it brought."""
        return sum(self.outcomes.values())


def has_arrived(connection: Connection, key: str) -> bool:
    """Tell whether a mail with this keyed hash was brought before."""
    return connection.execute(select(fax_arrival.c.id).where(fax_arrival.c.key == key)).first() is not None


def facts_of(connection: Connection, message_ids: Iterable[str]) -> Mapping[str, Row[Any]]:
    """Return by message what is known of faxes without opening them."""
    wanted = select(fax_arrival).where(
        fax_arrival.c.message_id.in_(list(message_ids)), fax_arrival.c.outcome == Outcome.FILED.value
    )
    return {row.message_id: row for row in connection.execute(wanted)}


def repeats_of(connection: Connection, message_id: str) -> int:
    """Return how often a fax came once more."""
    wanted = select(func.count()).where(
        fax_arrival.c.message_id == message_id, fax_arrival.c.outcome == Outcome.REPEATED.value
    )
    return int(connection.execute(wanted).scalar_one())


def source_counts(connection: Connection, sources: Sequence[str]) -> list[SourceCount]:
    """Return how each of these sources does, and each other one that ever brought anything."""
    named = (fax_arrival.c.source, fax_arrival.c.outcome)
    counted = select(*named, func.count(), func.max(fax_arrival.c.at_us)).group_by(*named)
    outcomes: dict[str, dict[Outcome, int]] = {name: {} for name in sources}
    last: dict[str, int] = {}
    for source, outcome, count, at_us in connection.execute(counted):
        outcomes.setdefault(source, {})[Outcome(outcome)] = count
        last[source] = max(at_us, last.get(source, 0))
    waits = _waiting(connection)
    reviews = (
        select(fax_arrival.c.source, func.count()).where(fax_arrival.c.review != "").group_by(fax_arrival.c.source)
    )
    odd: dict[str, int] = {row[0]: row[1] for row in connection.execute(reviews)}
    recognised = _recognised(connection)
    counts: list[SourceCount] = []
    for name, found in outcomes.items():
        waiting, oldest_us = waits.get(name, (0, None))
        read, unread = recognised.get(name, (0, 0))
        counts.append(SourceCount(name, found, odd.get(name, 0), last.get(name), waiting, oldest_us, read, unread))
    return counts


def rhythm(connection: Connection, source: str, now_us: int) -> Rhythm | None:
    """Return how a source has come in four weeks, None where it has not."""
    at_us = fax_arrival.c.at_us
    recent = (
        select(at_us, (at_us - func.lag(at_us).over(order_by=at_us)).label("pause"))
        .where(fax_arrival.c.source == source, at_us > now_us - WINDOW_US)
        .subquery()
    )
    count, last_us, longest_us = connection.execute(
        select(func.count(), func.max(recent.c.at_us), func.max(recent.c.pause))
    ).one()
    return Rhythm(count, last_us, longest_us or 0) if count else None


def clock_offset_us(connection: Connection, source: str) -> int | None:
    """Return by how much a source's clock goes before ours, less than 0 where behind; None where too few faxes told.

    A fax comes after the time that its server tells, never before, if the clock is right: of the last ones the one
    that came soonest tells best.
    """
    told, arrived = fax_arrival.c.told_us, fax_arrival.c.arrived_us
    last = (
        select((told - arrived).label("before"))
        .where(fax_arrival.c.source == source, told.is_not(None), arrived.is_not(None))
        .order_by(fax_arrival.c.at_us.desc())
        .limit(CLOCK_LAST)
        .subquery()
    )
    count, before_us = connection.execute(select(func.count(), func.max(last.c.before))).one()
    return int(before_us) if count >= CLOCK_FEWEST else None


def _waiting(connection: Connection) -> dict[str, tuple[int, int]]:
    counted = (
        select(fax_arrival.c.source, func.count(), func.min(message.c.received_us))
        .join(intake, intake.c.message_id == fax_arrival.c.message_id)
        .join(message, message.c.id == intake.c.message_id)
        .where(fax_arrival.c.outcome == Outcome.FILED.value, *_WAITING)
        .group_by(fax_arrival.c.source)
    )
    return {row[0]: (row[1], row[2]) for row in connection.execute(counted)}


def _recognised(connection: Connection) -> dict[str, tuple[int, int]]:
    done = func.count(fax_recognition.c.recognised_us)
    counted = (
        select(fax_arrival.c.source, done, func.count() - done)
        .join(fax_recognition, fax_recognition.c.message_id == fax_arrival.c.message_id)
        .where(fax_arrival.c.outcome == Outcome.FILED.value)
        .group_by(fax_arrival.c.source)
    )
    return {row[0]: (row[1], row[2]) for row in connection.execute(counted)}
