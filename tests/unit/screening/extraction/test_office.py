from __future__ import annotations

import base64
import io
import struct
import zipfile

import docx
import pytest

from benchmarks.screening import ole, packing
from gateway.domain.verdict import Unread
from gateway.screening.chunk import Form
from gateway.screening.extraction.outlook import unpack_rtf
from gateway.screening.extraction.sheets import packed_number, shown
from tests.unit.screening.extraction.samples import (
    NUMBER,
    excel,
    old_excel,
    open_text,
    places,
    png,
    saved,
    slides,
    slides_of_old,
    texts,
    whys,
    word,
    zipped,
)


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("Body 111-11-0001", "attachment 1"),
        ("222-22-0002", "attachment 1"),
        ("SSN | Kim\t333110003", "attachment 1"),
        ("Head 444-11-0004", "attachment 1, header"),
        ("Foot 555-11-0005", "attachment 1, footer"),
        ("Title 666-11-0006", "attachment 1, properties"),
        ("Note 777-11-0007", "attachment 1, comments"),
        ("899-11-0008", "attachment 1, picture 1"),
    ],
)
def test_every_place_of_a_word_document_is_read(words: str, place: str) -> None:
    assert places(word(), words) == {place}


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("SSN | Kim\t012-34-5678", "attachment 1, sheet 1"),
        ("SSN | Lee\t001234567", "attachment 1, sheet 1"),
        ("Born\t1982-02-18", "attachment 1, sheet 1"),
        ("222-22-", "attachment 1, sheet 1"),
        ("Head 333-22-0003", "attachment 1, sheet 1"),
        ("444-22-0004", "attachment 1, sheet names"),
        ("Far 555-22-0005", "attachment 1, sheet 2"),
        ("Note 111-22-0001", "attachment 1, comments"),
        ("666-22-0006", "attachment 1, properties"),
    ],
)
def test_every_place_of_a_workbook_is_read(words: str, place: str) -> None:
    assert places(excel(), words) == {place}


@pytest.mark.parametrize(
    ("value", "code", "said"),
    [
        ("12345678", "000-00-0000", "012-34-5678"),
        ("12345678", "00-0000000", "01-2345678"),
        ("12345678", "000000000", "012345678"),
        ("12345678", '"SSN "000\\-00\\-0000', "012-34-5678"),
        ("1.23456789E8", "General", "123456789"),
        ("123456789.0", "", "123456789"),
        ("30000", "dd/mm/yyyy", "1982-02-18"),
        ("12.5", "0.00", "12.5"),
        ("1234", "0.000000", "1234"),
        ("text", "000-00-0000", "text"),
    ],
)
def test_a_number_is_read_as_its_format_shows_it(value: str, code: str, said: str) -> None:
    assert shown(value, code).replace("SSN ", "") == said


def test_packed_numbers_of_old_and_binary_sheets_are_unpacked() -> None:
    assert packed_number(123456789 << 2 | 2) == 123456789
    assert packed_number((12345 << 2) | 3) == 123.45
    assert packed_number(struct.unpack("<Q", struct.pack("<d", 1.5))[0] >> 32) == 1.5


