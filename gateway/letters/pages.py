"""Blocks become pages of a tagged PDF: PDF/UA-1 (ISO 14289-1), which a screen reader reads as it is meant.

Every mark on a page belongs to an element of the structure tree, in reading order; faces are embedded; title and
language are told; a code has its words beside it. Nothing of it runs, nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Final

import segno
from pikepdf import Array, Dictionary, Name, Object, ObjectStreamMode, Page, Pdf, Stream, String

from gateway.letters.blocks import Block, Kind
from gateway.letters.faces import Face, bold, regular

WIDTH: Final = 612.0  # US Letter, in points; margins are such that A4 cuts nothing off
HEIGHT: Final = 792.0
MARGIN: Final = 56.0
MODULE: Final = 6.4
"""Points of one square of a code, 2.26 mm: nine lines of a fax in standard resolution (98 dpi)."""

_QUIET: Final = 4  # squares left white round a code (ISO/IEC 18004)
_LEADING: Final = 1.4
_INDENT: Final = 16.0
_BULLET: Final = "•"
_BREAKS: Final = re.compile(r"(?<![0-9]) +| +(?![0-9])")
"""Where a line may end: not within a telephone number."""

_ODD_BLANKS: Final = re.compile(r"\s")
"""Narrow ones and the like, which some languages write times with, and the typeface does not have."""

_UA: Final = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">'
    "<pdfuaid:part>1</pdfuaid:part><dc:title><rdf:Alt>"
    '<rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title><dc:language><rdf:Bag>'
    "<rdf:li>{language}</rdf:li></rdf:Bag></dc:language></rdf:Description></rdf:RDF></x:xmpmeta>"
    '<?xpacket end="w"?>'
)


@dataclass(frozen=True, slots=True)
class Document:
    """One letter or sheet: its blocks, and what its code says, "" where it has none. It begins on a page of its own."""

    blocks: tuple[Block, ...]
    code: str = ""

    @property
    def title(self) -> str:
        """What it is called."""
        return self.blocks[0].text


@dataclass(frozen=True, slots=True)
class _Style:
    tag: str
    face: str
    size: float
    before: float


_STYLES: Final = {
    Kind.TITLE: _Style("H1", "F2", 22, 0),
    Kind.HEADING: _Style("H2", "F2", 14, 16),
    Kind.PARAGRAPH: _Style("P", "F1", 12, 9),
    Kind.STRONG: _Style("P", "F2", 20, 10),
    Kind.ITEM: _Style("LBody", "F1", 12, 4),
}


def draw(documents: Sequence[Document], language: str) -> bytes:
    """Return one PDF of all these documents. Raises NoGlyph for a character that the typeface does not have."""
    return _Drawing(language).drawn(documents)


@dataclass(slots=True)
class _Page:
    """A page being drawn: what it shows, and by place the element that each marked run belongs to."""

    object: Object
    number: int
    content: list[str] = field(default_factory=list)
    parents: list[Object] = field(default_factory=list)


class _Drawing:
    def __init__(self, language: str) -> None:
        self._pdf = Pdf.new()
        self._language = language
        self._faces: dict[str, Face] = {"F1": regular(), "F2": bold()}
        self._used: dict[str, dict[int, str]] = {"F1": {}, "F2": {}}
        self._pages: list[_Page] = []
        self._y = 0.0
        self._tree = self._pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
        self._root = self._element("Document", self._tree)
        self._list: Object | None = None

    def drawn(self, documents: Sequence[Document]) -> bytes:
        for document in documents:
            self._turn_page()
            section = self._element("Sect", self._root) if len(documents) > 1 else self._root
            for block in document.blocks:
                self._draw(block, document.code, section)
        self._finish(documents[0].title)
        file = BytesIO()
        self._pdf.save(
            file, object_stream_mode=ObjectStreamMode.disable, compress_streams=True, deterministic_id=True,
            min_version="1.7",
        )  # fmt: skip
        return file.getvalue()

    def _draw(self, block: Block, code: str, section: Object) -> None:
        if block.kind is not Kind.ITEM:
            self._list = None
        if block.kind is Kind.CODE:
            self._draw_code(block.text, code, section)
        elif block.kind is Kind.ITEM:
            self._draw_item(block, section)
        else:
            style = _STYLES[block.kind]
            self._draw_text(block.text, style, MARGIN, self._element(style.tag, section))

    def _draw_item(self, block: Block, section: Object) -> None:
        style = _STYLES[Kind.ITEM]
        if self._list is None:
            self._list = self._element("L", section)
            self._list.A = Dictionary(O=Name.List, ListNumbering=Name.Disc)
        item = self._element("LI", self._list)
        label, body = self._element("Lbl", item), self._element("LBody", item)
        self._draw_text(_BULLET, style, MARGIN, label)
        self._y += style.before + style.size * _LEADING  # the words stand beside it
        self._draw_text(block.text, style, MARGIN + _INDENT, body)

    def _draw_text(self, text: str, style: _Style, left: float, element: Object) -> None:
        lines = self._lines(text, style, WIDTH - MARGIN - left)
        step = style.size * _LEADING
        if self._y - style.before - step * len(lines) < MARGIN:
            self._turn_page()
        self._y -= style.before
        self._open(element)
        for line in lines:
            self._y -= step
            codes = self._faces[style.face].codes(line)
            self._used[style.face].update(zip(codes, line, strict=True))
            shown = "".join(f"{code:04X}" for code in codes)
            self._write(f"BT /{style.face} {style.size:g} Tf {left:.2f} {self._y:.2f} Td <{shown}> Tj ET")
        self._write("EMC")

    def _lines(self, text: str, style: _Style, width: float) -> list[str]:
        """Break a text into lines; each but the last ends with the blank that parts it from the next."""
        face = self._faces[style.face]
        lines = [""]
        for word in _BREAKS.split(_ODD_BLANKS.sub(" ", text)):
            longer = f"{lines[-1]}{word}"
            if lines[-1] and face.width(longer, style.size) > width:
                lines.append(f"{word} ")
            else:
                lines[-1] = f"{longer} "
        lines[-1] = lines[-1].rstrip()
        return lines

    def _draw_code(self, words: str, code: str, section: Object) -> None:
        """Draw a code as squares, runs of them as one; its picture is an element with a box and words of its own."""
        rows = [list(row) for row in segno.make_qr(code, error="h", boost_error=False).matrix]
        side = len(rows) * MODULE
        quiet = _QUIET * MODULE
        if self._y - side - 2 * quiet < MARGIN:
            self._turn_page()
        top = self._y - quiet
        figure = self._element("Figure", section)
        figure.Alt = String(words)
        box = [MARGIN, top - side, MARGIN + side, top]
        figure.A = Dictionary(O=Name.Layout, Placement=Name.Block, BBox=Array([round(one, 2) for one in box]))
        self._open(figure)
        for number, row in enumerate(rows):
            bottom = top - (number + 1) * MODULE
            for start, end in _runs(row):
                self._write(f"{MARGIN + start * MODULE:.2f} {bottom:.2f} {(end - start) * MODULE:.2f} {MODULE:.2f} re")
        self._write("f EMC")
        self._y = top - side - quiet

    def _element(self, kind: str, parent: Object) -> Object:
        made = self._pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name(f"/{kind}"), P=parent, K=Array([])))
        if Name.K not in parent:
            parent.K = Array([])
        parent.K.append(made)
        return made

    def _open(self, element: Object) -> None:
        """Begin a marked run of an element on this page."""
        page = self._pages[-1]
        run = len(page.parents)
        page.parents.append(element)
        element.Pg = page.object
        element.K.append(run)
        self._write(f"/{str(element.S).lstrip('/')} <</MCID {run}>> BDC")

    def _write(self, operators: str) -> None:
        self._pages[-1].content.append(operators)

    def _turn_page(self) -> None:
        page = self._pdf.make_indirect(
            Dictionary(
                Type=Name.Page, MediaBox=Array([0, 0, int(WIDTH), int(HEIGHT)]), Tabs=Name.S,
                StructParents=len(self._pages),
            )
        )  # fmt: skip
        self._pdf.pages.append(Page(page))
        self._pages.append(_Page(self._pdf.pages[-1].obj, len(self._pages)))
        self._y = HEIGHT - MARGIN

    def _finish(self, title: str) -> None:
        fonts = Dictionary({
            f"/{name}": self._faces[name].embed(self._pdf, used) for name, used in self._used.items() if used
        })  # fmt: skip
        numbers: list[int | Array] = []
        for page in self._pages:
            page.object.Resources = Dictionary(Font=fonts)
            page.object.Contents = self._pdf.make_indirect(Stream(self._pdf, "\n".join(page.content).encode("ascii")))
            numbers += [page.number, Array(page.parents)]
        self._tree.ParentTree = self._pdf.make_indirect(Dictionary(Nums=Array(numbers)))
        self._tree.ParentTreeNextKey = len(self._pages)
        root = self._pdf.Root
        root.StructTreeRoot = self._tree
        root.MarkInfo = Dictionary(Marked=True)
        root.Lang = String(self._language)
        root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
        told = Stream(self._pdf, _UA.format(title=_escaped(title), language=self._language).encode("utf-8"))
        told.Type, told.Subtype = Name.Metadata, Name.XML
        root.Metadata = self._pdf.make_indirect(told)
        self._pdf.docinfo[Name.Title] = String(title)


def _runs(row: Sequence[int]) -> list[tuple[int, int]]:
    """Return where dark squares of a row begin and end."""
    edges = [place for place in range(len(row) + 1) if bool([0, *row, 0][place]) != bool([0, *row, 0][place + 1])]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
