"""A file to attach, what goes into it, and text formats of files: CSV, RTF, JSON, XML, calendars, cards, pages."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from xml.sax.saxutils import escape

from benchmarks.screening import filler, parts, people
from benchmarks.screening.letters import Letter
from benchmarks.screening.marks import OPEN, unmarked
from benchmarks.screening.parts import hexadecimal
from benchmarks.screening.passages import Passage

# Passages that are rows in the first place.
TABULAR = frozenset({"table", "roster"})
_EPOCH = (2026, 1, 5, 9, 0, 0)
_DATED = frozenset({"docProps/core.xml", "word/comments.xml"})
_NOW = re.compile(rb"20\d\d-\d\d-\d\dT[0-9:.]+(Z|[+-][0-9:]+)?")


@dataclass(frozen=True, slots=True)
class File:
    name: str
    media_type: str
    octets: bytes


Maker = Callable[[Random, Passage], File]


def attach(maker: Maker) -> Callable[[Letter, Passage], None]:
    """The place writer that attaches what `maker` makes."""

    def write(letter: Letter, passage: Passage) -> None:
        made = maker(letter.rng, passage)
        declared = made.media_type if letter.rng.random() < 0.85 else "application/octet-stream"
        letter.attachments.append(parts.attached(letter.rng, made.name, declared, made.octets))

    return write


def name(rng: Random, ending: str) -> str:
    """A file's name as people give them, in plain ASCII or not."""
    stem = rng.choice([
        "Contract", "itinerary_final", "budget v2", "Band list", "Anlage", "scan0001", f"Scan_2026{rng.randint(1, 12):02}{rng.randint(1, 28):02}", "crew", "Vertrag_geändert",
        "Données tournée", "Contrato", "docs for CWA", "IMG_" + str(rng.randint(1000, 9999)), people.act(rng), "Settlement", "lista músicos", "attachment", "payees", "名簿",
    ])  # fmt: skip
    return f"{stem}.{ending}"


def rows(passage: Passage) -> list[list[str]]:
    return [[unmarked(cell) for cell in row] for row in passage.table]


def prose(rng: Random, passage: Passage) -> list[str]:
    """Paragraphs with the passage somewhere among them; a list of rows as lines."""
    around = [filler.paragraph(rng, passage.language) for _ in range(rng.randint(0, 4))]
    around.insert(rng.randint(0, len(around)), unmarked(passage.prose))
    return around


