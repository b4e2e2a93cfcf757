"""The strict look at mail from outside: what in its structure and bodies other programs may read otherwise.

Pure and linear. The scanner reports what it meets while octets stream by; this pass has the whole message and reports
what needs its bodies. What follows from a defect is the reader's policy.
"""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Iterator
from typing import Final

from gateway.domain.partmap import Part
from gateway.mime.headerblock import HeaderBlock, split_header_block
from gateway.mime.structure import Defect, DefectKind, Limits, Structure
from gateway.mime.transfer import Undone, undo
from gateway.mime.words import unfold

_LIMITS: Final = Limits()
_BOUNDARY = re.compile(
    rb"boundary[ \t]*+(?P<extended>\*[0-9]{0,3}\*?)?+[ \t]*+(?:\([^()]*+\)[ \t]*+)*+=[ \t]*+(?:\([^()]*+\)[ \t]*+)*+"
    rb"(?:\"(?P<quoted>(?:[^\"\\]++|\\.)*+)(?P<closed>\"?+)|(?P<plain>[^;\"]*+))",
    re.IGNORECASE | re.DOTALL,
)
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_RISKY = re.compile(
    r"(?:.*utf-?7.*|.*utf-?(?:16|32).*|.*ucs-?[24].*|iso-10646.*|.*ebcdic.*|(?:cs)?ibm-?0*(?:37|273|277|278|280|284"
    r"|285|297|500|871|1026|1047|114[0-9])|cp0*(?:37|273|424|500|875|1026|1140)|csunicode.*)\Z",
    re.IGNORECASE,
)
_FIELDS_OF_A_PART = re.compile(
    rb"(?:\A|\n)[ \t]{0,8}content-(?:type|transfer-encoding|disposition)[ \t]*+:", re.IGNORECASE
)
_LONE_CR = re.compile(rb"\r(?![\r\n])")
_FILE_IN_TEXT = re.compile(
    rb"(?:\A|\n)(?:begin(?:-base64)? [0-7]{3,4} [^\r\n]+\r?\n|=ybegin "
    rb"|[A-Za-z0-9+/]{60,76}\r?\n[A-Za-z0-9+/]{4,}+=*+\r?(?:\n|\Z))"
)
_BEGIN = re.compile(rb"(?:\A|\n)begin(?P<base64>-base64)? [0-7]{3,4} [^\r\n]+(?=\r?\n(?P<line>[^\r\n]*))")
_LEAST_STRAY = 8  # a boundary of fewer octets may stand in any text
_MOST_STRAY = 1_000
_MOST_READINGS = 8
_KINDS_BY_MAGIC: Final = (
    (b"%PDF-", "pdf"), (b"PK\x03\x04", "zip"), (b"\xd0\xcf\x11\xe0", "ole"), (b"{\\rtf", "rtf"),
    (b"\x89PNG", "picture"), (b"\xff\xd8\xff", "picture"), (b"GIF8", "picture"), (b"II*\0", "picture"),
    (b"MM\0*", "picture"), (b"\x1f\x8b", "packed"), (b"7z\xbc\xaf", "packed"), (b"Rar!", "packed"),
)  # fmt: skip
_KINDS_BY_TYPE = re.compile(
    r"(?P<pdf>.*/(?:x-)?pdf)|(?P<rtf>.*/rtf)|(?P<picture>image/(?!svg).*)|(?P<text>text/.*|.*[/+](?:xml|json))"
    r"|(?P<zip>.*openxml.*|.*opendocument.*|.*/(?:x-)?zip.*)|(?P<ole>.*/msword|.*/vnd.ms-(?!.*12$).*)"
)
_KINDS_BY_EXTENSION: Final = {
    "pdf": "pdf", "rtf": "rtf", "txt": "text", "csv": "text", "htm": "text", "html": "text", "xml": "text",
    "ics": "text", "json": "text", "png": "picture", "jpg": "picture", "jpeg": "picture", "gif": "picture",
    "tif": "picture", "tiff": "picture", "zip": "zip", "docx": "zip", "xlsx": "zip", "pptx": "zip", "odt": "zip",
    "ods": "zip", "doc": "ole", "xls": "ole", "ppt": "ole", "msg": "ole", "gz": "packed", "7z": "packed",
    "rar": "packed",
}  # fmt: skip
# What programs take for each other without harm: legacy names hold new formats, and an RTF file is often called .doc.
_COMPATIBLE: Final = (frozenset({"ole", "zip"}), frozenset({"ole", "rtf"}), frozenset({"ole", "text"}))


