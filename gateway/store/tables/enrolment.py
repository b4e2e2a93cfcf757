"""How people come to be designated users: papers and what is kept of them, states, meetings, second persons.

Rows of `enrolment`, `authorisation` and `approval` give power and are signed. What a paper says is kept
field by field: in clear, or sealed to the agreement's own key with a blind index to find it by.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from gateway.store.tables.schema import METADATA, ident, ref, signed, us

enrolment = Table(
    "enrolment",
    METADATA,
    ident(),
    ref("agreement_id", "agreement", index=True),
    Column("reference", String(16), nullable=False, unique=True),
    Column("state", String(16), nullable=False),
    Column("step", String(16), nullable=False),
    Column("before", String(16)),
    Column("moved_us", BigInteger, nullable=False, index=True),
    us("from_us", nullable=False),
    us("until_us"),
    *signed(),
)
"""The state of an agreement that came by a form. `until_us` is when a notice ends it; `before` is for undoing."""

authorisation = Table(
    "authorisation",
    METADATA,
    ident(),
    ref("designated_user_id", "designated_user", index=True),
    ref("form_id", "form"),
    Column("kind", String(32), nullable=False),
    Column("right", String(8), nullable=False),
    Column("cases", Text, nullable=False),
    Column("specific_use", Integer, nullable=False),
    us("from_us", nullable=False),
    us("until_us"),
    us("revoked_us"),
    *signed(),
)
"""A form that gives a designated user a right. `cases` are ids with blanks between; empty: all of the agreement's."""

approval = Table(
    "approval",
    METADATA,
    ident(),
    ref("agreement_id", "agreement", index=True),
    Column("verb", String(40), nullable=False),
    Column("arguments", Text, nullable=False),
    Column("asked_by", String(64), nullable=False),
    us("from_us", nullable=False),
    us("until_us", nullable=False),
    *signed(),
)
"""A verb that waits for a second person, with its arguments as canonical JSON."""

appendix = Table(
    "appendix",
    METADATA,
    Column("designated_user_id", String(64), ForeignKey("designated_user.id"), primary_key=True),
    Column("role", String(32), nullable=False),
    Column("name", Text, nullable=False),
    Column("address", String(254), nullable=False),
    Column("telephone", String(40), nullable=False),
    Column("is_proposed", Integer, nullable=False, server_default="0"),
)
"""What the paper says of a designated user. `is_proposed`: a clerk took them for a person already known here."""

form = Table(
    "form",
    METADATA,
    ident(),
    ref("agreement_id", "agreement", index=True),
    ref("designated_user_id", "designated_user", nullable=True),
    Column("kind", String(32), nullable=False),
    Column("received", String(10), nullable=False),
    us("created_us", nullable=False),
)
"""One paper: the consent form itself, or an authorisation of a designated user. `received` is a day: `2026-11-22`."""

form_field = Table(
    "form_field",
    METADATA,
    Column("form_id", String(64), ForeignKey("form.id"), primary_key=True),
    Column("key", String(32), primary_key=True),
    Column("value", Text),
    Column("sealed", LargeBinary),
    Column("wrapped", LargeBinary),
    Column("key_id", String(64), ForeignKey("sealing_key.id")),
    Column("suite", Integer),
    Column("blind", String(64), index=True),
)
"""One field of a paper: `value`, or a box under a key that is wrapped to the agreement's."""

form_document = Table(
    "form_document",
    METADATA,
    Column("message_id", String(64), ForeignKey("message.id"), primary_key=True),
    Column("form_id", String(64), ForeignKey("form.id"), primary_key=True, index=True),
    us("linked_us", nullable=False),
)
"""A sealed message of the vault that shows a paper, or several: the fax they came as."""

meeting = Table(
    "meeting",
    METADATA,
    ident(),
    ref("designated_user_id", "designated_user", index=True),
    us("starts_us", nullable=False),
    us("ends_us", nullable=False),
    Column("held_by", String(64)),
    Column("document", String(32)),
    Column("checks", Text),
    Column("outcome", String(16)),
    us("settled_us"),
    us("cancelled_us"),
    Column("link", Text),
)
"""An authentication meeting: who saw which kind of document, what was ticked, the outcome; no picture, no number.
`link` is where the video meeting is."""
