"""What commands print: tables and facts for people, JSON for programs; without colour and boxes when not a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from gateway.domain.clock import from_microseconds, to_microseconds

Row = Mapping[str, Any]


def show_rows(rows: Sequence[Row], columns: Mapping[str, str], *, as_json: bool, nothing: str) -> None:
    """Print rows. `columns` names what people are shown and under which heading; JSON has every field."""
    if as_json:
        show_json([dict(row) for row in rows])
    elif not rows:
        say(nothing)
    else:
        _show_table([[_words(row.get(name)) for name in columns] for row in rows], list(columns.values()))


def show_facts(facts: Row, *, as_json: bool) -> None:
    """Print one thing's facts, a line each."""
    if as_json:
        show_json(facts)
        return
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        say(f"{name.replace('_', ' '):<{width}}  {_words(value)}")


def show_json(value: object) -> None:
    """Print one JSON value."""
    sys.stdout.write(json.dumps(value, indent=2, sort_keys=True, default=str) + "\n")


def say(text: str = "") -> None:
    """Print one line."""
    sys.stdout.write(f"{text}\n")


def instant(microseconds: int | None) -> str | None:
    """Return an instant as ISO 8601 in UTC, to the second."""
    return None if microseconds is None else from_microseconds(microseconds).isoformat(timespec="seconds")


def today() -> datetime:
    """Return now, in UTC."""
    return datetime.now(UTC)


def now_us() -> int:
    """Return now as the store writes it."""
    return to_microseconds(today())


def _show_table(rows: list[list[str]], headings: list[str]) -> None:
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        from rich.console import Console
        from rich.table import Table

        table = Table(*headings, box=None, header_style="bold", pad_edge=False)
        for row in rows:
            table.add_row(*row)
        Console().print(table)
        return
    widths = [max(len(row[place]) for row in [headings, *rows]) for place in range(len(headings))]
    for row in [headings, *rows]:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _words(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "-"
    return str(value)
