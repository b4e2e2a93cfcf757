"""Pages of a document as pictures, one at a time: TIFF of a fax, PDF, other pictures. Pixels are square, and gray.

The process that shows pages draws them by this, too, so that a place on a page is the same for both.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pypdfium2
from PIL import Image, UnidentifiedImageError

from gateway.domain.recognition import MOST_PAGES
from gateway.screening.extraction import straightening

_PDF_WITHIN: Final = 1_024  # octets from the start
_DPI: Final = 200
_MOST_PIXELS: Final = 42_000_000
_LONGEST: Final = 2_600
_MOST_POINTS: Final = 14_400  # the format's own limit (ISO 32000 annex C)
_FORMATS: Final = ("TIFF", "PNG", "JPEG", "GIF", "BMP")
_QUARTERS: Final = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}
_FAX_WIDTHS: Final = (1728, 2048, 2432)
_COARSE: Final = 2.08  # 204 dots an inch across by 98 down


@dataclass(frozen=True, slots=True)
class Sheets:
    """How many pages a document has, and what draws one of them, counted from 1.

    `draw` raises whatever a decoder raises, ValueError for a page of too many pixels.
    """

    total: int
    draw: Callable[[int], Image.Image]


def open_sheets(octets: bytes) -> Sheets:
    """Open a document; one that nobody can read has no pages. Of very many the first MOST_PAGES are counted."""
    try:
        if b"%PDF-" in octets[:_PDF_WITHIN]:
            return _of_pdf(octets)
        return _of_picture(octets)
    except (pypdfium2.PdfiumError, UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError):
        return Sheets(0, _no_page)


def turned(image: Image.Image, turn: int) -> Image.Image:
    """Return a page turned clockwise by one of 0, 90, 180, 270 degrees."""
    return image.transpose(_QUARTERS[turn]) if turn else image


def levelled(image: Image.Image) -> Image.Image:
    """Return a page whose lines run across, turned so that they are level."""
    return straightening.straighten(image, straightening.skew(image))


def square(image: Image.Image, dpi: tuple[float, float]) -> Image.Image:
    """Return a page whose pixels are as wide as high; dots an inch across and down, (0, 0) when unknown."""
    across, down = dpi
    if across and down:
        ratio = across / down
    else:
        ratio = _COARSE if image.width in _FAX_WIDTHS and image.height < image.width * 0.85 else 1.0
    if 0.2 < ratio < 0.8:
        return image.resize((int(image.width / ratio), image.height), Image.Resampling.BICUBIC)
    if 1.25 < ratio < 5:
        return image.resize((image.width, int(image.height * ratio)), Image.Resampling.BICUBIC)
    return image


def _of_pdf(octets: bytes) -> Sheets:
    document = pypdfium2.PdfDocument(octets)
    if document.get_formtype() in (pypdfium2.raw.FORMTYPE_ACRO_FORM, pypdfium2.raw.FORMTYPE_XFA_FOREGROUND):
        document.init_forms()

    def draw(number: int) -> Image.Image:
        page = document[number - 1]
        width, height = page.get_size()
        if not 0 < width <= _MOST_POINTS or not 0 < height <= _MOST_POINTS:
            raise ValueError("too many pixels")
        scale = min(_DPI / 72, _LONGEST / max(width, height))
        image: Image.Image = page.render(scale=scale, grayscale=True).to_pil()
        return image.convert("L")

    return Sheets(min(len(document), MOST_PAGES), draw)


def _of_picture(octets: bytes) -> Sheets:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = Image.open(io.BytesIO(octets), formats=_FORMATS)
        total = _count(image) if image.format == "TIFF" else 1

    def draw(number: int) -> Image.Image:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image.seek(number - 1)
            if image.width * image.height > _MOST_PIXELS or not min(image.size):
                raise ValueError("too many pixels")
            plain = _reduced(image.convert("L"))
            return square(plain, _resolution(image))

    return Sheets(total, draw)


def _count(image: Image.Image) -> int:
    """How many pages a TIFF has, as far as they are ones: directories may lead in a circle, or nowhere."""
    total = 1
    while total < MOST_PAGES:
        try:
            image.seek(total)
        except (EOFError, OSError, ValueError, SyntaxError, KeyError, TypeError):
            break
        total += 1
    return total


def _reduced(image: Image.Image) -> Image.Image:
    factor = max(image.size) // _LONGEST
    return image.reduce(factor) if factor > 1 else image


def _resolution(image: Image.Image) -> tuple[float, float]:
    told = image.info.get("dpi")
    if told is None or len(told) != 2 or not all(20 < float(one) < 3_000 for one in told):
        return 0.0, 0.0
    return float(told[0]), float(told[1])


def _no_page(_number: int) -> Image.Image:
    raise ValueError("there is no such page")
