"""Whether something is drawn in a part of a page."""

from __future__ import annotations

from typing import Final

from PIL import Image, ImageFilter

from gateway.screening.extraction import combs
from gateway.screening.extraction.combs import Box

_INK: Final = 150
_DRAWN: Final = 0.006  # share of dark pixels of a field that has something in it


def is_drawn(image: Image.Image, place: Box) -> bool:
    """Tell whether something is drawn in a part of a page (mode L) that is neither a ruled line nor dirt."""
    part = image.crop((place.left, place.top, place.right, place.bottom))
    cleaned = combs.erase(part, combs.find_rules(part)).filter(ImageFilter.MedianFilter(3))
    return sum(cleaned.histogram()[:_INK]) > _DRAWN * cleaned.width * cleaned.height
