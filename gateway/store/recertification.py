"""Who has access against who was given it: what somebody has to look at, from time to time, and put right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, func, select, true

from gateway.domain.credential import SIGNS_NOBODY_IN, CredentialKind
from gateway.domain.enrolment import DAY_US, AgreementState, PlaceState
from gateway.domain.rights import Holder, Place, Role, Side, standing_in
from gateway.store.authority import AuthorityKey, genuine
from gateway.store.places import cases_named, employee_or_user
from gateway.store.tables import credential, designated_user, person, role, session


class FindingKind(StrEnum):
    """Why a person is on the report."""

    NOT_CONFIRMED = "not-confirmed"
    CONFIRMATION_DUE = "confirmation-due"
    ACCOUNT_WITHOUT_ACCESS = "account-without-access"
    ACCESS_WITHOUT_FORM = "access-without-form"
    RENEWAL_LATE = "renewal-late"
    RENEWAL_DUE = "renewal-due"
    STALE = "stale"
    PRIVILEGED_WITHOUT_END = "privileged-without-end"
    PRIVILEGED = "privileged"
    RESTRICTED = "codes-by-telephone"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: why, whom it concerns, and the instant it is about, where there is one."""

    kind: FindingKind
    person_id: str
    username: str
    name: str
    at_us: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """How many have access, an account, and codes by telephone; every finding, in the order of their kinds."""

    with_access: int
    with_account: int
    with_telephone: int
    findings: tuple[Finding, ...]


def recertify(
    connection: Connection,
    authority: AuthorityKey,
    due_days: int,
    stale_days: int,
    now_us: int,
    programme: str | None = None,
) -> Report:
    """Return the report of this instant (of one programme, or of all): renewals due within days, nobody signed in for
    days.
    """
    is_of_it = true() if programme is None else person.c.programme == programme
    accounts = set(connection.execute(_ACCOUNTS.where(is_of_it)).scalars())
    last = dict(connection.execute(_LAST).all())
    telephones = set(connection.execute(_TELEPHONES.where(is_of_it)).scalars())
    due = _due(connection, authority, now_us)
    found: list[Finding] = []
    with_access = 0
    for row in connection.execute(_PEOPLE.where(is_of_it)):
        holder = employee_or_user(connection, authority, row.id, now_us)
        if holder is None:
            continue
        if holder.side is Side.OFFICE:
            has_access = not holder.roles or any(span.holds(now_us) for _, span in holder.roles)
        else:
            has_access = any(standing_in(holder, case_id, now_us) for case_id in cases_named(holder))
        with_access += has_access
        reasons = [*_of_confirmation(due.get(row.id, ()), now_us, now_us + due_days * DAY_US)]
        reasons += [*_of_papers(holder, now_us, now_us + due_days * DAY_US), *_of_roles(holder, now_us)]
        if row.id in accounts and not has_access:
            reasons.append((FindingKind.ACCOUNT_WITHOUT_ACCESS, None))
        if row.id in telephones:
            reasons.append((FindingKind.RESTRICTED, None))
        seen_us = last.get(row.id) or row.created_us
        if has_access and row.id in accounts and seen_us < now_us - stale_days * DAY_US:
            reasons.append((FindingKind.STALE, seen_us))
        found += [Finding(kind, row.id, row.username or "", row.name, at_us) for kind, at_us in reasons]
    order = list(FindingKind)
    return Report(
        with_access,
        len(accounts),
        len(telephones),
        tuple(sorted(found, key=lambda one: (order.index(one.kind), one.username))),
    )


_PEOPLE = select(person).where(person.c.ended_us.is_(None)).order_by(person.c.id)
_LAST = select(session.c.person_id, func.max(session.c.issued_us)).group_by(session.c.person_id)
_ACCOUNTS = (
    select(credential.c.person_id)
    .join(person, person.c.id == credential.c.person_id)
    .where(
        credential.c.revoked_us.is_(None),
        credential.c.kind.not_in([kind.value for kind in SIGNS_NOBODY_IN]),
        person.c.ended_us.is_(None),
    )
    .distinct()
)
_TELEPHONES = (
    select(credential.c.person_id)
    .join(person, person.c.id == credential.c.person_id)
    .where(
        credential.c.kind == CredentialKind.TELEPHONE.value,
        credential.c.revoked_us.is_(None),
        person.c.ended_us.is_(None),
    )
    .distinct()
)
Reason = tuple[FindingKind, int | None]


def _due(connection: Connection, authority: AuthorityKey, now_us: int) -> dict[str, list[int]]:
    """Return until when each person's roles and places hold without being confirmed."""
    found: dict[str, list[int]] = {}
    for table in (role, designated_user):
        rows = connection.execute(
            select(table).where(table.c.due_us.is_not(None), table.c.until_us.is_(None) | (table.c.until_us > now_us))
        )
        for row in genuine(table, rows, authority):
            gives = table is role or row.state in {None, PlaceState.ACTIVE}
            if gives:
                found.setdefault(row.person_id, []).append(row.due_us)
    return found


def _of_confirmation(dues: Iterable[int], now_us: int, due_us: int) -> Iterator[Reason]:
    """Tell of the earliest that nobody has confirmed, or has to before long."""
    first = min(dues, default=None)
    if first is not None and first < due_us:
        yield (FindingKind.NOT_CONFIRMED if first <= now_us else FindingKind.CONFIRMATION_DUE), first


def _of_papers(holder: Holder, now_us: int, due_us: int) -> Iterator[Reason]:
    for place in holder.places:
        is_held = place.span.holds(now_us) and place.agreement.gives_rights(now_us)
        if is_held and place.state is None:
            yield FindingKind.ACCESS_WITHOUT_FORM, place.span.from_us
        if is_held and place.state is PlaceState.ACTIVE and place.needs:
            yield from _of_authorisations(place, now_us, due_us)
        ends = place.agreement.span.until_us
        if place.agreement.state is AgreementState.NOTICE and ends is not None and now_us < ends < due_us:
            yield FindingKind.RENEWAL_DUE, ends


def _of_authorisations(place: Place, now_us: int, due_us: int) -> Iterator[Reason]:
    """Tell of the last authorisation: over, or about to be."""
    standing = [one for one in place.authorisations if not one.is_revoked]
    ends = [one.span.until_us for one in standing]
    if any(end is None for end in ends):
        return
    last = max((end for end in ends if end is not None), default=None)
    if last is None or last <= now_us:
        yield FindingKind.RENEWAL_LATE, last
    elif last < due_us:
        yield FindingKind.RENEWAL_DUE, last


def _of_roles(holder: Holder, now_us: int) -> Iterator[Reason]:
    for held, span in holder.roles:
        if held is not Role.EMPLOYEE and span.holds(now_us):
            yield (FindingKind.PRIVILEGED if span.until_us else FindingKind.PRIVILEGED_WITHOUT_END), span.until_us
