"""The tables, as SQLAlchemy Core metadata. Instants are microseconds UTC (`*_us`), ids are text, sealed things octets.

Tables in `AUTHORITY` give power: each row is signed (`gateway.store.authority`). A module has the tables of one topic.
"""

from __future__ import annotations

from gateway.store.tables.activity import credential_use, leaf, outbox, session_use
from gateway.store.tables.authority import (
    AUTHORITY,
    agreement_case,
    assignment,
    credential,
    designated_user,
    role,
    sealing_key,
    session,
    team_member,
)
from gateway.store.tables.people import agreement, case, person, person_address, site, team
from gateway.store.tables.schema import METADATA
from gateway.store.tables.transport import tls_outcome, tls_report
from gateway.store.tables.vault import intake, message, message_wrap, recipient, repeat, segment

__all__ = [
    "AUTHORITY",
    "METADATA",
    "agreement",
    "agreement_case",
    "assignment",
    "case",
    "credential",
    "credential_use",
    "designated_user",
    "intake",
    "leaf",
    "message",
    "message_wrap",
    "outbox",
    "person",
    "person_address",
    "recipient",
    "repeat",
    "role",
    "sealing_key",
    "segment",
    "session",
    "session_use",
    "site",
    "team",
    "team_member",
    "tls_outcome",
    "tls_report",
]
