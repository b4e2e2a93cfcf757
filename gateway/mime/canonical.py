"""The canonical forms that mail is signed in (RFC 6376 section 3.4): of fields, and of bodies while they pass by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

BLOCK: Final = 64 * 1024

_BLANKS: Final = re.compile(rb"[ \t]++")
_BLANKS_AT_END: Final = re.compile(rb"[ \t]++\r\n")
# A line that is no field is taken whole: else each of its octets is tried as the begin of one.
_FIELD: Final = re.compile(rb"([!-9;-~]++)[ \t]*+:(?:[^\n]*+\n[ \t])*+[^\n]*+(?:\n|\Z)|[^\n]*+\n|[^\n]++\Z")
_LINE_ENDS: Final = re.compile(rb"\r?\n")


class Field(NamedTuple):
    """A header field as it came: its name in lower case, and all of its octets without the line's end."""

    name: str
    octets: bytes

    @property
    def value(self) -> bytes:
        """What follows the colon."""
        return self.octets.partition(b":")[2]


def fields_of(head: bytes) -> list[Field]:
    """Return the fields of a header block in their order; a line that is no field is left out."""
    found = [one for one in _FIELD.finditer(head) if one[1]]
    return [Field(one[1].lower().decode("ascii"), one[0].removesuffix(b"\n").removesuffix(b"\r")) for one in found]


def canonical_field(field: Field, *, relaxed: bool) -> bytes:
    """Return a field's canonical form, without a line's end."""
    if not relaxed:
        return field.octets
    value = _BLANKS.sub(b" ", _LINE_ENDS.sub(b"", field.value)).strip(b" ")
    return field.name.encode("ascii") + b":" + value


def canonical_body(body: memoryview, *, relaxed: bool, size: int = BLOCK) -> Iterator[bytes]:
    """Yield a body's canonical form in blocks, so that no other thread waits long for one. Lines end with CRLF."""
    form = CanonicalBody(relaxed=relaxed)
    for start in range(0, len(body), size):
        yield from form.feed(bytes(body[start : start + size]))
    yield form.finish()


class CanonicalBody:
    """The canonical form of a body that comes in blocks, cut anywhere; of blank lines only the count is held."""

    def __init__(self, *, relaxed: bool) -> None:
        self._relaxed = relaxed
        self._gap = _Gap(b" \t\r\n" if relaxed else b"\r\n")
        self._has_text = False

    def feed(self, block: bytes) -> Sequence[bytes]:
        """Take a block, return what of the canonical form is certain now."""
        gap = self._gap
        text = block.strip(gap.octets)
        if not text:
            gap.add(block)
            return ()
        at = block.index(text)
        gap.add(block[:at])
        before = gap.canonical()
        self._has_text = True
        gap.add(block[at + len(text) :])
        return before, _BLANKS.sub(b" ", _BLANKS_AT_END.sub(b"\r\n", text)) if self._relaxed else text

    def finish(self) -> bytes:
        """Return the end of the canonical form."""
        return b"\r\n" if self._has_text or not self._relaxed else b""


class _Gap:
    """Line ends, and blanks where these do not count, between two texts: what of it counts is known after the last."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self._lines = 0
        self._blank = False

    def add(self, octets: bytes) -> None:
        """Take more of it."""
        lines = octets.count(b"\n")
        self._lines += lines
        last = octets.rpartition(b"\n")[2]
        self._blank = (self._blank and not lines) or bool(last.strip(b"\r"))

    def canonical(self) -> bytes:
        """Return its canonical form, and begin anew."""
        form = b"\r\n" * self._lines + (b" " if self._blank else b"")
        self._lines, self._blank = 0, False
        return form
