"""The OpenPGP key or S/MIME certificate that full copies are encrypted to, as a value."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

MAX_OCTETS: Final = 24 * 1024
"""How long a key may be once what nobody needs is taken out of it, or a certificate with those above it."""
CODE_US: Final = 24 * 3600 * 1_000_000
"""For how long the code can be entered that proves a key is its owner's."""
WARN_DAYS: Final = (14, 1)
"""How many days before its end an employee is told that a key ends."""
LOOK_AGAIN_US: Final = 6 * 3600 * 1_000_000
"""After so long it is looked up anew whether a certificate is revoked."""
LOOK_COUNTS_US: Final = 24 * 3600 * 1_000_000
"""For so long what was looked up counts: nothing is sent to a certificate of which nothing newer is known."""
SHORTEST: Final = timedelta(days=2)
"""A key that ends sooner is refused: it would be of use for hours."""


_LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


class KeyKind(StrEnum):
    """How full copies are encrypted."""

    OPENPGP = "openpgp"
    SMIME = "smime"


@dataclass(frozen=True, slots=True)
class RecipientKey:
    """A public key (OpenPGP packets, no armour) or certificates (DER, the employee's own first, those above behind).

    `fingerprint` is in capital hex; `expires` is None for a key without an end; `address` is the employee's it is for.
    """

    kind: KeyKind
    octets: bytes = field(repr=False)
    fingerprint: str
    expires: datetime | None
    address: str

    def __post_init__(self) -> None:
        if not 0 < len(self.octets) <= MAX_OCTETS or not self.fingerprint or "@" not in self.address:
            raise ValueError("a recipient's key has octets, a fingerprint and an address")
        if self.expires is not None and self.expires.tzinfo is None:
            raise ValueError("a key ends at an instant with a time zone")

    @property
    def groups(self) -> str:
        """The fingerprint in groups of four, as people compare them."""
        return " ".join(self.fingerprint[at : at + 4] for at in range(0, len(self.fingerprint), 4))


def new_code() -> str:
    """Return a code that proves who reads it, in four groups of four characters: 80 bits."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(16))
    return "-".join(letters[at : at + 4] for at in range(0, 16, 4))


def code_hash(code: str) -> str:
    """Return what is kept of a code, however it was typed: with so many bits it gives nothing away."""
    plain = "".join(one for one in code.upper() if one in _LETTERS)
    return hashlib.sha256(b"recipient key code\x00" + plain.encode()).hexdigest()


def proof_words(key: RecipientKey, code: str, portal: str) -> str:
    """Return what stands in the mail that is encrypted to a new key. `portal` is its address: https://host/."""
    return (
        f"{code}\n\nEnter this code at {portal}account/full-copy within a day. From then on full copies of replies\n"
        f"are encrypted to the key with this fingerprint:\n\n{key.groups}\n\n"
        "If you did not add this key, enter nothing and tell whoever runs the site at once.\n"
    )
