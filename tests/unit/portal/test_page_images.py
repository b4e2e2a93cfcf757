"""Pages of documents, drawn by the real locked process."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageDraw

from gateway.domain.partmap import Part, PartMap
from gateway.portal.page_images import PageImages, drawable


def fax(pages: int = 1, size: tuple[int, int] = (1728, 1100), dpi: tuple[int, int] = (204, 98)) -> bytes:
    drawn = []
    for _ in range(pages):
        image = Image.new("1", size, 1)
        ImageDraw.Draw(image).rectangle((0, 0, 99, 49), fill=0)
        drawn.append(image)
    octets = io.BytesIO()
    drawn[0].save(octets, "TIFF", save_all=True, append_images=drawn[1:], compression="group4", dpi=dpi)
    return octets.getvalue()


def pdf(pages: int = 1) -> bytes:
    drawn = [Image.new("RGB", (850, 1100), "white") for _ in range(pages)]
    octets = io.BytesIO()
    drawn[0].save(octets, "PDF", save_all=True, append_images=drawn[1:])
    return octets.getvalue()


async def draw(octets: bytes, media_type: str = "image/tiff", page: int = 1, turn: int = 0) -> Image.Image | None:
    drawn = await PageImages().draw(octets, media_type, page, turn)
    return None if drawn is None else Image.open(io.BytesIO(drawn.png))


async def test_a_fax_of_coarse_resolution_is_drawn_with_square_pixels() -> None:
    image = await draw(fax())
    assert image is not None
    assert (image.width, image.mode) == (1728, "1")
    assert image.height == round(1100 * 204 / 98)
    fine = await draw(fax(dpi=(204, 196)))
    assert fine is not None
    assert fine.height == 1100


async def test_a_page_is_turned_clockwise() -> None:
    corners = {0: (5, 5), 90: (-6, 5), 180: (-6, -6), 270: (5, -6)}
    for turn, (across, down) in corners.items():
        image = await draw(fax(dpi=(204, 196)), turn=turn)
        assert image is not None
        assert image.getpixel((across % image.width, down % image.height)) == 0


@pytest.mark.parametrize(("octets", "media_type"), [(fax(3), "image/tiff"), (pdf(3), "application/pdf")])
async def test_each_page_is_drawn_and_none_that_is_not_there(octets: bytes, media_type: str) -> None:
    drawn = await PageImages().draw(octets, media_type, 3)
    assert drawn is not None
    assert drawn.pages == 3
    assert await draw(octets, media_type, 4) is None
    assert await draw(octets, media_type, 0) is None


async def test_a_document_that_is_not_what_it_says_is_drawn_as_what_it_is() -> None:
    assert await draw(pdf(), "application/octet-stream") is not None
    assert await draw(fax(), "application/octet-stream") is not None


@pytest.mark.parametrize("octets", [b"", b"MZ" + b"\x00" * 500, fax()[:60], b"%PDF-1.7\nnothing"])
async def test_what_cannot_be_read_is_drawn_as_nothing(octets: bytes) -> None:
    assert await draw(octets) is None


async def test_a_picture_of_too_many_pixels_is_not_decoded() -> None:
    assert await draw(fax(size=(20_000, 20_000), dpi=(204, 196))) is None


def test_pictures_and_pdfs_are_drawn_whatever_they_are_called() -> None:
    leaves = [
        Part("1", "text/plain"),
        Part("2", "image/tiff"),
        Part("3", "application/octet-stream", filename="FAX.TIF"),
        Part("4", "application/pdf"),
        Part("5", "application/zip", filename="x.zip"),
    ]
    found = drawable(PartMap((Part("TEXT", "multipart/mixed"), *leaves)))
    assert [one.path for one in found] == ["2", "3", "4"]
