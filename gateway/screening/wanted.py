"""What goes to a child that looks for taxpayers' numbers, and what comes back: judged as data from a stranger.

The numbers come back sealed to the keyholder's key: this program cannot open them, and neither can who runs the pool.
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
from dataclasses import dataclass, field
from typing import Final

from gateway.domain.guard import NumbersKey
from gateway.screening.protocol import MAX_ANSWER, BadAnswer

_LENGTH: Final = struct.Struct(">I")
_KEYS: Final = {"numbers", "partly", "lacks_pages"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A mail, the message that it is, and the key that its numbers are sealed to."""

    message_id: str
    to: NumbersKey
    octets: bytes = field(repr=False)

    def encode(self) -> bytes:
        """Return the octets of the memory file that the child gets."""
        public = base64.b64encode(self.to.public).decode("ascii")
        head = json.dumps([self.message_id, self.to.suite, public]).encode("ascii")
        return b"".join((_LENGTH.pack(len(head)), head, self.octets))

    @classmethod
    def decode(cls, octets: bytes) -> Wanted:
        """Read what `encode` wrote; it comes from our own program."""
        (length,) = _LENGTH.unpack_from(octets)
        start = _LENGTH.size + length
        message_id, suite, public = json.loads(octets[_LENGTH.size : start])
        return cls(message_id, NumbersKey(suite, base64.b64decode(public)), octets[start:])


@dataclass(frozen=True, slots=True)
class SealedNumbers:
    """What was found, sealed; whether some of the mail could not be read, and whether that was only its images."""

    numbers: bytes
    is_partly: bool
    lacks_pages: bool

    def encode(self) -> bytes:
        """Return one packet."""
        told = {
            "numbers": base64.b64encode(self.numbers).decode("ascii"),
            "partly": self.is_partly,
            "lacks_pages": self.lacks_pages,
        }
        return json.dumps(told, separators=(",", ":")).encode("ascii")

    @classmethod
    def decode(cls, packet: bytes) -> SealedNumbers:
        """Judge what a child said. Raises BadAnswer for anything that `encode` would not have written."""
        try:
            if len(packet) > MAX_ANSWER:
                raise BadAnswer
            told = json.loads(packet)
            if not isinstance(told, dict) or told.keys() != _KEYS or not isinstance(told["numbers"], str):
                raise BadAnswer
            numbers = base64.b64decode(told["numbers"], validate=True)
        except (ValueError, RecursionError, binascii.Error):
            raise BadAnswer from None
        if type(told["partly"]) is not bool or type(told["lacks_pages"]) is not bool:
            raise BadAnswer
        return cls(numbers, told["partly"], told["lacks_pages"])
