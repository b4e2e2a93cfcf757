"""Cover sheets to fax documents by: made for a case or an agreement, withdrawn. What a sheet says is a proposal only.

Asked by a local operator for whatever is there, or under a live session by whoever may write in the case.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, update

from gateway.casework.act import OPERATOR
from gateway.domain.cover_sheet import DAYS, MOST_DAYS, MOST_SHEETS, new_reference
from gateway.domain.errors import Malformed, NotAllowed, RateExceeded, UnknownRecipient
from gateway.domain.reference import parse
from gateway.domain.rights import Verb
from gateway.store.authority import AuthorityKey
from gateway.store.cases import Case, case_by_id, case_by_reference, standing
from gateway.store.cover_sheets import made_since
from gateway.store.ids import new_id
from gateway.store.tables import agreement, cover_sheet, enrolment
from gateway.store.transaction import Transaction

DAY_US: Final = 24 * 3600 * 1_000_000
MOST_A_DAY: Final = 40
"""Sheets that one person makes within 24 hours."""

_NOT_YOURS: Final = "You have no open case by that reference."


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet that was made: its reference, what it is for as people know that, until when it holds."""

    reference: str
    programme: str
    place: str
    expires_us: int


@dataclass(frozen=True, slots=True)
class _Place:
    programme: str
    known_as: str
    case_id: str | None = None
    agreement_id: str | None = None


def make_sheets(
    tx: Transaction,
    cases: Sequence[str],
    agreements: Sequence[str],
    *,
    count: int = 1,
    days: int = DAYS,
    lines: Collection[str],
    trial: bool,
) -> list[Sheet]:
    """Make sheets as the operator, `count` for each of these open cases and agreements of one programme, all or none.

    `lines` are the programmes that have a fax line. Raises UnknownRecipient for what is not there, Malformed for
    numbers out of bounds, several programmes, or one without a line.
    """
    places = [*(_case_place(tx, one) for one in cases), *(_agreement_place(tx, one) for one in agreements)]
    if not places:
        raise Malformed("Name the case or the agreement that the sheet is for.")
    if count < 1 or not 1 <= count * len(places) <= MOST_SHEETS or not 1 <= days <= MOST_DAYS:
        raise Malformed(f"At most {MOST_SHEETS} sheets at once, each good for 1 to {MOST_DAYS} days.")
    if len({place.programme for place in places}) > 1:
        raise Malformed("They are of several programmes, which have sheets of their own: ask for one after the other.")
    _require_line(places[0].programme, lines)
    return [_made(tx, place, OPERATOR, days, trial=trial) for place in places for _ in range(count)]


def make_own_sheet(
    tx: Transaction, authority: AuthorityKey, person_id: str, case_id: str, *, lines: Collection[str], trial: bool
) -> Sheet:
    """Make one sheet for a case, for somebody of either side who may write in it.

    Raises NotAllowed for anybody else, RateExceeded for whoever made many today, Malformed as `make_sheets` does.
    """
    found = case_by_id(tx.known, case_id)
    place = standing(tx.known, authority, case_id, person_id, tx.now_us)
    if found is None or place is None or not place.may(Verb.WRITE, is_open=found.is_open):
        raise NotAllowed(_NOT_YOURS)
    _require_line(found.programme, lines)
    if made_since(tx.connection, person_id, tx.now_us - DAY_US) >= MOST_A_DAY:
        raise RateExceeded("These are many sheets. One can be used as often as you like: please copy it.")
    return _made(tx, _of_case(found), person_id, DAYS, trial=trial)


def withdraw_sheets(tx: Transaction, references: Iterable[str], by: str = OPERATOR) -> list[str]:
    """Withdraw sheets, all or none: what is faxed by them proposes nothing from then on. Return those that held.

    Raises UnknownRecipient for what is none.
    """
    withdrawn = []
    for reference in references:
        named = reference.strip().upper()
        row = tx.one(select(cover_sheet).where(cover_sheet.c.reference == named))
        if row is None:
            raise UnknownRecipient("There is no such cover sheet. See: gateway intake cover-sheets list")
        if row.withdrawn_us is None:
            tx.execute(update(cover_sheet).where(cover_sheet.c.id == row.id).values(withdrawn_us=tx.now_us))
            tx.record("cover_sheet_withdrawn", by, sheet=row.id)
            withdrawn.append(named)
    return withdrawn


def _require_line(programme: str, lines: Collection[str]) -> None:
    if programme not in lines:
        raise Malformed("This programme has no fax line: its programme.toml names none.")


def _made(tx: Transaction, place: _Place, by: str, days: int, *, trial: bool) -> Sheet:
    """Write a sheet and its entry, which has its id and not the reference: who reads entries forges none by them."""
    reference, sheet_id, expires_us = _free_reference(tx, trial=trial), new_id(), tx.now_us + days * DAY_US
    tx.insert(
        cover_sheet,
        id=sheet_id,
        reference=reference,
        programme=place.programme,
        case_id=place.case_id,
        agreement_id=place.agreement_id,
        made_by=by,
        made_us=tx.now_us,
        expires_us=expires_us,
        withdrawn_us=None,
    )
    facts = {"case": place.case_id, "agreement": place.agreement_id, "expires": expires_us}
    tx.record("cover_sheet_made", by, sheet=sheet_id, **facts)
    return Sheet(reference, place.programme, place.known_as, expires_us)


def _free_reference(tx: Transaction, *, trial: bool) -> str:
    while True:
        reference = new_reference(trial=trial)
        if tx.one(select(cover_sheet.c.id).where(cover_sheet.c.reference == reference)) is None:
            return reference


def _case_place(tx: Transaction, known_as: str) -> _Place:
    try:
        found = case_by_reference(tx.connection, parse(known_as))
    except ValueError:
        found = None
    if found is None or not found.is_open:
        raise UnknownRecipient(f"There is no open case {known_as.strip().upper()}.")
    return _of_case(found)


def _of_case(found: Case) -> _Place:
    return _Place(found.programme, str(found.reference), case_id=found.id)


def _agreement_place(tx: Transaction, known_as: str) -> _Place:
    named = known_as.strip().upper()
    row = tx.one(
        select(enrolment.c.agreement_id, agreement.c.programme)
        .join(agreement, agreement.c.id == enrolment.c.agreement_id)
        .where(enrolment.c.reference == named, agreement.c.ended_us.is_(None))
    )
    if row is None:
        raise UnknownRecipient(f"There is no agreement {named}. See: gateway enrolment list")
    return _Place(row.programme, named, agreement_id=row.agreement_id)
