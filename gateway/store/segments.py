"""Segments: octets sealed as they come, read back by range.

Short ones stand in the row, so that its commit makes them durable; those of middling length are held, sealed, and
appended to the pack that all share; long ones stream into a file of their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from gateway.domain.errors import StoreUnavailable, Tampered
from gateway.store.blobs import BlobFolder, BlobWriter
from gateway.store.ids import new_id
from gateway.store.packs import Place
from gateway.store.sealing import (
    FRAME_OCTETS,
    MLKEM768_X25519,
    SEALED_FRAME_OCTETS,
    FrameOpener,
    FrameSealer,
    new_key,
    open_box,
    seal_box,
    segment_context,
)

INLINE_OCTETS = 16 * 1024
"""What stays in the row: of more the database would copy too much, first into its log and then out of it."""
PACKED_OCTETS = 16 * FRAME_OCTETS
"""What goes into a pack. It is held until it is whole; a file of its own would cost two syncs of its own."""


class SealedSegment(NamedTuple):
    """A complete segment. Its octets will be durable with its row (`inline`), or before it: once `settle` returned.

    `key` is not wrapped yet.
    """

    id: str
    key: bytes
    octets: int
    inline: bytes | None
    blob: str | None
    ciphertext_sha256: str
    place: Place | None = None

    def settle(self) -> None:
        """Make durable what the row will only name. In a thread: it may sync. Raises StoreFull or StoreUnavailable."""
        if self.place is not None:
            self.place.settle()

    def row(self, message_id: str, wrapping_key: bytes, *, part: str = "", ordinal: int = 0) -> dict[str, object]:
        """Return the columns of table `segment`, the key wrapped under a body or part key."""
        return {
            "id": self.id,
            "message_id": message_id,
            "part": part,
            "ordinal": ordinal,
            "suite": MLKEM768_X25519,
            "octets": self.octets,
            "wrapped_key": seal_box(wrapping_key, self.key, segment_context(self.id)),
            "inline": self.inline,
            "blob": self.blob,
            "ciphertext_sha256": self.ciphertext_sha256,
        }


class SegmentWriter:
    """One segment being written. No plaintext is held beyond one frame.

    `write` seals and may write to the disk's cache; `finish` syncs, so call it in a thread. After an error, or when
    the message is not wanted, `abandon`.
    """

    def __init__(self, blobs: BlobFolder) -> None:
        self.id = new_id()
        self.octets = 0
        self._key = new_key()
        self._sealer = FrameSealer(self.id, self._key)
        self._hash = hashlib.sha256()
        self._blobs = blobs
        self._held: list[bytes] = []
        self._blob: BlobWriter | None = None
        self._given_up = False

    def write(self, octets: bytes) -> None:
        """Take plaintext. Raises StoreFull or StoreUnavailable; the segment is then given up."""
        self._require_wanted()
        self.octets += len(octets)
        self._keep(self._sealer.add(octets))

    def finish(self) -> SealedSegment:
        """Seal the last frame and make what is not for the row durable. Raises StoreFull or StoreUnavailable."""
        sealed = self.finish_unsettled()
        sealed.settle()
        return sealed

    def finish_unsettled(self) -> SealedSegment:
        """Do what `finish` does, but leave to the caller to settle the segment before its row is committed."""
        self._require_wanted()
        self._keep(self._sealer.finish())
        inline: bytes | None = None
        place: Place | None = None
        if self._blob is not None:
            self._blob.commit()
        elif self.octets > INLINE_OCTETS:
            place = self._blobs.append(self._held)
        else:
            inline = b"".join(self._held)
        self._held = []
        blob = place.name if place is not None else self.id if inline is None else None
        return SealedSegment(self.id, self._key, self.octets, inline, blob, self._hash.hexdigest(), place)

    def abandon(self) -> None:
        """Give the segment up; nothing of it stays. What was finished is left to the sweep."""
        self._given_up = True
        self._held.clear()
        if self._blob is not None:
            self._blob.abandon()

    def _keep(self, frames: bytes) -> None:
        if not frames:
            return
        self._hash.update(frames)
        if self._blob is None and self.octets <= PACKED_OCTETS:
            self._held.append(frames)
            return
        try:
            if self._blob is None:
                self._blob = self._blobs.create(self.id)
                self._blob.write(b"".join(self._held))
                self._held.clear()
            self._blob.write(frames)
        except StoreUnavailable:
            self.abandon()
            raise

    def _require_wanted(self) -> None:
        if self._given_up:
            raise StoreUnavailable("The segment was given up.")


class SegmentRow(Protocol):
    """The columns of table `segment` that reading needs."""

    id: str
    octets: int
    wrapped_key: bytes
    inline: bytes | None
    blob: str | None


class SegmentReader:
    """Reads ranges of one segment's plaintext, frame by frame. `wrapping_key` is a body or part key."""

    def __init__(self, blobs: BlobFolder, row: SegmentRow, wrapping_key: bytes) -> None:
        """Unwrap the segment's key. Raises Tampered when the wrapping key does not fit."""
        key = open_box(wrapping_key, row.wrapped_key, segment_context(row.id))
        self.octets = row.octets
        self._opener = FrameOpener(row.id, key, row.octets)
        self._blobs = blobs
        self._inline = row.inline
        self._blob = row.blob

    def read(self, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the plaintext of [start, start+length), in pieces of at most 64 KiB. Raises Tampered."""
        stop = self.octets if length is None else start + length
        if not 0 <= start <= stop <= self.octets:
            raise ValueError("the range is outside the segment")
        if start == stop and self.octets:
            return
        for number in range(start // FRAME_OCTETS, max(stop - 1, 0) // FRAME_OCTETS + 1):
            plaintext = self._opener.open(number, self._frame(number))
            first = number * FRAME_OCTETS
            if piece := plaintext[max(start - first, 0) : stop - first]:
                yield piece

    def _frame(self, number: int) -> bytes:
        begin = number * SEALED_FRAME_OCTETS
        length = min(FRAME_OCTETS, self.octets - number * FRAME_OCTETS) + SEALED_FRAME_OCTETS - FRAME_OCTETS
        if self._inline is not None:
            return bytes(self._inline[begin : begin + length])
        if self._blob is None:
            raise Tampered("A sealed segment is missing.")
        return self._blobs.read(self._blob, begin, length)
