"""Mails of our own, one of each main type, with an invented number in each: what warms a template and tests a pool.

They are made here and not shipped as files, so that nothing has to be found and opened, and in the template alone: the
pool names them, and never loads what draws them.
"""

from __future__ import annotations

import io
import zipfile
from base64 import encodebytes
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

_LINE = "Taxpayer: Ada Invented. Her social security number (SSN) is 536-41-2879."
_LETTER = "\r\n".join([
    "Dear colleagues,", "", "Thank you for the call on Monday, 5 January 2026, at 10:30. The programme is attached.",
    "> Please telephone me at +1 202 555 0142, or write to tour@example.org; see https://example.org/tour?id=20260105.",
    "Order 4471-2209-88, tracking 1Z999AA10123456784, total $1,250.00, box 12, page 3 of 7.", "",
    *["The hall holds four hundred people; doors open at 19:00, and the band is on stage from 20:15 on."] * 4,
    "", _LINE, "", "Kind regards", "--", "Ada Invented, Invented Touring Ltd., 12 High Street, Springfield 12345-6789",
])  # fmt: skip
_OFFICE = "application/vnd.openxmlformats-officedocument"
_WORDS = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_CELLS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

TEXT = "text"
"""A letter as people write them."""

PAGE = "page"
"""The mail whose number only its page shows, when read."""


@cache
def mail(name: str) -> bytes:
    """Return one of MAILS, made once. Raises KeyError."""
    media_type, make = MAILS[name]
    head = (
        "From: somebody@example.org\r\nTo: office@example.gov\r\nSubject: A known document\r\n"
        "Date: Mon, 05 Jan 2026 10:00:00 +0000\r\nMessage-ID: <known@example.org>\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: {media_type}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode("ascii") + encodebytes(make()).replace(b"\n", b"\r\n")


def _zip(members: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return packed.getvalue()


def _document() -> bytes:
    kind = f"{_OFFICE}.wordprocessingml.document.main+xml"
    return _office("word/document.xml", kind, f'<w:document xmlns:w="{_WORDS}"><w:body><w:p><w:r><w:t>{_LINE}</w:t>'
        "</w:r></w:p></w:body></w:document>")  # fmt: skip


def _spreadsheet() -> bytes:
    kind = f"{_OFFICE}.spreadsheetml.sheet.main+xml"
    sheet = f'<worksheet xmlns="{_CELLS}"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>{_LINE}</t></is></c></row></sheetData></worksheet>'  # noqa: E501
    book = f'<workbook xmlns="{_CELLS}" xmlns:r="{_RELATIONS}"><sheets><sheet name="One" sheetId="1" r:id="rId1"/></sheets></workbook>'  # noqa: E501
    return _office("xl/workbook.xml", kind, book, {
        "xl/worksheets/sheet1.xml": sheet,
        "xl/_rels/workbook.xml.rels": _relations("worksheet", "worksheets/sheet1.xml"),
    })  # fmt: skip


def _office(main: str, kind: str, text: str, others: dict[str, str] | None = None) -> bytes:
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/><Override PartName="/{main}" ContentType="{kind}"/>'
        "</Types>"
    )
    members = {"[Content_Types].xml": types, "_rels/.rels": _relations("officeDocument", main), main: text}
    return _zip({**members, **(others or {})})


def _relations(kind: str, target: str) -> str:
    return (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{_RELATIONS}/{kind}" Target="{target}"/></Relationships>'
    )


def _pdf() -> bytes:
    drawn = f"BT /F1 12 Tf 72 720 Td ({_LINE.replace('(', '').replace(')', '')}) Tj ET"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources <</Font << /F1 5 0 R>>>> >>",
        f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    text, places = "%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(text))
        text += f"{number} 0 obj\n{one}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    trailer = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(text)}\n%%EOF\n"
    return (text + end + trailer).encode("ascii")


def _page() -> bytes:
    from PIL import Image, ImageDraw, ImageFont

    page = Image.new("L", (1700, 500), 255)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(40)
    for row, text in enumerate(("Taxpayer: Ada Invented", "Social security number (SSN):", "536-41-2879")):
        draw.text((80, 60 + 110 * row), text, fill=0, font=font)
    written = io.BytesIO()
    page.save(written, "PNG", dpi=(200, 200))
    return written.getvalue()


MAILS: Mapping[str, tuple[str, Callable[[], bytes]]] = MappingProxyType({
    TEXT: ("text/plain; charset=utf-8", lambda: _LETTER.encode("ascii")),
    "html": ("text/html; charset=utf-16", lambda: f"<html><body><p>{_LINE}</p></body></html>".encode("utf-16")),
    "zip": ("application/zip", lambda: _zip({"note.txt": _LINE})),
    "document": (f"{_OFFICE}.wordprocessingml.document", _document),
    "spreadsheet": (f"{_OFFICE}.spreadsheetml.sheet", _spreadsheet),
    "pdf": ("application/pdf", _pdf),
    PAGE: ("image/png", _page),
})  # fmt: skip
"""Media type and content by name, the cheap ones first."""
