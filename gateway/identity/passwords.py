"""Passwords: argon2id (RFC 9106) over a peppered value, length and a blocklist, no composition rules, no expiry.

19 MiB and two passes, so the caller bounds how many run at once. Numbers: NIST SP 800-63B-4 section 3.1.1.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.domain.errors import Malformed

MIN_ALONE = 15
MIN_WITH_SECOND_FACTOR = 8
MAX_LENGTH = 256
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_COMMON = (
    "password passw0rd letmein welcome iloveyou princess sunshine football baseball superman trustno1 qwertyui "
    "qwerty12 qwerty123 qwertyuiop 1q2w3e4r 1qaz2wsx 12345678 123456789 1234567890 0123456789 87654321 11111111 "
    "00000000 abc12345 abcd1234 abcdefgh asdfghjk zaq12wsx administrator changeme whatever starwars computer"
).split()


def check_strength(password: str, *, with_second_factor: bool, username: str = "") -> None:
    """Raise Malformed, saying what to do, for a password that is too short, too long or easily guessed."""
    text = _normal(password)
    least = MIN_WITH_SECOND_FACTOR if with_second_factor else MIN_ALONE
    if not least <= len(text) <= MAX_LENGTH:
        raise Malformed(f"A password has {least} to {MAX_LENGTH} characters. A few words make a good one.")
    folded = text.casefold().strip(" 0123456789!.?-_")
    guessable = text.casefold() in _COMMON or folded in _COMMON or len(set(text)) < 4
    if guessable or (username and folded and folded in username.casefold()):
        raise Malformed("This password is among those that are tried first. Please choose another.")


def hash_password(pepper: bytes, person_id: str, password: str) -> str:
    """Return the encoded argon2id hash of a password for this one person."""
    return _HASHER.hash(_peppered(pepper, person_id, password))


def is_right(pepper: bytes, person_id: str, password: str, encoded: str) -> bool:
    """Tell whether this is the password; as slow when it is not."""
    try:
        return _HASHER.verify(encoded, _peppered(pepper, person_id, password))
    except (VerificationError, InvalidHashError):
        return False


def _peppered(pepper: bytes, person_id: str, password: str) -> bytes:
    text = f"{person_id}\x00{_normal(password)[: MAX_LENGTH + 1]}"
    return hmac.new(pepper, text.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
