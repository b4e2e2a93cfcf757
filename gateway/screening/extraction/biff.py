"""Excel 97 to 2003 ([MS-XLS]): cells by xlrd as their formats show them, and every other string of the stream."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any, Final

import xlrd

from gateway.domain.verdict import Unread
from gateway.screening.chunk import Chunk
from gateway.screening.extraction import sheets, tables
from gateway.screening.extraction.descent import Descent, Document, Item, UnreadableError, guarded
from gateway.screening.extraction.embedded import carved_pictures
from gateway.screening.extraction.texts import strings

_DRAWINGS: Final = 0x00EB
_CONTINUED: Final = 0x003C
_FILE_PASS: Final = 0x002F
_RECORDS: Final = 2_000_000


def read_workbook(octets: bytes, place: str, descent: Descent) -> Iterator[Item]:
    """The sheets of a Workbook stream, hidden ones as well, their comments, all strings, and pictures."""
    joined, drawings = _records(octets)
    yield Chunk(strings(joined, 5), place)
    try:
        book = xlrd.open_workbook(file_contents=octets, logfile=io.StringIO(), formatting_info=True)
    except xlrd.XLRDError as problem:
        why = Unread.ENCRYPTED if "encrypt" in str(problem).lower() else Unread.CORRUPT
        raise UnreadableError(why, "workbook") from None
    for number, sheet in enumerate(book.sheets(), 1):
        where = f"{place}, sheet {number}"
        yield from tables.fields(_rows(book, sheet), where)
        notes = [note.text for note in sheet.cell_note_map.values()]
        yield Chunk("\n".join([sheet.name, *notes]), f"{where}, cell comments")
    for count, picture in enumerate(carved_pictures(drawings), 1):
        nested = f"{place}, picture {count}"
        yield from guarded(lambda: descent.into(Document(picture, "", "", nested)), nested)  # noqa: B023


def _rows(book: Any, sheet: Any) -> Iterator[list[str]]:
    for number in range(sheet.nrows):
        yield [_shown(book, cell) for cell in sheet.row(number)]


def _shown(book: Any, cell: Any) -> str:
    if cell.ctype not in (xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE):
        return str(cell.value)
    style = book.xf_list[cell.xf_index] if cell.xf_index is not None else None
    code = book.format_map[style.format_key].format_str if style is not None else ""
    return sheets.shown(str(cell.value), code)


def _records(octets: bytes) -> tuple[bytes, bytes]:
    """All records' contents with continued ones joined, and those of the drawings apart."""
    contents: list[bytes] = []
    drawings: list[bytes] = []
    place, is_drawing = 0, False
    for _ in range(_RECORDS):
        if place + 4 > len(octets):
            break
        kind, size = struct.unpack_from("<HH", octets, place)
        body = octets[place + 4 : place + 4 + size]
        if kind == _FILE_PASS:
            raise UnreadableError(Unread.ENCRYPTED, "workbook")
        is_drawing = kind == _DRAWINGS or (is_drawing and kind == _CONTINUED)
        if is_drawing:
            drawings.append(body)
        contents.append(body if kind == _CONTINUED else b"\x00\xff" + body)
        place += 4 + size
    return b"".join(contents), b"".join(drawings)
