"""Faxes read by real locked children: good ones, and documents that lie, loop, break off or are none."""

from __future__ import annotations

import asyncio
import io
import struct
from collections.abc import AsyncIterator
from random import Random

import pikepdf
import pytest
import pytest_asyncio
from PIL import Image

from benchmarks.recognition import fax, sheets
from gateway.domain.errors import ScreeningUnavailable
from gateway.domain.recognition import Box, Recognition, Sort
from gateway.portal.page_images import PageImages
from gateway.programmes import load_programme
from gateway.resources import programmes_folder
from gateway.screening import landlock, seccomp
from gateway.screening.pool import Patience, Pool, Sizes

LAYOUTS = load_programme(programmes_folder() / "cwa").layouts
FINE = fax.Line(fine=True, coding="group4", specks=0.0003, threshold=150, blur=0.4)
COARSE = fax.Line(fine=False, coding="group3", specks=0, threshold=150, blur=0.3)
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow, pytest.mark.timeout(300)]

if not (landlock.version() and seccomp.is_present()):
    pytest.skip("needs a kernel with Landlock and seccomp", allow_module_level=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[Pool]:
    made = Pool(sizes=Sizes(1, 1), patience=Patience(child=120.0, answer=120.0))
    made.start_soon(pages=True)
    yield made
    await made.close()


def sent(line: fax.Line, *made: list[sheets.Sheet], turn: int = 0) -> bytes:
    return fax.send(Random("line"), line, [(picture, turn) for each in made for picture, _ in each])


def blank_pages(count: int) -> bytes:
    held = io.BytesIO()
    pages = [Image.new("1", (1728, 1100), 1) for _ in range(count)]
    pages[0].save(held, "TIFF", compression="group4", dpi=(204, 98), save_all=True, append_images=pages[1:])
    return held.getvalue()


async def read(pool: Pool, *documents: bytes) -> Recognition:
    return await pool.recognise([(str(at), octets) for at, octets in enumerate(documents, 2)], LAYOUTS)


async def test_a_fax_of_a_cover_sheet_a_form_and_a_letter_is_split(pool: Pool) -> None:
    cover, form, letter = (make(Random("fax")) for make in (sheets.cover, sheets.consent, sheets.letter))
    made = await read(pool, sent(FINE, cover, form, letter))
    assert made.complete
    assert [(one.sort, one.form, one.pages) for one in made.sections] == [
        (Sort.COVER_SHEET, "", (1,)),
        (Sort.FORM, "Form 15410", (2, 3)),
        (Sort.LETTER, "", (4,)),
    ]
    assert made.sections[0].reference == cover[0][1].reference
    told = {(one.field, one.row): one for one in made.sections[1].suggestions}
    for key, row, ticked in form[1][1].ticks:
        assert told[key, row].value == ("yes" if ticked else "no")
        assert told[key, row].page == 3
        assert told[key, row].box is not None


async def test_a_coarse_fax_upside_down_is_turned_and_known(pool: Pool) -> None:
    made = await read(pool, sent(COARSE, sheets.disclosure(Random("coarse")), turn=180))
    assert [(one.turn, one.blank) for one in made.pages] == [(180, False)]
    assert [one.form for one in made.sections] == ["Form 8821"]


async def test_a_page_of_a_pdf_is_read_and_its_script_is_not_run(pool: Pool) -> None:
    held = io.BytesIO()
    sheets.disclosure(Random("pdf"))[0][0].save(held, "PDF", resolution=204)
    scripted = io.BytesIO()
    with pikepdf.open(io.BytesIO(held.getvalue())) as document:
        script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="while (true) app.alert('x');")
        document.Root.OpenAction = script
        document.Root.Names = pikepdf.Dictionary(JavaScript=pikepdf.Dictionary(Names=["x", script]))
        document.save(scripted)
    made = await read(pool, scripted.getvalue())
    assert [one.form for one in made.sections] == ["Form 8821"]


async def test_what_is_no_document_has_no_pages_and_the_rest_is_read(pool: Pool) -> None:
    program = b"MZ\x90\0" + bytes(4_000)
    made = await read(pool, program, b"", b"%PDF-1.7\nno more", blank_pages(1))
    assert [(one.part, one.blank) for one in made.pages] == [("5", True)]
    assert made.sections == ()
    assert not made.complete


async def test_a_tiff_that_breaks_off_gives_what_is_there(pool: Pool) -> None:
    whole = sent(FINE, sheets.power(Random("cut")), sheets.letter(Random("cut")))
    for share in (0.2, 0.6, 0.95):
        made = await read(pool, whole[: int(len(whole) * share)])
        assert len(made.pages) <= 3
    made = await read(pool, whole[:-1])
    assert len(made.pages) <= 3


async def test_directories_that_lead_in_a_circle_end(pool: Pool) -> None:
    octets = bytearray(blank_pages(2))
    (first,) = struct.unpack_from("<I", octets, 4)
    entries = struct.unpack_from("<H", octets, first)[0]
    (second,) = struct.unpack_from("<I", octets, first + 2 + 12 * entries)
    entries = struct.unpack_from("<H", octets, second)[0]
    struct.pack_into("<I", octets, second + 2 + 12 * entries, first)
    assert len((await read(pool, bytes(octets))).pages) == 2


async def test_a_picture_of_too_many_pixels_is_not_drawn(pool: Pool) -> None:
    held = io.BytesIO()
    Image.new("1", (30_000, 30_000), 1).save(held, "TIFF", compression="group4")
    made = await read(pool, held.getvalue())
    assert [one.sort for one in made.sections] == [Sort.UNKNOWN]
    assert not made.complete


@pytest.mark.parametrize("count", [60, pytest.param(600, marks=pytest.mark.sweep)])
async def test_six_hundred_pages_are_read(pool: Pool, count: int) -> None:
    made = await read(pool, blank_pages(count))
    assert len(made.pages) == count
    assert all(one.blank for one in made.pages)
    assert made.complete


async def test_without_a_template_nothing_is_recognised() -> None:
    made = Pool(sizes=Sizes(1, 1), patience=Patience(child=0.5, reader=0.5), command=("/bin/false",))
    with pytest.raises(ScreeningUnavailable):
        await made.recognise([("2", blank_pages(1))], LAYOUTS)
    await asyncio.wait_for(made.close(), 10)


async def test_a_part_of_a_page_is_drawn_as_it_was_recognised() -> None:
    octets = sent(FINE, sheets.cover(Random("crop")))
    drawn = await PageImages().draw(octets, "image/tiff", box=Box(0, 0, 5_000, 2_500))
    assert drawn is not None
    with Image.open(io.BytesIO(drawn.png)) as part:
        assert part.width == 864
        assert 500 < part.height < 620
    assert await PageImages().draw(octets, "image/tiff", page=2, box=Box(0, 0, 5_000, 2_500)) is None
