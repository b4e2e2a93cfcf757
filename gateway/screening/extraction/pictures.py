"""Pictures: their metadata at once; what is drawn on them (barcodes, OCR) later, page by page.

A picture too small to hold a readable number is clean without a look: tracking pixels and icons come with every mail.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import Any, Final

import pillow_heif
from PIL import AvifImagePlugin, ExifTags, Image, ImageFile, IptcImagePlugin, Jpeg2KImagePlugin

from gateway.domain.verdict import Unread
from gateway.screening.chunk import Chunk
from gateway.screening.extraction.descent import Descent, Document, Item, UnreadableError, guarded
from gateway.screening.extraction.ocr import Page, read_page
from gateway.screening.extraction.texts import readings, strings

Image.MAX_IMAGE_PIXELS = None  # our own budget judges the size, before anything is decoded
ImageFile.LOAD_TRUNCATED_IMAGES = False
pillow_heif.register_heif_opener()
pillow_heif.options.DECODE_THREADS = 0  # HEIC's decoder starts one of its own, whatever it is told
AvifImagePlugin.DEFAULT_MAX_THREADS = 1

_LONG_SIDE: Final = 40  # pixels; nine digits of five pixels each do not fit on less
_SHORT_SIDE: Final = 8
_AMPLE: Final = 12_000_000  # pixels
_STRIP: Final = 512  # rows
# Decoders that need much memory for each pixel beside the picture itself, or tell no lack of it from a broken picture.
_MOST_PIXELS: Final = {"WEBP": 16_000_000, "PNG": 42_000_000, "TIFF": 42_000_000, "JPEG progressive": 70_000_000}
_TAGS: Final = 500
_APART: Final = "\n\f\n"  # runs of octets that have nothing to do with one another: no number goes on in the next
_LONG_RUN: Final = 9  # characters; packed pixels hardly ever look like so many
_WHOLE: Final = 500_000
_EDGE: Final = 131_072
_MANY: Final = 65_536
_ENDS: Final = ((b"\x89PNG", b"IEND\xaeB`\x82"), (b"\xff\xd8\xff", b"\xff\xd9"), (b"GIF8", b"\x00\x3b"))
_METADATA_KEYS: Final = frozenset({"exif", "icc_profile", "photoshop", "dpi", "jfif", "adobe", "gamma", "transparency"})


def read_picture(document: Document, descent: Descent) -> Iterator[Item]:
    """Words in a picture's metadata and behind its end; each of its pages is put off to be read by OCR."""
    place = document.place
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with _opened(document.octets) as image:
            descent.budget.check("pixels", _decoded_pixels(image))
            words = _metadata(image)
            size = image.size
    yield Chunk("\n".join([*words, _stray_words(document.octets)]).strip(), f"{place}, metadata")
    behind = _behind(document.octets)
    if behind:
        yield Chunk(strings(behind), f"{place}, behind the picture")
        if len(behind) > 200 and behind[:2] == b"PK":
            yield from descent.into(Document(behind, "", "", f"{place}, behind the picture"))
    if max(size) >= _LONG_SIDE and min(size) >= _SHORT_SIDE:
        descent.later.add(document.octets, place, lambda: _look(document, descent))


