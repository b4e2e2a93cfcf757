"""What the store knows of first codes, of links to accounts at identity providers, and of sessions that began there."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select

from gateway.domain.address import parse_address
from gateway.domain.credential import CredentialKind
from gateway.domain.errors import Refused
from gateway.domain.proof import Binding
from gateway.store import tables
from gateway.store.authority import AuthorityKey, genuine
from gateway.store.ids import new_id
from gateway.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Holder:
    """The person of a first code or of a link, and which row it is."""

    person_id: str
    credential_id: str
    programme: str
    side: str


def holder_of(
    connection: Connection, authority: AuthorityKey, kind: CredentialKind, lookup: str, now_us: int
) -> Holder | None:
    """Return whose first code or link this is, if it is in force now."""
    return _holder(
        connection, authority, now_us, tables.credential.c.kind == kind, tables.credential.c.lookup == lookup
    )


def holder_by_id(connection: Connection, authority: AuthorityKey, credential_id: str, now_us: int) -> Holder | None:
    """Return whose first code this row is, if it is in force now."""
    table = tables.credential
    return _holder(
        connection, authority, now_us, table.c.kind == CredentialKind.FIRST_CODE, table.c.id == credential_id
    )


def is_theirs(connection: Connection, person_id: str, addresses: Iterable[str], now_us: int) -> bool:
    """Tell whether one of these is an address that this person has here now."""
    keys = set()
    for address in addresses:
        try:
            keys.add(parse_address(address).key)
        except (Refused, ValueError):
            continue
    table = tables.person_address
    statement = select(table.c.id).where(
        table.c.person_id == person_id,
        table.c.key.in_(keys),
        table.c.from_us <= now_us,
        table.c.until_us.is_(None) | (table.c.until_us > now_us),
    )
    return connection.execute(statement).first() is not None


def waits(connection: Connection, lookup: str) -> bool:
    """Tell whether a link to this account waits for a decision."""
    table = tables.identity_review
    statement = select(table.c.id).where(table.c.lookup == lookup, table.c.decided_us.is_(None))
    return connection.execute(statement).first() is not None


def put_for_review(
    tx: Transaction, provider: str, addresses: tuple[str, ...], binding: Binding, signature: bytes
) -> None:
    """Keep a link for somebody to decide on; the same one is kept once."""
    if waits(tx.connection, binding.lookup):
        return
    review = new_id()
    tx.insert(
        tables.identity_review,
        id=review,
        person_id=binding.person_id,
        provider=provider,
        reason="address",
        addresses=" ".join(addresses)[:1_000],
        lookup=binding.lookup,
        binding=json.dumps(asdict(binding)),
        signature=signature,
        created_us=tx.now_us,
        decided_us=None,
        accepted=None,
    )
    tx.record("identity_waits", binding.person_id, person=binding.person_id, review=review)


def note_session(tx: Transaction, session_id: str, credential_id: str, sid: str | None, issued_us: int) -> None:
    """Note that a session rests on a link, and which session of the provider it belongs to."""
    tx.insert(tables.identity_session, session_id=session_id, credential_id=credential_id, sid=sid, issued_us=issued_us)


def sessions_of(
    connection: Connection, *, credential_id: str = "", sid: str = "", until_us: int, now_us: int
) -> list[tuple[str, str, str]]:
    """Return session, person and link of what is open and began at a provider until then, by link or its session."""
    begun, session = tables.identity_session, tables.session
    wanted = [begun.c.credential_id == credential_id] if credential_id else []
    wanted += [begun.c.sid == sid] if sid else []
    statement = (
        select(session.c.id, session.c.person_id, begun.c.credential_id)
        .join(begun, begun.c.session_id == session.c.id)
        .where(*wanted, begun.c.issued_us <= until_us, session.c.ended_us.is_(None), session.c.absolute_us > now_us)
        .order_by(session.c.issued_us.desc())
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(statement)] if wanted else []


def _holder(
    connection: Connection, authority: AuthorityKey, now_us: int, *wanted: ColumnElement[bool]
) -> Holder | None:
    table, person = tables.credential, tables.person
    statement = (
        select(table, person.c.programme, person.c.side)
        .join(person, person.c.id == table.c.person_id)
        .where(*wanted, table.c.revoked_us.is_(None), person.c.ended_us.is_(None))
    )
    for row in genuine(table, connection.execute(statement), authority):
        if _in_force(row, now_us):
            return Holder(row.person_id, row.id, row.programme, row.side)
    return None


def _in_force(row: Row[Any], now_us: int) -> bool:
    return bool(row.created_us <= now_us and (row.expires_us is None or now_us < row.expires_us))
