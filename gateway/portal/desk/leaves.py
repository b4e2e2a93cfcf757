"""What a clerk sees of an item: its pages upright, put in sections, and what may stand in the fields beside them.

What a machine has found is a suggestion, and how a person has put the pages goes before it. Nothing here gives a right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from gateway.domain.fax import Fax
from gateway.domain.paper import Shape
from gateway.domain.programme import Form, Programme
from gateway.domain.recognition import Page, Recognition, Section, SignatureField, Sort, Suggestion
from gateway.store.handling import Arrangement

_DATES: Final = frozenset({Shape.DATE, Shape.SIGNATURE_DATE})
_ON_PAPER: Final = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})")


@dataclass(frozen=True, slots=True)
class Bundle:
    """Pages that belong together, as they stand now: `number` counts from 1, `form` is one of the programme's."""

    number: int
    section: Section
    form: Form | None

    @property
    def pages(self) -> tuple[int, ...]:
        """Its pages, counted through the whole item from 1."""
        return self.section.pages


@dataclass(frozen=True, slots=True)
class Leaves:
    """An item's pages and their bundles; `is_arranged` where a person has put them so."""

    pages: tuple[Page, ...] = ()
    bundles: tuple[Bundle, ...] = ()
    is_recognised: bool = False
    is_complete: bool = True
    version: int = 0
    turns: tuple[tuple[int, int], ...] = ()

    def bundle(self, number: int) -> Bundle | None:
        """Return a bundle by its number, the first for what is none; None where there is none."""
        return next((one for one in self.bundles if one.number == number), next(iter(self.bundles), None))

    def of_form(self, form: Form) -> list[Bundle]:
        """Return the bundles that are taken for a form."""
        return [one for one in self.bundles if one.form is form]

    @property
    def sections(self) -> list[list[int]]:
        """The pages of each bundle."""
        return [list(one.pages) for one in self.bundles]


def leaves_of(
    recognition: Recognition | None,
    fax: Fax | None,
    parts: Sequence[str],
    arrangement: Arrangement,
    programme: Programme,
) -> Leaves:
    """Put an item's pages: those that were recognised, else those that were counted, else the first of each part."""
    pages = recognition.pages if recognition is not None and recognition.pages else _counted(fax, parts)
    sections = _sections(recognition, len(pages))
    if arrangement.sections:
        sections = [_regrouped(pages_of, sections) for pages_of in _whole(arrangement.sections, len(pages))]
    turned = [replace(page, turn=arrangement.turns.get(number, page.turn)) for number, page in enumerate(pages, 1)]
    forms = {form.number: form for form in programme.forms}
    return Leaves(
        tuple(turned),
        tuple(Bundle(number, one, forms.get(one.form)) for number, one in enumerate(sections, 1)),
        recognition is not None and bool(recognition.pages),
        recognition is None or recognition.complete,
        arrangement.version,
        tuple(sorted(arrangement.turns.items())),
    )


def suggested(bundle: Bundle | None, row: int = 0) -> dict[str, str]:
    """Return what may stand in the fields of a bundle's form; `row` is a line of its appendix."""
    dates = {one.key for one in bundle.form.fields if one.shape in _DATES} if bundle and bundle.form else set()
    found = surest(bundle, row)
    return {key: _iso(one.value) if key in dates else one.value for key, one in found.items()}


def surest(bundle: Bundle | None, row: int = 0) -> dict[str, Suggestion]:
    """Return the surest suggestion for each field of a bundle's form."""
    found: dict[str, Suggestion] = {}
    for one in bundle.section.suggestions if bundle and bundle.form else ():
        if one.row == row and one.value and (one.field not in found or found[one.field].confidence < one.confidence):
            found[one.field] = one
    return found


def rows_of(bundle: Bundle | None) -> list[int]:
    """Return the lines of a form's appendix on which something stands."""
    return sorted({one.row for one in bundle.section.suggestions if one.row and one.value} if bundle else ())


def _iso(text: str) -> str:
    """Return a day as fields take it; on paper the month stands first. What is none stays as it was read."""
    found = _ON_PAPER.fullmatch(text.strip())
    if found is None:
        return text
    year = int(found[3]) + (2000 if len(found[3]) == 2 else 0)
    try:
        return date(year, int(found[1]), int(found[2])).isoformat()
    except ValueError:
        return text


def _counted(fax: Fax | None, parts: Sequence[str]) -> tuple[Page, ...]:
    found = [one for one in fax.documents if not one.copy_of and one.path in parts] if fax else []
    if found:
        return tuple(Page(one.path, number) for one in found for number in range(1, (one.pages or 1) + 1))
    return tuple(Page(path, 1) for path in parts)


def _sections(recognition: Recognition | None, pages: int) -> list[Section]:
    found = [replace(one, suggestions=one.likely) for one in recognition.sections] if recognition else []
    named = {page for one in found for page in one.pages}
    rest = tuple(page for page in range(1, pages + 1) if page not in named)
    if rest and not found:
        found.append(Section(rest))
    elif rest:  # blank pages, mostly: they stay with what they follow
        for page in rest:
            found = _with_page(found, page)
    return found


def _with_page(sections: list[Section], page: int) -> list[Section]:
    before = [number for number, one in enumerate(sections) if one.pages[0] < page]
    at = before[-1] if before else 0
    pages = tuple(sorted({*sections[at].pages, page}))
    return [replace(one, pages=pages) if number == at else one for number, one in enumerate(sections)]


def _whole(sections: Sequence[tuple[int, ...]], pages: int) -> list[tuple[int, ...]]:
    """Return sections of pages that are there, with those that nobody has put anywhere last."""
    found = [tuple(page for page in one if page <= pages) for one in sections]
    named = {page for one in found for page in one}
    rest = tuple(page for page in range(1, pages + 1) if page not in named)
    return [one for one in (*found, rest) if one]


def _regrouped(pages: tuple[int, ...], sections: Sequence[Section]) -> Section:
    """Return what a machine found on these pages: the form whose first page is among them, and all fields on them."""
    begins = [one for one in sections if one.pages[0] in pages]
    best = max(begins, key=lambda one: (one.sort is Sort.FORM, one.confidence), default=None)
    suggestions: tuple[Suggestion, ...] = tuple(s for one in sections for s in one.suggestions if s.page in pages)
    signatures: tuple[SignatureField, ...] = tuple(s for one in sections for s in one.signatures if s.page in pages)
    if best is None:
        return Section(pages, suggestions=suggestions, signatures=signatures)
    return replace(best, pages=pages, suggestions=suggestions, signatures=signatures)
