"""Cover sheets that were made: what the reference on each stands for. They give no right, they propose a place."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, String, Table

from gateway.store.tables.schema import METADATA, ident, ref, us

cover_sheet = Table(
    "cover_sheet",
    METADATA,
    ident(),
    Column("reference", String(20), nullable=False, unique=True),
    Column("programme", String(64), nullable=False),
    ref("case_id", "case_", nullable=True, index=True),
    ref("agreement_id", "agreement", nullable=True, index=True),
    Column("made_by", String(64), nullable=False),
    us("made_us", nullable=False),
    us("expires_us", nullable=False),
    us("withdrawn_us"),
    CheckConstraint("(case_id IS NULL) <> (agreement_id IS NULL)", name="ck_cover_sheet_one_place"),
    Index("ix_cover_sheet_made", "made_by", "made_us"),
)
"""`made_by` is a person's id, or "operator". One of the two places is named, never both."""
