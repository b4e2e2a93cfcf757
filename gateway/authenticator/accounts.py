"""What the store knows of an account: its credentials, checked, and the count of their use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select

from gateway.domain.credential import CredentialKind
from gateway.store import tables
from gateway.store.authority import AuthorityKey, genuine
from gateway.store.last_use import last_columns, last_us
from gateway.store.transaction import Transaction

SECOND_FACTORS = (CredentialKind.TOTP, CredentialKind.PASSKEY, CredentialKind.RECOVERY, CredentialKind.TELEPHONE)
MAX_FAILURES = 100
"""In a row, for one account, unless the site has a stricter figure: then an administrator gives a new password or
forgives (SP 800-63B-4 section 3.2.2)."""
USE_US = 60_000_000
_KINDS = tuple(kind.value for kind in (CredentialKind.PASSWORD, *SECOND_FACTORS, CredentialKind.EXTENSION))
_OF_PERSON = (tables.person.c.side, tables.person.c.programme, *last_columns())


@dataclass(frozen=True, slots=True)
class SignIn:
    """The one password of an account that may sign in, and its second factors: kind, id and data of each.

    `last_us` is when its person was here last, `extended_us` how long they may go on with a password that is over for
    others.
    """

    person_id: str
    password_id: str
    password: str
    factors: tuple[tuple[CredentialKind, str, str], ...]
    failures: int
    side: str = ""
    programme: str = ""
    last_us: int = 0
    extended_us: int = 0

    def of(self, kind: CredentialKind) -> list[tuple[str, str]]:
        """Return id and data of the second factors of one kind."""
        return [(credential_id, data) for one, credential_id, data in self.factors if one is kind]


@dataclass(frozen=True, slots=True)
class ToolProof:
    """What a mail tool proves itself by, in force, and by which names its person is known.

    `last_us` is when its person was here last, `last_used_us` when this was used last, 0 for never.
    """

    person_id: str
    credential_id: str
    networks: str
    known_as: frozenset[str]
    last_used_us: int
    last_us: int
    side: str


def sign_in_of(connection: Connection, authority: AuthorityKey, username: str, now_us: int) -> SignIn | None:
    """Return what signs in under a username now, or None."""
    statement = (
        select(tables.credential, tables.credential_use.c.failures, *_OF_PERSON)
        .join(tables.person, tables.person.c.id == tables.credential.c.person_id)
        .outerjoin(tables.credential_use, tables.credential_use.c.credential_id == tables.credential.c.id)
        .where(
            tables.person.c.username == username,
            tables.person.c.ended_us.is_(None),
            tables.credential.c.kind.in_(_KINDS),
            tables.credential.c.revoked_us.is_(None),
        )
        .order_by(tables.credential.c.id)
    )
    rows = _in_force(genuine(tables.credential, connection.execute(statement), authority), now_us)
    passwords = [row for row in rows if row.kind == CredentialKind.PASSWORD]
    if not passwords:
        return None
    last = passwords[-1]
    factors = tuple((CredentialKind(row.kind), row.id, row.data) for row in rows if row.kind in SECOND_FACTORS)
    extended_us = max((row.expires_us or 0 for row in rows if row.kind == CredentialKind.EXTENSION), default=0)
    of_person = (last.side, last.programme, last_us(last._mapping), extended_us)
    return SignIn(last.person_id, last.id, last.data, factors, last.failures or 0, *of_person)


def passkeys_of(connection: Connection, authority: AuthorityKey, person_id: str, now_us: int) -> list[str]:
    """Return the data of a person's passkeys."""
    table = tables.credential
    statement = select(table).where(
        table.c.person_id == person_id, table.c.kind == CredentialKind.PASSKEY.value, table.c.revoked_us.is_(None)
    )
    return [row.data for row in _in_force(genuine(table, connection.execute(statement), authority), now_us)]


def app_password_of(connection: Connection, authority: AuthorityKey, lookup: str, now_us: int) -> ToolProof | None:
    """Return the app password with this keyed hash, or None."""
    return _tool_proof(connection, authority, now_us, CredentialKind.APP_PASSWORD, tables.credential.c.lookup == lookup)


def link_of(connection: Connection, authority: AuthorityKey, credential_id: str, now_us: int) -> ToolProof | None:
    """Return the link to an account at an identity provider with this id, or None."""
    return _tool_proof(connection, authority, now_us, CredentialKind.IDENTITY, tables.credential.c.id == credential_id)


