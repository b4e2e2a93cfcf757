"""What goes to a child that reads pages, and what comes back: judged as data from a stranger.

A child gets one document and reads some of its pages; so that a long fax takes as many children as it needs, and a page
that ends one takes the others nothing.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.domain.layout import Layouts
from gateway.domain.recognition import MOST_PAGES, Recognition
from gateway.screening.protocol import MAX_ANSWER, BadAnswer

_LENGTH: Final = struct.Struct(">I")
_END: Final = b"\n"


class Opening(StrEnum):
    """How a page stands to the one before it."""

    BEGINS = "begins"  # it is the first of a document
    GOES_ON = "goes-on"  # it says that it is a later one of its form
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Asked:
    """One document and which of its pages to read: `most` of them from `first` on, which counts from 1."""

    part: str
    octets: bytes
    layouts: Layouts
    first: int = 1
    most: int = MOST_PAGES

    def encode(self) -> bytes:
        """Return the octets of the memory file that the child gets."""
        head = json.dumps([self.part, self.first, self.most, self.layouts.encode()]).encode("utf-8")
        return b"".join((_LENGTH.pack(len(head)), head, self.octets))

    @classmethod
    def decode(cls, octets: bytes) -> Asked:
        """Read what `encode` wrote; it comes from our own program."""
        (length,) = _LENGTH.unpack_from(octets)
        start = _LENGTH.size + length
        part, first, most, layouts = json.loads(octets[_LENGTH.size : start])
        return cls(part, octets[start:], Layouts.decode(layouts), first, most)


@dataclass(frozen=True, slots=True)
class PagesRead:
    """Some pages of a document that has `total`: a recognition of them alone, each but blank ones in a section of its
    own, and with each section how its page stands to the one before.

    Raises ValueError where it is something else.
    """

    total: int
    openings: tuple[Opening, ...]
    pages: Recognition

    def __post_init__(self) -> None:
        if type(self.total) is not int or not 0 <= self.total <= MOST_PAGES:
            raise ValueError("a document has so many pages")
        sections = self.pages.sections
        drawn = [number for number, page in enumerate(self.pages.pages, 1) if not page.blank]
        if [section.pages for section in sections] != [(number,) for number in drawn]:
            raise ValueError("each page has a section of its own")
        if len(self.openings) != len(sections):
            raise ValueError("each page is told how it stands to the one before")
        for section in sections:
            told = {one.page for one in section.suggestions} | {one.page for one in section.signatures}
            if not told <= set(section.pages):
                raise ValueError("a field stands on its own page")

    def encode(self) -> bytes:
        """Return one packet. Raises ValueError where it is too long for one."""
        head = json.dumps([self.total, self.openings], separators=(",", ":")).encode("ascii")
        packet = head + _END + self.pages.to_bytes()
        if len(packet) > MAX_ANSWER:
            raise ValueError("too long")
        return packet

    @classmethod
    def decode(cls, packet: bytes, asked: Asked) -> PagesRead:
        """Judge what a child said of these pages. Raises BadAnswer for what `encode` would not have written."""
        try:
            if len(packet) > MAX_ANSWER:
                raise BadAnswer
            head, _, pages = packet.partition(_END)
            total, openings = json.loads(head)
            read = cls(total, tuple(map(Opening, openings)), Recognition.from_bytes(pages))
        except (ValueError, TypeError, RecursionError):
            raise BadAnswer from None
        numbers = [page.number for page in read.pages.pages]
        wanted = list(range(asked.first, min(asked.first + len(numbers), read.total + 1)))
        if numbers != wanted or len(numbers) > asked.most or any(one.part != asked.part for one in read.pages.pages):
            raise BadAnswer
        return read
