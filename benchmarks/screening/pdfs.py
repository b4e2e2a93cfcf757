"""PDF files: text, form fields, annotations, metadata, attachments, hidden text, and pages that are pictures."""

from __future__ import annotations

import functools
import io
from pathlib import Path
from random import Random
from typing import Any

import pikepdf
from PIL import Image
from reportlab.lib.pagesizes import A4, LETTER
from reportlab.lib.utils import ImageReader, simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from benchmarks.screening import filler, pages
from benchmarks.screening.files import File, Maker, name, prose, rows
from benchmarks.screening.forms import Form
from benchmarks.screening.marks import unmarked
from benchmarks.screening.passages import Passage

_TYPE = "application/pdf"
_CID = {"ja": "HeiseiMin-W3", "zh": "STSong-Light", "ko": "HYSMyeongJo-Medium"}


@functools.cache
def _wide_font() -> str:
    path = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
    pdfmetrics.registerFont(TTFont("Wide", str(path) if path.exists() else "Vera.ttf"))
    return "Wide"


@functools.cache
def _cid_font(language: str) -> str:
    pdfmetrics.registerFont(UnicodeCIDFont(_CID[language]))
    return _CID[language]


def _font(rng: Random, text: str, language: str) -> str:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return _cid_font(language) if language in _CID else _wide_font()
    return rng.choice(["Helvetica", "Times-Roman", "Courier", "Helvetica"])


def canvas(made: io.BytesIO, rng: Random) -> Canvas:
    return Canvas(made, pagesize=rng.choice([A4, LETTER]), invariant=1, pageCompression=1)


def _write(sheet: Canvas, rng: Random, paragraphs: list[str], language: str) -> None:
    text = "\n".join(paragraphs)
    face, size = _font(rng, text, language), rng.choice([9, 10, 11, 12])
    down = 780.0
    sheet.setFont(face, size)
    for paragraph in paragraphs:
        for line in paragraph.split("\n"):
            for piece in simpleSplit(line, face, size, 470) or [""]:
                sheet.drawString(60, down, piece)
                down -= size * 1.4
        down -= size
        if down < 90:
            sheet.showPage()
            sheet.setFont(face, size)
            down = 780.0


def text_pdf(rng: Random, paragraphs: list[str], language: str) -> bytes:
    made = io.BytesIO()
    sheet = canvas(made, rng)
    for _ in range(rng.choice([0, 0, 0, 1, 2])):
        _write(sheet, rng, [filler.paragraph(rng, "en") for _ in range(4)], "en")
        sheet.showPage()
    _write(sheet, rng, paragraphs, language)
    sheet.save()
    return made.getvalue()


def _dull(rng: Random, passage: Passage) -> bytes:
    return text_pdf(rng, [filler.paragraph(rng, "en") for _ in range(3)], "en")


def text(rng: Random, passage: Passage) -> File:
    return File(name(rng, "pdf"), _TYPE, _varied(rng, text_pdf(rng, prose(rng, passage), passage.language)))


def table(rng: Random, passage: Passage) -> File:
    """Rows drawn cell by cell, column by column, as programs that print tables do."""
    made = io.BytesIO()
    sheet = canvas(made, rng)
    filled = rows(passage)
    sheet.setFont(_font(rng, " ".join(cell for row in filled for cell in row), passage.language), 8)
    order = [(at, column) for at in range(len(filled)) for column in range(len(filled[0]))]
    if rng.random() < 0.4:
        order = [(at, column) for column in range(len(filled[0])) for at in range(len(filled))]
    for at, column in order:
        sheet.drawString(40 + column * 530 / len(filled[0]), 780 - at * 14, filled[at][column][:40])
    sheet.save()
    return File(name(rng, "pdf"), _TYPE, made.getvalue())


