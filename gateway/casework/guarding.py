"""What the wrong client guard makes of a message of the office: which case its numbers belong to, and whether it waits.

Run by the keyholder, which alone knows the blind index. A number is compared with papers of the message's own case and
of the author's other cases: what belongs to a case of somebody else is to nobody here more than nine digits, so that
who sends numbers to try them out learns of their own cases only. Nothing is unwrapped here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from gateway.casework.guard_asking import ask, authors_of
from gateway.casework.openings import Wrap, find_wraps
from gateway.domain.errors import NotAllowed
from gateway.domain.guard import DAY_US, RUN_OUT_US, Answer, Guarded, Outcome, Unlooked
from gateway.domain.rights import Side
from gateway.failpoints import failpoint
from gateway.store.authority import AuthorityKey, genuine
from gateway.store.cases import case_by_id, office
from gateway.store.delegations import has_case
from gateway.store.drafts import draft_of
from gateway.store.guard import TO_LOOK_AT, answer_wait
from gateway.store.messages import message_row
from gateway.store.tables import agreement, agreement_case, form, form_field, message
from gateway.store.transaction import Transaction

GUARD: Final = "guard"
"""Who an entry says it was where the guard did it."""
LOOKED_AT_FOR_US: Final = RUN_OUT_US + 2 * DAY_US
"""For so long after a message was entered it is opened for a look; by then its author has been asked, and it has ended.

The mark that it waits is in a column that the notifier may write, which may open nothing: without an end, and for what
the other side wrote, it would open the vault.
"""
_NOT_WAITING = "There is no such message that waits to be looked at."


@dataclass(frozen=True, slots=True)
class ToLook:
    """A message that waits to be looked at: its wrap, its case, programme and author."""

    wrap: Wrap
    case_id: str
    programme: str
    author: str


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a message has shown: its numbers as the blind index has them, whether not all of it could be read
    or compared, and why nobody looked, if nobody did.
    """

    message_id: str
    blind: tuple[str, ...] = ()
    is_partly: bool = False
    unlooked: Unlooked | None = None


def find_to_look(connection: Connection, key: AuthorityKey, message_id: str, now_us: int) -> ToLook:
    """Return what the guard may have opened now: a message of the office that waits for its look, and not for ever.

    Raises NotAllowed for anything else.
    """
    row = message_row(connection, message_id)
    if row is None or row.case_id is None or not _may_wait(connection, row, now_us):
        raise NotAllowed(_NOT_WAITING)
    within, wraps = case_by_id(connection, row.case_id), find_wraps(connection, key, row.case_id, [row])
    if within is None or not wraps:
        raise NotAllowed(_NOT_WAITING)
    return ToLook(wraps[0], row.case_id, within.programme, row.author_id or row.team_id or "")


def _may_wait(connection: Connection, row: Row[Any], now_us: int) -> bool:
    is_held = row.guard in TO_LOOK_AT and row.held_until_us is not None and row.withdrawn_us is None
    if not is_held or row.side != Side.OFFICE.value:
        return False
    drafted = draft_of(connection, row.id)
    entered_us = row.received_us if drafted is None else drafted.row.chosen_us or row.received_us
    return bool(now_us < entered_us + LOOKED_AT_FOR_US)


def enter_opening(tx: Transaction, found: ToLook) -> None:
    """Write the entry of an opening for the guard, before its key is given."""
    tx.record("guard-opened", GUARD, message=found.wrap.message_id, case=found.case_id)


def settle_look(tx: Transaction, key: AuthorityKey, look: Look) -> Outcome | None:
    """Let a message go on, or have it wait for its author's word. None, and no change, where it waits no more."""
    row = tx.one(_ROW.where(message.c.id == look.message_id).with_for_update())
    if row is None or row.case_id is None or row.guard not in TO_LOOK_AT:
        return None
    other = _other_case(tx.connection, key, row, look.blind, tx.now_us)
    outcome = _outcome(look, other)
    if other is None:
        tx.execute(update(message).where(message.c.id == row.id).values(guard=None))
        answer_wait(tx, row.id, Answer.LOOKED_AT, GUARD)
    else:
        tx.execute(update(message).where(message.c.id == row.id).values(guard=Guarded.ANSWER.value))
        ask(tx, key, row, other)
    more = {} if look.unlooked is None else {"why": look.unlooked.value}
    named = {} if other is None else {"other_case": other}
    tx.record("guard-looked", GUARD, message=row.id, case=row.case_id, outcome=outcome.value, **more, **named)
    failpoint("guard.settle")
    return outcome


def _outcome(look: Look, other: str | None) -> Outcome:
    if other is not None:
        return Outcome.ANOTHER_CASE
    if look.unlooked is not None:
        return Outcome.NOT_LOOKED_AT
    return Outcome.PARTLY if look.is_partly else Outcome.CLEAR


def _other_case(
    connection: Connection, key: AuthorityKey, row: Row[Any], blind: Iterable[str], now_us: int
) -> str | None:
    """Return a case of the author's that a number belongs to which is not of the message's own case; None for none."""
    others: set[str] = set()
    for cases in _cases_by_number(connection, key, row.case_id, blind, now_us):
        if row.case_id not in cases:
            others |= cases
    return next((one for one in sorted(others) if _is_authors(connection, key, row, one, now_us)), None)


def _cases_by_number(
    connection: Connection, key: AuthorityKey, case_id: str, blind: Iterable[str], now_us: int
) -> list[set[str]]:
    """Return for each number that papers of the programme have the cases of their agreements."""
    within = case_by_id(connection, case_id)
    wanted = list(blind)
    if within is None or not wanted:
        return []
    found = (
        select(form_field.c.blind, form.c.agreement_id)
        .join(form, form.c.id == form_field.c.form_id)
        .join(agreement, agreement.c.id == form.c.agreement_id)
        .where(agreement.c.programme == within.programme, form_field.c.blind.in_(wanted))
    )
    by_number: dict[str, set[str]] = {}
    for paper in connection.execute(found):
        by_number.setdefault(paper.blind, set()).add(paper.agreement_id)
    agreements = {one for papers in by_number.values() for one in papers}
    covers = select(agreement_case).where(agreement_case.c.agreement_id.in_(agreements))
    cases: dict[str, set[str]] = {}
    for row in genuine(agreement_case, connection.execute(covers), key):
        if row.from_us <= now_us and (row.until_us is None or row.until_us > now_us):
            cases.setdefault(row.agreement_id, set()).add(row.case_id)
    return [set().union(*(cases.get(one, set()) for one in papers)) for papers in by_number.values()]


def _is_authors(connection: Connection, key: AuthorityKey, row: Row[Any], case_id: str, now_us: int) -> bool:
    if row.author_id is not None:
        return not office(connection, key, case_id, now_us).isdisjoint(authors_of(connection, key, row, now_us))
    return bool(row.team_id) and has_case(connection, key, row.team_id, case_id, now_us)


_ROW = select(
    message.c.id, message.c.case_id, message.c.author_id, message.c.team_id, message.c.reference, message.c.guard
)
