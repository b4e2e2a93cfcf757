"""Whether people are reached by plain mail: the state of each address, and reports on single notifications."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, text

from gateway.store.tables.schema import METADATA, ref, us

address_state = Table(
    "address_state",
    METADATA,
    Column("address_id", String(64), ForeignKey("person_address.id"), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
    us("since_us", nullable=False),
    us("changed_us", nullable=False),
    us("taken_us"),
    us("complained_us"),
)
"""An address that is not simply good; a good one has no row. `failures` are soft ones that count, `since_us` when it
became what it is, `changed_us` the last news of it, `taken_us` when a mail was taken for it after the last failure."""

notice_report = Table(
    "notice_report",
    METADATA,
    Column("outbox_id", String(64), ForeignKey("outbox.id"), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("reason", String(32), nullable=False),
    Column("enhanced", String(12), nullable=False, server_default=""),
    Column("named", String(160), nullable=False, server_default=""),
    ref("case_id", "case_", nullable=True, index=True),
    us("at_us", nullable=False),
    us("applied_us"),
    Index(
        "ix_notice_report_new",
        "at_us",
        sqlite_where=text("applied_us IS NULL"),
        postgresql_where=text("applied_us IS NULL"),
    ),
)
"""What was reported of one notification, each kind once: a storm of reports is one row. `named` are keyed hashes of the
recipients it names. The mail doors enter it; the notifier applies it, and has its case."""
