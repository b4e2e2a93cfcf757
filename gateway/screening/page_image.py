"""A page of a document as a picture that a browser can show: `python -m gateway.screening.page_image TYPE PAGE TURN`.

With a fourth argument, `LEFT,TOP,RIGHT,BOTTOM` in ten-thousandths, the page is turned level first, as it is when it is
recognised, and only that part of it is drawn: `0,0,10000,10000` is all of it.

Does: loads its decoders, gives up files, network, processes and most system calls, then reads one document (a picture,
    TIFF of a fax, PDF) from standard input and writes one page: a line `PAGES`, and a PNG.
Trusts: nothing it reads. It is written as if the document runs code here.
Holds: one document. No key, no file, nothing of others.
Fails: by ending without a word, when it cannot read the document, or takes too long or too much memory over it.
"""

from __future__ import annotations

import ctypes
import io
import os
import resource
import sys
import warnings
from typing import Final

import pypdfium2
from PIL import Image, ImageOps, TiffImagePlugin

from gateway.domain.recognition import SCALE, Box
from gateway.screening import landlock, seccomp
from gateway.screening.recognition.sheets import levelled, open_sheets, turned

MAX_OCTETS: Final = 32 * 1024**2
_SECONDS: Final = 20
_MEMORY: Final = 512 * 1024**2
_WIDEST: Final = 1_600  # pixels of a page as it is sent, where it is no fax
_MOST_PIXELS: Final = 60_000_000
_PDF_SCALE: Final = 2.0  # of 72 dots per inch
_PDF: Final = "application/pdf"
_PR_SET_NO_NEW_PRIVS: Final = 38


def draw(octets: bytes, media_type: str, page: int, turn: int, box: Box | None = None) -> tuple[int, bytes]:
    """Return how many pages there are and one of them as a PNG, turned clockwise by 0, 90, 180 or 270 degrees.

    With a box only that part of the page, which is then levelled: where a recognition says that something stands.
    Raises whatever a decoder raises, ValueError for a page that is not there.
    """
    if box is not None:
        return _part(octets, page, turn, box)
    if media_type == _PDF or octets[:5] == b"%PDF-":
        pages, image = _of_pdf(octets, page)
    else:
        pages, image = _of_picture(octets, page)
    if turn:
        image = image.rotate(-turn, expand=True)
    drawn = io.BytesIO()
    image.save(drawn, "PNG")
    return pages, drawn.getvalue()


def main() -> None:
    """Draw the page that the arguments name of what comes on standard input."""
    media_type, page, turn = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    box = Box(*map(int, sys.argv[4].split(","))) if len(sys.argv) > 4 else None
    Image.preinit()
    Image.MAX_IMAGE_PIXELS = None  # judged below, before anything is decoded
    warnings.simplefilter("ignore")
    lock()
    try:
        octets = sys.stdin.buffer.read(MAX_OCTETS + 1)
        if len(octets) > MAX_OCTETS:
            os._exit(os.EX_DATAERR)
        pages, drawn = draw(octets, media_type, page, turn, box)
        answer = f"{pages}\n".encode("ascii") + drawn
        while answer:
            answer = answer[os.write(1, answer) :]
    except BaseException:  # noqa: BLE001 - silence says it all: nothing of a document goes anywhere but into its picture
        os._exit(os.EX_DATAERR)
    os._exit(os.EX_OK)


def lock() -> None:
    """Lock this process up for good. Raises OSError when the kernel has a lock and does not close it."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs")
    most_memory = _MEMORY + _mapped()
    machine = seccomp.machine() if seccomp.is_present() else None
    landlock.restrict()
    for limit, most in (
        (resource.RLIMIT_AS, most_memory),
        (resource.RLIMIT_CPU, _SECONDS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 3),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(limit, (most, most))
    if machine is not None:
        seccomp.restrict(machine)


def _part(octets: bytes, page: int, turn: int, box: Box) -> tuple[int, bytes]:
    """A part of a page as it is recognised."""
    sheets = open_sheets(octets)
    if not 1 <= page <= sheets.total:
        raise ValueError("there is no such page")
    upright = levelled(turned(sheets.draw(page), turn))
    width, height = upright.size
    left, top = box.left * width // SCALE, box.top * height // SCALE
    right, bottom = -(-box.right * width // SCALE), -(-box.bottom * height // SCALE)
    drawn = io.BytesIO()
    upright.crop((left, top, right, bottom)).save(drawn, "PNG")
    return sheets.total, drawn.getvalue()


def _of_pdf(octets: bytes, page: int) -> tuple[int, Image.Image]:
    document = pypdfium2.PdfDocument(octets)
    pages = len(document)
    if not 1 <= page <= pages:
        raise ValueError("there is no such page")
    one = document[page - 1]
    width, height = one.get_size()
    scale = min(_PDF_SCALE, _WIDEST / max(width, 1), (_MOST_PIXELS / max(width * height, 1)) ** 0.5)
    image: Image.Image = one.render(scale=scale, may_draw_forms=True).to_pil()
    return pages, image.convert("RGB")


def _of_picture(octets: bytes, page: int) -> tuple[int, Image.Image]:
    image = Image.open(io.BytesIO(octets))
    pages = int(getattr(image, "n_frames", 1))
    if not 1 <= page <= pages:
        raise ValueError("there is no such page")
    image.seek(page - 1)
    if image.width * image.height > _MOST_PIXELS:
        raise ValueError("too many pixels")
    square = _square(image)
    if square.mode == "1":
        return pages, square
    upright = ImageOps.exif_transpose(square.convert("RGB"))
    upright.thumbnail((_WIDEST, _WIDEST * 4))
    return pages, upright


def _square(image: Image.Image) -> Image.Image:
    """Return a page with pixels as high as wide: a fax of coarse resolution has half as many lines."""
    across, down = image.info.get("dpi", (1, 1)) if isinstance(image, TiffImagePlugin.TiffImageFile) else (1, 1)
    ratio = float(across) / float(down) if across and down else 1.0
    if not 1.2 < ratio < 4:  # between them lie the ratios that faxes have
        return image.copy()  # what still has a file to it asks for the file's path when it is saved
    return image.resize((image.width, round(image.height * ratio)), Image.Resampling.NEAREST)


def _mapped() -> int:
    """Return how many octets are mapped now: libraries, which no document has brought."""
    with open("/proc/self/statm", "rb") as pages:
        return int(pages.read().split()[0]) * resource.getpagesize()


if __name__ == "__main__":
    main()
