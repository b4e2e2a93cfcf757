"""What a screen reader needs of a PDF (ISO 14289-1), looked for in what is drawn."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pikepdf
import pypdfium2
import pytest
from pikepdf import Name, Object, Pdf

from gateway.letters.blocks import read_blocks
from gateway.letters.faces import NoGlyph
from gateway.letters.pages import Document, draw

TEXT = """# A title & more <of it>
A paragraph that is long enough to be broken into several lines, since a page is not so wide that all of it could stand
in one, which is what this sentence is for: call +1 202 555 0142 or write.

! CS-7K2Q-9F4T
[code] It says: CS-7K2Q-9F4T
## Part
- one
- two
And the end.
- alone
"""
REFERENCE = "CS-7K2Q-9F4T"


def drawn(text: str = TEXT, *, copies: int = 1, language: str = "en") -> Pdf:
    return pikepdf.open(io.BytesIO(draw([Document(read_blocks(text), REFERENCE)] * copies, language)))


def elements(element: Object) -> Iterator[Object]:
    """Every element of the structure tree, in reading order."""
    for child in element.K:
        if isinstance(child, pikepdf.Dictionary):
            yield child
            yield from elements(child)


def told(pdf: Pdf) -> list[str]:
    return [str(one.S) for one in elements(pdf.Root.StructTreeRoot)]


def content(pdf: Pdf, page: int = 0) -> str:
    return bytes(pdf.pages[page].Contents.read_bytes()).decode("ascii")


def test_a_document_says_what_it_is() -> None:
    pdf = drawn(language="es")
    assert pdf.Root.MarkInfo.Marked is True
    assert str(pdf.Root.Lang) == "es"
    assert pdf.Root.ViewerPreferences.DisplayDocTitle is True
    assert str(pdf.docinfo[Name.Title]) == "A title & more <of it>"
    with pdf.open_metadata(set_pikepdf_as_editor=False) as metadata:
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["dc:title"] == "A title & more <of it>"
        assert set(metadata["dc:language"]) == {"es"}


def test_the_structure_is_the_one_of_the_text() -> None:
    assert told(drawn()) == [
        "/Document", "/H1", "/P", "/P", "/Figure", "/H2", "/L", "/LI", "/Lbl", "/LBody", "/LI", "/Lbl", "/LBody", "/P",
        "/L", "/LI", "/Lbl", "/LBody",
    ]  # fmt: skip


def test_each_of_several_documents_is_a_section_on_a_page_of_its_own() -> None:
    pdf = drawn(copies=3)
    assert len(pdf.pages) == 3
    assert told(pdf).count("/Sect") == 3
    assert told(pdf).count("/H1") == 3


@pytest.mark.parametrize("copies", [1, 2])
def test_every_mark_on_a_page_belongs_to_an_element_that_knows_it(copies: int) -> None:
    pdf = drawn(TEXT + "\n\nA paragraph.\n" * 60, copies=copies)
    assert len(pdf.pages) > copies
    numbers = list(pdf.Root.StructTreeRoot.ParentTree.Nums)
    parents = dict(zip(map(int, numbers[::2]), numbers[1::2], strict=True))
    found = 0
    for page in pdf.pages:
        runs = []
        depth = 0
        for operands, operator in pikepdf.parse_content_stream(page):
            if str(operator) == "BDC":
                runs.append((str(operands[0]), int(operands[1].MCID)))
                depth += 1
            elif str(operator) == "EMC":
                depth -= 1
            elif str(operator) in {"Tj", "re", "f"}:
                assert depth == 1
        assert depth == 0
        of_page = parents[int(page.StructParents)]
        assert [number for _, number in runs] == list(range(len(of_page)))
        for kind, number in runs:
            assert str(of_page[number].S) == kind
            assert number in [int(one) for one in of_page[number].K]
            assert of_page[number].Pg.objgen == page.obj.objgen
        assert str(page.Tabs) == "/S"
        found += len(runs)
    assert found == sum(1 for one in elements(pdf.Root.StructTreeRoot) for kid in one.K if isinstance(kid, int))


def test_a_code_has_its_words_and_its_place() -> None:
    pdf = drawn()
    (figure,) = [one for one in elements(pdf.Root.StructTreeRoot) if str(one.S) == "/Figure"]
    assert str(figure.Alt) == "It says: CS-7K2Q-9F4T"
    left, bottom, right, top = map(float, figure.A.BBox)
    assert (right - left, top - bottom) == (pytest.approx(25 * 6.4), pytest.approx(25 * 6.4))


def test_faces_are_embedded_whole_with_the_characters_that_their_glyphs_stand_for() -> None:
    pdf = drawn()
    for face in pdf.pages[0].Resources.Font.values():
        inner = face.DescendantFonts[0]
        assert str(face.Encoding) == "/Identity-H"
        assert str(inner.CIDToGIDMap) == "/Identity"
        assert len(inner.FontDescriptor.FontFile2.read_bytes()) == int(inner.FontDescriptor.FontFile2.Length1)
        assert b"beginbfchar" in face.ToUnicode.read_bytes()
    assert not re.search("/Helvetica|/Times", content(pdf))


def test_the_words_come_out_as_they_went_in() -> None:
    octets = draw([Document(read_blocks("# Mañana\nPregunte: ¿qué más? “Sí” – señor Núñez."))], "es")
    page = pypdfium2.PdfDocument(octets)[0]
    assert page.get_textpage().get_text_range().split("\r\n") == ["Mañana", "Pregunte: ¿qué más? “Sí” – señor Núñez."]


def test_words_of_two_lines_do_not_run_together_and_a_number_stays_whole() -> None:
    page = pypdfium2.PdfDocument(draw([Document(read_blocks("# T\n" + "call +1 202 555 0142 " * 12))], "en"))[0]
    lines = page.get_textpage().get_text_range().split("\r\n")[1:]
    assert len(lines) > 2
    assert all(line.count("+1 202 555 0142") == line.count("+1") for line in lines)
    assert " ".join(" ".join(lines).split()) == " ".join(["call +1 202 555 0142"] * 12)


def test_nothing_in_it_runs_or_leads_anywhere() -> None:
    octets = draw([Document(read_blocks(TEXT), REFERENCE)], "en")
    for word in (
        b"/JavaScript",
        b"/JS",
        b"/AA",
        b"/OpenAction",
        b"/URI",
        b"/Launch",
        b"/EmbeddedFile",
        b"http://www.x",
    ):
        assert word not in octets


def test_a_character_without_a_glyph_makes_no_document() -> None:
    with pytest.raises(NoGlyph):
        draw([Document(read_blocks("# Привет"))], "ru")


def test_the_same_words_are_the_same_octets() -> None:
    assert draw([Document(read_blocks(TEXT), REFERENCE)], "en") == draw([Document(read_blocks(TEXT), REFERENCE)], "en")
