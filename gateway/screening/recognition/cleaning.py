"""A page without dirt and without ruled lines, as it is read; where a box to tick is looked for, its lines stay."""

from __future__ import annotations

from typing import Final

from PIL import Image, ImageChops, ImageFilter

_INK: Final = 160
_LONELY: Final = 36  # mean of 5 × 5 pixels round one that nothing else is near to: 3 of 25
_ACROSS, _DOWN = 42, 34  # half pixels of the page; no stroke of a letter of a form is as long


def without_specks(image: Image.Image) -> Image.Image:
    """Return a page (mode L) without single dark spots of a pixel or two."""
    ink = image.point(lambda value: 255 if value < _INK else 0)
    near = ink.filter(ImageFilter.BoxBlur(2))
    cleaned = image.copy()
    cleaned.paste(255, mask=near.point(lambda value: 255 if value < _LONELY else 0))
    return cleaned


def without_rules(image: Image.Image) -> Image.Image:
    """Return a level page (mode L) without its long ruled lines."""
    ink = image.reduce(2).point(lambda value: 255 if value < _INK + 30 else 0)
    rules = ImageChops.lighter(_opened(ink, _ACROSS, is_level=True), _opened(ink, _DOWN, is_level=False))
    mask = rules.filter(ImageFilter.MaxFilter(3)).resize(image.size, Image.Resampling.NEAREST)
    cleaned = image.copy()
    cleaned.paste(255, mask=mask)
    return cleaned


def _opened(ink: Image.Image, length: int, *, is_level: bool) -> Image.Image:
    """Only what reaches so far in one direction: erosion and dilation by a line, each by doubling steps."""
    for choose, sign in ((ImageChops.darker, 1), (ImageChops.lighter, -1)):
        reach = 1
        while reach < length:
            step = min(reach, length - reach) * sign
            ink = choose(ink, ImageChops.offset(ink, step if is_level else 0, 0 if is_level else step))
            reach += abs(step)
    return ink
