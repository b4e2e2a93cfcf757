"""Which form a page is of, if any: by its title, its name, and how many of its labels stand on it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.domain.layout import FormLayout, Layouts, Leaf
from gateway.screening.recognition.phrases import find, folded, share
from gateway.screening.recognition.places import Labels
from gateway.screening.recognition.words import Line

ENOUGH: Final = 0.56
"""With so much of it seen, a page is taken for one of a form; 1 is all there can be."""

MAYBE: Final = 0.2
"""With less, no more of the page need be read to know that it is none."""

_TITLE, _NAME, _LABELS = 0.32, 0.2, 0.5
_MANY: Final = 0.4  # of a form's labels: as good as all
_HINT: Final = 0.15  # of a title or a name: without it no labels are looked for
_CLEARLY_TITLED: Final = 0.6
_SAID: Final = 0.8  # of a title or a head: it stands there
_LEAD: Final = 0.12
_OUTDONE: Final = 0.6  # of its weight is left to a later page without head or name, where another form says its own
_WINDOW: Final = 3  # lines that a title may take
_EXACTLY: Final = 0.99
_NEARLY: Final = 0.85
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
    def is_open(self) -> bool:
        """Whether more of the page may say something else, or enough."""
        return self.weight >= MAYBE and (self.weight < ENOUGH or self.lead < _LEAD)

    @property
    def confidence(self) -> int:
        """0 to 100, for people."""
        return max(1, min(99, round(100 * min(self.weight, 0.5 + self.lead))))


def judge(lines: Sequence[Line], layouts: Layouts) -> Kind | None:
    """Return the form that these lines are likeliest of, None where no form has anything of them."""
    texts = [folded(line.text) for line in lines]
    windows = ["".join(texts[at : at + _WINDOW]) for at in range(len(texts))] or [""]
    names = _named(lines, layouts)
    titles = {form.form: _headed(form.titles, windows) for form in layouts.forms}
    said = {one for one, titled in titles.items() if titled >= _SAID}
    weighed = [
        (weight * (_OUTDONE if leaf is Leaf.LATER and said - {form.form} and head < _SAID else 1), form, leaf)
        for form in layouts.forms
        for leaf, head, weight in _weights(form, lines, windows, titled=titles[form.form], named=names[form.form])
    ]
    weighed.sort(key=lambda one: -one[0])
    if not weighed or weighed[0][0] <= 0:
        return None
    weight, form, leaf = weighed[0]
    others = [other for other, one, _ in weighed if one is not form]
    return Kind(form, leaf, min(weight, 1.0), weight - max(others, default=0.0))


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
    form: FormLayout, lines: Sequence[Line], windows: Sequence[str], *, titled: float, named: float
) -> Iterable[tuple[Leaf, float, float]]:
    """Yield which page it may be, how much of that page's title or head stands there, and how much speaks for it."""
    headed = _headed(form.later, windows) if titled < _CLEARLY_TITLED else 0.0
    if max(titled, headed, named) < _HINT:
        return
    places = Labels(lines, labels(form))
    for leaf, head in ((Leaf.FIRST, titled), (Leaf.LATER, headed)):
        if leaf is Leaf.FIRST or head or (named and form.later and titled < _CLEARLY_TITLED):
            seen = min(_seen(form, leaf, places) / _MANY, 1.0)
            yield leaf, head, _TITLE * head + _NAME * named + _LABELS * seen


def _headed(phrases: Sequence[str], windows: Sequence[str]) -> float:
    """How much of one of these phrases stands in a few lines, beyond what any page has by chance."""
    return max((_above(share(one, window), 0.4) for one in phrases for window in windows), default=0.0)


def _above(value: float, least: float) -> float:
    """A share by how far it is above what any page has by chance."""
    return max(value - least, 0.0) / (1 - least)


def _seen(form: FormLayout, leaf: Leaf, places: Labels) -> float:
    """How many of the fields that a page may have are labelled on it, as a share."""
    fields = _labelled(form, leaf)
    return sum(1 for each in fields if places.places(each)) / len(fields) if fields else 0.0


def _labelled(form: FormLayout, leaf: Leaf) -> list[tuple[str, ...]]:
    """What each field is labelled with that such a page may have; a table may stand on any."""
    leaves = {Leaf.ANY, leaf}
    fields = [one.labels for one in form.fields if one.leaf in leaves]
    signatures = [one.labels for one in form.signatures if one.leaf in leaves]
    is_with_table = leaf is Leaf.LATER or not form.later
    return [*fields, *signatures, *(column.heads for column in form.table if is_with_table)]


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
