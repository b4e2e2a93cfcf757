"""PDF: text of each page, form values, XFA, annotations, information, XMP, attachments; pages without text as images.

pypdfium2 gives text and pictures of pages, pikepdf the objects. A PDF that opens with the empty password is readable.
"""

from __future__ import annotations

import ctypes
import io
import re
import zlib
from collections.abc import Iterator
from typing import Final

import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image

from gateway.domain.verdict import Unread, Unreadable
from gateway.screening.chunk import Chunk
from gateway.screening.extraction.descent import Descent, Document, Item, UnreadableError, guarded
from gateway.screening.extraction.ocr import Page, read_page
from gateway.screening.extraction.pdf_objects import read_objects

_DPI: Final = 200
_SCANT: Final = 40  # characters; a page with fewer and something drawn on it is looked at
_WIDEST: Final = 14_400  # points, the format's own limit (ISO 32000 annex C)
_WHOLE: Final = 0.15  # of a page: a picture that covers more is read with its page, a smaller one alone
_NOTED: Final = 0.002
_DRAWN: Final = 12  # paths; letters drawn as outlines are many
_OBJECTS: Final = 5_000
_STREAM = re.compile(rb"stream\r?\n(?=[\x08\x18\x28\x38\x48\x58\x68\x78])")
_STREAM_LIMIT: Final = 120_000_000
_ALL_STREAMS: Final = 500_000_000
_BLOCK: Final = 1_048_576
_AES_256: Final = 5  # revision of the security handler from which on AES-256 is used (ISO 32000-2 table 21)

# Made at import: a locked child makes no new way from C into Python, as that needs memory that can be executed.
_saved: list[bytes] = []


def _save(_writer: object, block: int, size: int) -> int:
    _saved.append(ctypes.string_at(block, size))
    return 1


_WRITER: Final = pdfium.FPDF_FILEWRITE(version=1)
_WRITER.WriteBlock = type(_WRITER.WriteBlock)(_save)

_Box = tuple[float, float, float, float]


def read_pdf(document: Document, descent: Descent) -> Iterator[Item]:
    """All that a PDF says. Raises UnreadableError: ENCRYPTED when it needs a password, CORRUPT, OVER_LIMIT."""
    place = document.place
    _refuse_bombs(document.octets)
    pages = _open_pages(document.octets)
    octets = document.octets
    if pages is not None:
        try:
            yield from _page_texts(pages, document, descent)
            octets = _without_lock(pages, octets)
        finally:
            pages.close()
    try:
        with pikepdf.open(io.BytesIO(octets), suppress_warnings=True) as objects:
            yield from guarded(lambda: read_objects(objects, place, descent), place, "pdf")
    except pikepdf.PasswordError:
        raise UnreadableError(Unread.ENCRYPTED, "pdf") from None
    except pikepdf.PdfError:
        raise UnreadableError(Unread.CORRUPT, "pdf") from None


def count_pages(octets: bytes) -> int | None:
    """Return how many pages a PDF has, None where it is locked, broken or a bomb."""
    try:
        _refuse_bombs(octets)
        pages = _open_pages(octets)
    except UnreadableError:
        return None
    if pages is None:
        return None
    try:
        return len(pages)
    finally:
        pages.close()


def _refuse_bombs(octets: bytes) -> None:
    """Streams that would unpack to more than any page needs: the libraries unpack them whole, in their own memory."""
    total = 0
    for match in _STREAM.finditer(octets):
        unpacker = zlib.decompressobj()
        size = 0
        block = octets[match.end() : match.end() + 512]
        place = match.end() + len(block)
        try:
            while block and not unpacker.eof:
                size += len(unpacker.decompress(block, _BLOCK))
                if size > _STREAM_LIMIT or total + size > _ALL_STREAMS:
                    raise UnreadableError(Unread.OVER_LIMIT, "expanded")
                block = unpacker.unconsumed_tail
                if not block:
                    block = octets[place : place + 65_536]
                    place += len(block)
        except zlib.error:
            continue  # no packed stream, or one that the libraries will give up as well
        finally:
            total += size


def _open_pages(octets: bytes) -> pypdfium2.PdfDocument | None:
    try:
        pages = pypdfium2.PdfDocument(octets)
        len(pages)
    except pypdfium2.PdfiumError as problem:
        if "password" in str(problem).lower():
            raise UnreadableError(Unread.ENCRYPTED, "pdf") from None
        return None
    return pages


def _without_lock(pages: pypdfium2.PdfDocument, octets: bytes) -> bytes:
    """The same file not encrypted, where it was with AES-256: over that, qpdf asks for a device of random numbers."""
    if pdfium.FPDF_GetSecurityHandlerRevision(pages.raw) < _AES_256:
        return octets
    _saved.clear()
    if not pdfium.FPDF_SaveAsCopy(pages.raw, _WRITER, pdfium.FPDF_REMOVE_SECURITY):
        raise UnreadableError(Unread.CORRUPT, "pdf")
    return b"".join(_saved)


