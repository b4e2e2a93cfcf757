"""A signed sign-in, as a value: what the authenticator states and the keyholder admits.

The browser holds a random token; rows, statements and logs hold only its SHA-256. The authenticator signs the
statement with Ed25519; whoever has its public key can check it, nobody else can make one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.domain.errors import NotAuthenticated
from gateway.domain.record import canonical

TOKEN_OCTETS = 32
FRESH_US = 60_000_000
_CONTEXT = b"gateway session statement v1\x00"


@dataclass(frozen=True, slots=True)
class SessionStatement:
    """One sign-in: who, when, until when at the latest, how long it may idle, and the credentials that proved it."""

    session_id: str
    person_id: str
    issued_us: int
    absolute_us: int
    idle_us: int
    assurance: int
    credential_ids: tuple[str, ...]

    def signed_bytes(self) -> bytes:
        """Return the octets that are signed."""
        return _CONTEXT + canonical({**asdict(self), "credential_ids": list(self.credential_ids)})

    def to_json(self) -> str:
        """Return the statement as one JSON object."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> SessionStatement:
        """Read what `asdict` gave. Raises NotAuthenticated when fields are missing or of the wrong type."""
        try:
            return cls(
                session_id=_text(value["session_id"]),
                person_id=_text(value["person_id"]),
                issued_us=_whole(value["issued_us"]),
                absolute_us=_whole(value["absolute_us"]),
                idle_us=_whole(value["idle_us"]),
                assurance=_whole(value["assurance"]),
                credential_ids=tuple(_text(item) for item in _items(value["credential_ids"])),
            )
        except (KeyError, TypeError):
            raise NotAuthenticated("The sign-in cannot be read. Please sign in again.") from None


def session_id(token: bytes) -> str:
    """Return the id of the session that `token` opens: SHA-256, hex."""
    return hashlib.sha256(b"gateway session\x00" + token).hexdigest()


def verify_statement(statement: SessionStatement, signature: bytes, key: Ed25519PublicKey, now_us: int) -> None:
    """Check signature and freshness. Raises NotAuthenticated."""
    try:
        key.verify(signature, statement.signed_bytes())
    except InvalidSignature:
        raise NotAuthenticated("The sign-in is not genuine. Please sign in again.") from None
    if not statement.issued_us - FRESH_US <= now_us <= statement.issued_us + FRESH_US:
        raise NotAuthenticated("The sign-in is too old. Please sign in again.")
    if statement.absolute_us <= now_us:
        raise NotAuthenticated("The sign-in has ended. Please sign in again.")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value


def _items(value: object) -> list[object]:
    if not isinstance(value, list | tuple):
        raise TypeError
    return list(value)
