"""Which form a page is of, if any: by its title, its name, how many of its labels are there, the page before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

from gateway.domain.layout import FormLayout, Layouts, Leaf
from gateway.screening.recognition.headings import Headed, Headings
from gateway.screening.recognition.phrases import Found, find, folded
from gateway.screening.recognition.places import Labels
from gateway.screening.recognition.words import Line

ENOUGH: Final = 0.56
"""With so much of it seen, a page is taken for one of a form; 1 is all there can be."""

MAYBE: Final = 0.35
"""With so much, nobody can say that it is none."""

# How far each mark makes it sure that a page is of a form, where nothing else of it is seen.
_LARGE_TITLE, _TITLE, _QUOTED = 0.7, 0.45, 0.25
_IMPRINT, _NAME = 0.6, 0.15
_LABELS: Final = 0.75
_GOES_ON: Final = 0.3  # from a page of the same form before it
_NUMBERED: Final = 0.25  # as a later page, beside the name of the form or behind a page of it
_MANY: Final = 0.4  # of a form's labels: as good as all
_FEW: Final = 3.0  # labels of any length; fewer do not speak for a form, however few it has
_LONG: Final = 12  # signs; a shorter label speaks less
_HINT: Final = 0.2  # of a title or a name: without it no labels are looked for
_LIKE: Final = 0.8
_WORD: Final = 5  # signs; a letter's mark of so few is one word, which others are like
_EXACTLY: Final = 0.99
_NEARLY: Final = 0.77
_EDITION = re.compile(r"(?i)\brev[.,]?\s*\(?((?:[a-z]{3,9}[.,]?\s*|[01]?[0-9]\s*[-–/]\s*)(?:19|20)[0-9]{2})")


@dataclass(frozen=True, slots=True)
class Kind:
    """A form and which of its pages; `weight` is how much of it was seen, 0 to 1, and `lead` how much more than of any
    other form.
    """

    form: FormLayout
    leaf: Leaf
    weight: float
    lead: float

    @property
    def confidence(self) -> int:
        """0 to 100, for people."""
        return max(1, min(99, round(100 * min(self.weight, 0.5 + self.lead))))


def judge(lines: Sequence[Line], layouts: Layouts, before: FormLayout | None = None) -> Kind | None:
    """Return the form that these lines are likeliest of, None where no form has anything of them. `before` is the form
    that the page before is of.
    """
    headings = Headings(lines)
    before = None if is_letter(lines, layouts) else before
    names, titles = _named(lines, layouts), _titled(headings, layouts)
    weighed = [
        (weight, form, leaf)
        for form in layouts.forms
        for leaf, weight in _weights(
            form, headings, lines, title=titles[form.form], named=names[form.form], goes_on=form == before
        )
    ]
    weighed.sort(key=lambda one: -one[0])
    if not weighed or weighed[0][0] <= 0:
        return None
    weight, form, leaf = weighed[0]
    others = [other for other, one, _ in weighed if one is not form]
    return Kind(form, leaf, weight, weight - max(others, default=0.0))


def is_letter(lines: Sequence[Line], layouts: Layouts) -> bool:
    """Tell whether a line begins as one does that letters begin or end with."""
    found = ((folded(phrase), one) for phrase in layouts.letter for one in find(phrase, lines, _LIKE))
    return any(one.first == 0 and (len(phrase) > _WORD or _said(one) == phrase) for phrase, one in found)


def _said(found: Found) -> str:
    return folded("".join(word.text for word in found.line.words[found.first : found.last + 1]))


def edition(lines: Iterable[Line]) -> str:
    """Return what a page says of its form's edition, "" where it says nothing."""
    for line in lines:
        if told := _EDITION.search(line.text):
            return " ".join(told[1].split())
    return ""


