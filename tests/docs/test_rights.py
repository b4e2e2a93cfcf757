"""docs/rights.md is what the code says."""

from __future__ import annotations

from tests.docs.rights_page import PAGE, page
from tests.personas import personas


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text("utf-8") == page(), "python -m tests.docs.rights_page"


def test_no_two_on_the_page_are_the_same() -> None:
    names = [persona.name for persona in personas()]
    assert len(set(names)) == len(names) > 40