def boxes(rng: Random, passage: Passage) -> File:
    """A label, and each digit drawn alone in a box, as a filled form is when it is printed to a file."""
    made = io.BytesIO()
    sheet = canvas(made, rng)
    sheet.setFont("Helvetica", 9)
    told = unmarked(passage.line).replace(passage.datum.text, "").replace(passage.person.name, "").strip(" :=-")
    sheet.drawString(60, 760, "Name")
    sheet.setFont(_wide_font(), 9)
    sheet.drawString(160, 760, passage.person.name)
    sheet.drawString(60, 735, told)
    wide = rng.choice([13, 16, 20, 26])
    for at, mark in enumerate(passage.datum.plain):
        sheet.rect(60 + at * wide, 710, wide, 18)
        sheet.drawString(63 + at * wide, 714, mark)
    sheet.save()
    return File(name(rng, "pdf"), _TYPE, made.getvalue())


def unseen(rng: Random, passage: Passage) -> File:
    """Words in white, in no rendering mode, in one point, or outside of the page."""
    made = io.BytesIO()
    sheet = canvas(made, rng)
    _write(sheet, rng, [filler.paragraph(rng, "en")], "en")
    said = unmarked(passage.line)
    drawn = sheet.beginText(60 if rng.random() < 0.7 else 2000, 300)
    drawn.setFont(_font(rng, said, passage.language), rng.choice([1, 8, 10]))
    drawn.setTextRenderMode(rng.choice([0, 3]))
    drawn.setFillGray(1)
    drawn.textLine(said)
    sheet.drawText(drawn)
    sheet.save()
    return File(name(rng, "pdf"), _TYPE, made.getvalue())


def _changed(octets: bytes, rng: Random, change: Any) -> bytes:
    """The file with `change` applied to it by pikepdf."""
    made = io.BytesIO()
    with pikepdf.open(io.BytesIO(octets)) as document:
        change(document)
        packed = rng.choice([pikepdf.ObjectStreamMode.generate, pikepdf.ObjectStreamMode.preserve])
        document.save(made, object_stream_mode=packed, deterministic_id=True)
    return made.getvalue()


def _varied(rng: Random, octets: bytes) -> bytes:
    """At times with object streams, or locked for its owner while anybody may open it."""
    roll = rng.random()
    if roll < 0.6:
        return octets
    if roll < 0.85:
        return _changed(octets, rng, lambda document: None)
    made = io.BytesIO()
    with pikepdf.open(io.BytesIO(octets)) as document:
        document.save(made, encryption=pikepdf.Encryption(owner="owner", user="", R=rng.choice([4, 6])))
    return made.getvalue()


def annotation(rng: Random, passage: Passage) -> File:
    def change(document: Any) -> None:
        note = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=rng.choice([pikepdf.Name.Text, pikepdf.Name.FreeText, pikepdf.Name.Popup]), Rect=[50, 50, 250, 90],
            Contents=pikepdf.String(unmarked(passage.prose)), DA=pikepdf.String("/Helv 10 Tf 0 g"),
        )  # fmt: skip
        document.pages[0].Annots = document.make_indirect(pikepdf.Array([document.make_indirect(note)]))

    return File(name(rng, "pdf"), _TYPE, _changed(_dull(rng, passage), rng, change))


def metadata(rng: Random, passage: Passage) -> File:
    said = unmarked(passage.line)

    def change(document: Any) -> None:
        if rng.random() < 0.5:
            document.docinfo[rng.choice(["/Title", "/Subject", "/Keywords", "/Author"])] = pikepdf.String(said)
        else:
            packet = f'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description>{said.replace("&", "&amp;").replace("<", "&lt;")}</dc:description></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
            document.Root.Metadata = document.make_stream(
                packet.encode(), Type=pikepdf.Name.Metadata, Subtype=pikepdf.Name.XML
            )

    return File(name(rng, "pdf"), _TYPE, _changed(_dull(rng, passage), rng, change))


def enclosure(rng: Random, passage: Passage) -> File:
    def change(document: Any) -> None:
        document.attachments["notes.txt"] = pikepdf.AttachedFileSpec(
            document, unmarked(passage.prose).encode(), filename="notes.txt", creation_date="", mod_date=""
        )

    return File(name(rng, "pdf"), _TYPE, _changed(_dull(rng, passage), rng, change))