def labels(form: FormLayout) -> list[str]:
    """Return every label that a page of a form may have, and other words that are printed beside its fields."""
    told = [label for one in form.fields for label in one.labels]
    told += [label for one in form.signatures for label in one.labels]
    told += [head for column in form.table for head in column.heads]
    return [*told, *form.words]


def _weights(
    form: FormLayout, headings: Headings, lines: Sequence[Line], *, title: Headed, named: float, goes_on: bool
) -> Iterable[tuple[Leaf, float]]:
    """Yield which page it may be, and how sure it is by all marks together."""
    head = headings.headed(form.later) if form.later else Headed()
    imprint = headings.imprint(form.names) if named else 0.0
    if max(title.anywhere, head.anywhere, named) < _HINT and not goes_on:
        return
    places = Labels(lines, labels(form))
    name = max(_IMPRINT * imprint, _NAME * named)
    yield Leaf.FIRST, _together(_head(title), name, _LABELS * _seen(form, Leaf.FIRST, places))
    if form.later:
        later = _GOES_ON * goes_on, _NUMBERED * (headings.page > 1 and (imprint > 0 or goes_on))
        yield Leaf.LATER, _together(_head(head), name, _LABELS * _seen(form, Leaf.LATER, places), *later)


def _together(*marks: float) -> float:
    """How sure all marks make it, each of them as if there were no other."""
    return 1 - prod(1 - mark for mark in marks)


def _head(headed: Headed) -> float:
    """How sure a title makes it."""
    return max((_LARGE_TITLE if headed.is_large else _TITLE) * headed.alone, _QUOTED * headed.anywhere)


def _seen(form: FormLayout, leaf: Leaf, places: Labels) -> float:
    """How many of the fields that a page may have are labelled on it, 1 where it is many of them."""
    fields = _labelled(form, leaf)
    seen = [max(len(folded(label)) for label in each) for each in fields if places.places(each)]
    if not fields:
        return 0.0
    return min(len(seen) / len(fields) / _MANY, sum(min(size / _LONG, 1.0) for size in seen) / _FEW, 1.0)


def _labelled(form: FormLayout, leaf: Leaf) -> list[tuple[str, ...]]:
    """What each field is labelled with that such a page may have; a table may stand on any."""
    leaves = {Leaf.ANY, leaf}
    fields = [one.labels for one in form.fields if one.leaf in leaves]
    signatures = [one.labels for one in form.signatures if one.leaf in leaves]
    is_with_table = leaf is Leaf.LATER or not form.later
    return [*fields, *signatures, *(column.heads for column in form.table if is_with_table)]


def _titled(headings: Headings, layouts: Layouts) -> dict[str, Headed]:
    """How well each form's title stands there. Of one that is the beginning of another one, only one stands there: by
    how well the rest of the other is read behind it.
    """
    found = {form.form: headings.headed(form.titles) for form in layouts.forms}
    for form in layouts.forms:
        for other in layouts.forms:
            longer = [
                (own, title) for own in form.titles for title in other.titles if title != own and title.startswith(own)
            ]
            if longer and found[form.form].anywhere:
                rest = max(headings.continued(own, title) for own, title in longer)
                found[form.form] = found[form.form].lessened(1 - rest)
                found[other.form] = found[other.form].lessened(rest)
    return found


def _named(lines: Sequence[Line], layouts: Layouts) -> dict[str, float]:
    """How well each form's name stands on the page. A name that is the beginning of another one, which stands there
    exactly, does not count.
    """
    found = {
        form.form: max((one.score for name in form.names for one in find(name, lines, _NEARLY)), default=0.0)
        for form in layouts.forms
    }
    exact = [folded(form.names[0]) for form in layouts.forms if found[form.form] >= _EXACTLY]
    for form in layouts.forms:
        name = folded(form.names[0])
        is_within = any(other != name and other.startswith(name) for other in exact)
        is_guess = found[form.form] < _EXACTLY and any(name.startswith(other) for other in exact)
        if is_within or is_guess:
            found[form.form] = 0.0
    return found
