"""What is remembered of the domains that notifications go to directly. Verbs of the notifier, and of an operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from gateway.domain.clock import from_microseconds
from gateway.store.tables import mta_sts_policy, tls_verified
from gateway.store.tls_outcomes import PolicyType
from gateway.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class KeptPolicy:
    """A policy of RFC 8461 as it was fetched: its id in DNS, its text, from when to when."""

    id: str
    body: str
    fetched: datetime
    expires: datetime


def remember_verified(tx: Transaction, domain: str, policy: PolicyType) -> None:
    """Note that a domain's hosts were spoken to by verified TLS."""
    row = {"domain": domain, "policy_type": policy.value, "first_us": tx.now_us, "last_us": tx.now_us}
    _put(tx, tls_verified, row, keep=("first_us",))


def forget_verified(tx: Transaction, domain: str, by: str) -> bool:
    """Put up with less for a domain from now on; False where nothing was remembered. `by` is who asked."""
    if not tx.execute(delete(tls_verified).where(tls_verified.c.domain == domain.lower())):
        return False
    tx.record("tls-forgotten", by)
    return True


def is_verified(connection: Connection, domain: str) -> bool:
    """Tell whether a domain once had verified TLS."""
    statement = select(tls_verified.c.domain).where(tls_verified.c.domain == domain)
    return connection.execute(statement).first() is not None


def verified(connection: Connection) -> Sequence[Row[Any]]:
    """Return all that is remembered of domains with verified TLS, by name."""
    return connection.execute(select(tls_verified).order_by(tls_verified.c.domain)).all()


def keep_policy(tx: Transaction, domain: str, policy_id: str, body: str, max_age: timedelta) -> None:
    """Keep a domain's policy for so long from now, in place of the one before."""
    expires_us = tx.now_us + max_age // timedelta(microseconds=1)
    row = {
        "domain": domain, "policy_id": policy_id, "body": body, "fetched_us": tx.now_us, "expires_us": expires_us,
    }  # fmt: skip
    _put(tx, mta_sts_policy, row)


def kept_policy(connection: Connection, domain: str) -> KeptPolicy | None:
    """Return the policy that is kept of a domain, expired or not."""
    row = connection.execute(select(mta_sts_policy).where(mta_sts_policy.c.domain == domain)).first()
    if row is None:
        return None
    return KeptPolicy(row.policy_id, row.body, from_microseconds(row.fetched_us), from_microseconds(row.expires_us))


def _put(tx: Transaction, table: Table, row: Mapping[str, Any], keep: Sequence[str] = ()) -> None:
    """Enter the row of a domain; of one that is there change all but `keep`."""
    insert = postgresql_insert if tx.connection.dialect.name == "postgresql" else sqlite_insert
    changed = {name: value for name, value in row.items() if name not in ("domain", *keep)}
    tx.execute(insert(table).values(row).on_conflict_do_update(index_elements=["domain"], set_=changed))