def bookmark(rng: Random, passage: Passage) -> File:
    def change(document: Any) -> None:
        with document.open_outline() as outline:
            outline.root.append(pikepdf.OutlineItem(unmarked(passage.line), 0))

    return File(name(rng, "pdf"), _TYPE, _changed(_dull(rng, passage), rng, change))


def pictures(pictured: list[Image.Image], rng: Random) -> bytes:
    """A PDF whose pages are nothing but pictures, each page as large as its picture."""
    made = io.BytesIO()
    sheet = canvas(made, rng)
    for picture in pictured:
        height = 595 * picture.height / picture.width
        sheet.setPageSize((595, height))
        raw = io.BytesIO()
        if picture.mode == "1":
            picture.save(raw, "PNG")
        else:
            picture.convert("L").save(raw, "JPEG", quality=rng.randint(70, 90))
        sheet.drawImage(ImageReader(raw), 0, 0, width=595, height=height)
        sheet.showPage()
    sheet.save()
    return made.getvalue()


def scan(rng: Random, passage: Passage) -> File:
    sheet = pages.scanned(rng, pages.written(rng, pages.said(rng, passage)))
    return File(name(rng, "pdf"), _TYPE, pictures([sheet], rng))


def fields(rng: Random, made: Form, *, values: bool = True) -> bytes:
    """A fillable form: every field a text widget, its value in /V, with or without its appearance."""
    raw = io.BytesIO()
    sheet = canvas(raw, rng)
    sheet.setFont("Helvetica-Bold", 14)
    sheet.drawString(40, 800, f"Form {made.number}")
    sheet.setFont("Helvetica", 9)
    sheet.drawString(130, 800, made.title[:90])
    for at, (label, value) in enumerate(made.fields):
        down = 770 - at * 42
        sheet.drawString(40, down, label[:95])
        shown = value.encode("latin-1", "replace").decode("latin-1") if values else ""
        sheet.acroForm.textfield(
            name=f"f1_{at:02}[0]",
            value=shown,
            x=40,
            y=down - 24,
            width=420,
            height=18,
            fontSize=9,
            borderStyle="underlined",
            maxlen=200,
        )
    sheet.save()
    octets = raw.getvalue()
    return _changed(octets, rng, _without_appearance) if values and rng.random() < 0.5 else octets


def _without_appearance(document: Any) -> None:
    for field in document.Root.AcroForm.Fields:
        if "/AP" in field:
            del field["/AP"]
    document.Root.AcroForm.NeedAppearances = True


def printed(rng: Random, made: Form) -> bytes:
    """A form printed to PDF: its labels and values are text on the page."""
    raw = io.BytesIO()
    sheet = canvas(raw, rng)
    sheet.setFont("Helvetica-Bold", 14)
    sheet.drawString(40, 800, f"Form {made.number}")
    wide = _wide_font()
    sheet.setFont("Helvetica", 8)
    sheet.drawString(130, 800, made.title[:90])
    for at, (label, value) in enumerate(made.fields):
        down = 770 - at * 40
        sheet.setFont("Helvetica", 7)
        sheet.drawString(40, down, label[:95])
        sheet.setFont(wide, 10)
        sheet.drawString(46, down - 14, value[:80])
        sheet.rect(38, down - 20, 500, 30)
    sheet.save()
    return raw.getvalue()


MAKERS: dict[str, tuple[Maker, str]] = {
    "pdf text": (text, "ordinary"), "pdf table": (table, "ordinary"), "pdf boxes": (boxes, "hidden"), "pdf unseen text": (unseen, "hidden"), "pdf annotation": (annotation, "contained"), "pdf metadata": (metadata, "hidden"),
    "pdf attachment": (enclosure, "contained"), "pdf bookmark": (bookmark, "hidden"), "pdf scan": (scan, "contained"),
}  # fmt: skip
