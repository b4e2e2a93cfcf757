"""What the pages of a fax are taken for, as it is sealed, and as a child that nobody trusts may say it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.recognition import Box, Page, Recognition, Section, SignatureField, Sort, Suggestion

FORM = Section(
    (1, 2),
    Sort.FORM,
    "Form 1",
    91,
    "Rev. 2020",
    suggestions=(Suggestion("signer-name", "Ann Lee", 80, 2, Box(1, 2, 3, 4), 1), Suggestion("matter", "Tour", 7, 1)),
    signatures=(SignatureField(2, Box(0, 9_000, 10_000, 10_000), True),),
)
WHOLE = Recognition((Page("2", 1, 180), Page("2", 2), Page("3", 1, blank=True)), (FORM,))


def test_what_is_written_is_read_again() -> None:
    assert Recognition.from_bytes(WHOLE.to_bytes()) == WHOLE
    assert Recognition.from_bytes(Recognition((), complete=False).to_bytes()) == Recognition((), complete=False)


def test_what_is_a_guess_is_kept_and_suggested_to_nobody() -> None:
    even = replace(FORM.suggestions[0], confidence=50)
    assert replace(FORM, suggestions=(even, replace(even, confidence=49))).likely == (even,)
    assert [one.value for one in FORM.likely] == ["Ann Lee"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("pages",), 1),
        (("pages", 0), ["2", 0, 0, False]),
        (("pages", 0), ["2", 1, 45, False]),
        (("pages", 0, 0), "2\n"),
        (("sections", 0, "pages"), []),
        (("sections", 0, "pages"), [2, 1]),
        (("sections", 0, "pages"), [1, 4]),
        (("sections", 0, "pages"), [True]),
        (("sections", 0, "sort"), "thing"),
        (("sections", 0, "form"), ""),
        (("sections", 0, "form"), "x" * 65),
        (("sections", 0, "confidence"), 101),
        (("sections", 0, "suggestions", 0, 1), "two\nlines"),
        (("sections", 0, "suggestions", 0, 1), 5),
        (("sections", 0, "suggestions", 0, 3), 4),
        (("sections", 0, "suggestions", 0, 4), [1, 2, 1, 4]),
        (("sections", 0, "suggestions", 0, 4), [1, 2, 3, 10_001]),
        (("sections", 0, "signatures", 0, 0), 4),
        (("sections", 0, "signatures", 0, 1), None),
        (("sections", 0), {}),
    ],
)
def test_what_nobody_of_us_writes_is_refused(path: tuple[Any, ...], value: Any) -> None:
    told = json.loads(WHOLE.to_bytes())
    place = told
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(ValueError, match=r"."):
        Recognition.from_bytes(json.dumps(told).encode())


@pytest.mark.parametrize("octets", [b"", b"[]", b"1", b"\xff", b"{}", b"[" * 100_000, b" " * 600_000])
def test_nonsense_is_refused(octets: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        Recognition.from_bytes(octets)


def test_no_page_stands_in_two_sections() -> None:
    with pytest.raises(ValueError, match="one section"):
        replace(WHOLE, sections=(FORM, Section((2,))))
