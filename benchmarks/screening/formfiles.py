"""Forms as files: filled in a PDF's fields, printed, in Word, in Excel, scanned, faxed, one box a digit; or left blank."""

from __future__ import annotations

import io
from collections.abc import Callable
from random import Random

import docx
import openpyxl

from benchmarks.screening import files, letters, packing, pages, parts, pdfs
from benchmarks.screening.files import File
from benchmarks.screening.forms import Form
from benchmarks.screening.letters import Letter

Maker = Callable[[Random, Form], File]


def _name(rng: Random, made: Form, ending: str) -> str:
    number = made.number.lower().replace("-", "")
    return rng.choice(
        [
            f"f{number}.{ending}",
            f"Form {made.number}.{ending}",
            f"{made.number}_signed.{ending}",
            files.name(rng, ending),
        ]
    )


def fields(rng: Random, made: Form) -> File:
    return File(_name(rng, made, "pdf"), "application/pdf", pdfs.fields(rng, made))


def printed(rng: Random, made: Form) -> File:
    return File(_name(rng, made, "pdf"), "application/pdf", pdfs.printed(rng, made))


def word(rng: Random, made: Form) -> File:
    document = docx.Document()
    document.add_heading(f"Form {made.number} {made.title}", 1)
    table = document.add_table(rows=len(made.fields), cols=2)
    for row, (label, value) in zip(table.rows, made.fields, strict=True):
        row.cells[0].text, row.cells[1].text = label, value
    raw = io.BytesIO()
    document.save(raw)
    return File(
        _name(rng, made, "docx"),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        files.rezipped(raw.getvalue()),
    )


def sheet(rng: Random, made: Form) -> File:
    book = openpyxl.Workbook()
    book.active.append([f"Form {made.number}", made.title])
    for label, value in made.fields:
        book.active.append([label, value])
    raw = io.BytesIO()
    book.save(raw)
    return File(
        _name(rng, made, "xlsx"),
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        files.rezipped(raw.getvalue()),
    )


def scan(rng: Random, made: Form) -> File:
    picture = pages.scanned(rng, pages.form_page(rng, made, comb=False), 1.0)
    if rng.random() < 0.5:
        return File(_name(rng, made, "jpg"), "image/jpeg", pages.saved(picture, "JPEG", quality=80))
    return File(_name(rng, made, "pdf"), "application/pdf", pdfs.pictures([picture], rng))


def comb(rng: Random, made: Form) -> File:
    picture = pages.form_page(rng, made, comb=True)
    if rng.random() < 0.4:
        return File(_name(rng, made, "pdf"), "application/pdf", pdfs.pictures([pages.scanned(rng, picture, 0.7)], rng))
    return File(
        "FAX.TIF", "image/tiff", pages.as_fax(picture, fine=rng.random() < 0.6, coding=rng.choice(["group4", "group3"]))
    )


def zipped(rng: Random, made: Form) -> File:
    return File(
        files.name(rng, "zip"), "application/zip", packing.zipped([rng.choice([fields, printed, word])(rng, made)])
    )


MAKERS: dict[str, tuple[Maker, str]] = {
    "form pdf fields": (fields, "contained"), "form pdf printed": (printed, "contained"), "form docx": (word, "contained"), "form xlsx": (sheet, "contained"), "form zipped": (zipped, "contained"),
    "form scan": (scan, "contained"), "comb form": (comb, "hidden"),
}  # fmt: skip


def attach(maker: Maker) -> Callable[[Letter, Form], None]:
    def write(letter: Letter, made: Form) -> None:
        one = maker(letter.rng, made)
        letter.attachments.append(parts.attached(letter.rng, one.name, one.media_type, one.octets))

    return write


def blank(rng: Random, made: Form) -> bytes:
    """A mail with the form attached as the agency publishes it: labels, small print, empty fields."""
    letter = letters.letter(rng)
    letter.blocks.append(f"Attached is a blank Form {made.number}, please fill it in and send it through the portal.")
    empty = made.blank
    maker = rng.choice([fields, printed, word, sheet, scan])
    attach(maker)(
        letter,
        Form(
            empty.number,
            f"{empty.title}  OMB No. 1545-{rng.randint(10, 2299):04}  Cat. No. {rng.randint(10000, 59999)}{rng.choice('ABKMQTZ')}",
            empty.fields,
        ),
    )
    return letters.octets(letter)