def test_a_binary_workbook_tells_its_strings_and_numbers() -> None:
    words = "SSN here".encode("utf-16-le")
    string = b"\x13" + bytes([5 + len(words)]) + b"\x00" + struct.pack("<L", len(words) // 2) + words
    number = b"\x05\x10" + bytes(8) + struct.pack("<d", 123456780.0)
    octets = zipped({"[Content_Types].xml": b"<x/>", "xl/worksheets/sheet1.bin": string + number})
    assert "SSN here" in texts(octets)
    assert "123456780" in texts(octets)


def test_slides_and_their_notes_are_read() -> None:
    assert places(slides(), "Slide 111-33-0001") == {"attachment 1, slide 1"}
    assert places(slides(), "Notes 222-33-0002") == {"attachment 1, notes of slide 1"}


def test_a_number_cut_into_runs_that_look_different_is_joined() -> None:
    made = docx.Document()
    paragraph = made.add_paragraph()
    for at, piece in enumerate(("12", "3-4", "5-67", "80")):
        run = paragraph.add_run(piece)
        run.bold, run.font.size = at % 2 == 0, docx.shared.Pt(9 + at)
    assert NUMBER in texts(saved(made.save))


def test_embedded_files_and_custom_data_of_a_package_are_read() -> None:
    held = io.BytesIO(word())
    with zipfile.ZipFile(held, "a") as package:
        package.writestr(
            "word/embeddings/oleObject1.bin", ole.compound({"\x01Ole10Native": _native(b"in 123-45-6780")})
        )
        package.writestr("word/embeddings/book.xlsx", excel())
        package.writestr("customXml/item9.xml", f'<a ssn="{NUMBER}"/>')
        package.writestr("word/media/image9.png", png())
    octets = held.getvalue()
    assert "attachment 1, custom data" in places(octets)
    assert any("embedded object" in place for place in places(octets))
    assert any("embedded object" in place for place in places(octets, "Note 111-22-0001"))
    assert whys(octets) == set()


def _native(content: bytes) -> bytes:
    body = b"\x02\x00a.txt\x00C:\\a.txt\x00\x00\x00\x03\x00" + struct.pack("<L", 8) + b"C:\\a.txt"
    body += struct.pack("<L", len(content)) + content
    return struct.pack("<L", len(body)) + body


def test_open_documents_are_read_with_tables_comments_and_values() -> None:
    content = f"""<?xml version="1.0"?><office:document-content
        xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
        xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
        xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">
        <table:table><table:table-row><table:table-cell><text:p>Name</text:p></table:table-cell>
        <table:table-cell><text:p>SSN</text:p></table:table-cell></table:table-row>
        <table:table-row><table:table-cell><text:p>Kim</text:p></table:table-cell>
        <table:table-cell office:value="12345678"><text:p>12345678</text:p></table:table-cell></table:table-row>
        </table:table>
        <office:annotation><text:p>Note {NUMBER}</text:p></office:annotation></office:document-content>"""
    package = zipped({"mimetype": b"x", "content.xml": content.encode(), "META-INF/manifest.xml": b"<m/>"})
    assert "SSN | Kim\t012345678" in texts(package)
    assert places(package) == {"attachment 1"}
    assert "Open 111-44-0001" in texts(open_text())


def test_an_encrypted_open_document_is_told() -> None:
    manifest = b"<m><encryption-data/></m>"
    assert whys(zipped({"content.xml": b"\x99\x01", "META-INF/manifest.xml": manifest})) == {Unread.ENCRYPTED}


def test_old_workbooks_are_read_with_formats_and_hidden_sheets() -> None:
    assert "SSN | Kim\t012-34-5678" in texts(old_excel())
    assert "attachment 1, sheet 2" in places(old_excel(), "Hidden 111-55-0001")


@pytest.mark.parametrize("wide", [True, False])
def test_old_word_documents_are_read_by_their_pieces(wide: bool) -> None:
    assert NUMBER in texts(ole.old_word(f"Word {NUMBER}", wide=wide))


def test_old_slides_are_read() -> None:
    assert f"Slide {NUMBER}" in texts(slides_of_old(f"Slide {NUMBER}"))


def test_encrypted_office_documents_are_told() -> None:
    assert whys(ole.compound({"EncryptionInfo": b"x", "EncryptedPackage": bytes(5_000)})) == {Unread.ENCRYPTED}
    fib = bytearray(2_048)
    struct.pack_into("<HHHHHH", fib, 0, 0xA5EC, 193, 0, 0, 0, 0x0100)
    assert whys(ole.compound({"WordDocument": bytes(fib)})) == {Unread.ENCRYPTED}
    locked = struct.pack("<HH", 0x809, 4) + bytes(4) + struct.pack("<HH", 0x2F, 6) + bytes(6)
    assert whys(ole.compound({"Workbook": locked.ljust(5_000, b"\0")})) == {Unread.ENCRYPTED}


def test_an_unknown_compound_file_is_unscreenable() -> None:
    assert whys(ole.compound({"Strange": b"\x01\x02\x03"})) == {Unread.UNKNOWN_TYPE}


def test_an_outlook_message_is_read_whole() -> None:
    octets = ole.outlook_message(
        "Sub 111-88-0001",
        "Body 222-88-0002",
        "K",
        html="<b>333-88-0003</b>",
        attachment=("444-88-0004.txt", b"In 555-88-0005"),
    )
    assert places(octets, "Sub 111-88-0001") == {"attachment 1, subject"}
    assert places(octets, "Body 222-88-0002") == {"attachment 1"}
    assert "333-88-0003" in texts(octets, form=Form.HTML)
    assert "444-88-0004.txt" in texts(octets, form=Form.FILE_NAME)
    assert places(octets, "In 555-88-0005") == {"attachment 1, attachment 1"}


def test_a_message_inside_of_an_outlook_message_is_read() -> None:
    inner = {"__substg1.0_1000001F": f"Deep {NUMBER}".encode("utf-16-le"), "__properties_version1.0": bytes(8)}
    tree: dict[str, object] = {
        "__properties_version1.0": bytes(32),
        "__attach_version1.0_#00000000": {"__substg1.0_3701000D": inner, "__properties_version1.0": bytes(8)},
    }
    assert places(ole.compound(tree)) == {"attachment 1, attachment 1"}


def _literal(rtf: bytes) -> bytes:
    """Compressed RTF that repeats nothing."""
    body = b"".join(b"\x00" + rtf[at : at + 8] for at in range(0, len(rtf), 8))
    return struct.pack("<LLLL", len(body) + 12, len(rtf), 0x75465A4C, 0) + body


def test_compressed_rtf_is_unpacked() -> None:
    # The example of [MS-OXRTFCP] section 3.1.1.
    octets = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    )
    assert unpack_rtf(octets) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    literal = _literal(b"{\\rtf1 My " + NUMBER.encode() + b"}")
    tree: dict[str, object] = {"__properties_version1.0": bytes(32), "__substg1.0_10090102": literal}
    assert f"My {NUMBER}" in texts(ole.compound(tree))


