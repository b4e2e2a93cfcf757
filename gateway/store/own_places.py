"""The agreements that a person is named in, as they themselves may see them: whose, for what, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from gateway.domain.enrolment import PlaceState
from gateway.domain.programme import FormKind, Programme
from gateway.domain.rights import Place, Right
from gateway.store.authority import AuthorityKey
from gateway.store.places import places_of_person
from gateway.store.tables import appendix, case, enrolment, form, form_field


@dataclass(frozen=True, slots=True)
class OwnPlace:
    """One agreement as one of its designated users sees it.

    `names` says whose agreement it is, by the fields that the programme marks so. `cases` are those that are open to
    the person by it now. `asks` is true where they have still to say that it is theirs. `until_us` is the end that is
    known, of what ends first. Without a form there is neither reference nor name.
    """

    designated_user: str
    reference: str
    names: tuple[str, ...]
    role: str
    right: Right
    cases: tuple[str, ...]
    asks: bool
    until_us: int | None


def own_places(
    connection: Connection, authority: AuthorityKey, person_id: str, programme: Programme, now_us: int
) -> list[OwnPlace]:
    """Return the agreements that name a person now: those that wait for their word, and those that give access."""
    held = [
        (row, place)
        for row, place in places_of_person(connection, authority, person_id, now_us)
        if place.agreement.gives_rights(now_us)
    ]
    users, agreements = [row.id for row, _ in held], {row.agreement_id for row, _ in held}
    said = {one.designated_user_id: one for one in _rows(connection, appendix, appendix.c.designated_user_id, users)}
    references = {
        one.agreement_id: one.reference for one in _rows(connection, enrolment, enrolment.c.agreement_id, agreements)
    }
    names = _names(connection, agreements, programme)
    ids = {case_id for _, place in held for case_id, _ in place.agreement.covers}
    cases = {one.id: one.reference for one in _rows(connection, case, case.c.id, ids)}
    found = [
        OwnPlace(
            row.id,
            references.get(row.agreement_id, ""),
            names.get(row.agreement_id, ()),
            _role(programme, said[row.id].role) if row.id in said else "",
            place.right,
            _open_cases(place, cases, now_us),
            row.state == PlaceState.INVITED and row.id in said and bool(said[row.id].is_proposed),
            _end(place, now_us),
        )
        for row, place in held
    ]
    return sorted((one for one in found if one.asks or one.cases), key=lambda one: (not one.asks, one.reference))


def waiting_places(connection: Connection, authority: AuthorityKey, person_id: str, now_us: int) -> int:
    """Return how many agreements wait for a person's word."""
    invited = [
        row.id
        for row, place in places_of_person(connection, authority, person_id, now_us)
        if row.state == PlaceState.INVITED and place.agreement.gives_rights(now_us)
    ]
    rows = _rows(connection, appendix, appendix.c.designated_user_id, invited) if invited else []
    return sum(bool(row.is_proposed) for row in rows)


def _open_cases(place: Place, references: dict[str, str], now_us: int) -> tuple[str, ...]:
    covered = {case_id for case_id, _ in place.agreement.covers if place.right_in(case_id, now_us) is not None}
    return tuple(sorted(references[case_id] for case_id in covered if case_id in references))


def _end(place: Place, now_us: int) -> int | None:
    """Return when access by a place ends, as far as that is known: with the place, the agreement or all its papers."""
    ends = [place.span.until_us, place.agreement.span.until_us]
    papers = [one.span.until_us for one in place.authorisations if not one.is_revoked and one.span.holds(now_us)]
    if place.needs and papers and None not in papers:
        ends.append(max(one for one in papers if one is not None))
    return min((one for one in ends if one is not None), default=None)


def _names(connection: Connection, agreements: set[str], programme: Programme) -> dict[str, tuple[str, ...]]:
    consent = programme.form(FormKind.CONSENT)
    keys = [field.key for field in consent.fields if field.is_name and not field.sealed] if consent else []
    rows = connection.execute(
        select(form.c.agreement_id, form_field.c.key, form_field.c.value)
        .join(form_field, form_field.c.form_id == form.c.id)
        .where(form.c.agreement_id.in_(agreements), form.c.kind == FormKind.CONSENT.value, form_field.c.key.in_(keys))
    )
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        found.setdefault(row.agreement_id, {})[row.key] = row.value or ""
    return {agreement: tuple(value[key] for key in keys if value.get(key)) for agreement, value in found.items()}


def _role(programme: Programme, key: str) -> str:
    role = programme.role(key)
    return role.title if role else key


def _rows(connection: Connection, table: Any, column: Any, listed: Any) -> list[Row[Any]]:
    return list(connection.execute(select(table).where(column.in_(list(listed)))))
