"""Reads pages of one document, in a child: turns each upright, says which form it is of, what stands in its fields.

A page is turned as the one before it where that reads well, and may go on with that one's form. The child stops in
time to tell what it has.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.domain.layout import FormLayout, Layouts, Leaf
from gateway.domain.recognition import Page, Recognition, Section, Sort
from gateway.screening.protocol import MAX_ANSWER
from gateway.screening.recognition import kinds
from gateway.screening.recognition.cleaning import without_specks
from gateway.screening.recognition.codes import find_reference
from gateway.screening.recognition.exchange import Asked, Opening, PagesRead
from gateway.screening.recognition.fields import read_fields
from gateway.screening.recognition.sheets import Sheets, open_sheets
from gateway.screening.recognition.upright import Upright, is_blank, turn_upright
from gateway.screening.recognition.words import Line, lines_of
from gateway.screening.screen import OutOfTime

_BEGUN_WITHIN: Final = 0.5  # of the child's seconds: a page that is begun later could take it over them
_FEW: Final = 12  # words; a page with fewer is no letter
_LETTER: Final = 40  # confidence in one that does not begin as letters do
_SAID: Final = 85


@dataclass(frozen=True, slots=True)
class _Read:
    """What one page is taken for: no section where it is blank; `form` where it is one's."""

    page: Page
    section: Section | None = None
    opening: Opening = Opening.UNSURE
    form: FormLayout | None = None
    complete: bool = True


def read_pages(asked: Asked, seconds: int) -> PagesRead:
    """Read as many of these pages as `seconds` of processor time allow; what cannot be read is UNKNOWN."""
    read: list[_Read] = []
    total = 0
    try:
        sheets = open_sheets(asked.octets)
        total = sheets.total
        for number in range(asked.first, min(asked.first + asked.most, total + 1)):
            if read and time.process_time() > seconds * _BEGUN_WITHIN:
                break
            before = next((one for one in reversed(read) if not one.page.blank), None)
            read.append(_read(sheets, asked, number, len(read) + 1, before))
    except OutOfTime:
        signal.signal(signal.SIGPROF, signal.SIG_IGN)  # it would come again, and the answer takes a while
        if not read and total:
            read.append(_unread(asked.part, asked.first, 1))
    return _fitting(read, total)


def _read(sheets: Sheets, asked: Asked, number: int, index: int, before: _Read | None) -> _Read:
    """One page; `index` counts those of this answer. What any library raises over it makes it unread."""
    try:
        image = without_specks(sheets.draw(number))
        if is_blank(image):
            return _Read(Page(asked.part, number, blank=True))
        upright = turn_upright(image, before.page.turn if before else 0)
        page = Page(asked.part, number, upright.turn)
        if told := find_reference(upright.image):
            return _Read(page, Section((index,), Sort.COVER_SHEET, confidence=99, reference=told), Opening.BEGINS)
        return _judged(page, upright, asked.layouts, index, before.form if before else None)
    except Exception:  # noqa: BLE001 - a page that no decoder can read; which of them gave up helps nobody
        return _unread(asked.part, number, index)


def _unread(part: str, number: int, index: int) -> _Read:
    return _Read(Page(part, number), Section((index,)), complete=False)


def _judged(page: Page, upright: Upright, layouts: Layouts, index: int, before: FormLayout | None) -> _Read:
    lines = lines_of(upright.read_on().words)
    kind = kinds.judge(lines, layouts, before)
    if kind is None or kind.weight < kinds.ENOUGH:
        return _Read(page, *_other(lines, layouts, index, kind.weight if kind else 0.0))
    suggestions, signatures = read_fields(upright.image, lines, kind, index)
    section = Section(
        (index,),
        Sort.FORM,
        kind.form.form,
        kind.confidence,
        kinds.edition(lines),
        suggestions=suggestions,
        signatures=signatures,
    )
    opening = Opening.BEGINS if kind.leaf is Leaf.FIRST else Opening.GOES_ON
    return _Read(page, section, opening, kind.form)


def _other(lines: Sequence[Line], layouts: Layouts, index: int, weight: float) -> tuple[Section, Opening]:
    """A letter, where there are words enough, and not `weight` enough of a form to be in doubt; one that begins as
    letters do begins a document.
    """
    if kinds.is_letter(lines, layouts):
        return Section((index,), Sort.LETTER, confidence=_SAID), Opening.BEGINS
    if sum(len(line.words) for line in lines) < _FEW or weight >= kinds.MAYBE:
        return Section((index,)), Opening.UNSURE
    return Section((index,), Sort.LETTER, confidence=_LETTER), Opening.UNSURE


def _fitting(read: Sequence[_Read], total: int) -> PagesRead:
    """As many of the pages as fit into an answer; of one that does not, no field."""
    pages = list(read)
    while True:
        made = PagesRead(
            total,
            tuple(one.opening for one in pages if one.section),
            Recognition(
                tuple(one.page for one in pages),
                tuple(one.section for one in pages if one.section),
                complete=all(one.complete for one in pages) and (total > 0),
            ),
        )
        try:
            if len(made.encode()) <= MAX_ANSWER:
                return made
        except ValueError:
            pass
        last = pages.pop()
        if not pages:
            assert last.section is not None
            pages = [replace(last, section=replace(last.section, suggestions=(), signatures=()), complete=False)]
