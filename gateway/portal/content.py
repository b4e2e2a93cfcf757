"""Parts of an open message as octets a person can use: decoded, counted, read by range, never held whole."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from gateway.domain.errors import NotAllowed
from gateway.domain.partmap import MESSAGE_TYPES, Part, PartMap
from gateway.mime.decoding import Decoder
from gateway.mime.decoding import text as text_of
from gateway.portal.filenames import clean_name
from gateway.portal.showing import MAX_SHOWN_OCTETS
from gateway.portal.vault import Opened, Vault

_ENCODED = ("base64", "quoted-printable", "x-uuencode")
_BASE64_LINE = 76


class Octets(Protocol):
    """Octets that are read by range: those of a message in the vault, or those that a signed part wraps."""

    @property
    def length(self) -> int:
        """How many there are."""

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the octets [start, stop). Raises Tampered."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """An attachment as a page lists it: where below `parts/`, a safe name, its type and about how many octets."""

    path: str
    name: str
    media_type: str
    octets: int
    protection: str


@dataclass(frozen=True, slots=True)
class PartOctets:
    """The decoded octets of one part."""

    part: Part
    source: Octets

    def count(self) -> int:
        """Return the exact decoded length; for encoded parts this reads them once, so call it in a thread."""
        if self.part.encoding not in _ENCODED:
            return self.part.length
        return sum(len(piece) for piece in self.decoded())

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the decoded octets [start, stop). Raises Tampered."""
        if self.part.encoding not in _ENCODED:
            yield from self.source.read(self.part.offset + start, self.part.offset + stop)
            return
        at = 0
        for piece in self.decoded():
            wanted = piece[max(start - at, 0) : max(stop - at, 0)]
            at += len(piece)
            if wanted:
                yield wanted
            if at >= stop:
                return

    def head(self, most: int) -> tuple[bytes, bool]:
        """Return at most `most` decoded octets and whether there are more."""
        taken = bytearray()
        for piece in self.decoded():
            taken += piece
            if len(taken) > most:
                return bytes(taken[:most]), True
        return bytes(taken), False

    def decoded(self) -> Iterator[bytes]:
        """Yield all decoded octets. Raises Tampered."""
        decoder = Decoder(self.part.encoding)
        for piece in self.source.read(self.part.offset, self.part.end):
            yield decoder.feed(piece)
        yield decoder.finish()


@dataclass(frozen=True, slots=True)
class ShownText:
    """A text part decoded for a page, and whether it goes on beyond what is shown."""

    text: str
    is_cut: bool


def part_of(part_map: PartMap, path: str) -> Part:
    """Return the leaf at a path. Raises NotAllowed when the message has none there."""
    for part in part_map.leaves:
        if part.path == path:
            return part
    raise NotAllowed("There is nothing here for you.")


def attachments(part_map: PartMap, wrapper: str = "") -> list[Attachment]:
    """Return every own leaf but the shown text, so that nothing of a message is out of reach.

    `wrapper` is the path of the signed part around them all, if there is one.
    """
    above = f"{wrapper}/inside/" if wrapper else ""
    return [
        Attachment(above + part.path, attachment_name(part), part.media_type, _about(part), part.protection)
        for part in part_map.attachments()
    ]


def attachment_name(part: Part) -> str:
    """Return the safe name of a part for screen and disk."""
    guessed = ".eml" if part.media_type in MESSAGE_TYPES else mimetypes.guess_extension(part.media_type)
    extension = guessed or ".bin"
    name = clean_name(part.filename, otherwise=f"part-{part.path}{extension}")
    return name if "." in name else name + extension


async def part_octets(vault: Vault, opened: Opened, part: Part) -> PartOctets:
    """Return the octets of a part of an open message."""
    return PartOctets(part, await vault.octets(opened, part.path))


def shown_text(octets: PartOctets) -> ShownText:
    """Return a text part as text, at most MAX_SHOWN_OCTETS of it; call it in a thread. Raises Tampered."""
    raw, is_cut = octets.head(MAX_SHOWN_OCTETS)
    return ShownText(text_of(octets.part, raw), is_cut)


def _about(part: Part) -> int:
    if part.encoding != "base64":
        return part.length
    return part.length * _BASE64_LINE // (_BASE64_LINE + 2) * 3 // 4
