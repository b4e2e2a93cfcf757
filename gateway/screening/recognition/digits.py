"""Digits of a row of boxes: all set close as a line of print, each by itself, and what most of these readings say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PIL import Image

from gateway.screening.extraction import combs
from gateway.screening.extraction.combs import Box, Comb, Rules
from gateway.screening.recognition.words import read_line, read_sign

_INK: Final = 150
_EDGE: Final = 0.28  # of a box's side, within which its lines may be
_LATE: Final = 6  # pixels from the edge at which its line begins at the latest
_LINED: Final = 0.5  # of a row or column of pixels that is a line's
_ROOM: Final = 20  # pixels of white round one digit
_SIZED: Final = 0.75  # at which one digit by itself reads best
_SIGNS: Final = "0123456789/OoQDlI|SZB§"
_MEANT: Final = str.maketrans("/OoQDlI|SZB§", "700001115285")
_LINE, _ALONE = 2, 1  # votes
_UNSURE: Final = 60


def read_row(image: Image.Image, comb: Comb) -> tuple[str, int]:
    """Return the digits of a row of boxes in a part of a page (mode L), and how sure they are, 0 to 100."""
    bare = without_boxes(image, comb)
    strip = next((one for _, one in combs.strips(bare, Rules(Image.new("L", image.size), (comb,), is_any=True))), None)
    if strip is None:
        return "", 0
    lines = [read_line(strip.image, _SIGNS), read_line(strip.image)]
    told = ["".join(filter(str.isdigit, text.translate(_MEANT))) for text, _ in lines]
    sure = max(sure for _, sure in lines)
    if all(len(text) == sum(strip.groups) and text == told[0] for text in told):
        return told[0], sure
    alone = [_alone(bare, cell) for cell in comb.cells if combs.is_filled(bare, cell)]
    votes: list[dict[str, int]] = [{sign: _ALONE} if sign else {} for sign in alone]
    for text in told:
        for at, sign in enumerate(_aligned(text, alone)):
            if sign:
                votes[at][sign] = votes[at].get(sign, 0) + _LINE
    return "".join(max(one, key=lambda sign: one[sign]) if one else "" for one in votes), min(sure, _UNSURE)


def _aligned(text: str, alone: Sequence[str]) -> list[str]:
    """The digits of a line, one a box: where it has too many or too few, as agrees best with each box by itself."""
    wanted = len(alone)
    if len(text) == wanted:
        return list(text)
    costs: list[list[float]] = [
        [at + row if not at or not row else 0 for row in range(wanted + 1)] for at in range(len(text) + 1)
    ]
    for at, sign in enumerate(text, 1):
        for row, other in enumerate(alone, 1):
            differs = 0.0 if sign == other else 0.6 if not other else 1.1
            costs[at][row] = min(costs[at - 1][row - 1] + differs, costs[at - 1][row] + 1, costs[at][row - 1] + 1)
    at, row, made = len(text), wanted, [""] * wanted
    while at and row:
        differs = 0.0 if text[at - 1] == alone[row - 1] else 0.6 if not alone[row - 1] else 1.1
        if abs(costs[at][row] - costs[at - 1][row - 1] - differs) < 1e-6:
            at, row = at - 1, row - 1
            made[row] = text[at]
        elif costs[at][row] == costs[at - 1][row] + 1:
            at -= 1
        else:
            row -= 1
    return made


def _alone(bare: Image.Image, cell: Box) -> str:
    """The digit in one box; "" where none can be read."""
    framed = Image.new("L", (cell.right - cell.left + 2 * _ROOM, cell.height + 2 * _ROOM), 255)
    framed.paste(bare.crop((cell.left, cell.top, cell.right, cell.bottom)), (_ROOM, _ROOM))
    sized = framed.resize((int(framed.width * _SIZED), int(framed.height * _SIZED)), Image.Resampling.BICUBIC)
    told = "".join(filter(str.isdigit, read_sign(sized, _SIGNS).translate(_MEANT)))
    return told[:1]


def without_boxes(image: Image.Image, comb: Comb) -> Image.Image:
    """Return a part of a page (mode L) white but for what is within the boxes of a row."""
    bare = Image.new("L", image.size, 255)
    for cell in comb.cells:
        inner = _inner(image, cell)
        part = image.crop((inner.left, inner.top, inner.right, inner.bottom))
        bare.paste(part, (inner.left, inner.top))
    return bare


def _inner(image: Image.Image, cell: Box) -> Box:
    """What is within the lines of a box."""
    part = image.crop((cell.left, cell.top, cell.right, cell.bottom)).point(lambda value: 255 if value < _INK else 0)
    across, down = part.width // 5, part.height // 5
    rows = part.crop((across, 0, part.width - across, part.height)).resize((1, part.height), Image.Resampling.BOX)
    columns = part.crop((0, down, part.width, part.height - down)).resize((part.width, 1), Image.Resampling.BOX)
    above, below = _rims(rows.tobytes())
    left, right = _rims(columns.tobytes())
    return Box(cell.left + left, cell.top + above, cell.right - right, cell.bottom - below)


def _rims(flat: bytes) -> tuple[int, int]:
    """How far the lines at both ends reach in: what is beyond the first gap is a stroke of the digit."""
    above, below = (_rim(line[: int(len(flat) * _EDGE)]) for line in (flat, flat[::-1]))
    return above, below


def _rim(line: bytes) -> int:
    begin = next((at for at, value in enumerate(line[:_LATE]) if value > _LINED * 255), None)
    if begin is None:
        return 1
    return next((at for at in range(begin, len(line)) if line[at] <= _LINED * 255), len(line)) + 1
