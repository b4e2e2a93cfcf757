"""Any agency's programme is carried: names and form numbers stand in `programmes/`, not in code or templates."""

from __future__ import annotations

import re

import pytest

from tests.style.source import shipped_texts, shown

AGENCY_WORDS = re.compile(r"(?<![A-Za-z0-9])(IRS|CWA|15410|2848|8821)(?![A-Za-z0-9])")


def test_code_and_templates_name_no_agency_and_no_form() -> None:
    problems = [
        f"{shown(path)}:{number}: {line.strip()}"
        for path in shipped_texts()
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if AGENCY_WORDS.search(line)
    ]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("line", ["the IRS", "# Form 15410", "form_2848", 'NAME = "CWA"', "Form 8821."])
def test_an_agency_word_is_noticed(line: str) -> None:
    assert AGENCY_WORDS.search(line)


@pytest.mark.parametrize("line", ["FIRST", "port 28480", "0x15410a"])
def test_other_words_pass(line: str) -> None:
    assert not AGENCY_WORDS.search(line)
