"""A mail from outside to pieces of text with their place, and to what of it could not be read.

What it does: every field, every text in every plausible reading, every file; cheap things first, pages last, so that
the caller may stop early. What it trusts: nothing. What it holds: the mail, and one part's content at a time. How it
fails: never by an exception; what is over a limit, ambiguous or broken is told as Unreadable, which is never clean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from gateway.domain.partmap import MESSAGE_TYPES, Part
from gateway.domain.verdict import Unread, Unreadable
from gateway.mime.embedded import Embedded
from gateway.mime.entity import IDENTITY
from gateway.mime.headerblock import HeaderBlock
from gateway.mime.scanner import Scanner
from gateway.mime.strict import header_blocks, structure_defects
from gateway.mime.structure import Defect, DefectKind, Limits, Structure
from gateway.screening.chunk import Budget, Chunk, Form
from gateway.screening.extraction.ambiguity import Look, unreadable
from gateway.screening.extraction.bodies import Body, charset_defects, hidden_files, open_body, text_chunks
from gateway.screening.extraction.descent import Document, Item, Later, guarded
from gateway.screening.extraction.documents import extract_document
from gateway.screening.extraction.headers import header_chunks, name_readings, part_lines, stray_lines
from gateway.screening.extraction.places import places_of
from gateway.screening.extraction.texts import looks_like_text, readings

_BLOCK: Final = 262_144
_TEXT_TYPES: Final = frozenset({
    "text/plain", "text/html", "text/enriched", "text/richtext", "text/rfc822-headers", "text/markdown",
    "message/delivery-status", "message/disposition-notification", "message/feedback-report", "message/partial",
    "message/external-body", "message/global-delivery-status", "message/global-headers", "application/xhtml+xml",
})  # fmt: skip
_ENCRYPTED: Final = ("multipart/encrypted", "application/x-microsoft-rpmsg-message")
_SURE: Final = ("pdf", "openpgp", "cms")  # what is text to look at, and yet shows nothing of what it holds
_OPAQUE: Final = "application/octet-stream"


@dataclass(slots=True)
class _Reading:
    """One mail being read. `files` are jobs with what they cost, done when all texts have been read; `later` holds
    what is done when all files have been.
    """

    look: Look
    places: dict[str, str]
    budget: Budget
    later: Later
    depth: int
    defects: list[Defect] = field(default_factory=list)
    files: list[tuple[int, Callable[[], Iterator[Item]]]] = field(default_factory=list)

    @property
    def parts(self) -> tuple[Part, ...]:
        """All nodes of the mail."""
        return self.look.structure.part_map.parts

    def judge(self, defects: Iterable[Defect]) -> Iterator[Unreadable]:
        """What these defects make unscreenable."""
        yield from dict.fromkeys(unreadable(self.look, tuple(defects), self.places))


def extract_mail(octets: bytes, budget: Budget, *, depth: int = 0, place: str = "") -> Iterator[Item]:
    """All that a mail says, and all that could not be read. `depth`: how many mails and files are around it. `place`
    is that of the mail itself when it is inside of another one.
    """
    later = Later()
    yield from _extract(octets, budget, later, depth, place)
    yield from later.run()


def _extract(octets: bytes, budget: Budget, later: Later, depth: int, place: str) -> Iterator[Item]:
    yield from guarded(lambda: _read(octets, budget, later, depth, place), place or "structure", "mail")


def _read(octets: bytes, budget: Budget, later: Later, depth: int, place: str) -> Iterator[Item]:
    budget.check("depth", depth)
    structure = _scan(octets, budget)
    blocks = header_blocks(octets, structure)
    prefix = f"{place}, " if place else ""
    reading = _Reading(Look(octets, structure, blocks), places_of(structure, prefix), budget, later, depth)
    yield from header_chunks(blocks[structure.part_map.root.path], prefix)
    for part in reading.parts:
        yield from guarded(lambda: _read_part(reading, part), reading.places[part.path], "part")  # noqa: B023
    yield from _outside_texts(reading, prefix)
    yield from _part_headers(reading, prefix)
    yield from reading.judge((*structure.defects, *structure_defects(octets, structure, blocks), *reading.defects))
    for _, job in sorted(reading.files, key=lambda file: file[0]):
        yield from guarded(job, place or "structure", "file")


def _scan(octets: bytes, budget: Budget) -> Structure:
    scanner = Scanner(Limits(parts=budget.limits.parts), smtputf8=True)
    view = memoryview(octets)
    for start in range(0, len(octets), _BLOCK):
        scanner.feed(bytes(view[start : start + _BLOCK]))
    return scanner.finish()


def _read_part(reading: _Reading, part: Part) -> Iterator[Item]:
    """One node: a text is read now, a file later; what is inside of an attached message follows as parts."""
    place, block = reading.places[part.path], reading.look.blocks[part.path]
    if part.media_type in _ENCRYPTED:
        yield Unreadable(place, Unread.ENCRYPTED, "message")
    yield from (Chunk(name, f"name of {place}", Form.FILE_NAME) for name in name_readings(block))
    if part.is_container:
        yield from _decoded_multipart(reading, part, block)
        return
    reading.budget.spend("parts")
    if part.media_type in MESSAGE_TYPES and part.encoding in IDENTITY:
        inner = reading.look.blocks.get(_inner_path(reading, part))
        if inner is not None:
            yield from header_chunks(inner, f"{place}, ")
    elif part.media_type in _TEXT_TYPES or _is_flat(part):
        yield from _read_text(reading, open_body(reading.look.octets, part, block, place))
        yield from _decoded_multipart(reading, part, block)
    elif part.media_type.startswith("message/"):
        body = open_body(reading.look.octets, part, block, place)
        reading.defects += body.defects
        raw = () if part.encoding == "base64" else (body.raw,)  # many programs read a message and look at no encoding
        for octets in dict.fromkeys((body.undone.octets, *raw)):
            yield from _extract(octets, reading.budget, reading.later, reading.depth + 1, place)
    else:
        reading.files.append((_cost(part.media_type), lambda: _read_file(reading, part, block)))


def _read_text(reading: _Reading, body: Body) -> Iterator[Item]:
    yield from text_chunks(body)
    reading.defects += (*body.defects, *charset_defects(body))
    for document, embedded in hidden_files(body):
        reading.files.append((_cost(document.declared), partial(_read_hidden, reading, document, embedded)))


def _is_flat(part: Part) -> bool:
    """The rest of a mail over a limit. It is refused; as text it may still show why it should not come again."""
    return part.media_type == _OPAQUE and part.header_offset == part.offset


def _inner_path(reading: _Reading, message: Part) -> str:
    """The path of the body of an attached message, whose header is the message's own; it may not have been read."""
    path = f"{message.path}.TEXT"
    return path if path in reading.look.blocks else f"{message.path}.1"


