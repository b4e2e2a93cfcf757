"""Pages that were read one by one, put together: which of them are one document, and what stands in its fields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from gateway.domain.recognition import MOST_PAGES, Page, Recognition, Section, Sort
from gateway.screening.recognition.exchange import Opening, PagesRead

_MOST_FIELDS: Final = 400  # of one section


@dataclass(slots=True)
class Assembly:
    """Takes pages in their order and puts each where it belongs."""

    _pages: list[Page] = field(default_factory=list)
    _sections: list[Section] = field(default_factory=list)
    _complete: bool = True

    @property
    def room(self) -> int:
        """How many pages it still takes."""
        return MOST_PAGES - len(self._pages)

    def add(self, read: PagesRead) -> None:
        """Take pages that follow those it has. Of more than it takes, the first."""
        before = len(self._pages)
        taken = read.pages.pages[: self.room]
        self._complete &= read.pages.complete and len(taken) == len(read.pages.pages)
        self._pages += taken
        for section, opening in zip(read.pages.sections, read.openings, strict=True):
            if section.pages[0] <= len(taken):
                self._join(_moved(section, before), opening)

    def add_unread(self, part: str, numbers: Iterable[int]) -> None:
        """Take pages of a document that nobody could read."""
        self._complete = False
        pages = [Page(part, number) for number in numbers][: self.room]
        first = len(self._pages) + 1
        self._pages += pages
        if pages:
            self._sections.append(Section(tuple(range(first, first + len(pages)))))

    def miss(self) -> None:
        """Note that something could not be read of which not even the pages are known."""
        self._complete = False

    def recognition(self) -> Recognition:
        """Return what all of it is taken for; of more fields than there is room for, those of the first sections."""
        made = Recognition(tuple(self._pages), tuple(self._sections), self._complete)
        for end in range(len(self._sections) - 1, -1, -1):
            try:
                made.to_bytes()
                break
            except ValueError:
                self._sections[end] = replace(self._sections[end], suggestions=(), signatures=())
                made = Recognition(tuple(self._pages), tuple(self._sections), complete=False)
        return made

    def _join(self, section: Section, opening: Opening) -> None:
        last = self._sections[-1] if self._sections else None
        if last is None or not _belongs(section, opening, last):
            self._sections.append(section)
            return
        self._sections[-1] = replace(
            last,
            pages=(*last.pages, *section.pages),
            confidence=max(last.confidence, section.confidence) if section.form else last.confidence,
            edition=last.edition or section.edition,
            suggestions=(*last.suggestions, *section.suggestions)[:_MOST_FIELDS],
            signatures=(*last.signatures, *section.signatures)[:_MOST_FIELDS],
        )


def _belongs(section: Section, opening: Opening, last: Section) -> bool:
    """Tell whether a page belongs to the document before it.

    What says of itself that it is a later page of a form belongs to that form alone; what says nothing belongs to what
    came before, as an appendix or the rest of a letter does, but never to a cover sheet, which is one page.
    """
    if opening is Opening.BEGINS or last.sort is Sort.COVER_SHEET or section.sort is Sort.COVER_SHEET:
        return False
    if section.sort is Sort.FORM:
        return section.form == last.form
    return True


def _moved(section: Section, by: int) -> Section:
    return replace(
        section,
        pages=tuple(page + by for page in section.pages),
        suggestions=tuple(replace(one, page=one.page + by) for one in section.suggestions),
        signatures=tuple(replace(one, page=one.page + by) for one in section.signatures),
    )
