"""The verb that announces ends: access, a role, or something to sign in with that will end at a known instant.

Each end is told once for each of the programme's stages, the later stage alone where both have come. Who ends is looked
for by when: the rows that end within the longest stage, and were not told. An end that was moved is another end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Column, ColumnElement, FromClause, Row, Table, and_, exists, select

from gateway.domain.credential import CredentialKind
from gateway.domain.enrolment import PlaceState
from gateway.domain.notice import NoticeKind, NoticeState
from gateway.domain.programme import Programme
from gateway.domain.recipient_key import WARN_DAYS
from gateway.failpoints import failpoint
from gateway.store.cases import standings
from gateway.store.outbox import put
from gateway.store.reminders import take_turns
from gateway.store.tables import (
    agreement_case,
    authorisation,
    case,
    credential,
    designated_user,
    key_look,
    person,
    recipient_key,
    role,
    told_ending,
)
from gateway.store.transaction import Transaction

AT_ONCE = 200
_DAY_US = timedelta(days=1) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Source:
    """Rows that end: their table and its end, how they lead to persons, what else must hold, what the end is of.

    `agreement` is the agreement whose cases the person has access to by it; None for what gives no access to cases.
    `days` are its own stages, in the place of the programme's.
    """

    table: Table
    end: Column[Any]
    people: FromClause
    agreement: Column[Any] | None
    condition: ColumnElement[bool] | None = None
    state: NoticeState = NoticeState.NONE
    days: tuple[int, ...] = ()


SOURCES = (
    Source(
        designated_user,
        designated_user.c.until_us,
        designated_user.join(person, person.c.id == designated_user.c.person_id),
        designated_user.c.agreement_id,
    ),
    Source(
        authorisation,
        authorisation.c.until_us,
        authorisation.join(designated_user, designated_user.c.id == authorisation.c.designated_user_id).join(
            person, person.c.id == designated_user.c.person_id
        ),
        designated_user.c.agreement_id,
        authorisation.c.revoked_us.is_(None),
    ),
    Source(
        agreement_case,
        agreement_case.c.until_us,
        agreement_case.join(designated_user, designated_user.c.agreement_id == agreement_case.c.agreement_id).join(
            person, person.c.id == designated_user.c.person_id
        ),
        agreement_case.c.agreement_id,
    ),
    Source(
        role,
        role.c.until_us,
        role.join(person, person.c.id == role.c.person_id),
        None,
        state=NoticeState.ROLE_ENDING,
    ),
    Source(
        designated_user,
        designated_user.c.due_us,
        designated_user.join(person, person.c.id == designated_user.c.person_id),
        None,
        designated_user.c.state.is_(None) | (designated_user.c.state == PlaceState.ACTIVE.value),
        NoticeState.CONFIRMATION_DUE,
    ),
    Source(
        role,
        role.c.due_us,
        role.join(person, person.c.id == role.c.person_id),
        None,
        role.c.until_us.is_(None) | (role.c.until_us > role.c.due_us),
        NoticeState.CONFIRMATION_DUE,
    ),
    Source(
        credential,
        credential.c.expires_us,
        credential.join(person, person.c.id == credential.c.person_id),
        None,
        credential.c.revoked_us.is_(None) & (credential.c.kind != CredentialKind.FIRST_CODE.value),
        NoticeState.SIGN_IN_ENDING,
    ),
    Source(
        recipient_key,
        recipient_key.c.expires_us,
        recipient_key.join(person, person.c.id == recipient_key.c.person_id),
        None,
        recipient_key.c.confirmed_us.is_not(None)
        & recipient_key.c.until_us.is_(None)
        & recipient_key.c.id.not_in(select(key_look.c.key_id).where(key_look.c.revoked_us.is_not(None))),
        NoticeState.COPY_KEY_ENDING,
        WARN_DAYS,
    ),
)


def tell_endings(
    tx: Transaction, authority: Ed25519PublicKey, programmes: Mapping[str, Programme], at_once: int = AT_ONCE
) -> int:
    """Tell of up to `at_once` ends of each source and stage, and return how many that were.

    One notice for all that one person loses at one instant. Who has no access by a row any more is not told of its end.
    """
    take_turns(tx)
    told = 0
    for programme in programmes.values():
        if NoticeKind.ACCESS_ENDING not in programme.notices:
            continue
        for source in SOURCES:
            for days in sorted(source.days or programme.timing.ending_days):
                rows = tx.all(_ending(source, programme.key, days, tx.now_us, at_once))
                _tell(tx, authority, programme, source, rows)
                for row_id, until_us in sorted({(row.row_id, row.until_us) for row in rows}):
                    tx.insert(told_ending, row_id=row_id, until_us=until_us, days=days, told_us=tx.now_us)
                tx.flush()
                told += len(rows)
    failpoint("endings.tell")
    return told


def _ending(source: Source, programme: str, days: int, now_us: int, at_once: int) -> Any:
    was_told = exists().where(
        told_ending.c.row_id == source.table.c.id,
        told_ending.c.until_us == source.end,
        told_ending.c.days <= days,
    )
    conditions = [
        source.end > now_us,
        source.end <= now_us + days * _DAY_US,
        person.c.programme == programme,
        person.c.ended_us.is_(None),
        ~was_told,
    ]
    if source.condition is not None:
        conditions.append(source.condition)
    # A row is taken with all of its persons or not at all: what was told of it is kept by row.
    ids = select(source.table.c.id).select_from(source.people).where(*conditions).order_by(source.end).limit(at_once)
    columns: list[ColumnElement[Any]] = [
        source.table.c.id.label("row_id"),
        source.end.label("until_us"),
        person.c.id.label("person_id"),
    ]
    if source.agreement is not None:
        columns.append(source.agreement.label("agreement_id"))
    if source.table is agreement_case:
        columns.append(agreement_case.c.case_id)
    live = and_(person.c.programme == programme, person.c.ended_us.is_(None))
    return select(*columns).select_from(source.people).where(source.table.c.id.in_(ids), live)


def _tell(
    tx: Transaction, authority: Ed25519PublicKey, programme: Programme, source: Source, rows: Iterable[Row[Any]]
) -> None:
    ends: dict[tuple[str, int], list[Row[Any]]] = {}
    for row in rows:
        ends.setdefault((row.person_id, row.until_us), []).append(row)
    for (person_id, until_us), of_person in sorted(ends.items()):
        fields: dict[str, str | int] = {"until_us": until_us - 1, "state": source.state.value, "count": 0}
        concerned: str | None = None
        if source.agreement is not None:
            cases = _cases_lost(tx, authority, person_id, of_person)
            if not cases:
                continue
            fields["count"] = len(cases)
            concerned = cases[0].id if len(cases) == 1 else None
            fields["reference"] = cases[0].reference if concerned else ""
        put(
            tx,
            programme=programme.key,
            kind=NoticeKind.ACCESS_ENDING,
            person_id=person_id,
            case_id=concerned,
            fields=fields,
        )


def _cases_lost(
    tx: Transaction, authority: Ed25519PublicKey, person_id: str, rows: Iterable[Row[Any]]
) -> list[Row[Any]]:
    """Return the cases that a person stands in now, and that the rows which end give access to."""
    rows = list(rows)
    places = standings(tx.connection, authority, None, person_id, tx.now_us)
    agreements = {row.agreement_id for row in rows}
    single = {row.case_id for row in rows if "case_id" in row._mapping}
    covered = select(case).join(agreement_case, agreement_case.c.case_id == case.c.id)
    found = tx.all(covered.where(agreement_case.c.agreement_id.in_(agreements)).distinct().order_by(case.c.reference))
    return [row for row in found if row.id in places and (not single or row.id in single)]
