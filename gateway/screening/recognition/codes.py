"""The code of a cover sheet of ours: a reference that says where the rest of a fax belongs."""

from __future__ import annotations

from typing import Any, Final

import zxingcpp
from PIL import Image

from gateway.domain import reference

COVER_SERIES: Final = "CS"
"""What references of cover sheets begin with: `CS-7K2Q-9F4T`."""

_FORMATS: Final[Any] = [zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.DataMatrix]


def find_reference(image: Image.Image) -> str:
    """Return the reference that a code on this page (mode L) holds, "" where there is none of ours."""
    for code in zxingcpp.read_barcodes(image, formats=_FORMATS, try_rotate=True, try_downscale=True):
        try:
            told = reference.parse(code.text)
        except ValueError:
            continue
        if told.series == COVER_SERIES and told.message:
            return str(told)
    return ""
