"""The wrong client guard: how far a message of the office has come with it, what a look came to, what its author said.

Numbers of taxpayers are searched for by a locked child, which seals them to a key of the keyholder. `seal_numbers` and
the form of what is sealed stand here, as both ends need them; the private half never leaves the keyholder's memory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey, MLKEM1024PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

HOUR_US: Final = 3600 * 1_000_000
DAY_US: Final = 24 * HOUR_US
OVERDUE_US: Final = HOUR_US
"""A message that nobody could look at for so long is left to its author's word."""
REMIND_US: Final = (DAY_US, 3 * DAY_US)
"""When an author who has not answered is told again, counted from when they were first told."""
RUN_OUT_US: Final = 7 * DAY_US
"""When a message that still waits for an answer is not sent at all."""

MOST_NUMBERS: Final = 500
"""Of one message that are compared; a letter has a few, a list of a payroll some hundred."""
DAY_NUMBERS: Final = 5_000
"""Of one author's messages in a day that are compared: nobody tries out numbers by sending them."""

HPKE_SUITES: Final[Mapping[int, hpke.Suite]] = MappingProxyType(
    {
        1: hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM),
        2: hpke.Suite(hpke.KEM.MLKEM1024_P384, hpke.KDF.HKDF_SHA384, hpke.AEAD.AES_256_GCM),
    }
)
"""The sealing suites of `gateway.store.sealing`, by number."""
_MLKEM_OCTETS: Final = {1: 1184, 2: 1568}
_NUMBER: Final = re.compile(r"[0-9]{9}\Z")


class Guarded(StrEnum):
    """Why a message is not released yet; a message that the guard has nothing to do with has none of these."""

    LOOK = "look"  # nobody has looked at it
    OVERDUE = "overdue"  # nobody could, so its author was asked; a look that succeeds later still releases it
    ANSWER = "answer"  # a number of another case is in it, and its author was asked


class Outcome(StrEnum):
    """What a look came to."""

    CLEAR = "clear"
    PARTLY = "partly-read"  # nothing was found in what could be read
    ANOTHER_CASE = "another-case"
    NOT_LOOKED_AT = "not-looked-at"


class Unlooked(StrEnum):
    """Why the guard lets a message pass that it has not looked at."""

    TOO_LARGE = "too-large"
    UNREADABLE = "unreadable"


class Answer(StrEnum):
    """How the waiting for an author's word ended."""

    YES = "yes"
    WITHDRAWN = "withdrawn"
    RUN_OUT = "run-out"
    LOOKED_AT = "looked-at"


@dataclass(frozen=True, slots=True)
class NumbersKey:
    """The public key that numbers of one message are sealed to. Raises ValueError where it is none."""

    suite: int
    public: bytes

    def __post_init__(self) -> None:
        if self.suite not in HPKE_SUITES:
            raise ValueError(f"unknown sealing suite {self.suite}")
        _components(self)

    def seal(self, numbers: Iterable[str], message_id: str) -> bytes:
        """Seal numbers of nine digits each, at most `MOST_NUMBERS`; the message is bound to them."""
        octets = json.dumps(sorted(numbers)[:MOST_NUMBERS], separators=(",", ":")).encode("ascii")
        return HPKE_SUITES[self.suite].encrypt(octets, _components(self), numbers_info(self.suite, message_id))


def numbers_info(suite: int, message_id: str) -> bytes:
    """Return the HPKE `info` that binds sealed numbers to their message."""
    return b"gateway guard v1\x00" + f"{suite}\x00{message_id}".encode("ascii")


def read_numbers(octets: bytes) -> tuple[str, ...]:
    """Read what was sealed, as data from a stranger. Raises ValueError."""
    told = json.loads(octets)
    if not isinstance(told, list) or len(told) > MOST_NUMBERS:
        raise ValueError("numbers are a list")
    for one in told:
        if not isinstance(one, str) or not _NUMBER.match(one):
            raise ValueError("a number has nine digits")
    return tuple(told)


def _components(key: NumbersKey) -> hpke.MLKEM768X25519PublicKey | hpke.MLKEM1024P384PublicKey:
    kem, curve = key.public[: _MLKEM_OCTETS[key.suite]], key.public[_MLKEM_OCTETS[key.suite] :]
    if key.suite == 1:
        return hpke.MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(kem), X25519PublicKey.from_public_bytes(curve)
        )
    return hpke.MLKEM1024P384PublicKey(
        MLKEM1024PublicKey.from_public_bytes(kem),
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP384R1(), curve),
    )
