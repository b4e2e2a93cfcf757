"""From the octets of one header block to its fields, and what is wrong with them (RFC 5322 section 2.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from gateway.mime.structure import Defect, DefectKind, Header, Limits

# What may stand once in a header block (RFC 5322 section 3.6, RFC 2045 section 3).
SINGLETONS = frozenset(
    "from sender reply-to to cc bcc subject date message-id in-reply-to references mime-version content-type "
    "content-transfer-encoding content-disposition content-id content-description content-language".split()
)
_FIELD = re.compile(rb"[^\n]*+(?:\n[ \t][^\n]*+)*+\n?")
# A line that is no field is taken whole, with an empty name: else each of its octets is tried as the begin of one. All
# line ends are whole where this is asked.
_WELL_FORMED = re.compile(rb"([!-9;-~]++):([^\r]*+(?:\r\n[ \t][^\r]*+)*+)\r\n|[^\n]++\n?|\n")
_NAME = re.compile(rb"([!-9;-~]++)([ \t]*+):")
_FOLDED_EMPTY = re.compile(rb"\n[ \t]++\r*+(?=\n|\Z)")
_ENVELOPE = re.compile(rb">?From ")
# A later line that begins so proves that a line without a colon is junk inside of the block and not the body's first.
# Were it read as body, a Bcc below it would be shown to a correspondent.
_SURELY_HEADER = re.compile(
    rb"\n(?:bcc|resent-[a-z-]+|received|return-path|delivered-to|from|to|cc|sender|reply-to|subject|date|message-id|"
    rb"mime-version|content-[a-z-]+|dkim-signature|authentication-results|x-[!-9;-~]+)[ \t]*:",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class HeaderBlock:
    """The fields of one block. `length`: the octets that belong to it; what follows them is body.

    `may_have_words`: whether anything in it looks like an encoded word.
    """

    headers: tuple[Header, ...]
    defects: tuple[Defect, ...]
    length: int
    is_over_cap: bool
    may_have_words: bool = True
    _firsts: Mapping[str, bytes] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_firsts", {header.key: header.value for header in reversed(self.headers)})

    @property
    def names(self) -> int:
        """How many names its fields have: fewer than it has fields where some stand twice."""
        return len(self._firsts)

    def value(self, name: str) -> bytes | None:
        """The raw value of the first field of this lower-case name."""
        return self._firsts.get(name)


def split_header_block(block: bytes, offset: int, path: str, limits: Limits, *, smtputf8: bool) -> HeaderBlock:
    """Read a block that lies at `offset` of the message, without its blank line.

    A line that is no field ends the block (as Postfix and others do), unless fields follow it.
    """
    headers = _well_formed(block, offset)
    if headers is None or len(headers) > limits.headers:
        return _split_slowly(block, offset, path, limits, smtputf8=smtputf8)
    read = HeaderBlock(tuple(headers), (), len(block), is_over_cap=False, may_have_words=b"=?" in block)
    return read if read.names == len(headers) else replace(read, defects=tuple(_duplicates(headers, path)))


def _well_formed(block: bytes, offset: int) -> list[Header] | None:
    """The fields of a block in which nothing but a field standing twice can be wrong; None for any other block."""
    lines = block.count(b"\r\n")
    if not block.isascii() or b"\0" in block or block.count(b"\r") != lines or block.count(b"\n") != lines:
        return None
    if (b"\n " in block or b"\n\t" in block) and _FOLDED_EMPTY.search(block):
        return None
    headers = []
    at = offset
    for octets, value in _WELL_FORMED.findall(block):
        if not octets:
            return None
        name, key = _named(octets)
        length = len(octets) + len(value) + 3
        headers.append(Header(name, value, at, length, key))
        at += length
    return headers if at == offset + len(block) else None


@lru_cache(1024)
def _named(octets: bytes) -> tuple[str, str]:
    """The name of a field as text, and in lower case."""
    name = octets.decode("ascii")
    return name, name.lower()


def _split_slowly(block: bytes, offset: int, path: str, limits: Limits, *, smtputf8: bool) -> HeaderBlock:
    """Read any block at all, field by field."""
    headers: list[Header] = []
    defects: list[Defect] = []
    proven_until = max((found.start() for found in _SURELY_HEADER.finditer(block)), default=-1)
    at = 0
    while at < len(block):
        match = _FIELD.match(block, at)
        assert match is not None  # the pattern matches anything
        name = _NAME.match(block, at)
        if name is not None:
            if len(headers) == limits.headers:
                defects.append(Defect(DefectKind.OVER_CAP, path, "headers", offset + at, len(block) - at))
                return HeaderBlock(tuple(headers), tuple(defects), at, is_over_cap=True)
            if name[2] and not _is_listed(DefectKind.ODD_HEADER_NAME, defects):
                defects.append(Defect(DefectKind.ODD_HEADER_NAME, path, "", offset + at, match.end() - at))
            value = block[name.end() : match.end()].removesuffix(b"\n").removesuffix(b"\r")
            text = name[1].decode("ascii")
            headers.append(Header(text, value, offset + at, match.end() - at, text.lower()))
        elif at == 0 and _ENVELOPE.match(block):
            defects.append(Defect(DefectKind.ENVELOPE_LINE, path, "", offset, match.end()))
        else:
            if not _is_listed(DefectKind.HEADER_WITHOUT_COLON, defects):
                defects.append(Defect(DefectKind.HEADER_WITHOUT_COLON, path, "", offset + at, match.end() - at))
            if proven_until < match.end() - 1:
                break
        at = match.end()
    defects += _octet_defects(block[:at], path, smtputf8=smtputf8)
    defects += _duplicates(headers, path)
    return HeaderBlock(tuple(headers), tuple(defects), at, is_over_cap=False)


def _is_listed(kind: DefectKind, defects: list[Defect]) -> bool:
    return any(defect.kind == kind for defect in defects)


def _octet_defects(block: bytes, path: str, *, smtputf8: bool) -> Iterator[Defect]:
    if b"\0" in block:
        yield Defect(DefectKind.NUL, path)
    crlf = block.count(b"\r\n")
    if block.count(b"\r") > crlf:
        yield Defect(DefectKind.BARE_CR, path)
    if block.count(b"\n") > crlf:
        yield Defect(DefectKind.BARE_LF, path)
    if _FOLDED_EMPTY.search(block):
        yield Defect(DefectKind.FOLDED_EMPTY, path)
    if not block.isascii() and not (smtputf8 and _is_utf8(block)):
        yield Defect(DefectKind.EIGHT_BIT_HEADER, path)


def _duplicates(headers: list[Header], path: str) -> Iterator[Defect]:
    seen: dict[str, int] = {}
    for header in headers:
        name = header.key
        seen[name] = seen.get(name, 0) + 1
        if seen[name] == 2 and name in SINGLETONS:
            yield Defect(DefectKind.DUPLICATE_HEADER, path, name, header.offset, header.length)


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
