"""From octets on the way in to a sealed message ready for its verb: nothing here opens anything.

A *received* message (mail) is one segment under the body key; its scan, its digests and its sealing go on while it
streams in. A *composed* message (portal) has segments of its own for each part under that part's key.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from gateway.casework.sealed import OtherWrap, SealedMessage
from gateway.domain.partmap import Part, PartMap
from gateway.domain.record import commitment
from gateway.domain.summary import Summary
from gateway.mime.scanner import Scanner
from gateway.mime.structure import Limits, Structure
from gateway.store.blobs import BlobFolder
from gateway.store.ids import new_id
from gateway.store.messages import message_id_hash
from gateway.store.packs import Place
from gateway.store.sealing import (
    SealingKey,
    body_key,
    new_key,
    part_key,
    seal_box,
    summary_context,
    summary_key,
)
from gateway.store.segments import SealedSegment, SegmentWriter

SALT_OCTETS = 16
_LIMITS = Limits()
TRACE_FIELDS = frozenset(
    {"received", "return-path", "delivered-to", "authentication-results", "dkim-signature", "arc-seal"}
    | {"arc-message-signature", "arc-authentication-results", "x-original-to"}
)
"""Fields that mail systems on the way add or renew: they do not make a repeat another message."""


class Received(NamedTuple):
    """What a whole received message came to: its structure, its one segment, and digests for the record."""

    structure: Structure
    segment: SealedSegment
    digest: bytes
    body_digest: bytes


class ReceivedDeposit:
    """A message streaming in. `write` holds no plaintext beyond one frame and the header blocks."""

    def __init__(self, blobs: BlobFolder, limits: Limits | None = None) -> None:
        self._scanner = Scanner(limits or _LIMITS)
        self._segment = SegmentWriter(blobs)
        self._digests = _Digests()
        self._structure: Structure | None = None

    @property
    def octets(self) -> int:
        """How many octets have come."""
        return self._segment.octets

    def write(self, block: bytes) -> None:
        """Take octets. Raises StoreFull or StoreUnavailable."""
        self._scanner.feed(block)
        self._digests.update(block)
        self._segment.write(block)

    def structure(self) -> Structure:
        """End the scan and return what the message is made of; then `finish` it or `abandon` it."""
        if self._structure is None:
            self._structure = self._scanner.finish()
        return self._structure

    def finish(self) -> Received:
        """Make the segment durable; in a thread: it syncs. Raises StoreFull or StoreUnavailable."""
        received = self.finish_unsettled()
        received.segment.settle()
        return received

    def finish_unsettled(self) -> Received:
        """Do what `finish` does, but leave it to the message made of this to settle the segment."""
        segment = self._segment.finish_unsettled()
        return Received(self.structure(), segment, self._digests.whole(), self._digests.body())

    def abandon(self) -> None:
        """Give it up; nothing stays."""
        self._segment.abandon()


def seal_received(
    received: Received,
    summary: Summary,
    key: SealingKey,
    deposit_key: bytes,
    message_id: str | None = None,
    others: Sequence[SealingKey] = (),
) -> SealedMessage:
    """Seal a received message's summary and keys to a case, and to `others`. `summary.salt` and `.digest` are filled
    in here.
    """
    row_id = message_id or new_id()
    content_key = new_key()
    segment = received.segment.row(row_id, body_key(content_key, row_id))
    place = received.segment.place
    sealed = _sealed(
        row_id, content_key, summary, key, deposit_key, received.digest, (segment,), composed=False, place=place
    )
    if not others:
        return sealed
    return sealed._replace(others=tuple(OtherWrap(one.id, one.suite, one.wrap(content_key, row_id)) for one in others))


class ComposedDeposit:
    """A message composed part by part (portal): each part goes straight into a segment of its own.

    Part "1" is the text. Use: `begin_part`, `write` …, `end_part` (in a thread, it may sync), then `seal`.
    """

    def __init__(self, blobs: BlobFolder) -> None:
        self.id = new_id()
        self._blobs = blobs
        self._content_key = new_key()
        self._open: SegmentWriter | None = None
        self._parts: list[Part] = []
        self._segments: list[SealedSegment] = []
        self._digest = hashlib.sha256()
        self._finished = False

    @property
    def octets(self) -> int:
        """How many octets the finished parts have."""
        return sum(segment.octets for segment in self._segments)

    def begin_part(self, media_type: str, filename: str | None = None) -> None:
        """Begin the next part. `filename` None means text that is shown."""
        self._open = SegmentWriter(self._blobs)
        self._parts.append(
            Part(
                path=str(len(self._parts) + 1),
                media_type=media_type,
                parameters=(("charset", "utf-8"),) if filename is None else (),
                disposition="inline" if filename is None else "attachment",
                filename=filename,
                encoding="binary",
            )
        )

    def write(self, octets: bytes) -> None:
        """Take octets of the open part. Raises StoreFull or StoreUnavailable."""
        if self._open is None:
            raise ValueError("no part is open")
        self._digest.update(octets)
        self._open.write(octets)

    def end_part(self) -> None:
        """Make the open part durable; call in a thread. Raises StoreFull or StoreUnavailable."""
        if self._open is None:
            raise ValueError("no part is open")
        segment = self._open.finish()
        self._open = None
        self._segments.append(segment)
        self._parts[-1] = replace(self._parts[-1], length=segment.octets)

    def drop_part(self) -> None:
        """Give up the open part only (an empty file field)."""
        if self._open is not None:
            self._open.abandon()
            self._open = None
            self._parts.pop()

    def abandon(self) -> None:
        """Give everything up. Finished blobs have no row and no wrapped key: they are swept."""
        if self._open is not None:
            self._open.abandon()
            self._open = None

    def part_map(self) -> PartMap:
        """Return the map of the finished parts; offsets count within each part's own segment."""
        return PartMap(tuple(self._parts))

    def seal(self, summary: Summary, key: SealingKey, deposit_key: bytes) -> SealedMessage:
        """Seal the summary and the keys to a case."""
        segments = tuple(
            segment.row(self.id, part_key(self._content_key, self.id, part.path), part=part.path)
            for part, segment in zip(self._parts, self._segments, strict=True)
        )
        return _sealed(
            self.id, self._content_key, summary, key, deposit_key, self._digest.digest(), segments, composed=True
        )


