"""The authenticator's keys: one signs sessions, the others come by HKDF from one secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.store import keyfiles


@dataclass(frozen=True, slots=True)
class AuthenticatorKeys:
    """What the authenticator holds. None of it opens a message."""

    session: Ed25519PrivateKey = field(repr=False)
    pepper: bytes = field(repr=False)
    app_password: bytes = field(repr=False)
    seed_box: bytes = field(repr=False)
    first_code: bytes = field(repr=False)
    identity: bytes = field(repr=False)
    attempt_box: bytes = field(repr=False)
    recovery: bytes = field(repr=False)


def load(folder: Path) -> AuthenticatorKeys:
    """Load the authenticator's own keys. Raises ConfigError."""
    session = Ed25519PrivateKey.from_private_bytes(keyfiles.read_secret(folder / keyfiles.SESSION_KEY))
    secret = keyfiles.read_secret(folder / keyfiles.AUTHENTICATOR_KEY)
    purposes = (b"pepper", b"app password", b"seed box", b"first code", b"identity", b"attempt box", b"recovery")
    return AuthenticatorKeys(session, *(_derive(secret, purpose) for purpose in purposes))


def _derive(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"gateway authenticator v1\x00" + purpose).derive(secret)
