from __future__ import annotations

import base64

import pytest

from gateway.domain.verdict import Unread
from gateway.screening.chunk import Form
from gateway.screening.extraction.texts import looks_like_text, readings
from tests.unit.screening.extraction.samples import CALENDAR, NUMBER, RTF, XML, png, read, texts, whys

SAID = f"Meine Nummer ist {NUMBER}, grüße."


@pytest.mark.parametrize(
    "charset",
    [
        "utf-8",
        "utf-8-sig",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "utf-32-le",
        "utf-32-be",
        "cp1252",
        "cp500",
        "cp1026",
    ],
)
def test_text_is_found_in_its_charset_though_none_is_declared(charset: str) -> None:
    octets = SAID.encode(charset)
    assert looks_like_text(octets)
    assert NUMBER in texts(octets)
    assert whys(octets) == set()


@pytest.mark.parametrize(
    "charset", ["ibm037", "cp500", "IBM-1047", "EBCDIC-US", "utf-7", "iso-2022-jp", "windows-1251"]
)
def test_a_declared_charset_is_one_of_the_readings(charset: str) -> None:
    codec = {"IBM-1047": "cp500", "EBCDIC-US": "cp037", "ibm037": "cp037"}.get(charset, charset)
    assert any(NUMBER in text for text in readings(f"Number {NUMBER}".encode(codec), charset))


def test_utf_7_is_read_where_it_hides_digits() -> None:
    hidden = "+ADEAMgAz-" + "-45-6780"
    assert any(NUMBER in text for text in readings(f"Number {hidden}".encode()))


def test_a_telephone_number_is_no_utf_7() -> None:
    assert readings(b"Call +12125551234 or +1 212 555 1234") == ["Call +12125551234 or +1 212 555 1234"]


@pytest.mark.parametrize("charset", ["gb18030", "shift_jis", "euc_jp", "big5"])
def test_digits_of_double_width_are_found_in_any_asian_charset(charset: str) -> None:
    wide = NUMBER.translate({ord("0") + at: 0xFF10 + at for at in range(10)} | {ord("-"): "-"})
    found = "".join(readings(wide.encode(charset)))
    assert "１２３" in found


def test_plain_text_has_one_reading_with_line_ends_of_one_kind() -> None:
    assert readings(b"a\r\nb\rc") == ["a\nb\nc"]


def test_html_goes_on_as_markup_in_the_charset_it_tells() -> None:
    octets = '<html><meta charset="windows-1251"><p>Номер</p>'.encode("cp1251")
    found = read(octets)
    assert "Номер" in texts(octets, form=Form.HTML)
    assert all(item.form is Form.HTML for item in found)  # type: ignore[union-attr]


def test_a_picture_inside_of_a_page_is_read() -> None:
    data = base64.b64encode(png(f"Number {NUMBER}")).decode()
    assert NUMBER in texts(f'<html><img src="data:image/png;base64,{data}"></html>'.encode(), form=Form.OCR)


def test_rtf_tells_escapes_unicode_hidden_text_and_notes() -> None:
    found = texts(RTF)
    for words in (f"One {NUMBER}", "two 222-77-0002", "three 333-77-0003"):
        assert words in found


def test_rtf_leaves_out_tables_of_fonts_and_reads_binary_data() -> None:
    found = texts(
        b"{\\rtf1{\\fonttbl{\\f0 Arial;}}{\\*\\bkmkstart 111-77-0001}text{\\object\\objdata 3232322d}\\bin3 abc}"
    )
    assert "Arial" not in found
    assert "111-77-0001" in found
    assert "222-" in found


def test_rtf_holds_pictures() -> None:
    octets = b"{\\rtf1{\\pict\\pngblip " + png(f"Number {NUMBER}").hex().encode() + b"}}"
    assert NUMBER in texts(octets, form=Form.OCR)


def test_csv_carries_the_heads_of_columns_down_and_pads_what_a_sheet_has_cut() -> None:
    found = texts("sep=;\nName;SSN;Order no\nKim Lee;12345678;12345678\n".encode("utf-16"), "a.csv")
    assert "SSN | Kim Lee\t012345678" in found
    assert "Order no\t12345678" in found


