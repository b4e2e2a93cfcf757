"""Office packages: zip files of XML parts (OOXML as ECMA-376, ODF as OASIS 1.3). Every part is read.

Text first, part by part with its place; then pictures, embedded objects and other documents as nested documents.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from gateway.domain.verdict import Unread
from gateway.screening.chunk import Chunk, Form
from gateway.screening.extraction import sheets
from gateway.screening.extraction.descent import Descent, Document, Item, UnreadableError, guarded
from gateway.screening.extraction.odf import read_odf_part
from gateway.screening.extraction.texts import readings
from gateway.screening.extraction.wording import read_part
from gateway.screening.extraction.zips import Member, Zip, unpack

# What a part is, by its path, in words of ours; the first that matches.
_PLACES: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern, re.IGNORECASE), words)
    for pattern, words in (
        (r"word/document\w*\.xml", ""),
        (r"word/header\d*\.xml", "header"),
        (r"word/footer\d*\.xml", "footer"),
        (r"word/footnotes\.xml", "footnotes"),
        (r"word/endnotes\.xml", "endnotes"),
        (r".*comment[^/]*\.xml|.*/threadedComments/.*", "comments"),
        (r"ppt/slides/slide(\d+)\.xml", "slide"),
        (r"ppt/notesSlides/notesSlide(\d+)\.xml", "notes of slide"),
        (r"ppt/(?:slideMasters|slideLayouts|notesMasters|handoutMasters)/.*", "slide master"),
        (r"xl/pivotCache/.*", "pivot data"),
        (r"xl/externalLinks/.*", "linked data"),
        (r"xl/workbook\.xml", "sheet names"),
        (r".*/charts?/.*|.*/chart\d*\.xml", "chart"),
        (r".*/drawings?/.*|.*/diagrams?/.*|.*vmlDrawing.*", "drawing"),
        (r"docProps/.*|meta\.xml|docMeta.*", "properties"),
        (r"customXml/.*|xl/customData.*", "custom data"),
        (r".*\.rels", "links"),
        (r"styles\.xml", "header and footer"),
        (r"content\.xml", ""),
    )
)
_PICTURE: Final = frozenset("png jpg jpeg gif tif tiff bmp emf wmf emz wmz svg webp heic".split())
_XML: Final = frozenset("xml rels vml fpage fdoc fdseq rdf dpart bak".split())
_DULL: Final = frozenset("odttf fntdata ttf otf woff xsd dtd".split())
_DULL_PARTS = re.compile(
    r".*printerSettings\d*\.bin|mimetype|Thumbnails/thumbnail\.png|layout-cache|Configurations2/.*|word/fontTable\.xml"
    r"|.*/theme\d*\.xml|word/settings\.xml\.rels|xl/calcChain\.(?:xml|bin)|\[Content_Types\]\.xml",
    re.IGNORECASE,
)
_THUMBNAIL: Final = 20_000  # octets: the first page at 256 pixels, on which nothing can be read
_STYLE_PARTS = re.compile(r"word/(?:styles\w*|numbering|webSettings)\.xml", re.IGNORECASE)
_STYLE_WORDS = re.compile(rb">([^<]*[^<\s][^<]*)<|<w:(?:name|aliases) w:val=\"([^\"<]*)\"")
_SHEET_PARTS = re.compile(r"xl/(?:worksheets|chartsheets|dialogsheets|macrosheets)/[^/]+\.xml", re.IGNORECASE)
_BINARY_SHEETS = re.compile(r"xl/.*\.bin", re.IGNORECASE)


def is_office(members: tuple[Member, ...]) -> bool:
    """Whether a zip file is an Office package: its table of types or of contents is there."""
    names = {member.name for member in members}
    return "[Content_Types].xml" in names or bool({"content.xml", "META-INF/manifest.xml"} <= names)


def read_package(document: Document, package: Zip, descent: Descent) -> Iterator[Item]:
    """All parts of a package: XML as text, then what is embedded. One part that cannot be read does not hide others."""
    later: list[tuple[Member, str]] = []
    parts: dict[str, bytes] = {}
    for member in package.members:
        if member.is_folder or _is_dull(member):
            continue
        descent.budget.spend("members")
        if _extension(member.name) in _XML:
            yield from guarded(lambda: _keep(member, document.octets, parts, descent), document.place)  # noqa: B023
        else:
            later.append((member, _place(member.name, document.place)))
    if package.comment:
        yield Chunk(package.comment, f"{document.place}, archive comment")
    yield from _read_parts(parts, document.place)
    for count, (member, place) in enumerate(later, 1):
        nested = f"{place}, {'picture' if _extension(member.name) in _PICTURE else 'embedded object'} {count}"
        yield from guarded(lambda: _read_nested(member, document.octets, nested, descent), nested)  # noqa: B023


def _keep(member: Member, octets: bytes, parts: dict[str, bytes], descent: Descent) -> Iterator[Item]:
    content = unpack(member, octets, descent.budget)
    name = member.name
    while name in parts:
        name += " again.xml"
    parts[name] = content
    return iter(())


def _read_parts(parts: dict[str, bytes], place: str) -> Iterator[Item]:
    if b"encryption-data" in parts.get("META-INF/manifest.xml", b""):
        raise UnreadableError(Unread.ENCRYPTED, "document")
    workbook = sheets.open_workbook(parts)
    is_odf = "content.xml" in parts and "[Content_Types].xml" not in parts
    read: Callable[[bytes, str], Iterator[Item]] = read_odf_part if is_odf else read_part
    for name, content in parts.items():
        where = _place(name, place)
        if _SHEET_PARTS.fullmatch(name):
            yield from guarded(lambda: workbook.read(name, content, place), place)  # noqa: B023
        elif is_odf and name.startswith("META-INF/"):
            continue
        elif _STYLE_PARTS.fullmatch(name):
            yield from _style_words(content, where)
        else:
            yield from guarded(lambda: _as_part(content, where, read), where)  # noqa: B023


def _style_words(content: bytes, place: str) -> Iterator[Item]:
    """Tables of styles are long and say nothing: their names, and any text that should not be there, by one search."""
    words = [match.group(1) or match.group(2) for match in _STYLE_WORDS.finditer(content)]
    text = "\n".join(word.decode("utf-8", "replace") for word in dict.fromkeys(words) if len(word) > 5)
    if b"\x00" in content:  # UTF-16
        yield from _as_part(content, place, read_part)
    elif text:
        yield Chunk(text, place)


def _as_part(content: bytes, place: str, read: Callable[[bytes, str], Iterator[Item]]) -> Iterator[Item]:
    """A part by its words; one that is not well formed as markup, and told."""
    try:
        yield from read(content, place)
    except UnreadableError as problem:
        if problem.why is Unread.CORRUPT:
            yield from (Chunk(text, place, Form.HTML) for text in readings(content))
        raise


def _read_nested(member: Member, octets: bytes, place: str, descent: Descent) -> Iterator[Item]:
    content = unpack(member, octets, descent.budget)
    if not content:
        return
    if _BINARY_SHEETS.fullmatch(member.name) and content[:4] != b"\xd0\xcf\x11\xe0":
        yield from sheets.read_binary(content, place)
        return
    yield from descent.into(Document(content, "", member.name.rpartition("/")[2], place))


def _place(name: str, place: str) -> str:
    for pattern, words in _PLACES:
        match = pattern.fullmatch(name)
        if match:
            number = f" {match.group(1)}" if pattern.groups and match.group(1) else ""
            return f"{place}, {words}{number}" if words else place
    return place


def _extension(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _is_dull(member: Member) -> bool:
    is_thumbnail = "thumbnail" in member.name.lower() and member.packed < _THUMBNAIL
    return is_thumbnail or _extension(member.name) in _DULL or _DULL_PARTS.fullmatch(member.name) is not None
