"""What the authenticator states beside a sign-in, signed with the same key: a first credential, the end of sessions.

The keyholder acts on such a statement within a minute, and only within narrow bounds: a first credential needs the row
of a code that the person was given, and an end takes nothing but sessions (and the one credential that is named).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.domain.errors import NotAuthenticated
from gateway.domain.record import canonical
from gateway.domain.session import FRESH_US

_AGAIN = "The proof cannot be read, or is too old. Please begin again."


@dataclass(frozen=True, slots=True)
class _Statement:
    """One statement. Its kind is part of what is signed, so none passes for another."""

    issued_us: int

    def signed_bytes(self) -> bytes:
        """Return the octets that are signed."""
        return f"gateway {type(self).__name__.lower()} statement v1\x00".encode() + canonical(asdict(self))

    def sign(self, key: Ed25519PrivateKey) -> bytes:
        """Return the signature of the statement."""
        return key.sign(self.signed_bytes())

    def verify(self, signature: bytes, key: Ed25519PublicKey, now_us: int, fresh_us: int = FRESH_US) -> None:
        """Check signature and age. Raises NotAuthenticated."""
        try:
            key.verify(signature, self.signed_bytes())
        except InvalidSignature:
            raise NotAuthenticated(_AGAIN) from None
        if not self.issued_us - FRESH_US <= now_us <= self.issued_us + fresh_us:
            raise NotAuthenticated(_AGAIN)

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read what `asdict` gave. Raises NotAuthenticated when fields are missing or of the wrong type."""
        fields = value if isinstance(value, Mapping) else {}
        wanted: dict[str, Any] = {name: fields.get(name) for name in cls.__dataclass_fields__}
        kinds = {name: int if name.endswith("_us") else str for name in wanted}
        if not all(type(wanted[name]) is kind for name, kind in kinds.items()):
            raise NotAuthenticated(_AGAIN)
        return cls(**wanted)


@dataclass(frozen=True, slots=True)
class Binding(_Statement):
    """This person has typed the code of row `first_code_id` and proved the credential that is described here."""

    credential_id: str
    person_id: str
    first_code_id: str
    kind: str
    label: str
    lookup: str
    data: str


@dataclass(frozen=True, slots=True)
class Linking(_Statement):
    """This person, under a live session, has proved the account at an identity provider that is described here."""

    credential_id: str
    person_id: str
    label: str
    lookup: str
    data: str


@dataclass(frozen=True, slots=True)
class Ending(_Statement):
    """The identity provider says that this person's sign-ins by it are over.

    `sessions` are ids with blanks between; `credential_id` is the identity link, which ends, too, where `revokes` is
    `yes`. `reason` is a kind.
    """

    person_id: str
    credential_id: str
    sessions: str
    revokes: str
    reason: str
