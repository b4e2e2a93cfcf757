"""What is remembered of the domains that notifications go to directly: their TLS, and the policies they publish."""

from __future__ import annotations

from sqlalchemy import Column, String, Table, Text

from gateway.store.tables.schema import METADATA, us

tls_verified = Table(
    "tls_verified",
    METADATA,
    Column("domain", String(253), primary_key=True),
    Column("policy_type", String(20), nullable=False),
    us("first_us", nullable=False),
    us("last_us", nullable=False),
)
"""Domains that once had verified TLS, and by which policy (as in `tls_outcome`): less is not put up with any more."""

mta_sts_policy = Table(
    "mta_sts_policy",
    METADATA,
    Column("domain", String(253), primary_key=True),
    Column("policy_id", String(32), nullable=False),
    Column("body", Text, nullable=False),
    us("fetched_us", nullable=False),
    us("expires_us", nullable=False),
)
"""Policies of RFC 8461 as they were fetched, kept until they expire."""