def certificate_of(connection: Connection, authority: AuthorityKey, lookup: str, now_us: int) -> ToolProof | None:
    """Return the registered name of a client certificate with this keyed hash, or None."""
    return _tool_proof(connection, authority, now_us, CredentialKind.CERTIFICATE, tables.credential.c.lookup == lookup)


def use_code(tx: Transaction, credential_id: str, step: int) -> bool:
    """Spend a code's step; False when this step, or a later one, was spent before."""
    known = _use(tx, credential_id)
    if known.last_step is not None and known.last_step >= step:
        return False
    _note(tx, credential_id, last_step=step, last_used_us=tx.now_us)
    return True


def use_passkey(tx: Transaction, credential_id: str, count: int) -> bool:
    """Note a passkey's count of signatures; False when one that counts has not gone on: then there may be two of it."""
    return count == 0 or use_code(tx, credential_id, count)


def use_recovery_code(tx: Transaction, credential_id: str, number: int) -> bool:
    """Spend one code of a set; False when it was spent before."""
    spent = _use(tx, credential_id).last_step or 0
    if spent & 1 << number:
        return False
    _note(tx, credential_id, last_step=spent | 1 << number, last_used_us=tx.now_us)
    return True


def note_failure(tx: Transaction, credential_id: str) -> None:
    """Count one more failure in a row; for nobody's (an empty id) go the same way and count nothing."""
    if not credential_id:
        tx.one(select(tables.credential_use).where(tables.credential_use.c.credential_id == credential_id))
        return
    known = _use(tx, credential_id)
    _note(tx, credential_id, failures=known.failures + 1, last_failure_us=tx.now_us)


def note_use(tx: Transaction, credential_id: str) -> None:
    """Note a use; the failures before it are forgiven."""
    _use(tx, credential_id)
    _note(tx, credential_id, failures=0, last_used_us=tx.now_us)


def forgive(tx: Transaction, person_id: str) -> None:
    """Set every count of failures of a person back to none."""
    mine = select(tables.credential.c.id).where(tables.credential.c.person_id == person_id)
    table = tables.credential_use
    tx.execute(table.update().where(table.c.credential_id.in_(mine)).values(failures=0))
    tx.record("failures_forgiven", "operator", person=person_id)


def _tool_proof(
    connection: Connection, authority: AuthorityKey, now_us: int, kind: CredentialKind, wanted: ColumnElement[bool]
) -> ToolProof | None:
    table, use, person = tables.credential, tables.credential_use, tables.person
    statement = (
        select(table, use.c.last_used_us, person.c.username, person.c.side, *last_columns())
        .join(person, person.c.id == table.c.person_id)
        .outerjoin(use, use.c.credential_id == table.c.id)
        .where(wanted, table.c.kind == kind.value, table.c.revoked_us.is_(None), person.c.ended_us.is_(None))
    )
    rows = _in_force(genuine(table, connection.execute(statement), authority), now_us)
    if not rows:
        return None
    row = rows[0]
    addresses = tables.person_address
    keys = connection.execute(
        select(addresses.c.key).where(
            addresses.c.person_id == row.person_id,
            addresses.c.from_us <= now_us,
            addresses.c.until_us.is_(None) | (addresses.c.until_us > now_us),
        )
    ).scalars()
    return ToolProof(
        row.person_id,
        row.id,
        row.networks,
        frozenset({row.username or "", *keys} - {""}),
        row.last_used_us or 0,
        last_us(row._mapping),
        row.side,
    )


def _use(tx: Transaction, credential_id: str) -> Row[Any]:
    table = tables.credential_use
    known = select(table).where(table.c.credential_id == credential_id)
    row = tx.one(known)
    if row is None:
        tx.insert(table, credential_id=credential_id, failures=0)
        row = tx.one(known)
    assert row is not None
    return row


def _note(tx: Transaction, credential_id: str, **columns: int) -> None:
    table = tables.credential_use
    tx.execute(table.update().where(table.c.credential_id == credential_id).values(**columns))


def _in_force(rows: Sequence[Row[Any]], now_us: int) -> list[Row[Any]]:
    return [row for row in rows if row.created_us <= now_us and (row.expires_us is None or now_us < row.expires_us)]
