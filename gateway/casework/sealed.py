"""A sealed message as a value: what the verbs that enter one need to know of it. It was sealed elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from gateway.store.packs import Place


@dataclass(frozen=True, slots=True)
class OtherWrap:
    """The content key wrapped to one more sealing key."""

    key_id: str
    suite: int
    wrapped: bytes


class SealedMessage(NamedTuple):
    """A message as it will rest: its segments are durable, stand in `segments`, or will be durable once it is settled.

    Its content key is only wrapped.
    """

    id: str
    composed: bool
    octets: int
    sealed_summary: bytes
    key_id: str
    suite: int
    wrapped: bytes
    segments: tuple[Mapping[str, object], ...]
    message_id_hash: str | None
    commitment: str
    place: Place | None = None
    others: tuple[OtherWrap, ...] = ()

    def settle(self) -> None:
        """Make the octets durable that the rows will name. Raises StoreFull or StoreUnavailable."""
        if self.place is not None:
            self.place.settle()

    @property
    def ciphertext_hashes(self) -> list[str]:
        """SHA-256 of each segment's ciphertext, in the order of the segments."""
        return [str(segment["ciphertext_sha256"]) for segment in self.segments]
