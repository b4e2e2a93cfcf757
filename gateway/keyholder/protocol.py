"""What the keyholder gives: values of its answers, and how frames carry them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.domain.errors import Malformed
from gateway.domain.guard import NumbersKey
from gateway.frames import decode, encode, text

MAX_LIST = 100


@dataclass(frozen=True, slots=True)
class SummaryGrant:
    """The key to one message's summary."""

    message_id: str
    summary_key: bytes = field(repr=False)

    def to_frame(self) -> dict[str, str]:
        """Return the form that a frame carries."""
        return {"message": self.message_id, "summary_key": encode(self.summary_key)}

    @classmethod
    def from_frame(cls, value: Mapping[str, Any]) -> SummaryGrant:
        """Read what `to_frame` gave. Raises Malformed."""
        return cls(text(value, "message"), decode(value.get("summary_key")))


@dataclass(frozen=True, slots=True)
class OpenGrant:
    """The keys to one message: its summary, and its body (a received one) or one part (a composed one)."""

    message_id: str
    summary_key: bytes = field(repr=False)
    key: bytes = field(repr=False)

    def to_frame(self) -> dict[str, str]:
        """Return the form that a frame carries."""
        return {"message": self.message_id, "summary_key": encode(self.summary_key), "key": encode(self.key)}

    @classmethod
    def from_frame(cls, value: Mapping[str, Any]) -> OpenGrant:
        """Read what `to_frame` gave. Raises Malformed."""
        return cls(text(value, "message"), decode(value.get("summary_key")), decode(value.get("key")))


@dataclass(frozen=True, slots=True)
class LookGrant:
    """The key to the body of one message that the guard looks at, and the key to seal its numbers to."""

    message_id: str
    key: bytes = field(repr=False)
    numbers: NumbersKey

    def to_frame(self) -> dict[str, str | int]:
        """Return the form that a frame carries."""
        public = encode(self.numbers.public)
        return {"message": self.message_id, "key": encode(self.key), "suite": self.numbers.suite, "public": public}

    @classmethod
    def from_frame(cls, value: Mapping[str, Any]) -> LookGrant:
        """Read what `to_frame` gave. Raises Malformed."""
        try:
            numbers = NumbersKey(value.get("suite", 0), decode(value.get("public")))
        except (ValueError, TypeError):
            raise Malformed("A request between programs cannot be read.") from None
        return cls(text(value, "message"), decode(value.get("key")), numbers)
