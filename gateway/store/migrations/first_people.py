"""The first schema's people, cases, and rows that give power."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def create() -> None:
    """Make these tables, those that others refer to first."""
    _agreement()
    _case()
    _person()
    _site()
    _team()
    _agreement_case()
    _assignment()
    _credential()
    _designated_user()
    _person_address()
    _role()
    _sealing_key()
    _session()
    _team_member()
    _credential_use()
    _session_use()


def _agreement() -> None:
    op.create_table(
        "agreement",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("programme", sa.String(length=64), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_us", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_agreement"),
    )


def _case() -> None:
    op.create_table(
        "case_",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("programme", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=24), nullable=False),
        sa.Column("opened_us", sa.BigInteger(), nullable=False),
        sa.Column("closed_us", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_case_"),
        sa.UniqueConstraint("reference", name="uq_case__reference"),
    )


def _person() -> None:
    op.create_table(
        "person",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("programme", sa.String(length=64), nullable=False),
        sa.Column("side", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("username", sa.String(length=254)),
        sa.Column("language", sa.String(length=8), server_default="en", nullable=False),
        sa.Column("wants_link", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_us", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        sa.UniqueConstraint("username", name="uq_person_username"),
    )


def _site() -> None:
    op.create_table(
        "site",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_site"),
    )


def _team() -> None:
    op.create_table(
        "team",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("programme", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("key", sa.String(length=254), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_us", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_team"),
        sa.UniqueConstraint("key", name="uq_team_key"),
    )


def _agreement_case() -> None:
    op.create_table(
        "agreement_case",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("agreement_id", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreement.id"], name="fk_agreement_case_agreement_id"),
        sa.ForeignKeyConstraint(["case_id"], ["case_.id"], name="fk_agreement_case_case_id"),
        sa.PrimaryKeyConstraint("id", name="pk_agreement_case"),
    )
    op.create_index("ix_agreement_case_agreement_id", "agreement_case", ["agreement_id"])
    op.create_index("ix_agreement_case_case_id", "agreement_case", ["case_id"])


def _assignment() -> None:
    op.create_table(
        "assignment",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("team_id", sa.String(length=64)),
        sa.Column("person_id", sa.String(length=64)),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_.id"], name="fk_assignment_case_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_assignment_person_id"),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_assignment_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_assignment"),
    )
    op.create_index("ix_assignment_case_id", "assignment", ["case_id"])
    op.create_index("ix_assignment_person_id", "assignment", ["person_id"])
    op.create_index("ix_assignment_team_id", "assignment", ["team_id"])


def _credential() -> None:
    op.create_table(
        "credential",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("lookup", sa.String(length=64)),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("networks", sa.Text(), server_default="", nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger()),
        sa.Column("revoked_us", sa.BigInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_credential_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_credential"),
    )
    op.create_index("ix_credential_lookup", "credential", ["lookup"])
    op.create_index("ix_credential_person_id", "credential", ["person_id"])


def _designated_user() -> None:
    op.create_table(
        "designated_user",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("agreement_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("right", sa.String(length=8), nullable=False),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreement.id"], name="fk_designated_user_agreement_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_designated_user_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_designated_user"),
    )
    op.create_index("ix_designated_user_agreement_id", "designated_user", ["agreement_id"])
    op.create_index("ix_designated_user_person_id", "designated_user", ["person_id"])


def _person_address() -> None:
    op.create_table(
        "person_address",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("key", sa.String(length=254), nullable=False),
        sa.Column("notify", sa.Integer(), server_default="1", nullable=False),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger()),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_person_address_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_person_address"),
    )
    op.create_index("ix_person_address_key", "person_address", ["key"])
    op.create_index("ix_person_address_person_id", "person_address", ["person_id"])


def _role() -> None:
    op.create_table(
        "role",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_role_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_role"),
    )
    op.create_index("ix_role_person_id", "role", ["person_id"])


def _sealing_key() -> None:
    op.create_table(
        "sealing_key",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64)),
        sa.Column("month", sa.String(length=7)),
        sa.Column("suite", sa.Integer(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("retired_us", sa.BigInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_.id"], name="fk_sealing_key_case_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sealing_key"),
        sa.UniqueConstraint("month", name="uq_sealing_key_month"),
    )
    op.create_index("ix_sealing_key_case_id", "sealing_key", ["case_id"])


def _session() -> None:
    op.create_table(
        "session",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("issued_us", sa.BigInteger(), nullable=False),
        sa.Column("absolute_us", sa.BigInteger(), nullable=False),
        sa.Column("idle_us", sa.BigInteger(), nullable=False),
        sa.Column("assurance", sa.Integer(), nullable=False),
        sa.Column("ended_us", sa.BigInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_session_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
    )
    op.create_index("ix_session_person_id", "session", ["person_id"])


def _team_member() -> None:
    op.create_table(
        "team_member",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("team_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("supervisor", sa.Integer(), nullable=False),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_team_member_person_id"),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_team_member_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_team_member"),
    )
    op.create_index("ix_team_member_person_id", "team_member", ["person_id"])
    op.create_index("ix_team_member_team_id", "team_member", ["team_id"])


def _credential_use() -> None:
    op.create_table(
        "credential_use",
        sa.Column("credential_id", sa.String(length=64), nullable=False),
        sa.Column("last_used_us", sa.BigInteger()),
        sa.Column("last_step", sa.BigInteger()),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_failure_us", sa.BigInteger()),
        sa.ForeignKeyConstraint(["credential_id"], ["credential.id"], name="fk_credential_use_credential_id"),
        sa.PrimaryKeyConstraint("credential_id", name="pk_credential_use"),
    )


def _session_use() -> None:
    op.create_table(
        "session_use",
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("seen_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_session_use_session_id"),
        sa.PrimaryKeyConstraint("session_id", name="pk_session_use"),
    )
