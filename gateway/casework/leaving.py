"""The verb that hands a leaver's work to a successor and ends the leaver. See `gateway.casework.administration`.

Whole or not at all: cases, places in teams, answers that the leaver has not opened, drafts, and the word that messages
of the leaver wait for go over, then all that the leaver has ends. A signed address that was made for the leaver goes on
working for the successor, and where the leaver was to stand in for somebody the successor does.
`gateway.casework.returning` takes it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from gateway.casework.absence import hand_over_absences
from gateway.casework.accounts import end_person
from gateway.casework.act import Act
from gateway.casework.drafts import hand_on
from gateway.casework.guard_asking import tell_again
from gateway.domain.errors import Malformed
from gateway.domain.notice import NoticeKind
from gateway.domain.rights import Side
from gateway.store import tables
from gateway.store.absences import predecessors_of
from gateway.store.drafts import Draft, open_drafts
from gateway.store.guard import waits_of
from gateway.store.ids import new_id
from gateway.store.outbox import put


@dataclass(frozen=True, slots=True)
class HandOver:
    """What goes over: the leaver's cases, places in teams, answers not opened, drafts, messages that wait for a yes,
    and absences in which the leaver stands in; and how much ends.
    """

    cases: tuple[Row[Any], ...]
    places: tuple[Row[Any], ...]
    unopened: tuple[Row[Any], ...]
    drafts: tuple[Draft, ...]
    waits: tuple[Row[Any], ...]
    absences: int
    credentials: int
    sessions: int


def leave(act: Act, *, person: str, successor: str, preview: bool = False) -> dict[str, Any]:
    """Hand the work of an employee to another and end the first; with `preview` only tell what that would do."""
    leaver, heir = act.person(person, Side.OFFICE), act.person(successor, Side.OFFICE)
    if leaver.id == heir.id:
        raise Malformed("The successor is the one who leaves. Name another employee.")
    if leaver.programme != heir.programme:
        raise Malformed("These two belong to different programmes.")
    found = _found(act, leaver.id)
    told = {
        "cases": len(found.cases),
        "teams": len(found.places),
        "unopened": len(found.unopened),
        "drafts": len(found.drafts),
        "waits": len(found.waits),
        "absences": found.absences,
        "credentials": found.credentials,
        "sessions": found.sessions,
    }
    if preview:
        return {**told, "person": leaver.id, "successor": heir.id, "done": 0}
    _hand_over_cases(act, found, heir.id)
    _hand_over_places(act, found, heir.id)
    _hand_over_unopened(act, found, heir)
    for one in found.drafts:
        hand_on(act.tx, one, heir.id, act.actor.name)
    hand_over_absences(act, leaver, heir)
    act.give(
        tables.succession, person_id=leaver.id, successor_id=heir.id, from_us=act.tx.now_us, until_us=None
    )  # fmt: skip
    act.record("employee_left", person=leaver.id, successor=heir.id, **told)
    end_person(act, person=leaver.id)
    act.tx.flush()
    tell_again(act.tx, act.authority.key, found.waits)
    return {**told, "person": leaver.id, "successor": heir.id, "done": 1}


def _found(act: Act, person_id: str) -> HandOver:
    connection, key = act.tx.connection, act.authority.key
    cases = [row for row in act.not_ended(tables.assignment, person_id=person_id) if row.purpose is None]
    return HandOver(
        cases=tuple(cases),
        places=tuple(act.not_ended(tables.team_member, person_id=person_id)),
        unopened=tuple(_unopened(act, person_id)),
        drafts=tuple(one for one in open_drafts(connection, person_id) if one.nameless_team is None),
        waits=tuple(waits_of(connection, {person_id, *predecessors_of(connection, key, person_id, act.tx.now_us)})),
        absences=len(act.not_ended(tables.absence, deputy_id=person_id)),
        credentials=len(act.not_ended(tables.credential, person_id=person_id)),
        sessions=len(act.not_ended(tables.session, person_id=person_id)),
    )


def _unopened(act: Act, person_id: str) -> list[Row[Any]]:
    """Return the messages to this person in open cases that they have not opened, the oldest first."""
    recipient, message, case = tables.recipient, tables.message, tables.case
    statement = (
        select(message.c.id, message.c.case_id, message.c.reference)
        .join(recipient, recipient.c.message_id == message.c.id)
        .join(case, case.c.id == message.c.case_id)
        .where(recipient.c.person_id == person_id, recipient.c.first_read_us.is_(None), case.c.closed_us.is_(None))
        .order_by(message.c.id)
    )
    return list(act.tx.all(statement))


def _hand_over_cases(act: Act, found: HandOver, heir_id: str) -> None:
    for row in found.cases:
        place = {"case_id": row.case_id, "team_id": None, "person_id": heir_id, "purpose": None}
        if not act.not_ended(tables.assignment, **place):
            act.give(tables.assignment, **place, from_us=act.tx.now_us, until_us=row.until_us)
            act.record("case_assigned", **place)


def _hand_over_places(act: Act, found: HandOver, heir_id: str) -> None:
    for row in found.places:
        place = {"team_id": row.team_id, "person_id": heir_id}
        present = act.not_ended(tables.team_member, **place)
        if any(one.supervisor or not row.supervisor for one in present):
            continue
        act.end(tables.team_member, present)
        supervisor = int(row.supervisor)
        act.give(tables.team_member, **place, supervisor=supervisor, from_us=act.tx.now_us, until_us=row.until_us)
        act.record("team_member_added", **place, supervisor=supervisor)


def _hand_over_unopened(act: Act, found: HandOver, heir: Row[Any]) -> None:
    recipient = tables.recipient
    for row in found.unopened:
        known = select(recipient.c.id).where(recipient.c.message_id == row.id, recipient.c.person_id == heir.id)
        if act.tx.one(known) is not None:
            continue
        act.tx.insert(recipient, id=new_id(), message_id=row.id, person_id=heir.id, addressed_as="to", notify="")
        put(
            act.tx,
            programme=heir.programme,
            kind=NoticeKind.REPLY_RECEIVED,
            person_id=heir.id,
            case_id=row.case_id,
            message_id=row.id,
            fields={"reference": row.reference, "count": 1},
        )
