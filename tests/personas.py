"""Everyone who may come to a case: what rows give them, as values, and written as signed rows into a real store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Table

from gateway.domain.enrolment import AgreementState, PlaceState
from gateway.domain.rights import Agreement, Authorisation, Holder, Place, Right, Role, Side, Span
from gateway.store import tables
from gateway.store.authority import sign
from gateway.store.ids import new_id
from gateway.store.transaction import Transaction

HOUR_US = 3600 * 1_000_000
NOW_US = 1_000_000 * HOUR_US
CASE, ELSEWHERE = "case", "elsewhere"
ALWAYS = Span(NOW_US - HOUR_US, None)
PAST = Span(NOW_US - 2 * HOUR_US, NOW_US - HOUR_US)
TO_COME = Span(NOW_US + 20 * HOUR_US, None)
TODAY = Span(NOW_US - HOUR_US, NOW_US + 20 * HOUR_US)


@dataclass(frozen=True)
class Persona:
    """One kind of person in one state."""

    role: str
    state: str
    holder: Holder

    @property
    def name(self) -> str:
        return f"{self.role}: {self.state}"


def personas() -> list[Persona]:
    """Everyone, in the order of docs/rights.md."""
    return [*_office(), *_by_operator(), *_by_form(), *_authorised()]


def _office() -> Iterator[Persona]:
    def employee(role: str, state: str, **more: Any) -> Persona:
        return Persona(role, state, Holder("p", Side.OFFICE, "cwa", **more))

    yield employee("employee of the case", "now", assignments=((CASE, ALWAYS),))
    yield employee("employee of the case", "until last hour", assignments=((CASE, PAST),))
    yield employee("employee of the case", "from tomorrow", assignments=((CASE, TO_COME),))
    for state, span in (("whose role holds", ALWAYS), ("whose role is over, or was not confirmed in time", PAST)):
        roles = ((Role.EMPLOYEE, span),)
        yield employee("employee of the case", state, roles=roles, assignments=((CASE, ALWAYS),))
    yield employee("employee of another case", "now", assignments=((ELSEWHERE, ALWAYS),))
    yield employee("employee of another case", "who stated a purpose", visits=((CASE, TODAY),))
    yield employee("employee of another case", "whose purpose is over", visits=((CASE, PAST),))
    absent = Holder("q", Side.OFFICE, "cwa", assignments=((CASE, ALWAYS),))
    for state, one, span in (
        ("now", absent, TODAY),
        ("until last hour", absent, PAST),
        ("from tomorrow", absent, Span(TO_COME.from_us, NOW_US + 40 * HOUR_US)),
        ("of one whose role is over", replace(absent, roles=((Role.EMPLOYEE, PAST),)), TODAY),
        ("of a deputy", Holder("d", Side.OFFICE, "cwa", stands_in_for=((absent, TODAY),)), TODAY),
    ):
        yield employee("deputy of an employee of the case", state, stands_in_for=((one, span),))
    for role in (Role.ENROLLER, Role.ADMINISTRATOR):
        yield employee(role.value, "now", roles=((role, ALWAYS),))
        yield employee(role.value, "until last hour", roles=((role, PAST),))
    yield employee(
        "administrator", "of the case, too", roles=((Role.ADMINISTRATOR, ALWAYS),), assignments=((CASE, ALWAYS),)
    )
    gone = Holder("p", Side.OFFICE, "cwa", True, ((Role.ADMINISTRATOR, ALWAYS),), ((CASE, ALWAYS),))
    yield Persona("administrator", "who has left", gone)


def _by_operator() -> Iterator[Persona]:
    agreement = Agreement("a", ((CASE, ALWAYS),))
    for right in Right:
        yield _user(f"designated user who may {right}, without a form", "now", Place(agreement, right, ALWAYS))
    yield _user("designated user who may act, without a form", "until last hour", Place(agreement, Right.ACT, PAST))
    for state, due in (("to be confirmed tomorrow", TODAY), ("not confirmed in time", PAST)):
        place = Place(agreement, Right.ACT, ALWAYS, due_us=due.until_us)
        yield _user("designated user who may act, without a form", state, place)
    other = Agreement("a", ((ELSEWHERE, ALWAYS),))
    yield _user("designated user who may act, without a form", "of another case", Place(other, Right.ACT, ALWAYS))


def _by_form() -> Iterator[Persona]:
    agreement = Agreement("a", ((CASE, ALWAYS),), AgreementState.REVIEWED, ALWAYS)
    for state in PlaceState:
        yield _user("designated user by a form", state.value, Place(agreement, Right.ACT, ALWAYS, state))
    for form in AgreementState:
        told = replace(agreement, state=form, span=TODAY if form is AgreementState.NOTICE else ALWAYS)
        yield _user(
            "designated user by a form", f"active, form {form.value}", Place(told, Right.ACT, ALWAYS, PlaceState.ACTIVE)
        )
    over = replace(agreement, state=AgreementState.NOTICE, span=PAST)
    yield _user("designated user by a form", "active, notice over", Place(over, Right.ACT, ALWAYS, PlaceState.ACTIVE))
    left = replace(agreement, covers=((CASE, PAST),))
    yield _user(
        "designated user by a form", "active, case taken out", Place(left, Right.ACT, ALWAYS, PlaceState.ACTIVE)
    )


def _authorised() -> Iterator[Persona]:
    agreement = Agreement("a", ((CASE, ALWAYS), (ELSEWHERE, ALWAYS)), AgreementState.REVIEWED, ALWAYS)
    for role, right in (("representative", Right.ACT), ("designee", Right.SEE)):
        place = Place(agreement, right, ALWAYS, PlaceState.ACTIVE, needs=True)
        holds = Authorisation(right, TODAY)
        for state, given in (
            ("without an authorisation", ()),
            ("authorised", (holds,)),
            ("authorised for this case", (replace(holds, cases=frozenset({CASE})),)),
            ("authorised for another case", (replace(holds, cases=frozenset({ELSEWHERE})),)),
            ("authorised until last hour", (replace(holds, span=PAST),)),
            ("authorised from tomorrow", (replace(holds, span=TO_COME),)),
            ("authorisation revoked", (replace(holds, is_revoked=True),)),
            ("one revoked, another holds", (replace(holds, is_revoked=True), holds)),
        ):
            yield _user(role, f"active, {state}", replace(place, authorisations=given))
        suspended = replace(place, state=PlaceState.SUSPENDED, authorisations=(holds,))
        yield _user(role, "suspended, authorised", suspended)
    seen = Place(agreement, Right.ACT, ALWAYS, PlaceState.ACTIVE, True, (Authorisation(Right.SEE, TODAY),))
    yield _user("representative", "active, authorised to see only", seen)


def _user(role: str, state: str, place: Place) -> Persona:
    return Persona(role, state, Holder("p", Side.CORRESPONDENT, "cwa", places=(place,)))


class Settlement:
    """Writes personas into a store as rows that the keyholder has signed. `cases` are the ids of CASE and ELSEWHERE."""

    def __init__(self, key: Ed25519PrivateKey, cases: dict[str, str], now_us: int) -> None:
        self.key, self.cases, self.now_us = key, cases, now_us

    def write(self, tx: Transaction, persona: Persona) -> str:
        """Return the id of the person."""
        holder, person = persona.holder, new_id()
        ended = self.now_us if holder.is_ended else None
        tx.insert(tables.person, id=person, programme=holder.programme, side=holder.side.value, name=persona.name,
                  username=person, created_us=0, ended_us=ended)  # fmt: skip
        for role, span in holder.roles:
            self._give(tx, tables.role, span, person_id=person, role=role.value)
        for purpose, places in ((None, holder.assignments), ("audit", holder.visits)):
            for case, span in places:
                place = {"case_id": self.cases[case], "team_id": None, "person_id": person, "purpose": purpose}
                self._give(tx, tables.assignment, span, **place)
        for absent, span in holder.stands_in_for:
            absent_id = self.write(tx, Persona("absent", "", absent))
            self._give(tx, tables.absence, span, person_id=absent_id, deputy_id=person)
        for place in holder.places:
            self._place(tx, person, place)
        return person

    def sign_in(self, tx: Transaction, person: str, session: str) -> None:
        """Write a session that lasts the day."""
        day = 24 * HOUR_US
        row = {"id": session, "person_id": person, "issued_us": self.now_us, "absolute_us": self.now_us + day,
               "idle_us": day, "assurance": 2, "ended_us": None}  # fmt: skip
        tx.insert(tables.session, **self._signed(tables.session, row))

    def _place(self, tx: Transaction, person: str, place: Place) -> None:
        agreement = new_id()
        tx.insert(tables.agreement, id=agreement, programme="cwa", created_us=0, ended_us=None)
        for case, span in place.agreement.covers:
            self._give(tx, tables.agreement_case, span, agreement_id=agreement, case_id=self.cases[case])
        if place.agreement.state is not None:
            told = {"reference": agreement[-16:], "state": place.agreement.state.value, "step": "open", "before": None}
            self._give(tx, tables.enrolment, place.agreement.span, agreement_id=agreement, **told, moved_us=0)
        moved = {"step": None, "before": None, "moved_us": None}
        state = None if place.state is None else place.state.value
        user = self._give(
            tx, tables.designated_user, place.span, agreement_id=agreement, person_id=person, right=place.right.value,
            state=state, needs="authorisation-see" if place.needs else None, due_us=self._at(place.due_us), **moved,
        )  # fmt: skip
        for one in place.authorisations:
            form = new_id()
            tx.insert(tables.form, id=form, agreement_id=agreement, designated_user_id=user, kind="x",
                      received="2026-01-01", created_us=0)  # fmt: skip
            self._give(
                tx, tables.authorisation, one.span, designated_user_id=user, form_id=form, kind="x",
                right=one.right.value, cases=" ".join(self.cases[case] for case in one.cases or ()), specific_use=0,
                revoked_us=self.now_us if one.is_revoked else None,
            )  # fmt: skip

    def _give(self, tx: Transaction, table: Table, span: Span, **columns: Any) -> str:
        shifted = {"from_us": self._at(span.from_us), "until_us": self._at(span.until_us)}
        row = {"id": new_id(), **columns, **shifted}
        tx.insert(table, **self._signed(table, row))
        return str(row["id"])

    def _at(self, instant_us: int | None) -> int | None:
        return None if instant_us is None else instant_us - NOW_US + self.now_us

    def _signed(self, table: Table, row: dict[str, Any]) -> dict[str, Any]:
        signed = {**row, "version": 1}
        return {**signed, "signature": sign(table, signed, self.key)}
