from __future__ import annotations

import bz2
import gzip
import io
import random
import struct
import zipfile
import zlib

import pytest
from PIL import Image

from gateway.domain.verdict import Unread, Unreadable
from gateway.screening.chunk import Budget, Chunk, Limits
from gateway.screening.extraction.documents import Document, Later, extract_document
from tests.unit.screening.extraction.samples import every, read, saved, tarred, whys, word, zipped

SMALL = Limits(expanded=2_000_000, expanded_one=1_000_000, ratio_after=100_000, members=300, pages=5, ocr_pages=0)


def survive(octets: bytes, name: str = "") -> list[Unreadable]:
    """Read to the end, pages drawn but not recognised; nothing is raised, and no more text comes than was allowed."""
    budget, later = Budget(SMALL), Later()
    found = list(extract_document(Document(octets, "", name, "x"), budget, 0, later=later))
    assert sum(len(item.text) for item in found if isinstance(item, Chunk)) < 30_000_000
    return [item for item in [*found, *later.run()] if isinstance(item, Unreadable)]


@pytest.mark.parametrize("name", sorted(every()))
def test_no_document_that_is_cut_raises(name: str) -> None:
    octets = every()[name]
    for part in range(1, 40):
        survive(octets[: len(octets) * part // 40], name)


@pytest.mark.parametrize("name", sorted(every()))
def test_no_document_with_wrong_octets_raises(name: str) -> None:
    rng = random.Random(name)
    for _ in range(40):
        octets = bytearray(every()[name])
        for _ in range(rng.choice((1, 3, 30))):
            octets[rng.randrange(min(len(octets), rng.choice((64, 4096, 10**9))))] = rng.randrange(256)
        survive(bytes(octets), name)


@pytest.mark.parametrize("name", ["a.docx", "a.xlsx", "a.pdf", "a.zip", "a.7z", "a.msg", "winmail.dat", "a.png"])
def test_a_document_that_is_cut_is_not_clean(name: str) -> None:
    octets = every()[name]
    assert whys(octets[: len(octets) * 2 // 3], name)


def test_a_tar_file_that_ends_in_a_member_is_not_clean() -> None:
    assert whys(tarred({"a.txt": b"x" * 5_000})[:3_000], "a.tar") == {Unread.CORRUPT}


def test_random_octets_are_never_clean() -> None:
    rng = random.Random(7)
    for size in (8, 100, 5_000):
        for _ in range(50):
            octets = rng.randbytes(size) + b"\x00\x01\x02"
            assert survive(octets)


def test_a_zip_bomb_ends_at_the_ratio() -> None:
    bomb = zipped({"a": bytes(30_000_000)})
    assert [item.detail for item in read(bomb) if isinstance(item, Unreadable)] == ["ratio"]


def test_a_gzip_bomb_ends_at_the_ratio() -> None:
    assert [item.detail for item in read(gzip.compress(bytes(30_000_000))) if isinstance(item, Unreadable)] == ["ratio"]


def test_a_bzip2_bomb_ends_at_the_ratio() -> None:
    assert [item.detail for item in read(bz2.compress(bytes(30_000_000))) if isinstance(item, Unreadable)] == ["ratio"]


def test_nested_bombs_share_one_budget() -> None:
    inner = zipped({f"{at}.txt": random.Random(at).randbytes(400_000).hex().encode() for at in range(4)})
    assert any(item.detail == "expanded" for item in survive(zipped({"a.zip": inner, "b.zip": inner})))


def test_a_zip_that_holds_itself_ends() -> None:
    octets = every()["a.txt"]
    for _ in range(40):
        octets = zipped({"again.zip": octets}, packing_method=zipfile.ZIP_STORED)
    assert any(item.detail == "depth" for item in survive(octets))


def test_members_that_share_octets_are_refused() -> None:
    octets = bytearray(zipped({"a.txt": b"A" * 5_000, "b.txt": b"B" * 5_000}))
    first = octets.index(b"PK\x01\x02")
    second = octets.index(b"PK\x01\x02", first + 4)
    octets[second + 42 : second + 46] = octets[first + 42 : first + 46]
    assert [item.detail for item in read(bytes(octets)) if isinstance(item, Unreadable)] == ["overlap"]


def test_an_empty_archive_at_its_end_does_not_make_a_binary_clean() -> None:
    end = zipped({})
    assert len(end) == 22
    for octets in (bytes(range(256)) * 9 + end, b"PK\x03\x04" + bytes(range(256)) * 9 + end):
        assert whys(octets)
    assert whys(b"MZ" + bytes(range(256)) * 9 + zipped({"a.txt": b"x"})) == {Unread.UNKNOWN_TYPE}
    assert whys(b"7z\xbc\xaf\x27\x1c" + bytes(26) + bytes(range(256)))


def test_a_member_that_the_directory_hides_is_read() -> None:
    both = zipped({"seen.txt": b"nothing", "hidden.txt": b"number 123-45-6780"})
    hidden = both.index(b"PK\x01\x02", both.index(b"PK\x01\x02") + 4)
    end = both.index(b"PK\x05\x06")
    fields = list(struct.unpack("<4s4H2LH", both[end : end + 22]))
    fields[3] = fields[4] = 1
    fields[5] = hidden - fields[6]
    octets = both[:hidden] + struct.pack("<4s4H2LH", *fields)
    assert any(isinstance(item, Chunk) and "123-45-6780" in item.text for item in read(octets))


def test_names_that_point_out_of_an_archive_are_only_text() -> None:
    octets = zipped({"../../../etc/passwd": b"x", "/abs": b"y", "..\\..\\w": b"z"})
    assert "../../../etc/passwd" in [item.text for item in read(octets) if isinstance(item, Chunk)]
    assert whys(octets) == set()
    assert whys(tarred({"../../x": b"1"})) == set()


def test_a_wrong_checksum_is_told() -> None:
    octets = bytearray(zipped({"a.txt": b"hello"}, packing_method=zipfile.ZIP_STORED))
    octets[octets.index(b"hello")] ^= 1
    assert whys(bytes(octets)) == {Unread.CORRUPT}


def test_a_billion_laughs_are_refused() -> None:
    entities = "".join(f'<!ENTITY a{at} "{f"&a{at - 1};" * 10}">' for at in range(1, 12))
    octets = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a0 "ha">{entities}]><r>&a11;</r>'.encode()
    assert whys(octets) == {Unread.OVER_LIMIT}
    assert whys(zipped({"[Content_Types].xml": b"<x/>", "word/document.xml": octets})) == {Unread.OVER_LIMIT}


def test_an_external_entity_is_not_fetched() -> None:
    octets = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><r>a&x;b</r>'
    assert "ab" in "".join(item.text for item in read(octets) if isinstance(item, Chunk))


def test_deep_xml_and_json_and_rtf_end() -> None:
    assert whys(b"<?xml version='1.0'?>" + b"<a>" * 50_000 + b"</a>" * 50_000) == {Unread.OVER_LIMIT}
    assert not survive(b"[" * 100_000 + b"]" * 100_000)
    assert whys(b"{\\rtf1 " + b"{" * 50_000 + b"}" * 50_000) == {Unread.OVER_LIMIT}


def test_a_picture_is_judged_by_its_header_before_it_is_decoded() -> None:
    huge = saved(lambda held: Image.new("1", (20_000, 20_000)).save(held, "PNG"))
    assert [item.detail for item in read(huge) if isinstance(item, Unreadable)] == ["pixels"]


def test_a_loop_of_tiff_directories_ends() -> None:
    octets = bytearray(saved(lambda held: Image.new("L", (64, 64)).save(held, "TIFF")))
    directory = struct.unpack("<L", octets[4:8])[0]
    count = struct.unpack("<H", octets[directory : directory + 2])[0]
    after = directory + 2 + 12 * count
    octets[after : after + 4] = struct.pack("<L", directory)
    survive(bytes(octets))


def test_a_stream_of_a_pdf_that_grows_without_end_is_refused() -> None:
    packed = zlib.compress(bytes(150_000_000))
    octets = b"%PDF-1.4\n1 0 obj<</Filter/FlateDecode>>stream\n" + packed + b"\nendstream endobj"
    assert whys(octets) == {Unread.OVER_LIMIT}


def _pdf(objects: list[bytes]) -> bytes:
    held = io.BytesIO(b"%PDF-1.4\n")
    held.seek(0, 2)
    places = []
    for number, body in enumerate(objects, 1):
        places.append(held.tell())
        held.write(b"%d 0 obj\n%b\nendobj\n" % (number, body))
    start = held.tell()
    held.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    held.writelines(b"%010d 00000 n \n" % place for place in places)
    held.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start))
    return held.getvalue()


def test_loops_of_pages_fields_and_outlines_in_a_pdf_end() -> None:
    octets = _pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]>>/Outlines 5 0 R>>",
            b"<</Type/Pages/Kids[2 0 R 3 0 R]/Count 1000000>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Annots[4 0 R]>>",
            b"<</T(a)/V(123-45-6780)/Kids[4 0 R]/Parent 4 0 R>>",
            b"<</First 5 0 R/Last 5 0 R/Next 5 0 R/Title(123-45-6780)>>",
        ]
    )
    survive(octets, "a.pdf")


