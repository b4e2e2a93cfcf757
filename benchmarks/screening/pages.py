"""Pages as pictures: scans, photographs, faxes, forms with a box a digit, bar codes."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from pathlib import Path
from random import Random

import segno
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from benchmarks.screening import filler, people
from benchmarks.screening.files import TABULAR, File, Maker, name, prose, rows
from benchmarks.screening.forms import Form
from benchmarks.screening.marks import unmarked
from benchmarks.screening.passages import Passage

_FONTS = (
    "DejaVuSans DejaVuSerif DejaVuSansMono LiberationSans-Regular LiberationSerif-Regular DejaVuSansCondensed".split()
)
_FOLDERS = ("/usr/share/fonts/truetype/dejavu", "/usr/share/fonts/truetype/liberation", "/usr/share/fonts/TTF")
FAX_WIDTH, FAX_HEIGHT = 1728, 2292  # 204 dpi across, 11.2 inches at 204 down
WIDTH, HEIGHT = 1654, 2339  # A4 at 200 dpi


@functools.cache
def font(face: str, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """A font of this machine, or the one that Pillow carries."""
    for folder in _FOLDERS:
        path = Path(folder) / f"{face}.ttf"
        if path.exists():
            return ImageFont.truetype(str(path), size)
    return ImageFont.load_default(size)


def written(rng: Random, lines: list[str], width: int = WIDTH, height: int = HEIGHT, size: int = 0) -> Image.Image:
    """A white page with these lines, wrapped at its margins; a higher one when they do not fit."""
    size = size or rng.randint(30, 42)
    face = font(rng.choice(_FONTS), size)
    down = rng.randint(120, 300)
    measure = ImageDraw.Draw(Image.new("L", (1, 1)))
    pieces = [piece for line in lines for piece in _wrapped(measure, line, face, width - 240)]
    sheet = Image.new("L", (width, max(height, down + int(size * 1.5) * len(pieces) + 100)), 255)
    draw = ImageDraw.Draw(sheet)
    for piece in pieces:
        draw.text((120, down), piece, fill=rng.choice([0, 0, 30]), font=face)
        down += int(size * 1.5)
    return sheet


def _wrapped(
    draw: ImageDraw.ImageDraw, line: str, face: ImageFont.FreeTypeFont | ImageFont.ImageFont, room: int
) -> list[str]:
    made = [""]
    for word in line.replace("\t", "   ").split(" "):
        longer = f"{made[-1]} {word}" if made[-1] else word
        if draw.textlength(longer, font=face) > room and made[-1]:
            made.append(word)
        else:
            made[-1] = longer
    return made


def said(rng: Random, passage: Passage) -> list[str]:
    """The passage as lines for a page: short enough that no number is cut at a margin."""
    if passage.style in TABULAR:
        return ["   ".join(row) for row in rows(passage)]
    blocks = prose(rng, passage)[:3]
    if unmarked(passage.prose) not in blocks:
        blocks[-1] = unmarked(passage.prose)
    return [line for block in blocks for line in (*block.split("\n"), "")]


def scanned(rng: Random, sheet: Image.Image, skew: float = 1.5) -> Image.Image:
    """A clean scan: a little skew, a little blur, a little grain."""
    turned = sheet.rotate(rng.uniform(-skew, skew), fillcolor=255, resample=Image.Resampling.BICUBIC)
    grain = _grain(rng, turned.size)
    return Image.blend(turned.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.7))), grain, 0.05)


def _grain(rng: Random, size: tuple[int, int]) -> Image.Image:
    return Image.frombytes("L", size, rng.randbytes(size[0] * size[1]))


def photographed(rng: Random, sheet: Image.Image) -> Image.Image:
    """A photograph: skewed to 3.5°, lit from one side, grainy, in colour."""
    turned = sheet.rotate(rng.uniform(-3.5, 3.5), fillcolor=225, resample=Image.Resampling.BICUBIC, expand=True)
    light = Image.linear_gradient("L").resize(turned.size).point(lambda value: 170 + value // 3)
    lit = Image.composite(turned, Image.new("L", turned.size, 20), light)
    grained = Image.blend(lit, _grain(rng, lit.size), 0.08)
    return Image.merge(
        "RGB", (grained, grained.point(lambda value: int(value * 0.98)), grained.point(lambda value: int(value * 0.93)))
    )


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    made = io.BytesIO()
    picture.save(made, kind, **options)
    return made.getvalue()


def png(rng: Random, passage: Passage) -> File:
    """A screen shot: small letters, no noise."""
    sheet = written(rng, said(rng, passage), 1100, 700, rng.randint(20, 30))
    return File(name(rng, "png"), "image/png", saved(sheet, "PNG"))


def jpg(rng: Random, passage: Passage) -> File:
    picture = photographed(rng, written(rng, said(rng, passage)))
    return File(name(rng, "jpg"), "image/jpeg", saved(picture, "JPEG", quality=rng.randint(60, 88)))


def turned(rng: Random, passage: Passage) -> File:
    """A page that was put in sideways or upside down."""
    sheet = scanned(rng, written(rng, said(rng, passage))).rotate(rng.choice([90, 180, 270]), expand=True)
    return File(name(rng, "jpg"), "image/jpeg", saved(sheet, "JPEG", quality=80))


def fax_page(rng: Random, lines: list[str]) -> Image.Image:
    """What the machine prints on top, the lines, a little skew, and specks of dirt."""
    sheet = written(rng, lines, FAX_WIDTH, FAX_HEIGHT, rng.randint(36, 46)).rotate(
        rng.uniform(-0.8, 0.8), fillcolor=255
    )
    draw = ImageDraw.Draw(sheet)
    top = f"{rng.randint(1, 12):02}/{rng.randint(1, 28):02}/2026 {rng.randint(8, 18)}:{rng.randint(10, 59)}  {people.telephone(rng)}  P.001/001"
    draw.text((60, 12), top, fill=0, font=font("DejaVuSansMono", 28))
    for _ in range(rng.randint(0, 150)):
        across, down = rng.randrange(FAX_WIDTH), rng.randrange(FAX_HEIGHT)
        draw.rectangle((across, down, across + rng.randint(0, 2), down + rng.randint(0, 2)), fill=0)
    return sheet


def as_fax(sheet: Image.Image, *, fine: bool, coding: str) -> bytes:
    """Bilevel TIFF as fax machines make it: 204×196 or 204×98 to the inch, T.4 or T.6."""
    rows_down = sheet.height if fine else sheet.height // 2
    page = sheet.resize((FAX_WIDTH, rows_down)).point(lambda value: 255 if value > 140 else 0).convert("1")
    return saved(page, "TIFF", compression=coding, dpi=(204, 196 if fine else 98))


def _fax(*, fine: bool) -> Maker:
    def make(rng: Random, passage: Passage) -> File:
        coding = rng.choice(["group4", "group3"])
        octets = as_fax(fax_page(rng, said(rng, passage)), fine=fine, coding=coding)
        return File(
            rng.choice(["Cisco_fax.tif", "FAX.TIF", "fax00012.tif", "FAX_20260105_1.tiff"]), "image/tiff", octets
        )

    return make


def form_page(rng: Random, made: Form, *, comb: bool) -> Image.Image:
    """A form as printed, with its values in their boxes; with `comb`, digits of numbers each in a box of its own."""
    sheet = Image.new("L", (FAX_WIDTH, FAX_HEIGHT), 255)
    draw = ImageDraw.Draw(sheet)
    print_face, pen = (
        font("DejaVuSans", 24),
        font(rng.choice(["DejaVuSansMono", "DejaVuSans", "LiberationSans-Regular"]), 38),
    )
    draw.text((90, 80), f"Form {made.number}", fill=0, font=font("DejaVuSans-Bold", 46))
    draw.text((460, 95), made.title[:70], fill=0, font=print_face)
    down = 200
    for label, value in made.fields:
        draw.rectangle((80, down, FAX_WIDTH - 80, down + 110), outline=0, width=2)
        draw.text((92, down + 6), label[:80], fill=0, font=print_face)
        if comb and sum(mark.isdigit() for mark in value) >= 8 and len(value) < 15 and not set(value) & set(".,$"):
            _combed(draw, value, down, pen)
        else:
            draw.text((110, down + 50), value[:70], fill=0, font=pen)
        down += 118
    return sheet


def _combed(
    draw: ImageDraw.ImageDraw, value: str, down: int, pen: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> None:
    across = 110
    for mark in value:
        if not mark.isalnum():
            across += 24
            draw.line((across - 18, down + 78, across - 8, down + 78), fill=0, width=3)
            continue
        draw.rectangle((across, down + 48, across + 48, down + 104), outline=0, width=2)
        draw.text((across + 12, down + 52), mark, fill=0, font=pen)
        across += 48


# Code 39 (ISO/IEC 16388): n narrow, w wide, bar and space in turn.
_CODE_39 = dict(
    zip(
        "0123456789-*P ",
        (
            "nnnwwnwnn",
            "wnnwnnnnw",
            "nnwwnnnnw",
            "wnwwnnnnn",
            "nnnwwnnnw",
            "wnnwwnnnn",
            "nnwwwnnnn",
            "nnnwnnwnw",
            "wnnwnnwnn",
            "nnwwnnwnn",
            "nwnnnnwnw",
            "nwnnwnwnn",
            "nnwnwnwnn",
            "nwwnnnwnn",
        ),
        strict=True,
    )
)


def bars(text: str, height: int = 120, unit: int = 3) -> Image.Image:
    """`text` (digits, dashes, P) as Code 39."""
    widths = [(3 if width == "w" else 1) * unit for mark in f"*{text}*" for width in f"{_CODE_39[mark]}n"]
    picture = Image.new("L", (sum(widths) + 60, height + 40), 255)
    draw, across = ImageDraw.Draw(picture), 30
    for at, width in enumerate(widths):
        if at % 2 == 0:
            draw.rectangle((across, 20, across + width - 1, 20 + height), fill=0)
        across += width
    return picture


def code(rng: Random, passage: Passage) -> File:
    """A QR code, alone or on a page, or bars when the number allows it."""
    text = unmarked(passage.line)
    if passage.datum.numeric and rng.random() < 0.3:
        picture = bars(passage.datum.text if set(passage.datum.text) <= set("0123456789-") else passage.datum.plain)
        sheet = written(rng, [f"{passage.line.partition(chr(0xE000))[0].strip(' :=-')}"], 1300, 500, 30)
        sheet.paste(picture, (60, 250))
    else:
        raw = io.BytesIO()
        segno.make(text, error="m", micro=False).save(raw, kind="png", scale=rng.randint(4, 9), border=4)
        picture = Image.open(raw).convert("L")
        sheet = picture if rng.random() < 0.5 else written(rng, [filler.sentence(rng, "en")], 1300, 1300, 30)
        if sheet is not picture:
            sheet.paste(picture.resize((400, 400), Image.Resampling.NEAREST), (500, 700))
    return File(name(rng, "png"), "image/png", saved(sheet, "PNG"))


def words_beside(rng: Random, passage: Passage) -> File:
    """A picture of nothing, with the words in its metadata."""
    picture = _grain(rng, (320, 240)).convert("RGB")
    text = unmarked(passage.line)
    if rng.random() < 0.5:
        exif = Image.Exif()
        exif[rng.choice([270, 315, 33432])] = text.encode("ascii", "replace").decode()
        return File(name(rng, "jpg"), "image/jpeg", saved(picture, "JPEG", exif=exif))
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_itxt(rng.choice(["Description", "Comment", "Title"]), text, zip=rng.random() < 0.5)
    return File(name(rng, "png"), "image/png", saved(picture, "PNG", pnginfo=info))


MAKERS: dict[str, tuple[Maker, str]] = {
    "png": (png, "contained"), "jpg": (jpg, "contained"), "rotated scan": (turned, "contained"), "fax fine": (_fax(fine=True), "contained"), "fax standard": (_fax(fine=False), "hidden"),
    "bar code": (code, "hidden"), "picture metadata": (words_beside, "hidden"),
}  # fmt: skip
READ_BY_EYE = frozenset({"png", "jpg", "rotated scan", "fax fine", "fax standard", "pdf scan", "bar code"})
Painter = Callable[[Random, Form], Image.Image]
