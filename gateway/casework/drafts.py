"""The verbs that look after drafts, each whole or not at all: messages of a relay that fit several cases.

It rests sealed to each case that fits, in none of them: nobody but its author reads it, and nobody else is told. Who
leaves hands it on; where nobody chooses in time it ends, and its author and their supervisors are told. Nothing that
was taken is lost: a draft that has ended stays in the vault, out of every view, and in the record. `casework.holding`
makes one, `casework.choosing` decides.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select, update

from gateway.domain.notice import MAX_COUNT, NoticeKind, NoticeState
from gateway.failpoints import failpoint
from gateway.store.authority import AuthorityKey, genuine
from gateway.store.drafts import Draft, due_drafts, fitting_cases
from gateway.store.outbox import NOTIFIER, put
from gateway.store.people import person_by_id
from gateway.store.reminders import take_turns
from gateway.store.tables import draft, person, team_member
from gateway.store.transaction import Transaction

DAY_US: Final = timedelta(days=1) // timedelta(microseconds=1)
REMINDER_DAYS: Final = (1, 3, 7)
"""So many days after it came its author is reminded, and a day before the end."""
AT_ONCE: Final = 100


def look_after_drafts(tx: Transaction, authority: Ed25519PublicKey, at_once: int = AT_ONCE) -> int:
    """Look at up to `at_once` drafts whose time has come, and return how many: remind, hand on, or end them."""
    take_turns(tx)
    found = due_drafts(tx.connection, tx.now_us, at_once)
    for one in found:
        _look(tx, authority, one)
    if found:
        failpoint("drafts.look")
    return len(found)


def hand_on(tx: Transaction, one: Draft, to: str, by: str) -> None:
    """Let somebody else decide from now on, and tell them."""
    tx.execute(update(draft).where(draft.c.message_id == one.row.message_id).values(person_id=to))
    tx.record("draft_handed_on", by, message=one.row.message_id, draft=one.row.reference, person=to)
    _tell(tx, one, to, NoticeState.DRAFT_HANDED_ON, len(one.facts["cases"]))


def _look(tx: Transaction, authority: Ed25519PublicKey, one: Draft) -> None:
    row = one.row
    if row.ends_us <= tx.now_us:
        _end(tx, authority, one)
        return
    again = {"look_us": next_look(row.received_us, row.ends_us, tx.now_us), "reminded": row.reminded + 1}
    tx.execute(update(draft).where(draft.c.message_id == row.message_id).values(again))
    if one.nameless_team is None and person_by_id(tx.known, row.person_id) is None:
        for supervisor in _supervisors(tx, authority, row.person_id):
            if fitting_cases(tx.known, authority, one, supervisor, tx.now_us):
                hand_on(tx, one, supervisor, NOTIFIER)
                return
        return
    for person_id in one.people(tx.known, authority, tx.now_us):
        count = len(fitting_cases(tx.known, authority, one, person_id, tx.now_us))
        _tell(tx, one, person_id, NoticeState.DRAFT_STILL_WAITS, count)


def _end(tx: Transaction, authority: Ed25519PublicKey, one: Draft) -> None:
    """Take it out of every view; who was to choose hears of it, and whoever supervises them."""
    ended = {"discarded_us": tx.now_us, "look_us": None}
    tx.execute(update(draft).where(draft.c.message_id == one.row.message_id).values(ended))
    tx.record("draft_ended", NOTIFIER, message=one.row.message_id, draft=one.row.reference)
    own = one.people(tx.known, authority, tx.now_us)
    above = {supervisor for person_id in own for supervisor in _supervisors(tx, authority, person_id)}
    for person_id in own:
        _tell(tx, one, person_id, NoticeState.DRAFT_ENDED, 0)
    for person_id in sorted(above.difference(own)):
        _tell(tx, one, person_id, NoticeState.DRAFT_ENDED_OF_TEAM, 0)


def _supervisors(tx: Transaction, authority: AuthorityKey, person_id: str) -> list[str]:
    """Return who supervises a team that this person is in, or was in when they left."""
    left = tx.one(select(person.c.ended_us).where(person.c.id == person_id))
    until_us = tx.now_us if left is None or left.ended_us is None else left.ended_us
    rows = genuine(team_member, tx.all(select(team_member).where(team_member.c.person_id == person_id)), authority)
    teams = {row.team_id for row in rows if row.until_us is None or row.until_us >= until_us}
    found = (
        select(team_member)
        .join(person, person.c.id == team_member.c.person_id)
        .where(team_member.c.team_id.in_(sorted(teams)), person.c.ended_us.is_(None), team_member.c.supervisor == 1)
    )
    return sorted(
        {
            row.person_id
            for row in genuine(team_member, tx.all(found), authority)
            if row.from_us <= tx.now_us and (row.until_us is None or row.until_us > tx.now_us)
        }
        - {person_id}
    )


def _tell(tx: Transaction, one: Draft, person_id: str, state: NoticeState, count: int) -> None:
    is_over = state in (NoticeState.DRAFT_ENDED, NoticeState.DRAFT_ENDED_OF_TEAM)
    put(
        tx,
        programme=one.row.programme,
        kind=NoticeKind.DRAFT_ENDED if is_over else NoticeKind.CASE_TO_CHOOSE,
        person_id=person_id,
        message_id=one.row.message_id,
        fields=told_fields(one.row.reference, state, one.facts["sender"], count, None if is_over else one.row.ends_us),
    )


def told_fields(
    reference: str, state: NoticeState, sender: str, count: int, until_us: int | None
) -> dict[str, str | int]:
    """Return what a notice of a draft says."""
    fields: dict[str, str | int] = {
        "reference": reference, "state": state.value, "count": min(count, MAX_COUNT), "address": sender,
    }  # fmt: skip
    return fields if until_us is None else {**fields, "until_us": until_us}


def next_look(received_us: int, ends_us: int, now_us: int) -> int:
    """Return when it is looked at next: at a reminder's time, or at its end."""
    times = [received_us + days * DAY_US for days in REMINDER_DAYS] + [ends_us - DAY_US]
    return min((at for at in times if now_us < at < ends_us), default=ends_us)
