"""The code of a cover sheet of ours: a reference that says where the rest of a fax belongs."""

from __future__ import annotations

from typing import Any, Final

import zxingcpp
from PIL import Image

from gateway.domain.cover_sheet import reference_in

_FORMATS: Final[Any] = [zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.DataMatrix]


def find_reference(image: Image.Image) -> str:
    """Return the reference that a code on this page (mode L) holds, "" where there is none of ours."""
    for code in zxingcpp.read_barcodes(image, formats=_FORMATS, try_rotate=True, try_downscale=True):
        if told := reference_in(code.text):
            return told
    return ""
