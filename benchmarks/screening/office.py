"""Word, Excel and PowerPoint files, Open Document files: every corner of them in which people leave numbers."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from random import Random
from typing import Any

import docx
import openpyxl
import pptx
from docx.oxml import parse_xml
from odf import office as odf_office
from odf import table as odf_table
from odf import text as odf_text
from odf.opendocument import OpenDocumentSpreadsheet, OpenDocumentText
from openpyxl.comments import Comment

from benchmarks.screening import filler, numbers
from benchmarks.screening.files import TABULAR, File, Maker, name, prose, rezipped, rows
from benchmarks.screening.marks import CLOSE, OPEN, unmarked
from benchmarks.screening.passages import NINE, Passage

_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SLIDES = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_TIME = dt.datetime(2026, 1, 5, 9, 0, tzinfo=dt.UTC).replace(tzinfo=None)
_TEXT_BOX = (
    '<w:p xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:v="urn:schemas-microsoft-com:vml"><w:r><w:pict><v:shape style="width:200pt;height:40pt">'
    "<v:textbox><w:txbxContent><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:txbxContent></v:textbox></v:shape></w:pict></w:r></w:p>"
)
_HIDDEN = "<w:vanish xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'/>"


def _word(where: Callable[[Random, Any, Passage], None]) -> Maker:
    def make(rng: Random, passage: Passage) -> File:
        document = docx.Document()
        for _ in range(rng.randint(1, 3)):
            document.add_paragraph(filler.paragraph(rng, passage.language))
        where(rng, document, passage)
        document.core_properties.created = document.core_properties.modified = _TIME
        made = io.BytesIO()
        document.save(made)
        return File(name(rng, "docx"), _WORD, rezipped(made.getvalue()))

    return make


def _paragraphs(rng: Random, document: Any, passage: Passage) -> None:
    """The number cut into runs, as Word leaves it after edits."""
    head, opened, rest = passage.prose.partition(OPEN)
    if not opened or rng.random() < 0.4:
        document.add_paragraph(unmarked(passage.prose))
        return
    value, _, tail = rest.partition(CLOSE)
    paragraph = document.add_paragraph(head)
    for piece in (value[:2], value[2:5], value[5:]):
        paragraph.add_run(piece).bold = rng.random() < 0.3
    paragraph.add_run(unmarked(tail))


def _cells(rng: Random, document: Any, passage: Passage) -> None:
    filled = rows(passage)
    table = document.add_table(rows=len(filled), cols=len(filled[0]))
    for row, cells in zip(table.rows, filled, strict=True):
        for cell, value in zip(row.cells, cells, strict=True):
            cell.text = value


def _told(passage: Passage) -> str:
    """What the number is called, alone."""
    return unmarked(passage.line).replace(passage.datum.text, "").replace(passage.person.name, "").strip(" :=-")


def _boxes(rng: Random, document: Any, passage: Passage) -> None:
    """A row of a form: the label, then a cell for each digit."""
    plain = passage.datum.plain
    table = document.add_table(rows=1, cols=len(plain) + 1)
    for cell, value in zip(table.rows[0].cells, [_told(passage), *plain], strict=True):
        cell.text = value


def _header(rng: Random, document: Any, passage: Passage) -> None:
    document.sections[0].header.paragraphs[0].text = unmarked(passage.line)


def _footer(rng: Random, document: Any, passage: Passage) -> None:
    document.sections[0].footer.paragraphs[0].text = unmarked(passage.line)


def _note(rng: Random, document: Any, passage: Passage) -> None:
    document.add_comment(document.paragraphs[0].runs, text=unmarked(passage.prose), author=passage.person.name)


def _box(rng: Random, document: Any, passage: Passage) -> None:
    said = unmarked(passage.line).replace("&", "&amp;").replace("<", "&lt;")
    document.element.body.insert(0, parse_xml(_TEXT_BOX.format(said)))


def _vanished(rng: Random, document: Any, passage: Passage) -> None:
    run = document.add_paragraph().add_run(unmarked(passage.prose))
    run._r.get_or_add_rPr().append(parse_xml(_HIDDEN))  # noqa: SLF001 - python-docx has no word for hidden text in all versions


def _properties(rng: Random, document: Any, passage: Passage) -> None:
    setattr(
        document.core_properties,
        rng.choice(["title", "subject", "keywords", "comments", "category"]),
        unmarked(passage.line)[:255],
    )


def _book(where: Callable[[Random, Any, Passage], None]) -> Maker:
    def make(rng: Random, passage: Passage) -> File:
        book = openpyxl.Workbook()
        book.active.title = rng.choice(["Sheet1", "Crew", "Tabelle1", "Feuil1", "2026"])
        where(rng, book, passage)
        book.properties.created = book.properties.modified = _TIME
        made = io.BytesIO()
        book.save(made)
        return File(name(rng, "xlsx"), _SHEET, rezipped(made.getvalue()))

    return make


def _schedule(rng: Random, sheet: Any, count: int = 6) -> None:
    sheet.append(["Date", "City", "Capacity", "Gross"])
    for _ in range(rng.randint(2, count)):
        words = filler.slots(rng, "en")
        sheet.append([words["day"], words["city"], rng.randint(200, 20_000), rng.randint(1000, 900_000)])


def _sheet_rows(rng: Random, book: Any, passage: Passage) -> None:
    for _ in range(rng.randint(0, 3)):
        book.active.append([])
    for row in rows(passage):
        book.active.append(row)


def _sheet_numbers(rng: Random, book: Any, passage: Passage) -> None:
    """Nine digits stored as a number: without their leading zeros, shown by a format or not at all."""
    shown = rng.choice(["000-00-0000", "000000000", "General", "000\\-00\\-0000", "0"])
    zeros = passage.datum.variant == "ssn" and rng.random() < 0.6
    for row in passage.table:
        cells: list[object] = []
        for cell in row:
            if OPEN not in cell:
                cells.append(cell)
                continue
            plain = numbers.ssn(rng).plain if zeros else passage.datum.plain
            cells.append(int(f"0{plain[:2]}{plain[3:]}" if zeros else plain))
        book.active.append(cells)
        for at, cell in enumerate(row):
            if OPEN in cell:
                book.active.cell(book.active.max_row, at + 1).number_format = shown


def _sheet_boxes(rng: Random, book: Any, passage: Passage) -> None:
    """A form in a sheet: one digit a cell."""
    for _ in range(rng.randint(0, 4)):
        book.active.append([])
    book.active.append(["Name", passage.person.name])
    book.active.append(
        [
            _told(passage),
            *(int(mark) if mark.isdigit() and rng.random() < 0.5 else mark for mark in passage.datum.plain),
        ]
    )


def _hidden_sheet(rng: Random, book: Any, passage: Passage) -> None:
    _schedule(rng, book.active)
    sheet = book.create_sheet(rng.choice(["data", "lookup", "Tabelle2"]))
    for row in rows(passage):
        sheet.append(row)
    sheet.sheet_state = rng.choice(["hidden", "veryHidden"])


def _sheet_comment(rng: Random, book: Any, passage: Passage) -> None:
    _schedule(rng, book.active)
    book.active["B2"].comment = Comment(unmarked(passage.prose), "Office")


def _sheet_corner(rng: Random, book: Any, passage: Passage) -> None:
    """A header, a footer, a formula, a defined name, a title of the sheet: where no cell shows it."""
    _schedule(rng, book.active)
    said = unmarked(passage.line)
    where = rng.randrange(3)
    if where == 0:
        book.active.oddHeader.center.text = said[:200].replace("&", "+")
    elif where == 1:
        book.active["H99"] = '="' + said.replace('"', "'") + '"'
    else:
        book.properties.description = said


def _deck(where: Callable[[Random, Any, Passage], None]) -> Maker:
    def make(rng: Random, passage: Passage) -> File:
        deck = pptx.Presentation()
        slide = deck.slides.add_slide(deck.slide_layouts[5])
        slide.shapes.title.text = filler.subject(rng, passage.language)
        where(rng, slide, passage)
        deck.core_properties.created = deck.core_properties.modified = _TIME
        made = io.BytesIO()
        deck.save(made)
        return File(name(rng, "pptx"), _SLIDES, rezipped(made.getvalue()))

    return make


def _slide(rng: Random, slide: Any, passage: Passage) -> None:
    if passage.style not in TABULAR:
        box = slide.shapes.add_textbox(914400, 1828800, 6000000, 2000000)
        box.text_frame.text = unmarked(passage.prose)
        return
    filled = rows(passage)
    table = slide.shapes.add_table(len(filled), len(filled[0]), 914400, 1828800, 7000000, 300000).table
    for at, row in enumerate(filled):
        for column, cell in enumerate(row):
            table.cell(at, column).text = cell


def _speaker_notes(rng: Random, slide: Any, passage: Passage) -> None:
    slide.notes_slide.notes_text_frame.text = unmarked(passage.prose)


def odt(rng: Random, passage: Passage) -> File:
    document = OpenDocumentText()
    for paragraph in prose(rng, passage):
        for line in paragraph.split("\n"):
            made = odf_text.P()
            half = len(line) // 2 if rng.random() < 0.4 else len(line)
            made.addElement(odf_text.Span(text=line[:half]))
            made.addText(line[half:])
            document.text.addElement(made)
    if rng.random() < 0.2:
        document.text.childNodes.reverse()
    return File(name(rng, "odt"), "application/vnd.oasis.opendocument.text", _odf(document))


def odt_note(rng: Random, passage: Passage) -> File:
    document = OpenDocumentText()
    paragraph = odf_text.P(text=filler.paragraph(rng, passage.language))
    note = odf_office.Annotation()
    note.addElement(odf_text.P(text=unmarked(passage.prose).replace("\n", " ")))
    paragraph.addElement(note)
    document.text.addElement(paragraph)
    return File(name(rng, "odt"), "application/vnd.oasis.opendocument.text", _odf(document))


def ods(rng: Random, passage: Passage) -> File:
    document = OpenDocumentSpreadsheet()
    sheet = odf_table.Table(name="Sheet1")
    for row in rows(passage):
        line = odf_table.TableRow()
        for cell in row:
            if cell.isdigit() and rng.random() < 0.5:
                made = odf_table.TableCell(valuetype="float", value=str(int(cell)))
                made.addElement(odf_text.P(text=str(int(cell))))
            else:
                made = odf_table.TableCell(valuetype="string")
                made.addElement(odf_text.P(text=cell))
            line.addElement(made)
        sheet.addElement(line)
    document.spreadsheet.addElement(sheet)
    return File(name(rng, "ods"), "application/vnd.oasis.opendocument.spreadsheet", _odf(document))


def _odf(document: Any) -> bytes:
    made = io.BytesIO()
    document.write(made)
    return rezipped(made.getvalue())


MAKERS: dict[str, tuple[Maker, str]] = {
    "docx": (_word(_paragraphs), "ordinary"), "docx table": (_word(_cells), "ordinary"), "docx header": (_word(_header), "contained"), "docx footer": (_word(_footer), "contained"),
    "docx comment": (_word(_note), "contained"), "docx text box": (_word(_box), "contained"), "docx hidden text": (_word(_vanished), "hidden"), "docx property": (_word(_properties), "hidden"),
    "xlsx": (_book(_sheet_rows), "ordinary"), "xlsx number": (_book(_sheet_numbers), "contained"), "xlsx boxes": (_book(_sheet_boxes), "hidden"), "docx boxes": (_word(_boxes), "hidden"), "xlsx hidden sheet": (_book(_hidden_sheet), "hidden"),
    "xlsx comment": (_book(_sheet_comment), "contained"), "xlsx corner": (_book(_sheet_corner), "hidden"), "pptx": (_deck(_slide), "contained"), "pptx notes": (_deck(_speaker_notes), "contained"),
    "odt": (odt, "contained"), "odt comment": (odt_note, "contained"), "ods": (ods, "contained"),
}  # fmt: skip
NUMBER_CELLS = frozenset(NINE)
BOXED = frozenset({*NINE, "ein", "qi-ein"})
