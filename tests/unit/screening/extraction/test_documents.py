from __future__ import annotations

import pytest
from PIL import ImageFont

from gateway.domain.verdict import Unread, Unreadable
from gateway.screening.chunk import Budget, Chunk, Form, Limits
from gateway.screening.extraction.documents import Document, Later, extract_document, preload
from tests.unit.screening.extraction.samples import NUMBER, every, pdf, png, read, texts, whys, zipped

SILENT_ABOUT_NUMBER = {"a.docx", "a.xlsx", "a.pptx", "a.odt", "a.xls", "a.pdf", "a.tif", "a.gif", "a.bmp"}


@pytest.mark.parametrize("name", sorted(set(every()) - SILENT_ABOUT_NUMBER))
def test_a_document_of_every_family_is_read_by_its_octets_alone(name: str) -> None:
    found = texts(every()[name])
    assert NUMBER in found or "\t123456780" in found


@pytest.mark.parametrize("name", sorted(every()))
def test_a_whole_document_leaves_nothing_unread(name: str) -> None:
    assert whys(every()[name], name) == set()


def test_places_are_ours_and_never_names_of_files() -> None:
    octets = zipped({"secret-name.txt": every()["a.txt"], "inner.zip": zipped({"x.txt": every()["a.txt"]})})
    places = {item.place for item in read(octets, "secret.zip")}
    assert places == {"attachment 1, member 1", "attachment 1, member 2", "attachment 1, member 2, member 1"}


def test_a_name_that_lies_does_not_hide_what_a_document_is() -> None:
    assert "111-66-0001" in texts(pdf(), "holiday.jpg", "image/jpeg")


def test_a_text_is_read_as_declared_and_as_named_too() -> None:
    octets = b"Name,SSN\nKim,12345678\n"
    found = read(octets, "list.csv", "text/html")
    assert {item.form for item in found if isinstance(item, Chunk)} == {Form.HTML, Form.FIELDS}
    assert "SSN | Kim\t012345678" in texts(octets, "list.csv", "text/html")


def test_an_archive_behind_a_picture_is_read_as_both() -> None:
    octets = png() + zipped({"a.txt": every()["a.txt"]})
    assert NUMBER in texts(octets, "a.png")


def test_an_unknown_binary_is_unscreenable_and_its_strings_are_read_all_the_same() -> None:
    octets = bytes(range(256)) * 4 + b"\x00\x01" + NUMBER.encode() + b"\x00"
    assert NUMBER in texts(octets)
    assert whys(octets) == {Unread.UNKNOWN_TYPE}


def test_sound_is_unscreenable() -> None:
    assert whys(b"ID3\x04" + bytes(range(256)) * 8, "a.mp3") == {Unread.UNKNOWN_TYPE}


def test_a_font_is_clean_and_what_only_begins_like_one_is_not() -> None:
    octets = ImageFont.load_default(9).font_bytes  # type: ignore[union-attr]
    assert whys(octets, "a.ttf") == set()
    assert whys(b"\x00\x01\x00\x00\x00" + bytes(range(256)) * 4) == {Unread.UNKNOWN_TYPE}


def test_nothing_at_all_is_clean() -> None:
    assert read(b"") == []


def test_a_message_inside_goes_back_to_who_reads_mail() -> None:
    asked: list[tuple[bytes, int, str]] = []

    def mail(octets: bytes, depth: int, place: str) -> list[Chunk]:
        asked.append((octets, depth, place))
        return [Chunk("seen", place)]

    octets = b"From: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\n\r\nHi"
    document = Document(zipped({"a.eml": octets}), "", "", "attachment 1")
    found = list(extract_document(document, Budget(), 3, mail=mail))  # type: ignore[arg-type]
    assert asked == [(octets, 5, "attachment 1, member 1")]
    assert Chunk("seen", "attachment 1, member 1") in found


def test_a_message_nobody_can_read_is_unscreenable() -> None:
    assert whys(b"From: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\n\r\nHi") == {Unread.UNKNOWN_TYPE}


def test_what_costs_a_page_is_put_off_and_done_once() -> None:
    later = Later()
    octets = zipped({"a.png": png(NUMBER), "b.png": png(NUMBER)})
    first = list(extract_document(Document(octets), Budget(), 0, later=later))
    assert all(item.form is Form.FILE_NAME for item in first if isinstance(item, Chunk))
    assert len(later) == 1
    assert any(isinstance(item, Chunk) and NUMBER in item.text for item in later.run())


def test_nesting_ends_at_its_limit() -> None:
    octets = every()["a.txt"]
    for _ in range(12):
        octets = zipped({"a": octets})
    found = read(octets)
    assert NUMBER not in "".join(item.text for item in found if isinstance(item, Chunk))
    assert [item.detail for item in found if isinstance(item, Unreadable)] == ["depth"]


def test_no_more_members_are_opened_than_allowed() -> None:
    octets = zipped({f"{at}.txt": b"x" for at in range(30)})
    assert whys(octets, limits=Limits(members=10)) == {Unread.OVER_LIMIT}


def test_everything_can_be_loaded_beforehand() -> None:
    preload()
