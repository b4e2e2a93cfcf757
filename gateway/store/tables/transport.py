"""What TLS with other sites' mail servers came to, counted by day, and the reports of it that they asked for."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, UniqueConstraint, text

from gateway.store.tables.schema import METADATA, ident, us

tls_outcome = Table(
    "tls_outcome",
    METADATA,
    Column("day", String(10), primary_key=True),
    Column("domain", String(253), primary_key=True),
    Column("policy_type", String(20), primary_key=True),
    Column("result_type", String(40), primary_key=True),
    Column("mx_host", String(253), primary_key=True),
    Column("count", BigInteger, nullable=False),
)
"""Sessions by UTC day (`2026-11-22`), domain of the recipient, and the words of RFC 8460: `policy_type` is `tlsa`,
`sts` or `no-policy-found`, `result_type` one of section 4.3, empty where TLS was had. `mx_host` may be empty."""

tls_report = Table(
    "tls_report",
    METADATA,
    ident(),
    Column("day", String(10), nullable=False),
    Column("domain", String(253), nullable=False),
    Column("uri", String(500), nullable=False),
    Column("state", Integer, nullable=False, server_default="0"),
    us("due_us", nullable=False),
    us("lease_until_us"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    us("created_us", nullable=False),
    us("settled_us"),
    Column("last_reply", String(200)),
    UniqueConstraint("day", "domain", "uri"),
    Index("ix_tls_report_due", "due_us", "id", sqlite_where=text("state = 0"), postgresql_where=text("state = 0")),
)
"""A day's report to one domain: a row with an empty `uri` until DNS has said where to, then one for each place."""
