"""The first schema's messages, what is to be sent, and the digital record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def create() -> None:
    """Make these tables; they refer to people and cases."""
    _leaf()
    _message()
    _message_wrap()
    _outbox()
    _recipient()
    _repeat()
    _segment()


def _leaf() -> None:
    op.create_table(
        "leaf",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_leaf"),
        sa.UniqueConstraint("position", name="uq_leaf_position"),
    )
    op.create_index(
        "ix_leaf_unpositioned",
        "leaf",
        ["id"],
        sqlite_where=sa.text("position IS NULL"),
        postgresql_where=sa.text("position IS NULL"),
    )


def _message() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64)),
        sa.Column("reference", sa.String(length=32)),
        sa.Column("side", sa.String(length=16), nullable=False),
        sa.Column("author_id", sa.String(length=64)),
        sa.Column("team_id", sa.String(length=64)),
        sa.Column("parent_id", sa.String(length=64)),
        sa.Column("composed", sa.Integer(), nullable=False),
        sa.Column("octets", sa.BigInteger(), nullable=False),
        sa.Column("sealed_summary", sa.LargeBinary(), nullable=False),
        sa.Column("message_id_hash", sa.String(length=64)),
        sa.Column("submission_key", sa.String(length=64)),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_us", sa.BigInteger()),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name="fk_message_author_id"),
        sa.ForeignKeyConstraint(["case_id"], ["case_.id"], name="fk_message_case_id"),
        sa.ForeignKeyConstraint(["parent_id"], ["message.id"], name="fk_message_parent_id"),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_message_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
        sa.UniqueConstraint("reference", name="uq_message_reference"),
        sa.UniqueConstraint("submission_key", name="uq_message_submission_key"),
    )
    op.create_index("ix_message_author_id", "message", ["author_id"])
    op.create_index("ix_message_case_received", "message", ["case_id", "received_us", "id"])
    op.create_index("ix_message_message_id_hash", "message", ["message_id_hash"])


def _message_wrap() -> None:
    op.create_table(
        "message_wrap",
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("suite", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["sealing_key.id"], name="fk_message_wrap_key_id"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_message_wrap_message_id"),
        sa.PrimaryKeyConstraint("message_id", "key_id", name="pk_message_wrap"),
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("programme", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64)),
        sa.Column("message_id", sa.String(length=64)),
        sa.Column("fields", sa.Text(), server_default="{}", nullable=False),
        sa.Column("state", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=False),
        sa.Column("lease_until_us", sa.BigInteger()),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("settled_us", sa.BigInteger()),
        sa.Column("last_reply", sa.String(length=200)),
        sa.ForeignKeyConstraint(["case_id"], ["case_.id"], name="fk_outbox_case_id"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_outbox_message_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_outbox_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["due_us", "id"],
        sqlite_where=sa.text("state = 0"),
        postgresql_where=sa.text("state = 0"),
    )
    op.create_index("ix_outbox_message_id", "outbox", ["message_id"])
    op.create_index("ix_outbox_person_id", "outbox", ["person_id"])


def _recipient() -> None:
    op.create_table(
        "recipient",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("addressed_as", sa.String(length=8), nullable=False),
        sa.Column("notify", sa.String(length=40), server_default="", nullable=False),
        sa.Column("first_read_us", sa.BigInteger()),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_recipient_message_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_recipient_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_recipient"),
        sa.UniqueConstraint("message_id", "person_id", name="uq_recipient_message_id_person_id"),
    )
    op.create_index("ix_recipient_person_id", "recipient", ["person_id"])


def _repeat() -> None:
    op.create_table(
        "repeat",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=32), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_repeat_message_id"),
        sa.PrimaryKeyConstraint("key", name="pk_repeat"),
    )


def _segment() -> None:
    op.create_table(
        "segment",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("part", sa.String(length=64), server_default="", nullable=False),
        sa.Column("ordinal", sa.Integer(), server_default="0", nullable=False),
        sa.Column("suite", sa.Integer(), nullable=False),
        sa.Column("octets", sa.BigInteger(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("inline", sa.LargeBinary()),
        sa.Column("blob", sa.String(length=80)),
        sa.Column("ciphertext_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_segment_message_id"),
        sa.PrimaryKeyConstraint("id", name="pk_segment"),
        sa.UniqueConstraint("blob", name="uq_segment_blob"),
        sa.UniqueConstraint("message_id", "part", "ordinal", name="uq_segment_message_id_part_ordinal"),
    )
    op.create_index("ix_segment_message_id", "segment", ["message_id"])