def _opened(octets: bytes) -> Image.Image:
    """A picture whose header has been read. Large ones of some formats are decoded at half their size: it is ample.

    Raises UnreadableError: CORRUPT, and OVER_LIMIT where decoding takes more memory than there is.
    """
    try:
        image = Image.open(io.BytesIO(octets))
    except Exception as problem:
        raise UnreadableError(Unread.CORRUPT, "picture") from problem
    pixels = image.width * image.height
    if pixels > _MOST_PIXELS.get(f"{image.format}{' progressive' if 'progressive' in image.info else ''}", pixels):
        raise UnreadableError(Unread.OVER_LIMIT, "pixels")
    if image.format == "JPEG":
        share = 1 if pixels < _AMPLE else 2
        image.draft("L", (image.width // share, image.height // share))
    elif isinstance(image, Jpeg2KImagePlugin.Jpeg2KImageFile) and pixels > _AMPLE:
        image.reduce = 1  # a number before it is loaded, a method after
    return image


def _look(document: Document, descent: Descent) -> Iterator[Item]:
    """Each page of a picture; of a moving picture its first frames, the last of which stays on the screen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = _opened(document.octets)
        count = getattr(image, "n_frames", 1)
    is_moving = image.format in ("GIF", "PNG", "WEBP", "AVIF") and count > 1
    chosen = {0, count // 2, count - 1} if is_moving else set(range(count))
    for number in sorted(chosen):
        place = f"{document.place}, page {number + 1}" if count > 1 else document.place
        if not is_moving and number > 0:
            descent.budget.spend("pages")
        yield from guarded(lambda: _frame(image, number, document.octets, place, descent), place, "picture")  # noqa: B023


def _frame(image: Image.Image, number: int, octets: bytes, place: str, descent: Descent) -> Iterator[Item]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image.seek(number)
        descent.budget.check("pixels", _decoded_pixels(image))
        turn = {3: 180, 6: 270, 8: 90}.get(image.getexif().get(ExifTags.Base.Orientation, 1), 0)
        if image.format == "HEIF" and image.width * image.height > _AMPLE:
            plain = _half_of_heic(octets, number)
        else:
            plain = _plain(image)
        page = Page(plain.rotate(turn, expand=True) if turn else plain, place, _resolution(image))
    yield from read_page(page, descent.budget)


def _decoded_pixels(image: Image.Image) -> int:
    """How many pixels are held at once when the picture is loaded."""
    halved = isinstance(image, Jpeg2KImagePlugin.Jpeg2KImageFile) and image.reduce == 1
    return image.width * image.height // (4 if halved else 1)


def _half_of_heic(octets: bytes, number: int) -> Image.Image:
    """A large HEIC picture in gray at half its size, strip by strip: a second copy of its pixels would be too much."""
    picture = pillow_heif.open_heif(io.BytesIO(octets), convert_hdr_to_8bit=True, remove_stride=False)[number]
    data = memoryview(picture.data)
    (width, height), stride = picture.size, picture.stride
    half = Image.new("L", ((width + 1) // 2, (height + 1) // 2))
    for top in range(0, height, _STRIP):
        rows = min(_STRIP, height - top)
        part = bytes(data[top * stride : (top + rows) * stride])
        strip = Image.frombuffer(picture.mode, (width, rows), part, "raw", picture.mode, stride, 1)
        half.paste(_plain(strip).reduce(2), (0, top // 2))
    return half


def _plain(image: Image.Image) -> Image.Image:
    """The picture in gray on white."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        full = image.convert("RGBA")
        ground = Image.new("RGBA", full.size, "white")
        plain = Image.alpha_composite(ground, full).convert("L")
        low, high = plain.getextrema()
        plain = full.convert("L") if low == high else plain
    elif image.mode.startswith(("I", "F")):
        plain = _stretched(image)
    else:
        plain = image.convert("L")
    return plain


def _stretched(image: Image.Image) -> Image.Image:
    """Pictures of sixteen and more bits, brought to eight by their own range."""
    low, high = image.getextrema()
    span = max(float(high) - float(low), 1.0)  # type: ignore[arg-type]
    return image.convert("F").point(lambda value: (value - float(low)) * (255.0 / span)).convert("L")  # type: ignore[arg-type]


def _resolution(image: Image.Image) -> tuple[float, float]:
    """Dots an inch across and down; (0, 0) when the picture does not tell."""
    told = image.info.get("dpi")
    if told is None or len(told) != 2 or not all(20 < float(one) < 3_000 for one in told):
        return 0.0, 0.0
    return float(told[0]), float(told[1])


def _metadata(image: Image.Image) -> list[str]:
    words: list[str] = []
    for key, value in list(image.info.items())[:_TAGS]:
        if key not in _METADATA_KEYS:
            words += [f"{key}: {text}" for text in _texts(value)]
    words += _exif(image)
    for value in (_iptc(image) or {}).values():
        for one in value if isinstance(value, list) else [value]:
            words += _texts(one)
    return [word[:_MANY] for word in dict.fromkeys(words)]


def _exif(image: Image.Image) -> list[str]:
    exif = image.getexif()
    blocks: list[Any] = [exif, *(exif.get_ifd(block) for block in ExifTags.IFD)]
    words: list[str] = []
    for block in blocks:
        for tag, value in list(block.items())[:_TAGS]:
            if not isinstance(value, (str, bytes)):
                continue
            name = ExifTags.TAGS.get(tag, "")
            wide = isinstance(value, bytes) and name.startswith("XP")
            texts = [value.decode("utf-16-le", "replace").rstrip("\x00")] if wide else _texts(value)  # type: ignore[union-attr]
            words += [f"{name}: {text}" for text in texts]
    return words


def _iptc(image: Image.Image) -> dict[Any, Any] | None:
    try:
        return IptcImagePlugin.getiptcinfo(image) if isinstance(image, ImageFile.ImageFile) else None
    except (SyntaxError, ValueError, TypeError, IndexError, KeyError, AttributeError):
        return None


def _texts(value: Any) -> list[str]:
    """What a value of metadata says: text as it is, octets in their plausible readings."""
    if isinstance(value, str):
        return [value] if value.strip() else []
    if not isinstance(value, bytes) or len(value) < 4:
        return []
    plain = value[8:] if value[:8] in (b"ASCII\x00\x00\x00", b"\x00" * 8) else value
    if value[:8] == b"UNICODE\x00":
        return [value[8:].decode("utf-16-be", "replace"), value[8:].decode("utf-16-le", "replace")]
    if len(plain) > _MANY:
        return [strings(plain)]
    return readings(plain) if plain.rstrip(b"\x00").isascii() else [strings(plain, 5)]


def _stray_words(octets: bytes) -> str:
    """Long runs of printable characters: chunks and segments that no table of metadata knows."""
    sample = octets if len(octets) < _WHOLE else octets[:_EDGE] + octets[-_EDGE:]
    return strings(sample, _LONG_RUN).replace("\n", _APART)


def _behind(octets: bytes) -> bytes:
    """What stands behind the end of a picture."""
    for start, end in _ENDS:
        if octets.startswith(start):
            at = octets.rfind(end)
            return octets[at + len(end) :].strip(b"\x00\r\n ") if at >= 0 else b""
    return b""
