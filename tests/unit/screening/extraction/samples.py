"""Documents made by other people's programs, with numbers in places that are easily missed; and how to read them."""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import json
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Callable

import docx
import openpyxl
import pptx
import py7zr
import xlwt
from odf.opendocument import OpenDocumentText
from odf.text import P
from openpyxl.comments import Comment
from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfgen import canvas

from benchmarks.screening import ole, packing
from gateway.domain.verdict import Unread, Unreadable
from gateway.screening.chunk import Budget, Chunk, Form, Limits
from gateway.screening.extraction.documents import Document, Item, extract_document

NUMBER = "123-45-6780"


def read(octets: bytes, name: str = "", declared: str = "", limits: Limits | None = None) -> list[Item]:
    return list(extract_document(Document(octets, declared, name, "attachment 1"), Budget(limits), 0))


def texts(octets: bytes, name: str = "", declared: str = "", form: Form | None = None) -> str:
    found = read(octets, name, declared)
    return "\n".join(one.text for one in found if isinstance(one, Chunk) and form in (None, one.form))


def places(octets: bytes, words: str = NUMBER, name: str = "") -> set[str]:
    return {one.place for one in read(octets, name) if isinstance(one, Chunk) and words in one.text}


def whys(octets: bytes, name: str = "", declared: str = "", limits: Limits | None = None) -> set[Unread]:
    return {one.why for one in read(octets, name, declared, limits) if isinstance(one, Unreadable)}


def saved(save: Callable[[io.BytesIO], object]) -> bytes:
    held = io.BytesIO()
    save(held)
    return held.getvalue()


def zipped(members: dict[str, bytes], comment: bytes = b"", packing_method: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", packing_method) as archive:
        for name, octets in members.items():
            archive.writestr(name, octets)
        archive.comment = comment
    return held.getvalue()


def tarred(members: dict[str, bytes], mode: str = "w") -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode=mode) as archive:  # type: ignore[call-overload]
        for name, octets in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(octets)
            archive.addfile(entry, io.BytesIO(octets))
    return held.getvalue()


def seven_zipped(members: dict[str, bytes], password: str | None = None, **options: object) -> bytes:
    held = io.BytesIO()
    with py7zr.SevenZipFile(held, "w", password=password, **options) as archive:
        for name, octets in members.items():
            archive.writestr(octets, name)
    return held.getvalue()


def picture(*lines: str, size: tuple[int, int] = (900, 300)) -> Image.Image:
    image = Image.new("RGB", size, "white")
    for count, line in enumerate(lines):
        ImageDraw.Draw(image).text((30, 40 + 80 * count), line, fill="black", font=ImageFont.load_default(36))
    return image


def png(*lines: str) -> bytes:
    return saved(lambda held: picture(*lines).save(held, "PNG"))


@functools.cache
def word() -> bytes:
    made = docx.Document()
    made.add_paragraph("Body 111-11-0001")
    run = made.add_paragraph().add_run("222-")
    run.font.hidden = True
    made.paragraphs[-1].add_run("22-00")
    made.paragraphs[-1].add_run("02")
    table = made.add_table(2, 2)
    for at, words in enumerate(("Name", "SSN", "Kim", "333110003")):
        table.cell(at // 2, at % 2).text = words
    made.sections[0].header.paragraphs[0].text = "Head 444-11-0004"
    made.sections[0].footer.paragraphs[0].text = "Foot 555-11-0005"
    made.core_properties.title = "Title 666-11-0006"
    made.add_comment(made.paragraphs[0].runs, "Note 777-11-0007", author="K")
    made.add_picture(io.BytesIO(png("Seen 899-11-0008")))
    return saved(made.save)


@functools.cache
def excel() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["Name", "SSN", "Born", "Paid"], ["Kim", 12345678, 30000, 123.5], ["Lee", 1234567]):
        sheet.append(row)
    sheet["B2"].number_format = "000-00-0000"
    sheet["C2"].number_format = "yyyy-mm-dd"
    sheet["A2"].comment = Comment("Note 111-22-0001", "K")
    sheet["E1"] = '="222-22-"&"0002"'
    sheet.oddHeader.center.text = "Head 333-22-0003"
    hidden = book.create_sheet("444-22-0004")
    hidden.sheet_state = "veryHidden"
    hidden["XFC9"] = "Far 555-22-0005"
    book.properties.keywords = "666-22-0006"
    return saved(book.save)


