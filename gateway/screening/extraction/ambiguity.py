"""The policy of ambiguity: which oddity of a mail from outside is harmless, which is solved by reading it in every
plausible way, and which makes the mail unscreenable.

The measure is what other programs may show that we have not read. Ordinary mailers make many oddities; what they do not
make, and what could hide a part from us, is refused. `docs/security.md` tells the classes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.domain.partmap import Part
from gateway.domain.verdict import Unread, Unreadable
from gateway.mime.headerblock import HeaderBlock
from gateway.mime.structure import Defect, DefectKind, Structure
from gateway.mime.transfer import spelled_encoding

BROKEN = "broken"
"""Detail of a defect whose content could not be read in any way."""

_LOOKS_LIKE_DELIMITER = re.compile(rb"(?:\A|[\r\n])[ \t]{0,80}+--[^\s-]")
_LONE_CR = re.compile(rb"\r(?![\r\n])")
_COMPOSITE = re.compile(rb"message|multi-?part", re.IGNORECASE)
_TEXTS: Final = ("text/plain", "text/html")


@dataclass(frozen=True, slots=True)
class Look:
    """The mail that a defect is judged in."""

    octets: bytes
    structure: Structure
    blocks: Mapping[str, HeaderBlock]

    def part(self, defect: Defect) -> Part | None:
        """The part at which a defect was seen; None when its header was not read."""
        parts = {part.path: part for part in self.structure.part_map.parts}
        as_text = defect.path.removesuffix("TEXT") + "1"  # what a multipart without parts is called
        return parts.get(defect.path) or parts.get(as_text)

    def body(self, defect: Defect) -> bytes:
        """The encoded body of that part."""
        part = self.part(defect)
        return b"" if part is None else self.octets[part.offset : part.end]


# Ordinary mailers do it, and nobody reads anything else for it.
HARMLESS: Final = frozenset({
    DefectKind.MISSING_CLOSE, DefectKind.BARE_LF, DefectKind.ENVELOPE_LINE, DefectKind.BASE64_TRUNCATED,
    DefectKind.QP_TRAILING_BLANK,
})  # fmt: skip

# Programs differ, and every reading of theirs is among ours: texts in all charsets and encodings, files by their octets
# and by both names, preamble and epilogue, fields that stand twice.
UNION: Final = frozenset({
    DefectKind.PREAMBLE_TEXT, DefectKind.EPILOGUE_TEXT, DefectKind.FOLDED_EMPTY, DefectKind.EIGHT_BIT_HEADER,
    DefectKind.ODD_DISPOSITION, DefectKind.ODD_ENCODING, DefectKind.ENCODED_COMPOSITE,
    DefectKind.FILENAME_DISAGREES, DefectKind.ODD_ENCODED_WORD, DefectKind.PROTECTION_DISAGREES,
    DefectKind.RISKY_CHARSET, DefectKind.TYPE_DISAGREES, DefectKind.QP_BAD_ESCAPE,
})  # fmt: skip

# No ordinary mailer does it, and a part could hide behind it.
REFUSED: Final = frozenset({
    DefectKind.BOUNDARY_REUSED, DefectKind.EARLY_CLOSE, DefectKind.LATE_CLOSE, DefectKind.NEAR_BOUNDARY,
    DefectKind.SECOND_BOUNDARY, DefectKind.STRAY_BOUNDARY, DefectKind.OUTSIDE_PAYLOAD, DefectKind.PARTIAL,
    DefectKind.EXTERNAL_BODY, DefectKind.NUL, DefectKind.UU_BAD_LINE, DefectKind.BINHEX_TEXT,
})  # fmt: skip


def unreadable(look: Look, defects: tuple[Defect, ...], places: Mapping[str, str]) -> Iterator[Unreadable]:
    """What the defects of a mail make unscreenable. `places`: the place of each part, by its path."""
    for defect in defects:
        place = places.get(defect.path, "structure")
        if defect.kind is DefectKind.OVER_CAP:
            if not _is_read_anyway(look, defect):
                yield Unreadable(place, Unread.OVER_LIMIT, defect.detail)
        elif defect.kind in REFUSED or (defect.kind in JUDGED and JUDGED[defect.kind](look, defect)):
            yield Unreadable(place, Unread.AMBIGUOUS, str(defect.kind))


def _is_read_anyway(look: Look, defect: Defect) -> bool:
    """A cap on reading a field as addresses or ids binds nobody here: all fields are read as text, in linear time."""
    block = look.blocks.get(defect.path)
    fields = [header for header in block.headers if header.offset == defect.offset] if block else []
    names = {header.name.lower() for header in fields}
    if defect.detail in ("address_list", "encoded_words"):
        return bool(names & {"to", "cc", "bcc", "reply-to", "resent-to", "resent-cc"})
    return defect.detail == "structured_header" and bool(names & {"references", "in-reply-to"})


def _differs(look: Look, defect: Defect) -> bool:
    """A field that stands twice and says two things about what a part is, or who sent it."""
    if defect.detail not in ("content-type", "content-transfer-encoding", "from"):
        return False
    block = look.blocks.get(defect.path)
    values = {
        b"".join(header.value.split()).lower()
        for header in (block.headers if block else ())
        if header.name.lower() == defect.detail
    }
    return len(values) != 1


def _hides_fields(look: Look, defect: Defect) -> bool:
    """A line that ends the header for some programs, with fields below it that say what the part is."""
    block = look.blocks.get(defect.path)
    return block is None or any(_tells(header.name) and header.offset > defect.offset for header in block.headers)


def _has_odd_name(look: Look, defect: Defect) -> bool:
    block = look.blocks.get(defect.path)
    return block is None or any(
        _tells(header.name) and look.octets[header.offset + len(header.name)] != ord(":") for header in block.headers
    )


def _tells(name: str) -> bool:
    return name.lower() in ("content-type", "content-transfer-encoding")


def _has_lone_cr(look: Look, defect: Defect) -> bool:
    """A CR that some programs take for a line end; before a line end it is dirt."""
    part = look.part(defect)
    if defect.detail == "junk":  # a line between the fields, or before the first
        return True
    return part is None or _LONE_CR.search(look.octets, part.header_offset, part.offset) is not None


def _is_cut_short(look: Look, defect: Defect) -> bool:
    """A header without its blank line: delivery reports carry such headers; a part of a mail has none."""
    stem, _, last = defect.path.rpartition(".")
    around = next((part for part in look.structure.part_map.parts if part.path == stem), None)
    is_body = last == "TEXT" or (last == "1" and f"{stem}.TEXT" not in look.blocks)
    if is_body and around is not None and not around.is_container:
        return False
    block = look.blocks.get(defect.path)
    return block is not None and any(_tells(header.name) for header in block.headers)


def _has_delimiters(look: Look, defect: Defect) -> bool:
    """A multipart that we read as text, and that others may find the parts of."""
    return _LOOKS_LIKE_DELIMITER.search(look.body(defect)) is not None


def _is_odd_boundary(look: Look, defect: Defect) -> bool:
    """One that some cannot read, or whose delimiter closes another multipart. Some mailers end theirs with hyphens."""
    part = look.part(defect)
    boundary = part.parameter("boundary") if part is not None else ""
    others = {each.parameter("boundary") for each in look.structure.part_map.parts}
    return defect.detail == "rfc2231" or not boundary.isascii() or boundary.removesuffix("--") in others - {boundary}


def _is_bad_composite(look: Look, defect: Defect) -> bool:
    """A type that is no type, and that some take for a message's or a multipart's."""
    block = look.blocks.get(defect.path)
    raw = block.value("content-type") if block is not None else None
    return raw is None or _COMPOSITE.search(raw[:100]) is not None


def _is_odd_multipart(look: Look, defect: Defect) -> bool:
    part = look.part(defect)
    return part is not None and part.is_container and defect.detail in ("comment", "unclosed_quote")


def _is_no_encoding_we_know(look: Look, defect: Defect) -> bool:
    block = look.blocks.get(defect.path)
    raw = block.value("content-transfer-encoding") if block is not None else None
    return raw is None or spelled_encoding(raw.decode("latin-1")) == "unknown"


def _is_broken(look: Look, defect: Defect) -> bool:  # noqa: ARG001 - one shape for all judges
    return defect.detail == BROKEN


def _is_no_text(look: Look, defect: Defect) -> bool:
    """Base64 that reads in two ways: texts are read in all of them, of a file one cannot tell."""
    part = look.part(defect)
    return part is None or part.media_type not in _TEXTS


JUDGED: Final[Mapping[DefectKind, Callable[[Look, Defect], bool]]] = {
    DefectKind.DUPLICATE_HEADER: _differs,
    DefectKind.HEADER_WITHOUT_COLON: _hides_fields,
    DefectKind.ODD_HEADER_NAME: _has_odd_name,
    DefectKind.BARE_CR: _has_lone_cr,
    DefectKind.HEADER_CUT: _is_cut_short,
    DefectKind.MISSING_PARTS: _has_delimiters,
    DefectKind.MISSING_BOUNDARY: _has_delimiters,
    DefectKind.MISSPELT_MULTIPART: _has_delimiters,
    DefectKind.ODD_BOUNDARY: _is_odd_boundary,
    DefectKind.BAD_CONTENT_TYPE: _is_bad_composite,
    DefectKind.ODD_CONTENT_TYPE: _is_odd_multipart,
    DefectKind.UNKNOWN_ENCODING: _is_no_encoding_we_know,
    DefectKind.UNKNOWN_CHARSET: _is_broken,
    DefectKind.UUENCODED_TEXT: _is_broken,
    DefectKind.YENC_TEXT: _is_broken,
    DefectKind.BASE64_JUNK: _is_no_text,
    DefectKind.BASE64_INNER_PADDING: _is_no_text,
}
