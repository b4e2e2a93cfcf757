"""Pages that were read one by one become documents: which page begins one, and what a child may say of them."""

from __future__ import annotations

import json

import pytest

from gateway.domain.layout import Layouts
from gateway.domain.recognition import MOST_OCTETS, Page, Recognition, Section, Sort, Suggestion
from gateway.screening.protocol import BadAnswer
from gateway.screening.recognition.asking import read_fax
from gateway.screening.recognition.assembling import Assembly
from gateway.screening.recognition.exchange import Asked, Opening, PagesRead

FORM = "Form 1"
ASKED = Asked("2", b"", Layouts())


def page(at: int, sort: Sort = Sort.UNKNOWN, form: str = "", reference: str = "") -> Section:
    return Section((at,), sort, form, 70, reference=reference)


def read(*told: tuple[Section, Opening], total: int = 0) -> PagesRead:
    pages = tuple(Page("2", number) for number in range(1, len(told) + 1))
    return PagesRead(
        total or len(told), tuple(opening for _, opening in told), Recognition(pages, tuple(one for one, _ in told))
    )


def sections(*told: tuple[Section, Opening]) -> list[tuple[tuple[int, ...], str, str]]:
    assembly = Assembly()
    assembly.add(read(*told))
    return [(one.pages, str(one.sort), one.form) for one in assembly.recognition().sections]


def test_later_pages_and_what_says_nothing_belong_to_the_form_before() -> None:
    assert sections(
        (page(1, Sort.FORM, FORM), Opening.BEGINS),
        (page(2, Sort.FORM, FORM), Opening.GOES_ON),
        (page(3), Opening.UNSURE),
        (page(4, Sort.FORM, FORM), Opening.BEGINS),
    ) == [((1, 2, 3), "form", FORM), ((4,), "form", FORM)]


def test_a_later_page_of_another_form_is_a_document_of_its_own() -> None:
    assert sections((page(1, Sort.FORM, FORM), Opening.BEGINS), (page(2, Sort.FORM, "Form 2"), Opening.GOES_ON)) == [
        ((1,), "form", FORM),
        ((2,), "form", "Form 2"),
    ]


def test_a_cover_sheet_is_one_page() -> None:
    cover = page(1, Sort.COVER_SHEET, reference="CS-7K2Q-9F4T")
    assert sections((cover, Opening.BEGINS), (page(2), Opening.UNSURE), (page(3), Opening.UNSURE)) == [
        ((1,), "cover-sheet", ""),
        ((2, 3), "unknown", ""),
    ]


def test_a_letter_that_begins_ends_the_form_before_it() -> None:
    assert sections((page(1, Sort.FORM, FORM), Opening.BEGINS), (page(2, Sort.LETTER), Opening.BEGINS)) == [
        ((1,), "form", FORM),
        ((2,), "letter", ""),
    ]


def test_fields_keep_to_their_page_where_others_stand_before_it() -> None:
    assembly = Assembly()
    assembly.add(read((page(1), Opening.UNSURE)))
    told = Section((1,), Sort.FORM, FORM, 70, suggestions=(Suggestion("name", "Kim", 90, 1),))
    assembly.add(read((told, Opening.BEGINS)))
    assert assembly.recognition().sections[1].suggestions[0].page == 2


