"""What the keyholder gives: values of its answers, and how frames carry them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
