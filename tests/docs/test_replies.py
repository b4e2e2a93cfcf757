"""docs/replies.md is what the code says, and every reply on it has been heard in a conversation or a test."""

from __future__ import annotations

import re

import pytest

from tests.docs.replies_page import ANY, PAGE, Line, error_kinds, own_lines, page, syntax_lines
from tests.docs.sources import ROOT

DIALOGS = ROOT / "tests" / "dialogs"
LINES = (*own_lines(), *syntax_lines())


def heard() -> str:
    """What dialogs expect to hear, and the tests of the doors."""
    said = [
        line.removeprefix("S: ")
        for path in (DIALOGS / "scripts").glob("*.dialog")
        for line in path.read_text("utf-8").splitlines()
        if line.startswith("S: ")
    ]
    tests = [*DIALOGS.glob("*.py"), *(ROOT / "tests" / "unit" / "inbound").rglob("*.py")]
    return "\n".join([*said, *(path.read_text("utf-8") for path in tests)])


HEARD = heard()


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text("utf-8") == page(), "python -m tests.docs.replies_page"


def test_there_is_something_on_the_page() -> None:
    assert len(LINES) > 70


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.whole[:40])
def test_a_reply_is_heard_in_a_test(line: Line) -> None:
    assert line.text.isascii() or ANY in line.text
    pattern = r"[^\n]*".join(map(re.escape, line.whole.split(ANY)))
    assert re.search(pattern, HEARD), f"no dialog hears: {line.whole}"


@pytest.mark.parametrize("codes", sorted({codes for _, codes in error_kinds()}))
def test_the_codes_of_an_error_are_heard_in_a_test(codes: str) -> None:
    assert codes in HEARD
