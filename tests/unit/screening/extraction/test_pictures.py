from __future__ import annotations

import random
import zlib

import pytest
import segno
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from PIL.PngImagePlugin import PngInfo

from gateway.domain.verdict import Unread, Unreadable
from gateway.screening.chunk import Budget, Form
from gateway.screening.extraction.documents import Document, Later, extract_document
from tests.unit.screening.extraction.samples import NUMBER, picture, png, read, saved, texts, whys, zipped

FAX = (1728, 2292)


def seen(image: Image.Image, kind: str = "PNG", **options: object) -> str:
    return texts(saved(lambda held: image.save(held, kind, **options)), form=Form.OCR)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "HEIF", "JPEG2000", "PPM"])
def test_a_picture_of_any_format_is_read(kind: str) -> None:
    assert NUMBER in seen(picture(f"Number {NUMBER}"), kind)


def test_words_in_metadata_are_read() -> None:
    exif = Image.Exif()
    exif[0x010E] = "111-13-0001"
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\x00" + "222-13-0002".encode("utf-16-be")
    exif[0x9C9C] = "333-13-0003".encode("utf-16-le")
    octets = saved(
        lambda held: picture().save(held, "JPEG", exif=exif, comment=b"444-13-0004", xmp=b"<x>555-13-0005</x>")
    )
    found = texts(octets)
    for at in range(1, 6):
        assert f"{at}{at}{at}-13-000{at}" in found


def test_words_in_a_png_are_read_packed_ones_as_well() -> None:
    information = PngInfo()
    information.add_text("Comment", "111-14-0001")
    information.add_text("Title", "222-14-0002", zip=True)
    information.add_itxt("XML:com.adobe.xmp", "<x>333-14-0003</x>", zip=True)
    found = texts(saved(lambda held: picture().save(held, "PNG", pnginfo=information)))
    for at in range(1, 4):
        assert f"{at}{at}{at}-14-000{at}" in found


def test_words_in_a_part_of_a_picture_that_nobody_knows_are_read() -> None:
    whole = png()
    body = f"hidden {NUMBER}".encode()
    chunk = len(body).to_bytes(4, "big") + b"prVt" + body + zlib.crc32(b"prVt" + body).to_bytes(4, "big")
    assert NUMBER in texts(whole[:33] + chunk + whole[33:])


def test_octets_that_look_like_letters_by_chance_make_no_number_together() -> None:
    pixels = b"\x00".join(b"abcd%05d" % number for number in range(12345, 12349))
    chunk = len(pixels).to_bytes(4, "big") + b"prVt" + pixels + zlib.crc32(b"prVt" + pixels).to_bytes(4, "big")
    found = texts(png()[:33] + chunk + png()[33:])
    assert "abcd12345\n\f\nabcd12346" in found


def test_what_stands_behind_the_end_of_a_picture_is_read() -> None:
    assert NUMBER in texts(png() + f"hidden {NUMBER}".encode())
    assert NUMBER in texts(saved(lambda held: picture().save(held, "JPEG")) + zipped({"a.txt": NUMBER.encode()}))


def test_tracking_pixels_and_icons_cost_no_look_and_are_clean() -> None:
    for size in ((1, 1), (16, 16), (32, 32), (600, 3)):
        later = Later()
        octets = saved(lambda held, size=size: Image.new("RGB", size, "red").save(held, "PNG"))
        assert list(extract_document(Document(octets), Budget(), 0, later=later)) == []
        assert len(later) == 0


def test_barcodes_are_read() -> None:
    octets = saved(lambda held: segno.make(f"SSN {NUMBER}").save(held, kind="png", scale=5))
    assert f"SSN {NUMBER}" in texts(octets)


