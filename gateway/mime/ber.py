"""ASN.1 in BER or DER (X.690) read where it lies, as far as CMS needs it: no copy of a content, no recursion by input.

Hostile input costs little: depth and the number of elements are capped, an element never reaches beyond the one around
it, and what is not BER raises NotBer, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MAX_DEPTH = 12
MAX_ELEMENTS = 400_000  # a content of 100 MiB in pieces of 1,000 octets has some 100,000
_CONSTRUCTED = 0x20
_LONG_TAG = 0x1F
_INDEFINITE = 0x80
_MAX_LENGTH_OCTETS = 8

INTEGER, BIT_STRING, OCTET_STRING, NULL, OBJECT = 0x02, 0x03, 0x04, 0x05, 0x06
SEQUENCE, SET = 0x30, 0x31


class NotBer(ValueError):
    """What was read is not BER, or is over a cap."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its identifier octet, and where in the octets it begins, its content begins and ends, and it ends.

    The last two differ by the two octets that end a content of indefinite length.
    """

    tag: int
    start: int
    content: int
    content_end: int
    end: int
    depth: int

    @property
    def is_constructed(self) -> bool:
        """True when its content is elements."""
        return bool(self.tag & _CONSTRUCTED)


class Reader:
    """Reads elements of one run of octets, and counts how many it has read in all."""

    def __init__(self, octets: bytes | bytearray) -> None:
        self.octets = octets
        self._left = MAX_ELEMENTS

    def whole(self) -> Element:
        """The one element that the octets begin with; what stands behind it is padding that nobody reads."""
        return self._element(0, len(self.octets), 0)

    def children(self, element: Element) -> Iterator[Element]:
        """The elements inside of a constructed one, in order. Raises NotBer, for a primitive one too."""
        if not element.is_constructed:
            raise NotBer("a primitive element has no children")
        at = element.content
        while at < element.content_end:
            child = self._element(at, element.content_end, element.depth + 1)
            yield child
            at = child.end

    def list(self, element: Element, tag: int) -> list[Element]:
        """The children of an element of this tag. Raises NotBer when it is another."""
        if element.tag != tag:
            raise NotBer("another element was expected")
        return list(self.children(element))

    def content(self, element: Element) -> bytes:
        """The content octets of an element, copied."""
        return bytes(self.octets[element.content : element.content_end])

    def raw(self, element: Element) -> bytes:
        """The element itself, tag and length included, copied."""
        return bytes(self.octets[element.start : element.end])

    def spans(self, element: Element) -> tuple[tuple[int, int], ...]:
        """Where the octets of an OCTET STRING lie, as (start, end); one in pieces (X.690 section 8.7.3) has several."""
        found: list[tuple[int, int]] = []
        waiting = [element]
        while waiting:
            piece = waiting.pop()
            if piece.tag & ~_CONSTRUCTED != OCTET_STRING:
                raise NotBer("an octet string is made of octet strings")
            if piece.is_constructed:
                waiting += reversed(list(self.children(piece)))
            elif piece.content < piece.content_end:
                found.append((piece.content, piece.content_end))
        return tuple(found)

    def _element(self, at: int, limit: int, depth: int) -> Element:
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise NotBer("more elements, or deeper ones, than anybody needs")
        tag, content, length = self._head(at, limit)
        if length is not None:
            return Element(tag, at, content, content + length, content + length, depth)
        if not tag & _CONSTRUCTED:
            raise NotBer("a primitive element has a definite length")
        inner = content
        while self.octets[inner : inner + 2] != b"\0\0":
            inner = self._element(inner, limit, depth + 1).end
        if inner + 2 > limit:
            raise NotBer("the end of an element lies beyond the one around it")
        return Element(tag, at, content, inner, inner + 2, depth)

    def _head(self, at: int, limit: int) -> tuple[int, int, int | None]:
        """The identifier octet, where the content begins, its length (None: indefinite) (X.690 section 8.1)."""
        if at + 2 > limit:
            raise NotBer("an element is cut off")
        tag, first = self.octets[at], self.octets[at + 1]
        if tag & _LONG_TAG == _LONG_TAG or tag == 0:
            raise NotBer("no element of CMS has such a tag")
        content, length = at + 2, first
        if first == _INDEFINITE:
            return tag, content, None
        if first > _INDEFINITE:
            count = first - _INDEFINITE
            content += count
            if count > _MAX_LENGTH_OCTETS or content > limit:
                raise NotBer("a length is cut off or absurd")
            length = int.from_bytes(self.octets[at + 2 : content], "big")
        if content + length > limit:
            raise NotBer("an element reaches beyond the one around it")
        return tag, content, length
