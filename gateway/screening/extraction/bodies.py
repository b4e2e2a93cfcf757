"""The bodies of a mail's parts: texts are read here in every plausible encoding and charset; files are handed on.

What a text part holds that is no text, or a text that holds a file, is handed on as a document too: a part may declare
what it likes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from gateway.domain.partmap import Part
from gateway.mime.charsets import codec_for
from gateway.mime.embedded import Embedded, data_uris, embedded_files
from gateway.mime.flowed import unflow
from gateway.mime.headerblock import HeaderBlock
from gateway.mime.strict import body_defects, is_risky_charset
from gateway.mime.structure import Defect, DefectKind
from gateway.mime.transfer import Undone, spelled_encoding, undo
from gateway.screening.chunk import Chunk, Form
from gateway.screening.extraction.ambiguity import BROKEN
from gateway.screening.extraction.descent import Document
from gateway.screening.extraction.families import Family, plausible
from gateway.screening.extraction.headers import value_readings
from gateway.screening.extraction.texts import looks_like_text, readings, strings

_CHARSET = re.compile(
    rb"charset[ \t]*+(?:\*[0-9]?\*?)?[ \t]*+=[ \t]*+[\"']?(?:[\w-]*'[\w-]*')?([\w.:+-]{1,60})", re.IGNORECASE
)
# Names that no codec has, of charsets that are ASCII in their lower half or that are read all the same.
_LIKE_ASCII = re.compile(
    r"(?:x-)?(?:ansi|latin|iso-?8859|windows|win|cp|mac|koi|dos|oem|ibm|ebcdic|default|unknown|user|unicode|utf|ucs|us-)",
    re.IGNORECASE,
)
_PLAIN_ENCODING = re.compile(rb"\s*(?:7bit|8bit|binary|base64|quoted-printable)\s*", re.IGNORECASE)
_WORD = re.compile(r"=\?[^?\s]{1,60}\?[BbQq]\?")
_PGP_MESSAGE = b"-----BEGIN PGP MESSAGE-----"
_SLICE: Final = 1_000_000  # characters of one chunk of text
_OVERLAP: Final = 400  # a number at the cut stands whole in one of the two
# Of files that only base64 tells of, those whose first octets cannot be chance.
_UNMISTAKABLE: Final = frozenset({
    Family.PDF, Family.ZIP, Family.OLE, Family.RTF, Family.TNEF, Family.SEVEN_ZIP, Family.RAR, Family.PICTURE,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Body:
    """One part's body as written and with its transfer encoding undone, its place, the charsets that it names."""

    part: Part
    raw: bytes
    undone: Undone
    place: str
    charsets: tuple[str, ...]
    defects: tuple[Defect, ...]

    @property
    def is_markup(self) -> bool:
        """Whether it is declared as HTML."""
        return self.part.media_type in ("text/html", "application/xhtml+xml")


def open_body(octets: bytes, part: Part, block: HeaderBlock, place: str) -> Body:
    """The body of a part of a mail."""
    body = octets[part.offset : part.end]
    declared = [header.value for header in block.headers if header.key == "content-transfer-encoding"]
    undone = undo(body, part.encoding if part.encoding != "unknown" else _meant(declared[0]))
    is_odd = len(declared) > 1 or not all(_PLAIN_ENCODING.fullmatch(value) for value in declared)
    if is_odd:
        meant = map(_meant, declared[1:])
        more = (reading for encoding in meant for reading in undo(body, encoding).readings)
        undone = replace(undone, others=(*undone.others, *more, body))
    fields = b"\n".join(header.value[:8_192] for header in block.headers if header.key == "content-type")
    named = (name.decode("ascii", "replace") for name in _CHARSET.findall(fields))
    charsets = tuple(dict.fromkeys((part.parameter("charset"), *named)))
    return Body(part, body, undone, place, charsets, tuple(body_defects(part, undone)))


def _meant(declared: bytes) -> str:
    return spelled_encoding(declared.decode("latin-1"))


