"""Reads pages of one document, in a child: turns each upright, says which form it is of, what stands in its fields.

Cheap things first: where the page's head shows no form, the rest of it is not read; of a form's page only what its
layout says is worth reading. The child stops in time to tell what it has.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.domain.layout import Layouts, Leaf
from gateway.domain.recognition import Page, Recognition, Section, Sort
from gateway.screening.protocol import MAX_ANSWER
from gateway.screening.recognition import kinds
from gateway.screening.recognition.cleaning import without_specks
from gateway.screening.recognition.codes import find_reference
from gateway.screening.recognition.exchange import Asked, Opening, PagesRead
from gateway.screening.recognition.fields import read_fields
from gateway.screening.recognition.kinds import Kind
from gateway.screening.recognition.phrases import find
from gateway.screening.recognition.sheets import Sheets, open_sheets
from gateway.screening.recognition.upright import Upright, is_blank, turn_upright
from gateway.screening.recognition.words import Line, lines_of
from gateway.screening.screen import OutOfTime

_BEGUN_WITHIN: Final = 0.5  # of the child's seconds: a page that is begun later could take it over them
_FEW: Final = 12  # words; a page with fewer is no letter
_LETTER: Final = 40  # confidence in one that does not begin as letters do
_SAID: Final = 85
_LIKE: Final = 0.8


@dataclass(frozen=True, slots=True)
class _Read:
    """What one page is taken for: no section where it is blank."""

    page: Page
    section: Section | None = None
    opening: Opening = Opening.UNSURE
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
            read.append(_read(sheets, asked, number, len(read) + 1))
    except OutOfTime:
        signal.signal(signal.SIGPROF, signal.SIG_IGN)  # it would come again, and the answer takes a while
        if not read and total:
            read.append(_unread(asked.part, asked.first, 1))
    return _fitting(read, total)


def _read(sheets: Sheets, asked: Asked, number: int, index: int) -> _Read:
    """One page; `index` counts those of this answer. What any library raises over it makes it unread."""
    try:
        image = without_specks(sheets.draw(number))
        if is_blank(image):
            return _Read(Page(asked.part, number, blank=True))
        upright = turn_upright(image)
        page = Page(asked.part, number, upright.turn)
        if told := find_reference(upright.image):
            return _Read(page, Section((index,), Sort.COVER_SHEET, confidence=99, reference=told), Opening.BEGINS)
        section, opening = _judged(upright, asked.layouts, index)
    except Exception:  # noqa: BLE001 - a page that no decoder can read; which of them gave up helps nobody
        return _unread(asked.part, number, index)
    return _Read(page, section, opening)


def _unread(part: str, number: int, index: int) -> _Read:
    return _Read(Page(part, number), Section((index,)), complete=False)


def _judged(upright: Upright, layouts: Layouts, index: int) -> tuple[Section, Opening]:
    lines = lines_of(upright.words)
    kind = kinds.judge(lines, layouts)
    if kind is not None and kind.is_open:
        upright = upright.read_on(((0, 10_000),))
        lines = lines_of(upright.words)
        kind = kinds.judge(lines, layouts)
    if kind is None or kind.weight < kinds.ENOUGH:
        return _other(lines, layouts, index)
    return _of_form(upright, kind, index)


def _of_form(upright: Upright, kind: Kind, index: int) -> tuple[Section, Opening]:
    is_first = kind.leaf is Leaf.FIRST
    form = kind.form
    upright = upright.read_on(form.first_bands if is_first else form.later_bands)
    lines = lines_of(upright.words)
    suggestions, signatures = read_fields(upright.image, lines, kind, index)
    section = Section(
        (index,),
        Sort.FORM,
        form.form,
        kind.confidence,
        kinds.edition(lines),
        suggestions=suggestions,
        signatures=signatures,
    )
    return section, Opening.BEGINS if is_first else Opening.GOES_ON


def _other(lines: Sequence[Line], layouts: Layouts, index: int) -> tuple[Section, Opening]:
    """A letter, where there are words enough; one that begins as letters do begins a document."""
    words = sum(len(line.words) for line in lines)
    begins = sum(1 for phrase in layouts.letter if find(phrase, lines, _LIKE))
    if words < _FEW:
        return Section((index,)), Opening.UNSURE
    confidence = _SAID if begins else _LETTER
    return Section((index,), Sort.LETTER, confidence=confidence), Opening.BEGINS if begins else Opening.UNSURE


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
