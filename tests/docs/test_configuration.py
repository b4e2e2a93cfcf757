"""docs/configuration.md has every key of the configuration, under its table, and none else."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping

from gateway.config.example import Site, example
from tests.docs.sources import ROOT

PAGE = ROOT / "docs" / "configuration.md"
TABLE = re.compile(r"^#+ .*?`?\[([a-z_.]+)\]`?", re.MULTILINE)


def test_every_key_stands_under_its_table() -> None:
    missing = sorted(known() - told())
    assert not missing, "\n".join(missing)


def test_no_key_is_told_that_is_none() -> None:
    assert not told() - known()


def told() -> set[str]:
    """`table.key` for each key in the first column of a page's tables."""
    text = PAGE.read_text("utf-8")
    pieces = TABLE.split(text)[1:]
    return {f"{name}.{key}" for name, rows in zip(pieces[::2], pieces[1::2], strict=True) for key in first_column(rows)}


def first_column(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if line.startswith("| `"):
            yield from re.findall(r"`([a-z_]+)`", line.split(" | ")[0])


def known() -> set[str]:
    """Every key of the example that `gateway init` writes, those in comments included."""
    lines = (re.sub(r"^# (?=\[|[a-z_]+ = )", "", line) for line in example(Site()).splitlines())
    return set(keys(tomllib.loads("\n".join(lines))))


def keys(table: Mapping[str, object], above: str = "") -> Iterator[str]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from keys(value, f"{above}{name}.")
        else:
            yield f"{above}{name}"
