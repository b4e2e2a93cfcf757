from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.portal.filenames import MAX_CHARACTERS, MAX_OCTETS, attachment_disposition, clean_name


@pytest.mark.parametrize(
    ("told", "clean"),
    [
        ("budget.pdf", "budget.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\budget.pdf", "budget.pdf"),
        ("bud\r\nget\x00.pdf", "bud get.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\u200bb.txt", "ab.txt"),
        (".htaccess", "htaccess"),
        ("  spaced   out .pdf", "spaced out.pdf"),
        ('quo"ted<>|?*.pdf', "quo_ted_____.pdf"),
        ("con.txt", "_con.txt"),
        ("Zürich 契約.pdf", "Zürich 契約.pdf"),
        ("", "attachment"),
        (None, "attachment"),
        ("...", "attachment"),
        ("/", "attachment"),
    ],
)
def test_a_name_is_fit_for_screen_and_disk(told: str | None, clean: str) -> None:
    assert clean_name(told) == clean


def test_a_long_name_keeps_its_extension() -> None:
    assert clean_name("x" * 400 + ".pdf") == "x" * (MAX_CHARACTERS - 4) + ".pdf"
    assert clean_name("契" * 400 + ".pdf").endswith("契.pdf")


@given(st.text(max_size=300))
def test_no_name_breaks_out_of_its_header_or_its_folder(told: str) -> None:
    name = clean_name(told)
    assert name
    assert not re.search(r'[/\\\x00-\x1f\x7f"]', name)
    assert not name.startswith(".")
    assert len(name.encode()) <= MAX_OCTETS
    header = attachment_disposition(name)
    assert header.isascii()
    assert header.isprintable()
    assert re.fullmatch(r"attachment; filename=\"[^\"\\]*\"(?:; filename\*=UTF-8''[A-Za-z0-9%._~-]*)?", header)


def test_a_plain_name_stands_once_and_another_twice() -> None:
    assert attachment_disposition("a b.pdf") == 'attachment; filename="a b.pdf"'
    assert attachment_disposition("ü.pdf") == "attachment; filename=\"_.pdf\"; filename*=UTF-8''%C3%BC.pdf"
    assert attachment_disposition("50%.pdf") == "attachment; filename=\"50_.pdf\"; filename*=UTF-8''50%25.pdf"
