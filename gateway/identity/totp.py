"""Time-based one-time codes (RFC 6238): 30 seconds, 6 digits, one step of tolerance, each step good once."""

from __future__ import annotations

import hmac

import pyotp

STEP_SECONDS = 30
TOLERANCE = 1


def new_seed() -> str:
    """Return a fresh seed of 160 bits in base32 (RFC 4226 section 4, R6)."""
    return pyotp.random_base32(32)


def enrolment_uri(seed: str, account: str, issuer: str) -> str:
    """Return the otpauth URI that an authenticator app reads as a QR code."""
    return pyotp.TOTP(seed).provisioning_uri(name=account, issuer_name=issuer)


def matching_step(seed: str, code: str, now_seconds: int) -> int | None:
    """Return the newest step near now whose code this is, or None. Every step is compared, matching or not."""
    typed = "".join(code.split()).encode("utf-8", "surrogatepass")
    now = now_seconds // STEP_SECONDS
    found: int | None = None
    for step in range(now - TOLERANCE, now + TOLERANCE + 1):
        if hmac.compare_digest(pyotp.HOTP(seed).at(step).encode("ascii"), typed):
            found = step
    return found