def examine(octets: bytes, structure: Structure) -> tuple[Defect, ...]:
    """All defects of a message from outside: those of the scan, and those of this pass over the whole message."""
    found = [*structure.defects, *structure_defects(octets, structure, header_blocks(octets, structure))]
    for part in structure.part_map.leaves:
        body = octets[part.offset : part.end]
        found += body_defects(part, undo(body, part.encoding))
    return tuple(dict.fromkeys(found))


def header_blocks(octets: bytes, structure: Structure) -> dict[str, HeaderBlock]:
    """The header block of each part, by its path."""
    return {part.path: _block(octets, part) for part in structure.part_map.parts}


def structure_defects(octets: bytes, structure: Structure, blocks: dict[str, HeaderBlock]) -> Iterator[Defect]:
    """What fields and delimiters may mean to other programs, and text where no part is."""
    parts = structure.part_map.parts
    boundaries = tuple(_boundary(part) for part in parts if part.is_container)
    fields = [(part.header_offset, part.offset) for part in parts]
    for part in parts:
        yield from _declared_defects(part)
        yield from _second_boundaries(octets, part, blocks[part.path])
        if part.is_container and _stands_astray(octets, part, boundaries, fields):
            yield Defect(DefectKind.STRAY_BOUNDARY, part.path)
    for defect in structure.defects:
        seen = octets[defect.offset : defect.offset + defect.length]
        if defect.kind is DefectKind.HEADER_WITHOUT_COLON and _LONE_CR.search(seen):
            yield Defect(DefectKind.BARE_CR, defect.path, "junk", defect.offset, defect.length)
        is_outside = defect.kind in (DefectKind.PREAMBLE_TEXT, DefectKind.EPILOGUE_TEXT)
        if is_outside and (_FIELDS_OF_A_PART.search(seen) or _FILE_IN_TEXT.search(seen)):
            yield Defect(DefectKind.OUTSIDE_PAYLOAD, defect.path, str(defect.kind), defect.offset, defect.length)


def body_defects(part: Part, undone: Undone) -> Iterator[Defect]:
    """What is odd about one body, and whether its type, its name and its first octets agree."""
    for oddity in sorted(undone.oddities):
        yield Defect(oddity, part.path)
    octets = undone.octets
    if part.media_type.startswith(("text/", "message/")):
        if b"\n=ybegin " in octets or octets.startswith(b"=ybegin "):
            yield Defect(DefectKind.YENC_TEXT, part.path)
        if b"(This file must be converted with BinHex" in octets:
            yield Defect(DefectKind.BINHEX_TEXT, part.path)
        if part.encoding != "x-uuencode" and _is_uuencoded(octets):
            yield Defect(DefectKind.UUENCODED_TEXT, part.path)
    if _disagrees(part, octets):
        yield Defect(DefectKind.TYPE_DISAGREES, part.path)


def is_risky_charset(charset: str) -> bool:
    """Whether a charset shows other text than ASCII readers see: UTF-7, UTF-16, UTF-32, EBCDIC."""
    return _RISKY.match(charset.strip("\"' \t")) is not None


def plausible_boundaries(value: bytes) -> frozenset[bytes]:
    """Every boundary that some program may read from a raw Content-Type value."""
    found: set[bytes] = set()
    sections: list[bytes] = []
    for match in _BOUNDARY.finditer(unfold(value[: _LIMITS.structured_header])):
        readings = _readings_of(match)
        found |= readings
        if match["extended"] and match["extended"].strip(b"*"):
            sections.append(min(readings, key=len))
    if len(sections) > 1:
        found.add(b"".join(sections))
    return frozenset(one for one in (each.rstrip(b" \t") for each in found) if one)


