"""Verbs about sessions: a row is made only for a sign-in that the authenticator has signed."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Row, select

from gateway.casework.act import Authority
from gateway.domain.credential import SIGNS_NOBODY_IN
from gateway.domain.errors import NotAuthenticated
from gateway.domain.session import SessionStatement, session_id, verify_statement
from gateway.failpoints import failpoint
from gateway.store import tables
from gateway.store.authority import genuine, require_genuine
from gateway.store.people import person_by_id
from gateway.store.transaction import Transaction

MAX_SESSION_US = 24 * 3600 * 1_000_000
_AGAIN = "The sign-in is not valid. Please sign in again."


def admit(
    tx: Transaction, authority: Authority, signed_by: Ed25519PublicKey, statement: SessionStatement, signature: bytes
) -> None:
    """Make a session. Raises NotAuthenticated unless signature, person and every named credential hold now."""
    verify_statement(statement, signature, signed_by, tx.now_us)
    if not 0 < statement.idle_us <= statement.absolute_us - statement.issued_us <= MAX_SESSION_US:
        raise NotAuthenticated(_AGAIN)
    known = tx.one(select(tables.session.c.id).where(tables.session.c.id == statement.session_id))
    if known is not None or person_by_id(tx.connection, statement.person_id) is None:
        raise NotAuthenticated(_AGAIN)
    _check_credentials(tx, authority, statement)
    row = {
        "id": statement.session_id,
        "person_id": statement.person_id,
        "issued_us": statement.issued_us,
        "absolute_us": statement.absolute_us,
        "idle_us": statement.idle_us,
        "assurance": statement.assurance,
        "ended_us": None,
    }
    tx.insert(tables.session, **authority.sign(tables.session, row))
    touch(tx, statement.session_id)
    tx.record("signed_in", statement.person_id, session=statement.session_id, assurance=statement.assurance)
    failpoint("keyholder.session")


def end(tx: Transaction, authority: Authority, token: bytes) -> None:
    """End the session of a token; nothing happens when there is none, or it has ended."""
    table = tables.session
    row = tx.one(select(table).where(table.c.id == session_id(token), table.c.ended_us.is_(None)))
    if row is None:
        return
    present: Row[Any] = require_genuine(table, row, authority.key)
    signed = authority.sign(table, {**present._mapping, "ended_us": tx.now_us})
    tx.execute(table.update().where(table.c.id == row.id).values(signed))
    tx.record("signed_out", row.person_id, session=row.id)


def touch(tx: Transaction, session: str) -> None:
    """Note that a session is in use."""
    table = tables.session_use
    tx.flush()
    if not tx.execute(table.update().where(table.c.session_id == session).values(seen_us=tx.now_us)):
        tx.insert(table, session_id=session, seen_us=tx.now_us)


def _check_credentials(tx: Transaction, authority: Authority, statement: SessionStatement) -> None:
    table = tables.credential
    rows = genuine(table, tx.all(select(table).where(table.c.id.in_(statement.credential_ids))), authority.key)
    good = {
        row.id
        for row in rows
        if row.person_id == statement.person_id
        and row.kind not in SIGNS_NOBODY_IN
        and row.revoked_us is None
        and (row.expires_us is None or row.expires_us > tx.now_us)
    }
    if not good or good != set(statement.credential_ids):
        raise NotAuthenticated(_AGAIN)
