"""How a programme's paper forms look, as data: what is printed on them, and where its fields stand beside their labels.

A reader of pages goes by it. Words are compared loosely, so that a label is given as it is printed, once for each
edition that words it differently.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Look(StrEnum):
    """What stands in a field, as far as that changes how it is read."""

    TEXT = "text"
    EMAIL = "e-mail"
    TELEPHONE = "telephone"
    DATE = "date"
    NUMBER = "number"  # digits, often a box each
    YEARS = "years"
    TICK = "tick"  # a small box that is ticked or not


class Side(StrEnum):
    """Where a field stands, seen from its label."""

    ANY = "any"  # to the right or below, wherever something is
    RIGHT = "right"
    BELOW = "below"
    LEFT = "left"
    ABOVE = "above"


class Leaf(StrEnum):
    """Which pages of a form have a field."""

    ANY = "any"
    FIRST = "first"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class FieldLayout:
    """A field: its key, the labels that it is printed with, and where it then stands.

    `repeated` ones are there for each of several people, and told as rows 1, 2, 3. `groups` tell how many boxes stand
    together where each digit has a box of its own: (3, 2, 4), or in another edition (2, 7).
    """

    key: str
    labels: tuple[str, ...]
    look: Look = Look.TEXT
    side: Side = Side.ANY
    leaf: Leaf = Leaf.ANY
    repeated: bool = False
    groups: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a form's table: the key of what stands in it, and how its head is worded."""

    key: str
    heads: tuple[str, ...]
    look: Look = Look.TEXT


@dataclass(frozen=True, slots=True)
class SignatureLayout:
    """Where a form is signed: labels of the field, and where it stands beside them."""

    labels: tuple[str, ...]
    side: Side = Side.ANY
    leaf: Leaf = Leaf.ANY


@dataclass(frozen=True, slots=True)
class FormLayout:
    """One form. `form` is its number as the programme has it, `names` how pages name it, `titles` what its first page
    is headed by, `later` phrases of which others have one. `words` are printed beside fields and are no value. `blocks`
    head each person's fields where an edition has no table, but blocks one below the other.
    """

    form: str
    names: tuple[str, ...]
    titles: tuple[str, ...]
    later: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    fields: tuple[FieldLayout, ...] = ()
    table: tuple[Column, ...] = ()
    blocks: tuple[str, ...] = ()
    signatures: tuple[SignatureLayout, ...] = ()


@dataclass(frozen=True, slots=True)
class Layouts:
    """All forms of a programme, and words that letters begin with."""

    forms: tuple[FormLayout, ...] = ()
    letter: tuple[str, ...] = ()

    def encode(self) -> str:
        """Return them as JSON, for a process that reads pages."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def decode(cls, text: str) -> Layouts:
        """Read what `encode` wrote; it comes from our own program."""
        told = json.loads(text)
        return cls(tuple(map(_form, told["forms"])), tuple(told["letter"]))


def joined(layouts: Iterable[Layouts]) -> Layouts:
    """Return the forms of several programmes as one; of two with one name the first."""
    every = list(layouts)
    forms = {form.form: form for one in reversed(every) for form in reversed(one.forms)}
    return Layouts(tuple(reversed(forms.values())), tuple(dict.fromkeys(word for one in every for word in one.letter)))


def _form(told: Mapping[str, Any]) -> FormLayout:
    return FormLayout(
        told["form"],
        tuple(told["names"]),
        tuple(told["titles"]),
        tuple(told["later"]),
        tuple(told["words"]),
        tuple(
            FieldLayout(
                one["key"], tuple(one["labels"]), Look(one["look"]), *_place(one), one["repeated"],
                tuple(tuple(sizes) for sizes in one["groups"]),
            )
            for one in told["fields"]
        ),
        tuple(Column(one["key"], tuple(one["heads"]), Look(one["look"])) for one in told["table"]),
        tuple(told["blocks"]),
        tuple(SignatureLayout(tuple(one["labels"]), *_place(one)) for one in told["signatures"]),
    )  # fmt: skip


def _place(told: Mapping[str, Any]) -> tuple[Side, Leaf]:
    return Side(told["side"]), Leaf(told["leaf"])
