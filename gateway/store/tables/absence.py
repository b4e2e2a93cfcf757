"""Who stands in for whom: rows that give power, as those of `gateway.store.tables.authority`, and replies in wait."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, text

from gateway.store.tables.schema import METADATA, ident, ref, signed, us

absence = Table(
    "absence",
    METADATA,
    ident(),
    ref("person_id", "person", index=True),
    ref("deputy_id", "person", index=True),
    us("from_us", nullable=False),
    us("until_us", nullable=False),
    *signed(),
)
"""`deputy_id` reads and answers in the cases that `person_id` stands in, and hears of what comes for them."""

succession = Table(
    "succession",
    METADATA,
    ident(),
    ref("person_id", "person", index=True),
    ref("successor_id", "person", index=True),
    us("from_us", nullable=False),
    us("until_us"),
    *signed(),
)
"""`successor_id` goes on with the threads of `person_id`, who has left, and has the word that messages of theirs wait
for; it gives no right in any case. What that person had ended at `from_us`, and what the successor got of it began
then."""

unopened = Table(
    "unopened",
    METADATA,
    Column("message_id", String(64), ForeignKey("message.id"), primary_key=True),
    us("look_us"),
    Column("told", Integer, nullable=False, server_default="0"),
    us("opened_us"),
    Index(
        "ix_unopened_look",
        "look_us",
        sqlite_where=text("look_us IS NOT NULL"),
        postgresql_where=text("look_us IS NOT NULL"),
    ),
)
"""A message of the other side, until somebody who works on its case has opened it (`opened_us`). At `look_us` the
notifier looks at it; `told` counts the times at which people were told that nobody has."""