def rezipped(octets: bytes, *, store: bool = False) -> bytes:
    """The same archive with one fixed time in it, so that a seed gives the same octets on every day."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(octets)) as old, zipfile.ZipFile(made, "w") as new:
        for item in old.infolist():
            entry = zipfile.ZipInfo(item.filename, _EPOCH)
            entry.compress_type = zipfile.ZIP_STORED if store or item.filename == "mimetype" else zipfile.ZIP_DEFLATED
            octets = old.read(item)
            new.writestr(entry, _NOW.sub(b"2026-01-05T09:00:00Z", octets) if item.filename in _DATED else octets)
    return made.getvalue()


def csv_file(rng: Random, passage: Passage) -> File:
    made = io.StringIO()
    writer = csv.writer(
        made,
        delimiter=rng.choice(",,;\t|"),
        quoting=rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        lineterminator="\r\n",
    )
    writer.writerows(rows(passage))
    codec = rng.choice(["utf-8", "utf-8-sig", "utf-16"])
    return File(name(rng, "csv"), "text/csv", made.getvalue().encode(codec))


def rtf_file(rng: Random, passage: Passage) -> File:
    return File(
        name(rng, "rtf"),
        rng.choice(["application/rtf", "text/rtf"]),
        rtf("\n\n".join(prose(rng, passage)), split=passage_value(rng, passage)).encode(),
    )


def passage_value(rng: Random, passage: Passage) -> str:
    """The number as written, when it is to be split by control words; otherwise nothing."""
    _, opened, rest = passage.prose.partition(OPEN)
    return rest.partition("\ue001")[0] if opened and rng.random() < 0.5 else ""


def rtf(text: str, split: str = "") -> str:
    """RTF of `text`; the number `split` in two groups of different fonts, as after an edit."""
    half = len(split) // 2
    marked = text.replace(split, f"{split[:half]}\ue002{split[half:]}") if split else text
    written = "".join(_rtf_mark(mark) for mark in marked)
    return (
        "{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0 Calibri;}{\\f1 Arial;}}{\\info{\\author Office}}\\f0\\fs22 "
        + written
        + "\\par}"
    )


def _rtf_mark(mark: str) -> str:
    if mark == "\ue002":
        return "}{\\f1\\b0 "
    if mark == "\n":
        return "\\par\n"
    if mark == "\t":
        return "\\tab "
    if mark in "\\{}":
        return f"\\{mark}"
    if ord(mark) < 128:
        return mark
    return "".join(f"\\u{int.from_bytes(unit, 'little', signed=True)}?" for unit in _units(mark))


def _units(mark: str) -> list[bytes]:
    raw = mark.encode("utf-16-le")
    return [raw[at : at + 2] for at in range(0, len(raw), 2)]


def json_file(rng: Random, passage: Passage) -> File:
    table = rows(passage)
    made: object = {"note": unmarked(passage.prose), "id": hexadecimal(rng, 24), "version": 3}
    if passage.style in TABULAR:
        made = [dict(zip(table[0], row, strict=False)) for row in table[1:]]
    return File(
        name(rng, "json"),
        "application/json",
        json.dumps(made, ensure_ascii=rng.random() < 0.6, indent=rng.choice([None, 2])).encode(),
    )


def xml_file(rng: Random, passage: Passage) -> File:
    body = "".join(f"<line n='{at}'>{escape(line)}</line>\n" for at, line in enumerate(prose(rng, passage)))
    if passage.style in TABULAR:
        head, *others = rows(passage)
        body = "".join(
            "<row>"
            + "".join(
                f'<field name="{escape(label, {chr(34): "&quot;"})}">{escape(cell)}</field>'
                for label, cell in zip(head, row, strict=False)
            )
            + "</row>\n"
            for row in others
        )
    codec = rng.choice(["utf-8", "utf-16"])
    return File(
        name(rng, "xml"),
        rng.choice(["application/xml", "text/xml"]),
        f'<?xml version="1.0" encoding="{codec}"?>\n<export>\n{body}</export>\n'.encode(codec),
    )


def calendar(rng: Random, passage: Passage) -> File:
    said = unmarked(passage.prose).replace("\\", "\\\\").replace("\n", "\\n").replace(",", "\\,").replace(";", "\\;")
    key = rng.choice(["DESCRIPTION", "SUMMARY", "LOCATION", "COMMENT", "X-ALT-DESC;FMTTYPE=text/html"])
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Google Inc//Google Calendar 70.9054//EN", "BEGIN:VEVENT", "DTSTART:20260304T150000Z",
             f"UID:{hexadecimal(rng, 26)}@google.com", *([] if key == "SUMMARY" else ["SUMMARY:Authentication meeting"]), f"{key}:{said}", "END:VEVENT", "END:VCALENDAR"]  # fmt: skip
    return File(
        rng.choice(["invite.ics", "meeting.ics"]), "text/calendar", "\r\n".join(map(folded, lines)).encode() + b"\r\n"
    )


def card(rng: Random, passage: Passage) -> File:
    said = unmarked(passage.line).replace(",", "\\,").replace(";", "\\;")
    key = rng.choice(["NOTE", "NOTE", "X-TAXID", "TITLE"])
    lines = [
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"FN:{passage.person.name}",
        f"N:{passage.person.family};{passage.person.given};;;",
        f"TEL;TYPE=WORK:{people.telephone(rng)}",
        f"{key}:{said}",
        "END:VCARD",
    ]
    return File(
        name(rng, "vcf"), rng.choice(["text/vcard", "text/x-vcard"]), "\r\n".join(map(folded, lines)).encode() + b"\r\n"
    )


def folded(line: str) -> str:
    """RFC 5545 section 3.1: no line over 75 octets, so that numbers may be cut in two."""
    made, rest = [], line
    while len(rest.encode()) > 73:
        size = 73
        while len(rest[:size].encode()) > 73:
            size -= 1
        made.append(rest[:size])
        rest = rest[size:]
    return "\r\n ".join([*made, rest])


def page(rng: Random, passage: Passage) -> File:
    """An HTML file, or an SVG drawing with the words as text."""
    said = escape(unmarked(passage.prose))
    if rng.random() < 0.3:
        made = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="600" height="200"><text x="10" y="40">{said}</text></svg>'
        )
        return File(name(rng, "svg"), "image/svg+xml", made.encode())
    table = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows(passage))
    body = (
        f"<table>{table}</table>"
        if passage.style in TABULAR
        else "".join(f"<p>{escape(each)}</p>" for each in prose(rng, passage))
    )
    return File(
        name(rng, "html"), "text/html", f"<html><head><title>x</title></head><body>{body}</body></html>".encode()
    )


def in_data_uri(rng: Random, passage: Passage) -> File:
    inner = base64.b64encode(unmarked(passage.prose).encode()).decode()
    return File(
        name(rng, "html"),
        "text/html",
        f'<html><body><a href="data:text/plain;base64,{inner}">open</a></body></html>'.encode(),
    )


MAKERS: dict[str, tuple[Maker, str]] = {
    "csv": (csv_file, "ordinary"), "rtf": (rtf_file, "contained"), "json": (json_file, "contained"), "xml": (xml_file, "contained"), "ics": (calendar, "contained"),
    "vcf": (card, "contained"), "html file": (page, "contained"), "data uri": (in_data_uri, "hidden"),
}  # fmt: skip