def test_white_on_black_and_unevenly_lit_pictures_are_read() -> None:
    black = picture(f"Number {NUMBER}").point(lambda value: 255 - value)
    assert NUMBER in seen(black)
    light = Image.linear_gradient("L").resize((900, 300)).point(lambda value: 60 + value // 2)
    lit = Image.composite(light, Image.new("L", (900, 300), 20), picture(f"Number {NUMBER}").convert("L"))
    assert NUMBER in seen(lit)


def test_text_that_shows_only_through_transparency_is_read() -> None:
    shape = picture(f"Number {NUMBER}").convert("L").point(lambda value: 255 - value)
    image = Image.new("RGBA", shape.size, (0, 0, 0, 0))
    image.putalpha(shape)
    assert NUMBER in seen(image)


def test_every_page_of_a_tiff_is_read() -> None:
    first = picture("nothing on this page")
    octets = saved(lambda held: first.save(held, "TIFF", save_all=True, append_images=[picture(f"Number {NUMBER}")]))
    assert {item.place for item in read(octets) if NUMBER in getattr(item, "text", "")} == {"attachment 1, page 2"}


def test_a_broken_picture_is_told() -> None:
    assert whys(png(NUMBER)[:-2_000]) == {Unread.CORRUPT}
    assert [item for item in read(b"\x89PNG\r\n\x1a\n" + bytes(50)) if isinstance(item, Unreadable)]


def _page(*lines: str, size: int = 40) -> Image.Image:
    page = Image.new("L", FAX, 255)
    for count, line in enumerate(lines):
        ImageDraw.Draw(page).text((120, 200 + 90 * count), line, fill=0, font=ImageFont.load_default(size))
    return page


LETTER = (
    "Dear Sir or Madam,",
    "please find below the number that you asked for.",
    f"Number: {NUMBER}",
    "With best regards",
)


@pytest.mark.slow
@pytest.mark.parametrize("coding", ["group3", "group4"])
@pytest.mark.parametrize("down", [196, 98])
def test_a_fax_is_read_fine_or_standard(coding: str, down: int) -> None:
    page = _page(*LETTER).resize((1728, 2292 if down == 196 else 1146)).convert("1")
    assert NUMBER in seen(page, "TIFF", compression=coding, dpi=(204, down))


@pytest.mark.slow
@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_that_lies_on_its_side_or_head_is_read(turn: int) -> None:
    assert NUMBER in seen(_page(*LETTER).rotate(turn, expand=True))


@pytest.mark.slow
@pytest.mark.parametrize("angle", [-3.5, 2.0])
def test_a_page_that_is_not_straight_is_read(angle: float) -> None:
    assert NUMBER in seen(_page(*LETTER).rotate(angle, Image.Resampling.BICUBIC, fillcolor=255), "JPEG", quality=70)


def _comb(page: Image.Image, digits: str, top: int, style: str) -> None:
    draw, across = ImageDraw.Draw(page), 120
    draw.text((120, top - 40), "Taxpayer identification number", fill=0, font=ImageFont.load_default(24))
    for mark in digits:
        if mark == "-":
            across += 26
            continue
        if style == "open":
            draw.line((across, top + 58, across + 50, top + 58), fill=0, width=2)
            draw.line((across, top + 30, across, top + 58), fill=0, width=2)
            draw.line((across + 50, top + 30, across + 50, top + 58), fill=0, width=2)
        else:
            draw.rectangle((across, top, across + 48, top + 58), outline=0, width=2)
        draw.text((across + 14, top + 4), mark, fill=0, font=ImageFont.load_default(40))
        across += 58 if style == "apart" else 50 if style == "open" else 48


@pytest.mark.slow
@pytest.mark.parametrize("style", ["touching", "apart", "open"])
def test_digits_in_boxes_of_their_own_are_read(style: str) -> None:
    rng = random.Random(style)
    right = total = 0
    for _ in range(2):
        numbers = [f"{rng.randrange(1000):03}-{rng.randrange(100):02}-{rng.randrange(10_000):04}" for _ in range(10)]
        page = Image.new("L", FAX, 255)
        for at, number in enumerate(numbers):
            _comb(page, number if at % 2 else number.replace("-", ""), 150 + 200 * at, style)
        page = page.rotate(0.5, fillcolor=255).filter(ImageFilter.GaussianBlur(0.6))
        found = seen(
            page.point(lambda value: 255 if value > 140 else 0).convert("1"),
            "TIFF",
            compression="group4",
            dpi=(204, 196),
        )
        plain = "".join(filter(str.isdigit, found.replace("\n", "|")))
        right += sum(number.replace("-", "") in plain for number in numbers)
        total += len(numbers)
    assert right / total >= 0.8  # of whole numbers, which is far above 93 % of digits


LARGE = (6000, 4000)  # a telephone's photograph


@pytest.mark.parametrize(("kind", "mode"), [("HEIF", "RGB"), ("HEIF", "RGBA"), ("JPEG2000", "RGB"), ("JPEG", "RGB")])
def test_a_large_picture_is_read_at_half_its_size(kind: str, mode: str) -> None:
    image = Image.new(mode, LARGE, "white")
    ImageDraw.Draw(image).text((600, 1200), f"Number {NUMBER}", fill="black", font=ImageFont.load_default(160))
    assert NUMBER in seen(image, kind)


def test_a_large_heic_picture_on_its_side_is_read() -> None:
    image = Image.new("RGB", LARGE, "white")
    ImageDraw.Draw(image).text((600, 1200), f"Number {NUMBER}", fill="black", font=ImageFont.load_default(160))
    exif = Image.Exif()
    exif[0x0112] = 6
    assert NUMBER in seen(image.transpose(Image.Transpose.ROTATE_90), "HEIF", exif=exif)


def test_rows_of_a_table_are_read_with_their_cells_apart() -> None:
    page = Image.new("L", (1654, 800), 255)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(36)
    for down, (left, right) in enumerate((("Payee", "Tax number"), ("Ann Lee", "pending"), ("Bo Ray", NUMBER))):
        draw.text((120, 100 + 80 * down), left, fill=0, font=font)
        draw.text((700, 100 + 80 * down), right, fill=0, font=font)
    assert f"Bo Ray   {NUMBER}" in seen(page)


def test_a_picture_whose_decoder_needs_more_than_there_is_is_over_a_limit() -> None:
    octets = saved(lambda held: Image.new("L", (6_800, 6_800)).save(held, "PNG"))
    assert whys(octets) == {Unread.OVER_LIMIT}