def _readings_of(match: re.Match[bytes]) -> set[bytes]:
    if match["quoted"] is not None:
        quoted = match["quoted"]
        readings = {quoted, re.sub(rb"\\(.)", rb"\1", quoted, flags=re.DOTALL)}
        if not match["closed"]:
            readings |= {b'"' + quoted, quoted.partition(b";")[0], quoted.split(b" ", 1)[0]}
    else:
        plain = match["plain"].strip(b" \t")
        readings = {plain, re.split(rb"[ \t(,]", plain, maxsplit=1)[0]}
    if match["extended"]:
        for reading in tuple(readings):
            text = reading.split(b"'", 2)[-1] if reading.count(b"'") >= 2 else reading
            readings |= {text, _PERCENT.sub(lambda found: bytes([int(found[1], 16)]), text)}
    return readings


def _boundary(part: Part) -> bytes:
    return part.parameter("boundary").rstrip(" \t").encode("utf-8", "replace")


def _declared_defects(part: Part) -> Iterator[Defect]:
    if part.media_type == "message/partial":
        yield Defect(DefectKind.PARTIAL, part.path)
    elif part.media_type == "message/external-body":
        yield Defect(DefectKind.EXTERNAL_BODY, part.path)
    if is_risky_charset(part.parameter("charset")):
        yield Defect(DefectKind.RISKY_CHARSET, part.path)


def _second_boundaries(octets: bytes, part: Part, block: HeaderBlock) -> Iterator[Defect]:
    used = _boundary(part) if part.is_container else b""
    for header in block.headers:
        if header.key != "content-type" or b"boundary" not in header.value.lower():
            continue
        others = plausible_boundaries(header.value) - {used}
        lines = (re.compile(rb"[\r\n]--" + re.escape(each) + rb"(?:--)?+[ \t]*+\r?+(?:\n|\Z)") for each in others)
        start = max(part.offset - 1, 0)
        if len(others) > _MOST_READINGS or any(line.search(octets, start, part.end) for line in lines):
            yield Defect(DefectKind.SECOND_BOUNDARY, part.path, "", header.offset, header.length)
            return


def _stands_astray(octets: bytes, part: Part, boundaries: tuple[bytes, ...], fields: list[tuple[int, int]]) -> bool:
    """Whether the boundary of a multipart stands in it anywhere but in a field or where a delimiter begins a line."""
    boundary = _boundary(part)
    delimiter = b"--" + boundary
    if octets.find(b"\r" + delimiter, part.offset, part.end) >= 0:  # a delimiter for who takes a bare CR for a line end
        return True
    if len(boundary) < _LEAST_STRAY:
        return False
    delimiters = tuple(b"--" + each for each in boundaries)
    longest = max(map(len, delimiters))
    at = octets.find(delimiter, part.offset, part.end)
    for _ in range(_MOST_STRAY):
        if at < 0:
            return False
        line = octets.rfind(b"\n", max(at - longest - 1, 0), at) + 1
        start, end = fields[max(bisect.bisect_right(fields, (at, len(octets))) - 1, 0)]
        if not (line and octets.startswith(delimiters, line)) and not start <= at < end:
            return True
        at = octets.find(delimiter, at + len(delimiter), part.end)
    return True


def _is_uuencoded(octets: bytes) -> bool:
    """Whether a `begin` line is followed by a line of the length that it claims."""
    if b"begin" not in octets:
        return False
    for found in itertools.islice(_BEGIN.finditer(octets), _MOST_STRAY):
        line = found["line"]
        if found["base64"] or (line and abs(len(line) - 1 - (((line[0] - 32) & 63) + 2) // 3 * 4) <= 2):
            return True
    return False


def _disagrees(part: Part, octets: bytes) -> bool:
    seen = next((kind for magic, kind in _KINDS_BY_MAGIC if octets.startswith(magic)), "")
    by_type = _KINDS_BY_TYPE.match(part.media_type)
    extension = (part.filename or "").lower().rpartition(".")[2]
    kinds = {seen, by_type.lastgroup or "" if by_type else "", _KINDS_BY_EXTENSION.get(extension, "")} - {""}
    return len(kinds) > 1 and not any(kinds <= group for group in _COMPATIBLE)


def _block(octets: bytes, part: Part) -> HeaderBlock:
    block = octets[part.header_offset : part.offset]
    for blank in (b"\r\n", b"\n"):
        if block == blank or block.endswith(b"\n" + blank):
            block = block[: -len(blank)]
            break
    return split_header_block(block, part.header_offset, part.path, _LIMITS, smtputf8=True)