def test_a_list_without_a_delimiter_is_plain_text() -> None:
    assert texts(b"one\ntwo\n", "a.csv", form=Form.TEXT) == "one\ntwo\n"


def test_json_tells_values_under_their_keys_with_escapes_undone() -> None:
    found = texts(b'{"tax": {"s\\u0073n": "123-45-\\u0036780", "ssn": 123456780, "ssn": "987654320", "x": [true]}}')
    assert "tax ssn\t123-45-6780" in found
    assert "tax ssn\t123456780" in found
    assert "tax ssn\t987654320" in found


def test_lines_of_json_and_what_follows_them_are_read() -> None:
    assert "a\t1\n\nb\t2" in texts(b'{"a": 1}\n{"b": 2}\nnot json 3').replace("\n\na", "a")
    assert "not json 3" in texts(b'{"a": 1}\n{"b": 2}\nnot json 3')


def test_a_number_that_json_or_xml_tells_in_pieces_or_without_its_zeros_is_whole() -> None:
    assert "ssn\t012349876" in texts(b'{"ssn": 12349876}')
    assert "total\t12349876" in texts(b'{"total": 12349876}')
    assert "ssn\t5-1-2-3-4-9-8-7-6" in texts(b'{"ssn": [5, 1, 2, 3, 4, 9, 8, 7, 6]}')
    assert "ssn\t512-34-9876" in texts(b"<r><ssn><a>512</a><g>34</g><s>9876</s></ssn></r>")


def test_xml_tells_leaves_and_attributes_as_fields() -> None:
    found = texts(XML, form=Form.FIELDS)
    assert f"person ssn\t{NUMBER}" in found
    assert "itin\t911-70-0002" in found


def test_xml_tells_mixed_text_as_it_runs_comments_and_broken_files() -> None:
    assert NUMBER in texts(b"<?xml version='1.0'?><p>is <b>123</b>-45-<i>6780</i></p>", form=Form.TEXT)
    assert "hidden 1" in texts(b"<?xml version='1.0'?><!-- hidden 1 --><p/>")
    assert NUMBER in texts(f"<?xml version='1.0'?><p>{NUMBER}<q></p>".encode(), form=Form.HTML)


def test_a_word_document_of_one_xml_file_is_read_with_its_pictures() -> None:
    runs = "<w:r><w:rPr><w:b/></w:rPr><w:t>123-</w:t></w:r><w:r><w:t>45-6780</w:t></w:r>"
    data = base64.encodebytes(png("Seen 222-16-0002")).decode()
    octets = f'<?xml version="1.0"?><w:p xmlns:w="urn:w">{runs}<w:binData>{data}</w:binData></w:p>'.encode()
    assert NUMBER in texts(octets, form=Form.TEXT)
    assert "222-16-0002" in texts(octets, form=Form.OCR)


def test_postscript_is_unscreenable_and_its_text_is_read_all_the_same() -> None:
    octets = f"%!PS-Adobe-3.0\n(My {NUMBER}) show".encode()
    assert NUMBER in texts(octets)
    assert whys(octets) == {Unread.UNKNOWN_TYPE}


def test_calendars_and_cards_are_unfolded_and_decoded() -> None:
    assert f"SUMMARY\tSSN {NUMBER}" in texts(CALENDAR)
    quoted = b"BEGIN:VCARD\nVERSION:2.1\nNOTE;ENCODING=QUOTED-PRINTABLE:SSN =31=32=33-45-=\n6780\nEND:VCARD\n"
    assert f"SSN {NUMBER}" in texts(quoted)
    photo = base64.b64encode(png(f"Number {NUMBER}")).decode()
    folded = "\r\n ".join(photo[at : at + 70] for at in range(0, len(photo), 70))
    card = f"BEGIN:VCARD\r\nVERSION:3.0\r\nPHOTO;ENCODING=b;TYPE=PNG:{folded}\r\nEND:VCARD\r\n".encode()
    assert NUMBER in texts(card, form=Form.OCR)
    assert whys(card) == set()


def test_text_with_a_few_controls_is_text_and_binary_is_not() -> None:
    assert looks_like_text(b"page one\x0cpage two\x1a" + b"words " * 100)
    assert not looks_like_text(bytes(range(256)))
    assert whys(b"\x00\x01\x02\x03" * 20) == {Unread.UNKNOWN_TYPE}
