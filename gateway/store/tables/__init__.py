"""The tables, as SQLAlchemy Core metadata. Instants are microseconds UTC (`*_us`), ids are text, sealed things octets.

Tables in `AUTHORITY` give power: each row is signed (`gateway.store.authority`). A module has the tables of one topic.
"""

from __future__ import annotations

from gateway.store.tables.absence import absence, succession, unopened
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
from gateway.store.tables.automatic import automatic_mail
from gateway.store.tables.confirmation import confirmation
from gateway.store.tables.cover_sheet import cover_sheet
from gateway.store.tables.delegation import delegation
from gateway.store.tables.destinations import mta_sts_policy, tls_verified
from gateway.store.tables.draft import draft
from gateway.store.tables.enrolment import (
    appendix,
    approval,
    authorisation,
    enrolment,
    form,
    form_document,
    form_field,
    meeting,
)
from gateway.store.tables.fax import fax_arrival, fax_report
from gateway.store.tables.guard import guard_wait
from gateway.store.tables.handling import intake_act, intake_claim, intake_section
from gateway.store.tables.identity import identity_review, identity_session
from gateway.store.tables.joining import agreed_terms, joining
from gateway.store.tables.parcel import parcel
from gateway.store.tables.people import agreement, case, person, person_address, site, team
from gateway.store.tables.reach import address_state, notice_report
from gateway.store.tables.recipient_key import key_look, recipient_key
from gateway.store.tables.recognition import fax_recognition
from gateway.store.tables.schema import METADATA
from gateway.store.tables.timing import pace, told_ending
from gateway.store.tables.transport import tls_outcome, tls_report
from gateway.store.tables.vault import intake, message, message_wrap, recipient, repeat, segment

__all__ = [
    "AUTHORITY",
    "METADATA",
    "absence",
    "address_state",
    "agreed_terms",
    "agreement",
    "agreement_case",
    "appendix",
    "approval",
    "assignment",
    "authorisation",
    "automatic_mail",
    "case",
    "confirmation",
    "cover_sheet",
    "credential",
    "credential_use",
    "delegation",
    "designated_user",
    "draft",
    "enrolment",
    "fax_arrival",
    "fax_recognition",
    "fax_report",
    "form",
    "form_document",
    "form_field",
    "guard_wait",
    "identity_review",
    "identity_session",
    "intake",
    "intake_act",
    "intake_claim",
    "intake_section",
    "joining",
    "key_look",
    "leaf",
    "meeting",
    "message",
    "message_wrap",
    "mta_sts_policy",
    "notice_report",
    "outbox",
    "pace",
    "parcel",
    "person",
    "person_address",
    "recipient",
    "recipient_key",
    "repeat",
    "role",
    "sealing_key",
    "segment",
    "session",
    "session_use",
    "site",
    "succession",
    "team",
    "team_member",
    "tls_outcome",
    "tls_report",
    "tls_verified",
    "told_ending",
    "unopened",
]