def test_a_page_of_a_million_inches_is_not_drawn() -> None:
    octets = _pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 90000000 90000000]/Contents 4 0 R>>",
            b"<</Length 22>>stream\n0 0 9 9 re f 0 0 m 9 9\nendstream",
        ]
    )
    survive(octets, "a.pdf")


def test_too_many_pages_are_over_a_limit() -> None:
    pages = [Image.new("1", (50, 50), 1) for _ in range(8)]
    octets = saved(lambda held: pages[0].save(held, "PDF", save_all=True, append_images=pages[1:]))
    assert any(item.detail == "pages" for item in survive(octets))


def test_a_wide_and_empty_sheet_costs_little() -> None:
    rows = b"".join(b'<row><c r="XFD%d"><v>1</v></c></row>' % at for at in range(1, 2_000))
    sheet = b"<worksheet><sheetData>" + rows + b"</sheetData></worksheet>"
    assert not survive(zipped({"[Content_Types].xml": b"<x/>", "xl/worksheets/sheet1.xml": sheet}))


def test_one_broken_part_of_a_package_does_not_hide_the_others() -> None:
    held = io.BytesIO(word())
    with zipfile.ZipFile(held, "a") as package:
        package.writestr("word/broken.xml", b"<a><b>12")
    found = read(held.getvalue())
    assert any(isinstance(item, Chunk) and "111-11-0001" in item.text for item in found)
    assert any(isinstance(item, Unreadable) and item.why is Unread.CORRUPT for item in found)
