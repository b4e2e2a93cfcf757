"""The demo's search finds words in every form in which a careless program leaves them, and nothing in noise."""

from __future__ import annotations

import base64
import gzip
import json
import os
import quopri
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from gateway.demo.search import search, search_octets, words

TEXT = "Gross Income of the Violinist"
LEFT: dict[str, Callable[[str], bytes]] = {
    "as typed": str.encode,
    "in small letters": lambda text: text.lower().encode(),
    "in capitals": lambda text: text.upper().encode(),
    "broken into lines": lambda text: text.replace(" ", "\r\n\t").encode(),
    "quoted-printable": lambda text: quopri.encodestring(b"x" * 60 + text.encode()),
    "percent": lambda text: quote(text).encode(),
    "plus": lambda text: quote_plus(text).encode(),
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-32": lambda text: text.encode("utf-32"),
    "hex": lambda text: text.encode().hex().encode(),
    "hex of small letters": lambda text: text.lower().encode().hex(" ").encode(),
    "base64": lambda text: base64.b64encode(b"xy" + text.encode()),
    "base64, folded": lambda text: base64.encodebytes(b"x" * 50 + text.encode()),
    "base64 of utf-16": lambda text: base64.b64encode(text.encode("utf-16")),
    "gzip": lambda text: gzip.compress(os.urandom(300) + text.encode()),
    "base64 of gzip": lambda text: base64.encodebytes(gzip.compress(text.encode())),
}


@pytest.mark.parametrize("form", LEFT)
def test_words_are_found_in_each_form_and_whatever_case_they_are_asked_for_in(form: str) -> None:
    content = os.urandom(3_000) + LEFT[form](TEXT) + os.urandom(3_000)
    assert search_octets(words(TEXT), content)
    if "base64" not in form and form != "hex":  # the code of a letter does not tell its other case
        assert search_octets(words("gross  INCOME of the violinist"), content)


@pytest.mark.parametrize("form", LEFT)
def test_other_words_are_not_found(form: str) -> None:
    assert search_octets(words("gross income of the cellist"), LEFT[form](TEXT)) == []


@pytest.mark.parametrize("left", ["Einkünfte der Sängerin", "EINKÜNFTE DER SÄNGERIN"])
def test_letters_beyond_ascii_are_found_in_each_case_and_escape(left: str) -> None:
    sought = words("einkünfte der sängerin")
    for octets in (left.encode(), left.encode("utf-16-be"), quote(left).encode(), json.dumps(left).encode()):
        assert search_octets(sought, octets), octets


def test_words_that_a_pattern_would_take_for_signs_are_taken_as_they_are() -> None:
    assert search_octets(words("a.b (c) [d] $5*"), b"x a.b (c) [d] $5* y")
    assert search_octets(words("a.b (c)"), b"axb (c)") == []


def test_an_empty_question_is_none() -> None:
    with pytest.raises(ValueError, match="nothing to search"):
        words("  ")


def test_files_octets_and_names_are_counted(tmp_path: Path) -> None:
    (tmp_path / "violinist.txt").write_bytes(b"12345")
    (tmp_path / "other").write_bytes(b"The VIOLINIST")
    looked = search(words("violinist"), [tmp_path])
    assert (looked.files, looked.octets) == (2, 18)
    assert sorted((Path(hit.path).name, hit.form) for hit in looked.hits) == [
        ("other", "text"),
        ("violinist.txt", "name > text"),
    ]


def test_a_folder_that_goes_away_meanwhile_has_nothing_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fleeting").mkdir()
    (tmp_path / "other").write_bytes(b"The violinist")
    listed = os.scandir

    def scandir(folder: os.PathLike[str]) -> Any:
        if Path(folder).name == "fleeting" and Path(folder).exists():
            Path(folder).rmdir()
        return listed(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    assert len(search(words("violinist"), [tmp_path]).hits) == 1
