"""What TLS with other sites' mail servers came to, counted by day: the matter of TLS reports (RFC 8460)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from gateway.domain.clock import from_microseconds
from gateway.store.tables import tls_outcome
from gateway.store.transaction import Transaction


class PolicyType(StrEnum):
    """By which policy a domain's servers were spoken to (RFC 8460 section 4.2)."""

    TLSA = "tlsa"
    STS = "sts"
    NONE = "no-policy-found"


class ResultType(StrEnum):
    """What a session's TLS came to: SUCCESS, or the words of RFC 8460 section 4.3."""

    SUCCESS = ""
    STARTTLS_NOT_SUPPORTED = "starttls-not-supported"
    CERTIFICATE_HOST_MISMATCH = "certificate-host-mismatch"
    CERTIFICATE_EXPIRED = "certificate-expired"
    CERTIFICATE_NOT_TRUSTED = "certificate-not-trusted"
    VALIDATION_FAILURE = "validation-failure"
    TLSA_INVALID = "tlsa-invalid"
    DNSSEC_INVALID = "dnssec-invalid"
    DANE_REQUIRED = "dane-required"
    STS_POLICY_FETCH_ERROR = "sts-policy-fetch-error"
    STS_POLICY_INVALID = "sts-policy-invalid"
    STS_WEBPKI_INVALID = "sts-webpki-invalid"


@dataclass(frozen=True, slots=True)
class TlsOutcome:
    """So many sessions of one day with one server of a domain that came to the same."""

    policy_type: PolicyType
    result_type: ResultType
    mx_host: str
    count: int = 1


def count_tls(tx: Transaction, domain: str, outcome: TlsOutcome) -> None:
    """Add sessions to today's count for the domain of a recipient. A verb of the notifier."""
    insert = postgresql_insert if tx.connection.dialect.name == "postgresql" else sqlite_insert
    statement = insert(tls_outcome).values(
        day=from_microseconds(tx.now_us).date().isoformat(),
        domain=domain.lower(),
        policy_type=outcome.policy_type.value,
        result_type=outcome.result_type.value,
        mx_host=outcome.mx_host.lower(),
        count=outcome.count,
    )
    keys = [column.name for column in tls_outcome.primary_key]
    more = {"count": tls_outcome.c["count"] + statement.excluded["count"]}
    tx.execute(statement.on_conflict_do_update(index_elements=keys, set_=more))


def outcomes_of(connection: Connection, day: date, domain: str) -> Sequence[TlsOutcome]:
    """Return a day's counts for a domain, in a fixed order."""
    rows = connection.execute(_OF, {"day": day.isoformat(), "domain": domain})
    return [TlsOutcome(PolicyType(policy), ResultType(result), host, count) for policy, result, host, count in rows]


def forget_before(tx: Transaction, day: date) -> int:
    """Delete the counts of days before this one; return how many rows."""
    return tx.execute(delete(tls_outcome).where(tls_outcome.c.day < day.isoformat()))


_OF = (
    select(*list(tls_outcome.c)[2:])
    .where(tls_outcome.c.day == bindparam("day"), tls_outcome.c.domain == bindparam("domain"))
    .order_by(tls_outcome.c.policy_type, tls_outcome.c.result_type, tls_outcome.c.mx_host)
)
