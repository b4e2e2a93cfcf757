"""What an opaque signed part wraps (RFC 8551 section 3.5.2): found once, then read by range through the layers.

A reader must be able to read what was accepted, so the mail inside of an `smime.p7m` is shown as if it stood there by
itself. The part is in memory while its structure is read, and no longer: afterwards only the places of its pieces are
known, and octets come by way of the vault, the transfer encoding and those places.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.domain.partmap import PartMap
from gateway.mime.ber import NotBer
from gateway.mime.cms import SignedData, read_signed_data
from gateway.mime.scanner import Scanner
from gateway.portal.content import PartOctets

MAX_OCTETS = 128 * 1024 * 1024
_SCAN_OCTETS = 64 * 1024


class TooLarge(ValueError):
    """A signed part is over MAX_OCTETS once its transfer encoding is undone."""


class WrappedOctets:
    """The octets that lie in places (start, end) of a part's decoded octets, one after the other."""

    def __init__(self, part: PartOctets, places: Sequence[tuple[int, int]]) -> None:
        self._part = part
        self._places = places
        self.length = sum(end - start for start, end in places)

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the octets [start, stop). Raises Tampered."""
        wanted = list(_cut(self._places, start, stop))
        if not wanted:
            return
        at, number = wanted[0][0], 0
        for piece in self._part.pieces(at, wanted[-1][1]):
            end = at + len(piece)
            while number < len(wanted) and wanted[number][0] < end:
                first, last = wanted[number]
                yield piece[max(first - at, 0) : min(last, end) - at]
                if last > end:
                    break
                number += 1
            at = end


@dataclass(frozen=True, slots=True)
class Wrapping:
    """A signed part taken apart. `data` holds the part in memory."""

    data: SignedData
    octets: WrappedOctets
    part_map: PartMap


def take_apart(part: PartOctets) -> Wrapping | None:
    """Take a signed part apart, in a thread; None when it wraps nothing. Raises NotBer, TooLarge, Tampered."""
    whole = bytearray()
    for piece in part.decoded():
        whole += piece
        if len(whole) > MAX_OCTETS:
            raise TooLarge("more than is taken apart here")
    data = read_signed_data(whole)
    if data.content is None:
        return None
    scanner = Scanner()
    view = memoryview(whole)
    for start, end in data.content:
        for at in range(start, end, _SCAN_OCTETS):
            scanner.feed(bytes(view[at : min(at + _SCAN_OCTETS, end)]))
    if not data.content:
        raise NotBer("nothing is wrapped")
    return Wrapping(data, WrappedOctets(part, data.content), scanner.finish().part_map)


def _cut(places: Sequence[tuple[int, int]], start: int, stop: int) -> Iterator[tuple[int, int]]:
    """The places of the octets [start, stop) of the content."""
    at = 0
    for begin, end in places:
        low, high = max(start - at, 0), min(stop - at, end - begin)
        if low < high:
            yield begin + low, begin + high
        at += end - begin