def _page_texts(pages: pypdfium2.PdfDocument, document: Document, descent: Descent) -> Iterator[Item]:
    if len(pages) == 0:
        yield Unreadable(document.place, Unread.CORRUPT, "pdf")
    for number in range(len(pages)):
        place = f"{document.place}, page {number + 1}"
        descent.budget.spend("pages")
        yield from guarded(lambda: _page_text(pages, number, document, place, descent), place, "pdf")  # noqa: B023


def _page_text(
    pages: pypdfium2.PdfDocument, number: int, document: Document, place: str, descent: Descent
) -> Iterator[Item]:
    page = pages[number]
    text_page = page.get_textpage()
    text = text_page.get_text_bounded() or ""
    whole = text_page.get_text_range() if text_page.count_chars() > len(text) else ""
    text_page.close()
    if text.strip():
        yield Chunk(text.replace("\r\n", "\n"), place)
    if whole.strip() and whole.split() != text.split():
        yield Chunk(whole.replace("\r\n", "\n"), place)  # what lies beyond the page's edge
    boxes = _to_look_at(page, text)
    page.close()
    if boxes:
        octets = document.octets
        key = number.to_bytes(4, "big") + octets
        descent.later.add(key, place, lambda: _seen_page(octets, number, place, boxes, descent))


def _is_scant(text: str) -> bool:
    """Too few characters, or such as fonts without a mapping give: nobody could read them."""
    letters = [char for char in text if not char.isspace()]
    odd = sum(1 for char in letters if char in "\ufffd\ufffe" or "\ue000" <= char <= "\uf8ff" or ord(char) < 32)
    return len(letters) < _SCANT or odd * 5 > len(letters)


def _to_look_at(page: pypdfium2.PdfPage, text: str) -> list[_Box]:
    """What of a page text does not tell: boxes of its pictures, or one box for the whole page; empty when nothing."""
    width, height = page.get_size()
    area = max(width * height, 1.0)
    boxes: list[_Box] = []
    paths = words = 0
    for count, item in enumerate(page.get_objects(max_depth=4)):
        if item.type == pdfium.FPDF_PAGEOBJ_IMAGE:
            left, bottom, right, top = item.get_bounds()
            box = (max(left, 0.0), max(bottom, 0.0), min(right, width), min(top, height))
            share = (box[2] - box[0]) * (box[3] - box[1]) / area
            if share > _WHOLE:
                return [(0.0, 0.0, width, height)]
            if box[0] < box[2] and box[1] < box[3] and share > _NOTED:
                boxes.append(box)
        elif item.type == pdfium.FPDF_PAGEOBJ_TEXT:
            words += 1
        else:
            paths += 1
        if count > _OBJECTS:
            break
    is_mute = words > 0 and not text.strip()
    if len(boxes) > 4 or (_is_scant(text) and (boxes or paths > _DRAWN or is_mute or len(text.strip()) >= _SCANT)):
        return [(0.0, 0.0, width, height)]
    return boxes


def _seen_page(octets: bytes, number: int, place: str, boxes: list[_Box], descent: Descent) -> Iterator[Item]:
    """A page drawn, and the boxes on it read by OCR."""
    pages = pypdfium2.PdfDocument(octets)
    try:
        image, scale = _drawn(pages, number, descent)
    finally:
        pages.close()
    for left, bottom, right, top in boxes:
        edges = (left * scale, image.height - top * scale, right * scale, image.height - bottom * scale)
        part = image.crop((int(edges[0]), max(int(edges[1]), 0), int(edges[2]) + 1, int(edges[3]) + 1))
        yield from read_page(Page(part, place, (72 * scale, 72 * scale)), descent.budget)


def _drawn(pages: pypdfium2.PdfDocument, number: int, descent: Descent) -> tuple[Image.Image, float]:
    """A page in gray, and the pixels of one point. Values of forms are drawn when the form is set up."""
    if pages.get_formtype() in (pdfium.FORMTYPE_ACRO_FORM, pdfium.FORMTYPE_XFA_FOREGROUND):
        pages.init_forms()
    page = pages[number]
    width, height = page.get_size()
    if not 0 < width <= _WIDEST or not 0 < height <= _WIDEST:
        raise UnreadableError(Unread.OVER_LIMIT, "pixels")
    scale = _DPI / 72
    while width * height * scale * scale > descent.budget.limits.pixels / 3 and scale > 0.5:
        scale *= 0.8
    descent.budget.check("pixels", int(width * height * scale * scale))
    image = page.render(scale=scale, grayscale=True).to_pil().convert("L").copy()
    page.close()
    return image, scale