def text_chunks(body: Body) -> Iterator[Chunk]:
    """Every plausible text of a body, as HTML when it is declared so or looks so."""
    seen: set[str] = set()
    for number, octets in enumerate(body.undone.readings):
        if number and octets != body.raw and not looks_like_text(octets):
            text = strings(octets)
            if text:
                yield Chunk(text, body.place)
            continue
        for text in _texts(body, octets):
            if text not in seen:
                seen.add(text)
                yield from _chunks(body, text)


def hidden_files(body: Body) -> Iterator[tuple[Document, Embedded | None]]:
    """Documents that a text part is or holds, with what was found in the text; None: it is the whole part."""
    declared, name = body.part.media_type, body.part.filename or ""
    for number, octets in enumerate(body.undone.readings):
        whole = Document(octets, declared, name, body.place)
        families = set(plausible(whole)) - {Family.TEXT, Family.HTML}
        if families & _UNMISTAKABLE if number else families:
            yield whole, None
    for number, found in enumerate(_embedded(body), 1):
        place = f"{body.place}, file {number} in the text"
        if found.octets:
            yield Document(found.octets, found.declared, found.name, place), found


def charset_defects(body: Body) -> Iterator[Defect]:
    """A charset that nobody knows, over octets that are neither ASCII nor UTF-8: what they show cannot be told."""
    unknown = [each for each in body.charsets if codec_for(each) is None and not _LIKE_ASCII.match(each)]
    if unknown and not _is_utf_8(body.undone.octets):
        yield Defect(DefectKind.UNKNOWN_CHARSET, body.part.path, BROKEN)


def _embedded(body: Body) -> Iterator[Embedded]:
    octets = body.undone.octets
    yield from (found for found in (*embedded_files(octets), *data_uris(octets)) if _is_file(found))
    at = octets.find(_PGP_MESSAGE)
    if at > 0:
        yield Embedded(octets[at:], None, declared="application/pgp-encrypted")


def _is_file(found: Embedded) -> bool:
    """Whether what was found is told to be a file, or cannot be anything else."""
    if found.kind is not None or found.declared:
        return True
    return bool(_UNMISTAKABLE & set(plausible(Document(found.octets)))) and not found.octets.startswith(b"BM")


def _texts(body: Body, octets: bytes) -> Iterator[str]:
    charsets = body.charsets
    if body.is_markup:
        inside = _CHARSET.search(octets, 0, 2_048)
        charsets = (*charsets, *((inside[1].decode("ascii", "replace"),) if inside else ()))
    if any(is_risky_charset(charset) for charset in charsets):
        charsets = (*charsets, "")  # what claims to be UTF-16 may be ASCII
    for charset in dict.fromkeys(charsets):
        yield from readings(octets, charset)
    if b"\0" in octets:  # UTF-16 that begins somewhere inside
        yield strings(octets)


def _chunks(body: Body, text: str) -> Iterator[Chunk]:
    if body.is_markup:
        yield Chunk(text, body.place, Form.HTML)
        if "<" in text:
            return
    elif body.part.parameter("format").lower() == "flowed":
        text = unflow(text, delsp=body.part.parameter("delsp").lower() == "yes")
    elif text[:200].lstrip().lower().startswith(("<html", "<!doctype html", "<body", "<head")):
        yield Chunk(text, body.place, Form.HTML)
    for start in range(0, max(len(text), 1), _SLICE):
        yield Chunk(text[max(start - _OVERLAP, 0) : start + _SLICE], body.place)
    if "=?" in text:
        yield from _quoted_fields(body, text)


def _quoted_fields(body: Body, text: str) -> Iterator[Chunk]:
    """Encoded words in a text: fields of a message that somebody quotes, or that others read as fields."""
    lines = (line for line in text.replace("\n ", " ").replace("\n\t", " ").split("\n") if _WORD.search(line))
    decoded = "\n".join(value_readings(line.encode("utf-8", "replace"))[0] for line in lines)
    if decoded:
        yield Chunk(decoded, body.place)


def _is_utf_8(octets: bytes) -> bool:
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
