"""The list of agreements as the enrolment desk pages through it: by state, by what waits for a clerk, by age.

The database finds and orders; rows that give power are checked before anything is said of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select

from gateway.domain.enrolment import DAY_US, AgreementState, PlaceState
from gateway.domain.programme import FormKind, Programme
from gateway.store.authority import AuthorityKey, genuine
from gateway.store.enrolments import Enrolments, Listed
from gateway.store.tables import agreement, approval, designated_user, enrolment, form, form_field, meeting

PAGE = 25
_BEFORE = (PlaceState.NAMED.value, PlaceState.MEETING.value, PlaceState.AUTHENTICATED.value)
_GIVES_RIGHTS = [one.value for one in AgreementState if one.gives_rights]
_NOT_REVIEWED = [AgreementState.RECEIVED.value, AgreementState.ASKED.value]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of the list. `waits`: only what `clerk` can go on with; `days`: not moved for so many days.

    `after` is the agreement after which it goes on: what waits has the oldest first, all else the latest moved.
    """

    state: AgreementState | None = None
    waits: bool = False
    days: int = 0
    clerk: str = ""
    after: str = ""


def list_agreements(
    connection: Connection, authority: AuthorityKey, programme: Programme, wish: Wish, now_us: int, most: int = PAGE
) -> tuple[list[Listed], str]:
    """Return a page of a programme's agreements and the reference to go on after, empty at the end.

    Each has what `Enrolments.line` says, `title` (the field that says whose it is) and `waits_for`.
    """
    order = enrolment.c.moved_us.asc() if wish.waits else enrolment.c.moved_us.desc()
    wanted = _wanted(programme, wish, now_us).order_by(order, enrolment.c.id).limit(most + 1)
    if (last := _last(connection, wish.after)) is not None:
        later = enrolment.c.moved_us > last[0] if wish.waits else enrolment.c.moved_us < last[0]
        wanted = wanted.where(or_(later, and_(enrolment.c.moved_us == last[0], enrolment.c.id > last[1])))
    found = list(connection.execute(wanted))
    rows = genuine(enrolment, found[:most], authority)
    enrolments = Enrolments(connection, authority, now_us, {programme.key: programme})
    titles = _titles(connection, programme, [row.agreement_id for row in rows])
    waiting = _waiting(connection, [row.agreement_id for row in rows], wish.clerk, now_us)
    lines = [
        {
            **enrolments.line(row),
            "title": titles.get(row.agreement_id, ""),
            "waits_for": [what for what in Waits if row.agreement_id in waiting[what]],
        }
        for row in rows
    ]
    return lines, found[most - 1].reference if len(found) > most else ""


def count_waiting(connection: Connection, programme: Programme, clerk: str, now_us: int) -> int:
    """Return how many agreements a clerk can go on with now."""
    waiting = _wanted(programme, Wish(waits=True, clerk=clerk), now_us).subquery()
    return int(connection.execute(select(func.count()).select_from(waiting)).scalar_one())


def count_before(connection: Connection, programme: Programme, now_us: int) -> dict[str, int]:
    """Return how many designated users stand before an invitation, by state."""
    holds = or_(designated_user.c.until_us.is_(None), designated_user.c.until_us > now_us)
    counted = (
        select(designated_user.c.state, func.count())
        .join(agreement, agreement.c.id == designated_user.c.agreement_id)
        .where(agreement.c.programme == programme.key, designated_user.c.state.in_(_BEFORE), holds)
        .group_by(designated_user.c.state)
    )
    found = {row[0]: int(row[1]) for row in connection.execute(counted)}
    return {state: found.get(state, 0) for state in _BEFORE}


Waits = ("check", "approve", "meet", "outcome", "invite")
"""What a clerk can do next: check a form, approve what somebody else asked for, arrange a meeting, note what one came
to, invite."""


def _wanted(programme: Programme, wish: Wish, now_us: int) -> Select[Any]:
    wanted = select(enrolment, agreement.c.programme).join(agreement, agreement.c.id == enrolment.c.agreement_id)
    wanted = wanted.where(agreement.c.programme == programme.key)
    if wish.state is not None:
        wanted = wanted.where(enrolment.c.state == wish.state.value)
    if wish.days:
        wanted = wanted.where(enrolment.c.moved_us <= now_us - wish.days * DAY_US)
    if wish.waits:
        wanted = wanted.where(or_(*_conditions(wish.clerk, now_us).values()))
    return wanted


def _conditions(clerk: str, now_us: int) -> Mapping[str, ColumnElement[bool]]:
    """Return, for each of `Waits`, what makes it so of a row of `enrolment`."""
    holds = or_(designated_user.c.until_us.is_(None), designated_user.c.until_us > now_us)
    of_agreement = and_(designated_user.c.agreement_id == enrolment.c.agreement_id, holds)
    gives = enrolment.c.state.in_(_GIVES_RIGHTS)
    set_ = and_(
        meeting.c.designated_user_id == designated_user.c.id,
        meeting.c.settled_us.is_(None),
        meeting.c.cancelled_us.is_(None),
    )
    in_meeting = designated_user.c.state == PlaceState.MEETING.value
    to_arrange = or_(
        designated_user.c.state == PlaceState.NAMED.value,
        and_(in_meeting, ~exists().where(set_)),
    )
    return {
        "check": enrolment.c.state.in_(_NOT_REVIEWED),
        "approve": exists().where(
            approval.c.agreement_id == enrolment.c.agreement_id,
            approval.c.until_us > now_us,
            approval.c.asked_by != clerk,
        ),
        "meet": and_(gives, exists().where(of_agreement, to_arrange)),
        "outcome": and_(gives, exists().where(of_agreement, in_meeting, set_, meeting.c.starts_us <= now_us)),
        "invite": and_(gives, exists().where(of_agreement, designated_user.c.state == PlaceState.AUTHENTICATED.value)),
    }


def _waiting(connection: Connection, agreements: list[str], clerk: str, now_us: int) -> dict[str, set[str]]:
    return {
        what: set(
            connection.execute(
                select(enrolment.c.agreement_id).where(enrolment.c.agreement_id.in_(agreements), condition)
            ).scalars()
        )
        for what, condition in _conditions(clerk, now_us).items()
    }


def _last(connection: Connection, reference: str) -> tuple[int, str] | None:
    if not reference:
        return None
    known = select(enrolment.c.moved_us, enrolment.c.id).where(enrolment.c.reference == reference)
    row = connection.execute(known).first()
    return None if row is None else (row.moved_us, row.id)


def _titles(connection: Connection, programme: Programme, agreements: list[str]) -> dict[str, str]:
    consent = programme.form(FormKind.CONSENT)
    open_fields = [one for one in consent.fields if not one.sealed] if consent else []
    key = next((one.key for one in (*(one for one in open_fields if one.is_name), *open_fields)), "")
    rows = connection.execute(
        select(form.c.agreement_id, form_field.c.value)
        .join(form_field, form_field.c.form_id == form.c.id)
        .where(form.c.agreement_id.in_(agreements), form.c.kind == FormKind.CONSENT.value, form_field.c.key == key)
    )
    return {row.agreement_id: row.value or "" for row in rows}
