"""Content lines, as calendars (RFC 5545) and address cards (RFC 6350) are made of: escaped, folded, ended by CRLF."""

from __future__ import annotations

from collections.abc import Iterable

_LINE_OCTETS = 75
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": ""})


def escaped(text: str) -> str:
    """Return text as the value of a line: no word of it begins a line of its own."""
    return text.translate(_ESCAPES)


def written(lines: Iterable[str]) -> bytes:
    """Return the octets of lines, folded at 75, never inside of a character (RFC 5545 section 3.1)."""
    return b"".join(map(_folded, lines))


def _folded(line: str) -> bytes:
    octets, start, pieces, room = line.encode(), 0, [], _LINE_OCTETS
    while start < len(octets):
        end = min(start + room, len(octets))
        while end < len(octets) and octets[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(octets[start:end])
        start, room = end, _LINE_OCTETS - 1
    return b"\r\n ".join(pieces) + b"\r\n"
