"""Who may write in whose name: rows that give power, as those of `gateway.store.tables.authority`."""

from __future__ import annotations

from sqlalchemy import Table

from gateway.store.tables.schema import METADATA, ident, ref, signed, us

delegation = Table(
    "delegation",
    METADATA,
    ident(),
    ref("person_id", "person", index=True),
    ref("delegate_id", "person", index=True),
    us("from_us", nullable=False),
    us("until_us"),
    *signed(),
)
"""`delegate_id` writes in the name of `person_id`. It gives no right in any case."""
