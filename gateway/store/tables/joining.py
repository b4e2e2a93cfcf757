"""How far people have come between invitation and inbox, and the terms that each has agreed to.

Rows of `agreed_terms` open what a person may read and are signed. `joining` counts, and gives nothing.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, String, Table

from gateway.store.tables.schema import METADATA, ident, ref, signed, us

joining = Table(
    "joining",
    METADATA,
    Column("designated_user_id", String(64), ForeignKey("designated_user.id"), primary_key=True),
    ref("person_id", "person", index=True),
    us("invited_us", nullable=False),
    us("started_us"),
    Column("way", String(64)),
    us("chosen_us"),
    us("agreed_us"),
    us("finished_us"),
)
"""When a designated user was first invited, typed the code, had a way of signing in, agreed to the terms, was through.
`way` is the key of an identity provider, or a word of `gateway.domain.enrolment.Way`."""

agreed_terms = Table(
    "agreed_terms",
    METADATA,
    ident(),
    ref("person_id", "person", index=True),
    Column("programme", String(64), nullable=False),
    Column("terms", String(32), nullable=False),
    Column("language", String(2), nullable=False),
    us("agreed_us", nullable=False),
    *signed(),
)
"""A person has agreed to a version of a programme's terms, as they read them in a language."""
