"""The README's first screen is what a newcomer needs, and no page speaks against the house's words."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

import pytest

from tests.docs.sources import ROOT, pages, prose, section

README = ROOT / "README.md"
FIRST_SCREEN = 45
WORK_ON_IT = re.compile(r"\b(issue|ticket|session of work|agent|prompt|TODO|FIXME)s?\b", re.IGNORECASE)
SYNONYMS = re.compile(r"\b(e-?mail message|user account|seamless|simply|blazing)\b", re.IGNORECASE)


def test_the_first_screen_has_what_a_newcomer_needs() -> None:
    with README.open(encoding="utf-8") as lines:
        screen = "".join(islice(lines, FIRST_SCREEN))
    assert screen.splitlines()[2].startswith("Write to people you may not write to in plain mail")
    assert re.findall(r"^(\d)\. ", screen, re.MULTILINE) == ["1", "2", "3", "4"]
    for needed in ("only the keyholder opens", "make run", "make test", "Ctrl-C", "make clean", "MB"):
        assert needed in screen, needed


def test_there_are_no_badges() -> None:
    assert not [path.name for path in pages() if "![" in path.read_text("utf-8")]


def test_works_and_does_not_are_both_told() -> None:
    table = section(README, "Works, and does not").splitlines()
    rows = [line.strip("|").split("|") for line in table if line.startswith("|")]
    assert [cell.strip() for cell in rows[0]] == ["works", "does not, so far"]
    assert len(rows) > 6


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_a_page_speaks_of_the_gateway_in_its_own_words(path: Path) -> None:
    text = prose(path)
    told = {match[0] for match in (*SYNONYMS.finditer(text), *WORK_ON_IT.finditer(text))}
    assert not told - {"ticket"}  # hacking.md says that a case is never one
