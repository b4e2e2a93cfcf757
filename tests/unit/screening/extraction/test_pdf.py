from __future__ import annotations

import io

import pikepdf
import pytest
from reportlab.lib import pdfencrypt
from reportlab.pdfgen import canvas

from gateway.domain.verdict import Unread
from gateway.screening.chunk import Budget, Form
from gateway.screening.extraction.documents import Document, Later, extract_document
from tests.unit.screening.extraction.samples import NUMBER, pdf, picture, places, png, saved, scanned_pdf, texts, whys


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("Page 111-66-0001", "attachment 1, page 1"),
        ("Title\tTitle 222-66-0002", "attachment 1, document information"),
        ("ssn Your SSN\t333-66-0003", "attachment 1, form fields"),
        ("Note 444-66-0004", "attachment 1, annotations"),
        ("Mark 555-66-0005", "attachment 1, annotations"),
    ],
)
def test_every_place_of_a_pdf_is_read(words: str, place: str) -> None:
    assert place in places(pdf(), words)


def _with(change: object) -> bytes:
    with pikepdf.open(io.BytesIO(pdf())) as document:
        change(document)  # type: ignore[operator]
        return saved(document.save)


def test_attachments_metadata_and_xfa_are_read() -> None:
    def change(document: pikepdf.Pdf) -> None:
        document.attachments["a.txt"] = pikepdf.AttachedFileSpec(
            document, b"In 111-12-0001", filename="222-12-0002.txt"
        )
        with document.open_metadata() as metadata:
            metadata["dc:description"] = "Meta 333-12-0003"
        document.Root.AcroForm.XFA = pikepdf.Stream(document, b"<xdp><ssn>444-12-0004</ssn></xdp>")

    octets = _with(change)
    assert "attachment 1, attachment 1" in places(octets, "In 111-12-0001")
    assert "222-12-0002.txt" in texts(octets)
    assert any("metadata" in place for place in places(octets, "Meta 333-12-0003"))
    assert "attachment 1, form data" in places(octets, "ssn\t444-12-0004")
    assert whys(octets) == set()


def test_a_pdf_that_opens_without_a_password_is_read_though_it_is_encrypted() -> None:
    octets = pdf(encrypt=pdfencrypt.StandardEncryption("", "owner"))
    assert "111-66-0001" in texts(octets)
    assert "333-66-0003" in texts(octets)
    assert whys(octets) == set()


def test_a_pdf_that_needs_a_password_is_told() -> None:
    assert whys(pdf(encrypt=pdfencrypt.StandardEncryption("secret", "owner"))) == {Unread.ENCRYPTED}


def test_a_scanned_page_is_drawn_and_read() -> None:
    assert NUMBER in texts(scanned_pdf(), form=Form.OCR)


def test_a_small_picture_on_a_page_of_text_is_read_alone() -> None:
    def save(held: io.BytesIO) -> None:
        page = canvas.Canvas(held)
        for line in range(20):
            page.drawString(50, 780 - 14 * line, "The quick brown fox jumps over the lazy dog, again and again.")
        page.drawInlineImage(picture(f"Number {NUMBER}", size=(700, 120)), 60, 100, 210, 36)
        page.save()

    assert NUMBER in texts(saved(save), form=Form.OCR)


def test_a_page_of_text_costs_no_ocr() -> None:
    later = Later()
    list(extract_document(Document(pdf()), Budget(), 0, later=later))
    assert len(later) == 0


def test_text_beyond_the_edge_of_a_page_is_read() -> None:
    def save(held: io.BytesIO) -> None:
        page = canvas.Canvas(held)
        page.drawString(50, 700, "Seen by everybody who looks at this page of the document.")
        page.drawString(5_000, 5_000, f"Unseen {NUMBER}")
        page.save()

    assert f"Unseen {NUMBER}" in texts(saved(save))


def test_fields_of_a_character_each_are_joined() -> None:
    def save(held: io.BytesIO) -> None:
        page = canvas.Canvas(held)
        for at, digit in enumerate("123456780"):
            page.acroForm.textfield(name=f"d{at}", value=digit, x=50 + 20 * at, y=600, width=18, height=20)
        page.showPage()
        page.save()

    assert "d0\t123456780" in texts(saved(save), form=Form.FIELDS)


def test_fields_of_a_group_each_are_joined_by_dashes() -> None:
    def save(held: io.BytesIO) -> None:
        page = canvas.Canvas(held)
        for at, group in enumerate(NUMBER.split("-")):
            page.acroForm.textfield(name=f"ssn{at}", value=group, x=50 + 90 * at, y=600, width=80, height=20)
        page.showPage()
        page.save()

    assert f"ssn0\t{NUMBER}" in texts(saved(save), form=Form.FIELDS)


def test_a_pdf_with_rubbish_before_it_is_read_and_a_picture_in_it_is_no_secret() -> None:
    assert "111-66-0001" in texts(b"\x00\x01rubbish\n" * 20 + pdf())
    assert NUMBER in texts(saved(lambda held: picture(NUMBER).save(held, "PDF")) + png())
