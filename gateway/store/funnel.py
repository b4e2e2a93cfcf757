"""How many people who were invited come through, and who waits where on the way: instants, and nobody's name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Any

from sqlalchemy import Connection, Row, select

from gateway.domain.enrolment import PlaceState, Stage
from gateway.store.authority import AuthorityKey, genuine
from gateway.store.tables import agreement, designated_user, enrolment, joining

_COLUMNS: Mapping[Stage, str] = {
    Stage.STARTED: "started_us",
    Stage.CHOSEN: "chosen_us",
    Stage.AGREED: "agreed_us",
    Stage.FINISHED: "finished_us",
}
_ON_THE_WAY = frozenset({PlaceState.INVITED.value, PlaceState.ACTIVE.value, PlaceState.SUSPENDED.value})


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody who is not through: which designated user (`E-7K2Q-9F4T.2`), how far they came, when, which way."""

    person_id: str
    user: str
    stage: Stage
    since_us: int
    way: str | None


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many reached each stage, how many stand still there, how many were taken out before they were through, the
    median from invitation to inbox in microseconds (None while nobody is through), and who waits, the longest first.
    """

    reached: Mapping[Stage, int]
    stopped: Mapping[Stage, int]
    gone: int
    median_us: float | None
    waiting: tuple[Waiting, ...]

    @property
    def median_minutes(self) -> int | None:
        """The median in minutes, rounded up."""
        return None if self.median_us is None else ceil(self.median_us / 60_000_000)


def funnel(connection: Connection, authority: AuthorityKey, programme: str | None, since_us: int) -> Funnel:
    """Return the funnel of a programme (None: of all), of those who were first invited since an instant."""
    wanted = (
        select(joining, enrolment.c.reference)
        .join(designated_user, designated_user.c.id == joining.c.designated_user_id)
        .join(agreement, agreement.c.id == designated_user.c.agreement_id)
        .join(enrolment, enrolment.c.agreement_id == agreement.c.id)
        .where(joining.c.invited_us >= since_us)
        .order_by(joining.c.invited_us)
    )
    if programme is not None:
        wanted = wanted.where(agreement.c.programme == programme)
    rows = connection.execute(wanted).all()
    places = _places(connection, authority, [row.designated_user_id for row in rows])
    last = {row.designated_user_id: _last(row) for row in rows}
    reached = {stage: sum(list(Stage).index(one) >= at for one in last.values()) for at, stage in enumerate(Stage)}
    open_ = [row for row in rows if last[row.designated_user_id] is not Stage.FINISHED]
    standing = [row for row in open_ if _is_on_the_way(places, row)]
    stopped = Counter(last[row.designated_user_id] for row in standing)
    took = [row.finished_us - row.invited_us for row in rows if row.finished_us is not None]
    return Funnel(
        reached,
        {stage: stopped[stage] for stage in Stage if stage is not Stage.FINISHED},
        len(open_) - len(standing),
        median(took) if took else None,
        tuple(sorted((_waiting(row, last, places) for row in standing), key=lambda one: one.since_us)),
    )


Places = Mapping[str, tuple[int, Row[Any]]]


def _last(row: Row[Any]) -> Stage:
    passed = [stage for stage, name in _COLUMNS.items() if getattr(row, name) is not None]
    return passed[-1] if passed else Stage.INVITED


def _is_on_the_way(places: Places, row: Row[Any]) -> bool:
    place = places.get(row.designated_user_id)
    return place is not None and place[1].state in _ON_THE_WAY


def _waiting(row: Row[Any], last: Mapping[str, Stage], places: Places) -> Waiting:
    stage = last[row.designated_user_id]
    since_us = getattr(row, _COLUMNS.get(stage, "invited_us"))
    number = places[row.designated_user_id][0]
    return Waiting(row.person_id, f"{row.reference}.{number}", stage, since_us, row.way)


def _places(connection: Connection, authority: AuthorityKey, ids: list[str]) -> Places:
    """Return the genuine row of each place and its number in its agreement."""
    of_agreements = select(designated_user.c.agreement_id).where(designated_user.c.id.in_(ids))
    rows = connection.execute(
        select(designated_user)
        .where(designated_user.c.agreement_id.in_(of_agreements))
        .order_by(designated_user.c.agreement_id, designated_user.c.id)
    )
    numbers: Counter[str] = Counter()
    found: dict[str, tuple[int, Row[Any]]] = {}
    for row in genuine(designated_user, rows, authority):
        numbers[row.agreement_id] += 1
        found[row.id] = (numbers[row.agreement_id], row)
    return found