def _sealed(
    row_id: str,
    content_key: bytes,
    summary: Summary,
    key: SealingKey,
    deposit_key: bytes,
    digest: bytes,
    segments: tuple[dict[str, object], ...],
    *,
    composed: bool,
    place: Place | None = None,
) -> SealedMessage:
    salt = os.urandom(SALT_OCTETS)
    sealed = summary.to_bytes(salt.hex(), digest.hex())
    return SealedMessage(
        id=row_id,
        composed=composed,
        octets=sum(int(str(segment["octets"])) for segment in segments),
        sealed_summary=seal_box(summary_key(content_key, row_id), sealed, summary_context(row_id)),
        key_id=key.id,
        suite=key.suite,
        wrapped=key.wrap(content_key, row_id),
        segments=segments,
        message_id_hash=message_id_hash(deposit_key, summary.message_id) if summary.message_id else None,
        commitment=commitment(salt, digest).hex(),
        place=place,
    )


def repeat_key(
    deposit_key: bytes, sender: str, message_id: str, recipients: tuple[str, ...], received: Received
) -> str | None:
    """Return the keyed hash by which a repeat of a submission is known, or None without a Message-ID.

    A repeat has the same body and the same header but for trace fields. Two mails without Message-ID may be equal and
    both meant; they are two messages.
    """
    if not message_id:
        return None
    parts = [sender.lower(), message_id.strip(), *sorted(address.lower() for address in recipients)]
    text = "\x00".join(parts).encode("utf-8", "surrogateescape")
    content = header_digest(received.structure) + received.body_digest
    return hmac.digest(deposit_key, b"repeat\x00" + text + b"\x00" + content, "sha256").hex()


def header_digest(structure: Structure) -> bytes:
    """Return a digest of the header without trace fields."""
    kept = [
        b"%b:%b\0" % (one.key.encode("ascii"), one.value) for one in structure.headers if one.key not in TRACE_FIELDS
    ]
    return hashlib.sha256(b"".join(kept)).digest()


class _Digests:
    """SHA-256 of what follows the first empty line, which trace fields that relays add do not change; and of the whole.

    The whole is SHA-256 of two digests, the header's (with its empty line) and the body's: each octet is digested once.
    """

    def __init__(self) -> None:
        self._header = hashlib.sha256()
        self._body = hashlib.sha256()
        self._tail: bytes | None = b"\r\n"

    def update(self, block: bytes) -> None:
        if self._tail is None:
            self._body.update(block)
            return
        joined = self._tail + block
        found = joined.find(b"\r\n\r\n")
        if found < 0:
            self._tail = joined[-3:]
            self._header.update(block)
            return
        end = found + 4 - len(self._tail)
        self._tail = None
        self._header.update(block[:end])
        self._body.update(block[end:])

    def body(self) -> bytes:
        return self._body.digest()

    def whole(self) -> bytes:
        return hashlib.sha256(self._header.digest() + self._body.digest()).digest()
