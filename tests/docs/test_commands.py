"""Every `gateway …` command on a page exists, with the options it is shown with."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from gateway.cli import app
from tests.docs.sources import fenced_lines, pages, spans

COMMAND = re.compile(r"(?:^|[\s(])(?:\.venv/bin/)?gateway ((?:[a-z][a-z-]*|--\S+)(?: [^`]*)?)$")


def test_every_command_on_a_page_exists() -> None:
    wrong = [
        f"{path.name}: gateway {told}: {why}" for path in pages() for told in commands(path) if (why := fault(told))
    ]
    assert not wrong, "\n".join(wrong)


def test_pages_name_the_commands_of_the_main_job() -> None:
    named = {told.split()[0] for path in pages() for told in commands(path)}
    assert named >= {
        "init",
        "run",
        "config",
        "doctor",
        "employee",
        "case",
        "designated-user",
        "queue",
        "backup",
        "restore",
    }


@pytest.mark.parametrize("told", ["vanish", "employee vanish", "case open --vanish"])
def test_a_command_that_does_not_exist_is_noticed(told: str) -> None:
    assert fault(told)


def commands(path: Path) -> Iterator[str]:
    """What follows `gateway` in a span or at the begin of a line of a block."""
    for text in (*spans(path), *fenced_lines(path)):
        if found := COMMAND.match(text.strip()):
            yield re.split(r"  +|\s#", found[1])[0].strip()


def fault(told: str) -> str:
    """Why a command is none, or nothing. Words in capitals and "…" stand for anything."""
    command = tree()
    words = shlex.split(told)
    while words and not words[0].startswith("-") and subcommands(command):
        name = words.pop(0)
        if name in {"…", "NAME"}:
            return ""
        if name not in subcommands(command):
            return f"there is no {name}"
        command = subcommands(command)[name]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    unknown = [word for word in words if word.startswith("--") and word.partition("=")[0] not in known | {"--help"}]
    return f"no option {unknown[0]}" if unknown else ""


@cache
def tree() -> Any:
    return typer.main.get_command(app.assembled(app.COMMANDS))


def subcommands(command: Any) -> Mapping[str, Any]:
    return getattr(command, "commands", {})