@functools.cache
def slides() -> bytes:
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[5])
    slide.shapes.title.text = "Slide 111-33-0001"
    slide.notes_slide.notes_text_frame.text = "Notes 222-33-0002"
    return saved(made.save)


@functools.cache
def open_text() -> bytes:
    made = OpenDocumentText()
    made.text.addElement(P(text="Open 111-44-0001"))
    return saved(made.save)


@functools.cache
def old_excel() -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("one")
    for at, words in enumerate(("Name", "SSN", "Kim")):
        sheet.write(at // 2, at % 2, words)
    sheet.write(1, 1, 12345678, xlwt.easyxf(num_format_str="000-00-0000"))
    hidden = book.add_sheet("two")
    hidden.visibility = 2
    hidden.write(0, 0, "Hidden 111-55-0001")
    return saved(book.save)


@functools.cache
def pdf(**options: object) -> bytes:
    def save(held: io.BytesIO) -> None:
        page = canvas.Canvas(held, **options)
        page.drawString(100, 700, "Page 111-66-0001 with more words than a page needs to be read")
        page.setTitle("Title 222-66-0002")
        page.acroForm.textfield(name="ssn", tooltip="Your SSN", value="333-66-0003", x=100, y=600)
        page.textAnnotation("Note 444-66-0004", Rect=[100, 100, 200, 200])
        page.bookmarkPage("here")
        page.addOutlineEntry("Mark 555-66-0005", "here")
        page.showPage()
        page.save()

    return saved(save)


def scanned_pdf() -> bytes:
    return saved(lambda held: picture(f"Number {NUMBER}").save(held, "PDF"))


def slides_of_old(text: str) -> bytes:
    words = text.encode("utf-16-le")
    atom = struct.pack("<HHL", 0, 0x0FA0, len(words)) + words
    stream = struct.pack("<HHL", 0x0F, 0x03E8, len(atom)) + atom
    return ole.compound({"PowerPoint Document": stream, "Current User": bytes(20)})


RTF = rb"{\rtf1\ansi\ansicpg1252 One \'31\'32\'33-45-\u54?780 {\v two 222-77-0002}{\footnote three 333-77-0003}\par}"
CALENDAR = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:SSN 123-45-\r\n 6780\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
XML = b"<?xml version='1.0'?><r><person><ssn>123-45-6780</ssn></person><x itin='911-70-0002'/></r>"


@functools.cache
def every() -> dict[str, bytes]:
    """One document of each family, by a file name."""
    text = f"My number is {NUMBER}.\n".encode()
    return {
        "a.txt": text,
        "a.html": b"<html><body>" + text + b"</body></html>",
        "a.rtf": RTF,
        "a.csv": b"Name,SSN\nKim,123-45-6780\nLee,12345678\n",
        "a.json": json.dumps({"person": {"ssn": NUMBER, "more": [1, 2.5, None]}}).encode(),
        "a.xml": XML,
        "a.ics": CALENDAR,
        "a.docx": word(),
        "a.xlsx": excel(),
        "a.pptx": slides(),
        "a.odt": open_text(),
        "a.xls": old_excel(),
        "a.doc": ole.old_word(f"Word {NUMBER}", wide=True),
        "a.ppt": slides_of_old(f"Slide {NUMBER}"),
        "a.msg": ole.outlook_message("S", f"B {NUMBER}", "K", html="<b>x</b>", attachment=("a.txt", text)),
        "winmail.dat": packing.tnef(body=f"T {NUMBER}", attachment=("a.txt", text)),
        "a.pdf": pdf(),
        "a.zip": zipped({"x/a.txt": text, "b.rtf": RTF}, b"comment"),
        "a.tar": tarred({"a.txt": text}),
        "a.gz": gzip.compress(text),
        "a.bz2": bz2.compress(text),
        "a.xz": lzma.compress(text),
        "a.7z": seven_zipped({"a.txt": text, "b.txt": RTF}),
        "a.png": png(f"Number {NUMBER}"),
        "a.jpg": saved(lambda held: picture().save(held, "JPEG", comment=text)),
        "a.tif": saved(lambda held: picture().convert("1").save(held, "TIFF", compression="group4", dpi=(204, 98))),
        "a.gif": saved(lambda held: picture().save(held, "GIF")),
        "a.bmp": saved(lambda held: picture(size=(90, 40)).save(held, "BMP")),
    }
