"""What clerks of the intake desk do with an item of the tray beside giving it a place: claim it, put its pages in
order, put it aside; and what each act leaves, so that it can be undone for ten minutes.

Run inside the keyholder (`gateway.casework.administration`), which judges the right. Nothing is unwrapped here. A claim
gives no right: it keeps two people from doing the same work.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from gateway.casework.act import OPERATOR, Act, Actor
from gateway.domain.errors import Malformed, Moved, NotAllowed
from gateway.domain.intake import Tray
from gateway.domain.recognition import MOST_PAGES, TURNS
from gateway.domain.rights import Thing, Verb
from gateway.failpoints import failpoint
from gateway.store.ids import new_id
from gateway.store.intake import item, lock_item
from gateway.store.tables import case, intake, intake_act, intake_claim, intake_section
from gateway.store.transaction import Transaction

NOTHING: Final = "There is no such message in the intake tray."
MINUTE_US: Final = 60_000_000
UNDO_US: Final = 10 * MINUTE_US
MOST_MINUTES: Final = 240
REASONS: Final = ("other-office", "wrong-number", "not-for-us", "other")
"""Why an item is misdirected."""


class Done(StrEnum):
    """An act that can be undone."""

    FILED = "filed"
    LINKED = "linked"
    DISCARDED = "discarded"
    MISDIRECTED = "misdirected"
    SPLIT = "split"
    MERGED = "merged"
    TURNED = "turned"


ARRANGED: Final = frozenset({Done.SPLIT, Done.MERGED, Done.TURNED})


@dataclass(frozen=True, slots=True)
class LastAct:
    """The latest act on an item that can still be undone, and the item."""

    id: str
    kind: Done
    place: str
    before: str
    item: Row[Any]


def claim_item(act: Act, *, item: str, minutes: int = 15, take_over: bool = False) -> dict[str, Any]:
    """Say that one works on an item, for so many minutes; one's own claim begins anew.

    Raises Moved while somebody else does, but where it is taken over on purpose: that is entered, too.
    """
    if not 1 <= minutes <= MOST_MINUTES:
        raise Malformed(f"A claim holds for 1 to {MOST_MINUTES} minutes.")
    row = _waiting(act, item)
    standing = claim_of(act.tx.connection, row.id, act.tx.now_us)
    others = standing is not None and standing.person_id != act.actor.person_id
    if others and not take_over:
        raise Moved("Somebody else works on it now.")
    until_us = act.tx.now_us + minutes * MINUTE_US
    _drop_claim(act.tx, row.id)
    failpoint("handling.claim")
    act.tx.insert(
        intake_claim, message_id=row.id, person_id=act.actor.person_id, at_us=act.tx.now_us, until_us=until_us
    )
    from_ = (standing.person_id or OPERATOR) if standing is not None and others else None
    act.record("intake_claimed", message=row.id, until=until_us, taken_over_from=from_)
    return {"item": row.reference, "until_us": until_us, "taken_over": others}


def release_item(act: Act, *, item: str) -> dict[str, Any]:
    """Give a claim back: one's own, or, by an operator, anybody's."""
    row = tray_item(act.tx.connection, act.actor, item, act.tx.now_us)
    standing = claim_of(act.tx.connection, row.id, act.tx.now_us)
    if standing is None or not (act.actor.is_operator or standing.person_id == act.actor.person_id):
        return {"item": row.reference, "released": False}
    _drop_claim(act.tx, row.id)
    act.record("intake_released", message=row.id)
    return {"item": row.reference, "released": True}


def arrange_item(
    act: Act, *, item: str, kind: str, sections: list[str], turns: dict[str, str], version: int = 0
) -> dict[str, Any]:
    """Put an item's pages as a person has: which belong together (`"1 2"`, `"3"`), how each is turned, in degrees.

    No section: as the machine has them. `kind` is one of split, merged, turned; `version` that of the arrangement that
    was looked at, 0 for the machine's. Raises Moved where it is another one now.
    """
    row = _waiting(act, item)
    require_free(act.tx, row.id, act.actor.person_id)
    if kind not in {one.value for one in ARRANGED}:
        raise Malformed("Pages are split, merged or turned.")
    pages, turned = _sections(sections), _turns(turns)
    stored = act.tx.one(select(intake_section).where(intake_section.c.message_id == row.id))
    if (stored.version if stored else 0) != version:
        raise Moved("Somebody has put these pages in another order since you looked.")
    before = json.dumps([stored.sections, stored.turns]) if stored else ""
    _put_arrangement(act.tx, row.id, json.dumps(pages), json.dumps(turned), version + 1)
    failpoint("handling.arrange")
    note_act(act.tx, row.id, Done(kind), act.actor.person_id, before=before)
    act.record("intake_arranged", message=row.id, act=kind, sections=len(pages))
    return {"item": row.reference, "version": version + 1}


def discard_item(act: Act, *, item: str) -> dict[str, Any]:
    """Hide an item from its tray; it is kept, and so is its entry."""
    return _put_aside(act, item, Done.DISCARDED, "intake_discarded")


def misdirect_item(act: Act, *, item: str, reason: str) -> dict[str, Any]:
    """Note that an item was meant for somebody else: it leaves the tray, is kept sealed, and the record says so."""
    if reason not in REASONS:
        raise Malformed(f"A reason is one of {', '.join(REASONS)}.")
    return _put_aside(act, item, Done.MISDIRECTED, "intake_misdirected", reason=reason)


def tray_item(connection: Connection, actor: Actor, known_as: str, now_us: int) -> Row[Any]:
    """Return an item that the actor may work on, wherever it is now. Raises NotAllowed for others and none alike."""
    row = item(connection, known_as)
    if row is None or not may_work(connection, actor, row, now_us):
        raise NotAllowed(NOTHING)
    return row


def may_work(connection: Connection, actor: Actor, row: Row[Any], now_us: int) -> bool:
    """Tell whether it is the actor's to work on: not the operators' own, not one for a case of another programme."""
    if actor.is_operator:
        return True
    into = row.case_id or row.proposed_case_id
    named = connection.execute(select(case.c.programme).where(case.c.id == into)).scalar()
    programme = named or actor.programme
    return row.tray != Tray.OPERATORS.value and actor.may(Verb.WORK_TRAY, Thing(programme), now_us)


def claim_of(connection: Connection, message_id: str, now_us: int) -> Row[Any] | None:
    """Return who works on an item now, None where nobody does."""
    wanted = select(intake_claim).where(intake_claim.c.message_id == message_id, intake_claim.c.until_us > now_us)
    return connection.execute(wanted).first()


def require_free(tx: Transaction, message_id: str, person_id: str | None) -> None:
    """Raise Moved where somebody else works on an item."""
    standing = claim_of(tx.connection, message_id, tx.now_us)
    if standing is not None and standing.person_id != person_id:
        raise Moved("Somebody else works on it now.")


def note_act(
    tx: Transaction, message_id: str, kind: Done, person_id: str | None, place: str = "", before: str = ""
) -> None:
    """Note what was done, for undoing it. Whoever has given an item its place works on it no more."""
    tx.insert(
        intake_act,
        id=new_id(),
        message_id=message_id,
        kind=kind.value,
        person_id=person_id,
        place=place,
        before=before,
        at_us=tx.now_us,
        undone_us=None,
    )
    if kind not in ARRANGED and kind is not Done.LINKED:
        _drop_claim(tx, message_id)


def settle_acts(tx: Transaction, message_id: str) -> None:
    """Leave nothing to undo of an item that was put back by itself."""
    table = intake_act
    there = (table.c.message_id == message_id) & table.c.undone_us.is_(None)
    tx.execute(table.update().where(there, table.c.kind.not_in(list(ARRANGED))).values(undone_us=tx.now_us))


def find_last(connection: Connection, actor: Actor, known_as: str, now_us: int) -> LastAct:
    """Return the act on an item that an undo takes back. Raises NotAllowed, Malformed where its time is over."""
    row = tray_item(connection, actor, known_as, now_us)
    wanted = select(intake_act).where(intake_act.c.message_id == row.id, intake_act.c.undone_us.is_(None))
    found = connection.execute(wanted.order_by(intake_act.c.at_us.desc(), intake_act.c.id.desc())).first()
    if found is None or found.at_us <= now_us - UNDO_US:
        raise Malformed("There is nothing to undo: an act is undone within ten minutes.")
    return LastAct(found.id, Done(found.kind), found.place, found.before, row)


def enter_undo(tx: Transaction, actor: Actor, last: LastAct) -> None:
    """Take back what needs no key, and enter that an act is undone. Raises Malformed where somebody was quicker."""
    table, message_id = intake_act, last.item.id
    standing = tx.one(select(table.c.undone_us).where(table.c.id == last.id).with_for_update())
    if standing is None or standing.undone_us is not None:
        raise Malformed("It is undone already.")
    if last.kind in ARRANGED:
        stored = tx.one(select(intake_section.c.version).where(intake_section.c.message_id == message_id))
        sections, turns = json.loads(last.before) if last.before else ("[]", "{}")
        _put_arrangement(tx, message_id, sections, turns, (stored.version if stored else 0) + 1)
    elif last.kind in {Done.DISCARDED, Done.MISDIRECTED}:
        tx.execute(intake.update().where(intake.c.message_id == message_id).values(discarded_us=None))
    tx.execute(table.update().where(table.c.id == last.id).values(undone_us=tx.now_us))
    failpoint("handling.undo")
    tx.record("intake_undone", actor.name, message=message_id, act=last.kind.value)


def _put_aside(act: Act, known_as: str, kind: Done, entry: str, **facts: str) -> dict[str, Any]:
    row = _locked(act, known_as)
    if row.filed_us is not None:
        raise Malformed("It is filed or linked, and is not in the tray any more.")
    require_free(act.tx, row.id, act.actor.person_id)
    if row.discarded_us is not None:
        return {"item": row.reference, "repeated": True}
    act.tx.execute(intake.update().where(intake.c.message_id == row.id).values(discarded_us=act.tx.now_us))
    failpoint("handling.aside")
    note_act(act.tx, row.id, kind, act.actor.person_id)
    act.record(entry, message=row.id, **facts)
    return {"item": row.reference, "repeated": False}


def _locked(act: Act, known_as: str) -> Row[Any]:
    """Return an item that nobody else, at another keyholder, can work on before this transaction has ended."""
    row = tray_item(act.tx.connection, act.actor, known_as, act.tx.now_us)
    lock_item(act.tx, row.id)
    return tray_item(act.tx.connection, act.actor, known_as, act.tx.now_us)


def _waiting(act: Act, known_as: str) -> Row[Any]:
    """Return an item that is still to be worked on: one that waits, or was linked and may show more papers."""
    row = _locked(act, known_as)
    if row.discarded_us is not None or row.case_id is not None:
        raise Malformed("It does not wait in the tray any more.")
    return row


def _drop_claim(tx: Transaction, message_id: str) -> None:
    tx.execute(intake_claim.delete().where(intake_claim.c.message_id == message_id))


def _put_arrangement(tx: Transaction, message_id: str, sections: str, turns: str, version: int) -> None:
    tx.execute(intake_section.delete().where(intake_section.c.message_id == message_id))
    tx.insert(intake_section, message_id=message_id, sections=sections, turns=turns, version=version)


def _sections(sections: list[str]) -> list[list[int]]:
    found = [[_page(one) for one in text.split()] for text in sections]
    pages = [page for section in found for page in section]
    if not all(found) or len(pages) != len(set(pages)) or len(pages) > MOST_PAGES:
        raise Malformed("Each page stands in one section, and each section has pages.")
    return [sorted(section) for section in found]


def _turns(turns: dict[str, str]) -> dict[str, int]:
    if len(turns) > MOST_PAGES or not all(value in {str(one) for one in TURNS} for value in turns.values()):
        raise Malformed("A page is turned by quarters.")
    return {str(_page(page)): int(value) for page, value in turns.items()}


def _page(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 4 or not 1 <= int(text) <= MOST_PAGES:
        raise Malformed("A page is a number.")
    return int(text)