def test_winmail_dat_is_read_with_rtf_bodies_and_attachments() -> None:
    octets = packing.tnef(
        body="One 111-99-0001", rtf="{\\rtf1 T\\'77o 222-99-0002}", attachment=("333-99-0003.txt", b"444-99-0004")
    )
    assert "One 111-99-0001" in texts(octets)
    assert "Two 222-99-0002" in texts(octets)
    assert "333-99-0003.txt" in texts(octets, form=Form.FILE_NAME)
    assert places(octets, "444-99-0004") >= {"attachment 1, attachment 1"}


def test_a_drawing_of_windows_tells_its_texts() -> None:
    words = NUMBER.encode("utf-16-le")
    head = struct.pack("<LL", 1, 88) + bytes(32) + b" EMF" + bytes(44)
    record = (
        struct.pack("<LL", 84, 76 + len(words)) + bytes(36) + struct.pack("<LL", len(NUMBER), 76) + bytes(24) + words
    )
    assert NUMBER in texts(head + record)
    assert whys(head + record) == set()


def test_a_vml_or_svg_drawing_with_an_embedded_picture_is_read() -> None:
    data = base64.b64encode(png(f"Number {NUMBER}")).decode()
    image = f'<image href="data:image/png;base64,{data}"/>'
    octets = f'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg">{image}</svg>'
    assert NUMBER in texts(octets.encode(), form=Form.OCR)


def test_a_workbook_saved_by_another_program_is_a_zip_all_the_same() -> None:
    def save(held: io.BytesIO) -> None:
        with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as package:
            package.writestr("[Content_Types].xml", "<Types/>")
            package.writestr(
                "xl/worksheets/sheet1.xml",
                '<worksheet><sheetData><row><c t="inlineStr"><is><t>ITIN</t></is></c><c><v>911700002</v></c></row>'
                "</sheetData></worksheet>",
            )

    assert "ITIN\t911700002" in texts(saved(save))