def test_what_is_too_long_loses_fields_and_says_so() -> None:
    assembly = Assembly()
    many = tuple(Suggestion("field", "x" * 400, 90, 1) for _ in range(100))
    for _ in range(20):
        assembly.add(read((Section((1,), Sort.FORM, FORM, 70, suggestions=many), Opening.BEGINS)))
    made = assembly.recognition()
    assert len(made.to_bytes()) <= MOST_OCTETS
    assert made.sections[0].suggestions
    assert not made.sections[-1].suggestions
    assert not made.complete


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"{}",
        b"[1]\n{}",
        b"[9,[]]\n" + Recognition((Page("2", 1, blank=True), Page("2", 3, blank=True))).to_bytes(),
        b'[1,["unsure"]]\n' + Recognition((Page("1", 1),), (Section((1,)),)).to_bytes(),
        b'[1,["perhaps"]]\n' + Recognition((Page("2", 1),), (Section((1,)),)).to_bytes(),
        b"[1,[]]\n" + Recognition((Page("2", 1),)).to_bytes(),
        b"[true,[]]\n" + Recognition(()).to_bytes(),
        b'[2,["unsure"]]\n' + Recognition((Page("2", 1), Page("2", 2)), (Section((1, 2)),)).to_bytes(),
        b"[1001,[]]\n" + Recognition(()).to_bytes(),
        b"[0,[]]\n" + json.dumps([[]] * 40_000).encode(),
    ],
    ids=["empty", "no head", "short head", "gap", "part", "word", "no section", "flag", "joined", "many", "long"],
)
def test_what_no_child_of_ours_would_say_is_refused(packet: bytes) -> None:
    with pytest.raises(BadAnswer):
        PagesRead.decode(packet, ASKED)


def test_what_a_child_says_comes_back() -> None:
    told = read((page(1, Sort.FORM, FORM), Opening.BEGINS), (page(2), Opening.UNSURE), total=9)
    assert PagesRead.decode(told.encode(), ASKED) == told


def test_a_request_comes_back() -> None:
    asked = Asked("2.1", b"II*\0rest", Layouts(letter=("Dear",)), 3, 1)
    assert Asked.decode(asked.encode()) == asked


class Reader:
    """Reads two pages at a time, and dies over some."""

    def __init__(self, total: int, deadly: set[int]) -> None:
        self.total, self.deadly, self.children = total, deadly, 0

    async def ask(self, octets: bytes) -> bytes:
        self.children += 1
        asked = Asked.decode(octets)
        numbers = range(asked.first, min(asked.first + min(asked.most, 2), self.total + 1))
        if self.deadly & set(numbers):
            raise BadAnswer("died")
        pages = tuple(Page(asked.part, number) for number in numbers)
        told = tuple(Section((at,), Sort.LETTER, confidence=50) for at in range(1, len(pages) + 1))
        return PagesRead(self.total, (Opening.UNSURE,) * len(pages), Recognition(pages, told)).encode()


async def test_a_long_fax_is_read_by_several_children() -> None:
    reader = Reader(5, set())
    made = await read_fax(reader.ask, [("2", b"x")], Layouts())
    assert [one.number for one in made.pages] == [1, 2, 3, 4, 5]
    assert made.complete
    assert reader.children == 3
    assert [one.pages for one in made.sections] == [(1, 2, 3, 4, 5)]


async def test_a_page_that_ends_a_child_takes_the_others_nothing() -> None:
    made = await read_fax(Reader(6, {4}).ask, [("2", b"x"), ("3", b"x")], Layouts())
    assert [(one.part, one.number) for one in made.pages[:6]] == [("2", number) for number in range(1, 7)]
    assert len(made.pages) == 12
    assert not made.complete
    assert any(one.sort is Sort.UNKNOWN and 4 in one.pages for one in made.sections)


async def test_a_document_that_ends_every_child_has_no_pages_and_the_others_have_theirs() -> None:
    class Half(Reader):
        async def ask(self, octets: bytes) -> bytes:
            self.deadly = {1} if Asked.decode(octets).part == "2" else set()
            return await super().ask(octets)

    made = await read_fax(Half(2, set()).ask, [("2", b"x"), ("3", b"x")], Layouts())
    assert [(one.part, one.number) for one in made.pages] == [("3", 1), ("3", 2)]
    assert not made.complete


async def test_more_pages_than_a_fax_may_have_are_not_read() -> None:
    made = await read_fax(Reader(900, set()).ask, [("2", b"x"), ("3", b"x")], Layouts())
    assert len(made.pages) == 1_000
    assert not made.complete


async def test_reading_ends_when_its_time_is_over() -> None:
    times = iter(range(0, 10**6, 600))
    made = await read_fax(Reader(100, set()).ask, [("2", b"x")], Layouts(), now=lambda: float(next(times)))
    assert len([one for one in made.sections if one.sort is Sort.LETTER]) > 0
    assert len(made.pages) == 100
    assert not made.complete
