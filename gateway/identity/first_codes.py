"""First codes: short enough to be told by telephone, too long to be guessed at the pace that guesses are let through.

Ten letters and digits of 28 are 48 bits; a code is good for three days at most, and once.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRTVWXY"
"""No 0 and O, 1, I and L, S, U and Z: none is taken for another, written or spoken."""
LENGTH = 10


def new_first_code() -> str:
    """Return a fresh one, in two groups of five."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return f"{drawn[:5]}-{drawn[5:]}"


def lookup(key: bytes, code: str) -> str:
    """Return the keyed hash by which a code is found. Case, spaces and hyphens make no difference."""
    plain = "".join(code.replace("-", " ").split()).upper()
    return hmac.new(key, plain.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
