"""Loads `recognition.toml` of a programme's folder: how its forms look on paper. A programme may be without one.

Every problem is told with its file and key; a form or a field that the programme does not have is one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, TypeVar

from gateway.domain.layout import (
    Column,
    FieldLayout,
    FormLayout,
    Layouts,
    Leaf,
    Look,
    Side,
    SignatureLayout,
)
from gateway.domain.programme import Form
from gateway.toml_tables import Table, read_table

FILE: Final = "recognition.toml"
MOST_LETTERS: Final = 200  # of a label
_LABEL = re.compile(rf"(?=.*[A-Za-z0-9]{{2}})[ -~\u00c0-\u024f\u2010-\u2015]{{2,{MOST_LETTERS}}}\Z")
_SHAPE: Final = f"printed words, two letters or digits at least, at most {MOST_LETTERS} characters"
_GROUPS = re.compile(r"[1-9][0-9]?(?:-[1-9][0-9]?){0,5}\Z")
_GROUPED: Final = 'how many boxes stand together, as in "3-2-4"'
_ANY = re.compile(r"(?s).")

T = TypeVar("T")


def read_layouts(folder: Path, forms: Iterable[Form], problems: list[str]) -> Layouts:
    """Read what a programme says of its forms' looks, and add to `problems` what is wrong with it, a line each."""
    path = folder / FILE
    if not path.exists():
        return Layouts()
    known = {form.number: form for form in forms}
    table = read_table(path, problems)
    letter = _labels(table, "letter")
    read = table.each("forms", lambda one: _form(one, known))
    table.close()
    if len({one.form for one in read}) < len(read):
        table.complain("forms", "describe one form twice")
    return Layouts(read, letter)


def _form(table: Table, known: dict[str, Form]) -> FormLayout:
    number = table.line("form")
    keys: set[str] = set()
    if number in known:
        keys = {field.key for field in known[number].fields}
    else:
        table.complain("form", "is no number of a form in programme.toml")
    return FormLayout(
        form=number,
        names=_labels(table, "names", needed=True),
        titles=_labels(table, "titles", needed=True),
        later=_labels(table, "later"),
        words=_labels(table, "words"),
        fields=_each(table, "fields", lambda one: _field(one, keys)),
        table=_each(table, "table", lambda one: _column(one, keys)),
        blocks=_labels(table, "blocks"),
        signatures=_each(table, "signatures", _signature),
    )


def _field(table: Table, keys: set[str]) -> FieldLayout:
    return FieldLayout(
        _key(table, keys),
        _labels(table, "labels", needed=True),
        table.choice("look", Look) if table.has("look") else Look.TEXT,
        table.choice("side", Side) if table.has("side") else Side.ANY,
        table.choice("leaf", Leaf) if table.has("leaf") else Leaf.ANY,
        table.flag("repeated"),
        _groups(table),
    )


def _groups(table: Table) -> tuple[tuple[int, ...], ...]:
    told = table.texts("groups", _GROUPS, _GROUPED) if table.has("groups") else ()
    return tuple(tuple(map(int, one.split("-"))) for one in told)


def _column(table: Table, keys: set[str]) -> Column:
    return Column(
        _key(table, keys),
        _labels(table, "heads", needed=True),
        table.choice("look", Look) if table.has("look") else Look.TEXT,
    )


def _signature(table: Table) -> SignatureLayout:
    return SignatureLayout(
        _labels(table, "labels", needed=True),
        table.choice("side", Side) if table.has("side") else Side.ANY,
        table.choice("leaf", Leaf) if table.has("leaf") else Leaf.ANY,
    )


def _key(table: Table, keys: set[str]) -> str:
    key = table.text("key", _ANY, "the key of a field")
    if key and keys and key not in keys:
        table.complain("key", "is no field of this form in programme.toml")
    return key


def _labels(table: Table, key: str, *, needed: bool = False) -> tuple[str, ...]:
    return table.texts(key, _LABEL, _SHAPE) if needed or table.has(key) else ()


def _each(table: Table, key: str, read: Callable[[Table], T]) -> tuple[T, ...]:
    return table.each(key, read) if table.has(key) else ()