def _decoded_multipart(reading: _Reading, part: Part, block: HeaderBlock) -> Iterator[Item]:
    """A multipart under a transfer encoding, which RFC 2045 section 6.4 forbids and some programs undo: when that shows
    delimiters that were none before, what it then is is read too.
    """
    if part.encoding in IDENTITY or not part.parameter("boundary"):
        return
    body = open_body(reading.look.octets, part, block, reading.places[part.path])
    delimiter = b"\n--" + part.parameter("boundary").encode("utf-8", "replace")
    raw = b"\n" + reading.look.octets[part.offset : part.end]
    for octets in body.undone.readings[:2]:
        if (b"\n" + octets).count(delimiter) > raw.count(delimiter):
            written = b"Content-Type:" + (block.value("content-type") or b"") + b"\r\n\r\n"
            yield from _extract(written + octets, reading.budget, reading.later, reading.depth + 1, body.place)


def _outside_texts(reading: _Reading, prefix: str) -> Iterator[Item]:
    """Preambles and epilogues, which most programs never show."""
    names = {DefectKind.PREAMBLE_TEXT: "preamble", DefectKind.EPILOGUE_TEXT: "epilogue"}
    for defect in reading.look.structure.defects:
        if defect.kind in names:
            octets = reading.look.octets[defect.offset : defect.offset + defect.length]
            yield from (Chunk(text, prefix + names[defect.kind]) for text in readings(octets))


def _part_headers(reading: _Reading, prefix: str) -> Iterator[Item]:
    """The fields of all parts, and lines among fields that are none; the mail's and its messages' have been read."""
    messages = (part for part in reading.parts if part.media_type in MESSAGE_TYPES)
    read = {reading.parts[0].path, *(_inner_path(reading, message) for message in messages)}
    lines: dict[str, None] = {}
    for part in reading.parts:
        block = reading.look.blocks[part.path]
        if part.path not in read:
            lines |= dict.fromkeys(part_lines(block))
        lines |= dict.fromkeys(stray_lines(reading.look.octets, part.header_offset, part.offset, block))
    if lines:
        yield Chunk("\n".join(lines), prefix + "a header", Form.HEADER)


def _cost(declared: str) -> int:
    """Texts before other files, pictures last."""
    if declared.startswith(("text/", "message/")):
        return 0
    return 2 if declared.startswith("image/") else 1


def _read_file(reading: _Reading, part: Part, block: HeaderBlock) -> Iterator[Item]:
    """A part that is a file, in every plausible reading of its encoding."""
    body = open_body(reading.look.octets, part, block, reading.places[part.path])
    yield from reading.judge(body.defects)
    for octets in body.undone.readings:
        yield from _read_document(reading, Document(octets, part.media_type, part.filename or "", body.place))


def _read_hidden(reading: _Reading, document: Document, embedded: Embedded | None) -> Iterator[Item]:
    """A file in a text, or a text that may be a file."""
    if embedded is not None and document.name:
        yield Chunk(document.name, f"name of {document.place}", Form.FILE_NAME)
    if embedded is not None and embedded.kind is not None and not embedded.is_whole:
        yield Unreadable(document.place, Unread.AMBIGUOUS, str(embedded.kind))
    for item in _read_document(reading, document):
        if not (isinstance(item, Unreadable) and _tells_nothing(item, document, embedded)):
            yield item


def _tells_nothing(told: Unreadable, document: Document, embedded: Embedded | None) -> bool:
    """Whether a file that cannot be read was only guessed to be one: words begin like it, or base64 does."""
    if told.why not in (Unread.CORRUPT, Unread.UNKNOWN_TYPE):
        return False
    if embedded is None:
        return looks_like_text(document.octets) and told.detail not in _SURE
    return embedded.kind is None and not embedded.declared


def _read_document(reading: _Reading, document: Document) -> Iterator[Item]:
    def nested(octets: bytes, depth: int, place: str) -> Iterator[Item]:
        return _extract(octets, reading.budget, reading.later, depth, place)

    return extract_document(document, reading.budget, reading.depth, mail=nested, later=reading.later)
