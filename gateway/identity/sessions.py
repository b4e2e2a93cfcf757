"""Makes sessions: a random token for the browser, and the statement that the keyholder admits it by."""

from __future__ import annotations

import os
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.domain.session import TOKEN_OCTETS, SessionStatement, session_id

MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session may idle and last, in microseconds (SP 800-63B-4 section 2.2.3, AAL2: within 24 hours)."""

    idle_us: int = 30 * MINUTE_US
    absolute_us: int = 12 * 60 * MINUTE_US

    def __post_init__(self) -> None:
        if not 0 < self.idle_us <= self.absolute_us <= 24 * 60 * MINUTE_US:
            raise ValueError("a session idles no longer than it lasts, and lasts at most 24 hours")


def new_session(
    key: Ed25519PrivateKey,
    person_id: str,
    credential_ids: tuple[str, ...],
    assurance: int,
    now_us: int,
    limits: SessionLimits,
) -> tuple[bytes, SessionStatement, bytes]:
    """Return token, statement and its signature."""
    token = os.urandom(TOKEN_OCTETS)
    statement = SessionStatement(
        session_id=session_id(token),
        person_id=person_id,
        issued_us=now_us,
        absolute_us=now_us + limits.absolute_us,
        idle_us=limits.idle_us,
        assurance=assurance,
        credential_ids=credential_ids,
    )
    return token, statement, key.sign(statement.signed_bytes())
