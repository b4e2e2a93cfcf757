"""How far a page is turned, found by its rows of ink, and the page turned back."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from PIL import Image

_WIDTH: Final = 500
_COARSE: Final = tuple(step * 0.75 for step in range(-8, 9))
_FINE: Final = (-0.5, -0.25, 0.25, 0.5)
_NOTICED: Final = 0.2  # degrees
# How many times sharper lines of print are than the columns of the same; a short line's are not.
_CERTAINLY: Final = 4.5
_MAYBE: Final = 1.6


def straighten(image: Image.Image, angle: float) -> Image.Image:
    """The page (mode L, dark on light) turned back by degrees, as `likely_turns` tells them."""
    if abs(angle) < _NOTICED:
        return image
    return image.rotate(angle, Image.Resampling.BICUBIC, fillcolor=255)


def skew(image: Image.Image) -> float:
    """Return the degrees, within ±6, by which a page whose lines run across is out of level."""
    return _sharpest(_ink(image))[0]


def likely_turns(image: Image.Image) -> tuple[tuple[Image.Transpose | None, float], ...]:
    """All four turns, likeliest first, by whether lines of print seem to run across or up and down; with each the
    degrees, within ±6, by which the page is then still out of level.
    """
    ink = _ink(image)
    level, across = _sharpest(ink)
    upright, along = _sharpest(ink.transpose(Image.Transpose.ROTATE_90))
    as_it_is, over = (None, level), (Image.Transpose.ROTATE_180, level)
    left, right = (Image.Transpose.ROTATE_90, upright), (Image.Transpose.ROTATE_270, upright)
    if along > across * _CERTAINLY:
        return left, right, as_it_is, over
    return (as_it_is, left, right, over) if along > across * _MAYBE else (as_it_is, over, left, right)


def _ink(image: Image.Image) -> Image.Image:
    small = image.copy()
    small.thumbnail((_WIDTH, _WIDTH), Image.Resampling.BOX)
    return small.point(lambda value: 255 if value < 176 else 0)


def _sharpest(ink: Image.Image) -> tuple[float, float]:
    """Degrees, within ±6, by which turning the page makes its rows of ink sharpest, and how sharp they are then."""
    scores = {angle: _sharpness(ink, angle) for angle in _COARSE}
    best = max(scores, key=lambda angle: scores[angle])
    scores |= {best + step: _sharpness(ink, best + step) for step in _FINE}
    best = max(scores, key=lambda angle: scores[angle])
    return (best, scores[best]) if scores[best] > scores[0.0] * 1.05 else (0.0, scores[0.0])


def _sharpness(ink: Image.Image, angle: float) -> float:
    turned = ink.rotate(angle, Image.Resampling.BILINEAR) if angle else ink
    rows = turned.resize((1, turned.height), Image.Resampling.BOX).tobytes()
    return float(sum((above - below) ** 2 for above, below in pairwise(rows)))
