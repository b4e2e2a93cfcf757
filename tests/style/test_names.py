from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.style.source import modules, shipped_texts, shown

WEAK_MODULES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
UNFINISHED = re.compile(
    r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError|not (yet )?implemented|(?<!\x22)placeholder(?!\x22)|for now\b"
    r"|in a real (system|deployment)|simplified|stub"
)


def test_functions_are_verbs_and_none_is_called_get() -> None:
    problems = [f"{shown(path)}: {name}" for path in modules() for name in getters(path.read_text("utf-8"))]
    assert not problems, "\n".join(problems)


def test_modules_are_nouns_of_the_trade() -> None:
    weak = [shown(path) for path in modules() if WEAK_MODULES & {path.stem, path.parent.name}]
    assert not weak


def test_nothing_shipped_speaks_of_unfinished_work() -> None:
    problems = [
        f"{shown(path)}:{number}: {line.strip()}"
        for path in shipped_texts()
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("source", ["def get_case(): ...", "class A:\n    async def _get_case(self): ..."])
def test_a_getter_is_noticed(source: str) -> None:
    assert list(getters(source))


@pytest.mark.parametrize("line", ["# TODO: later", "raise NotImplementedError", "it works for now", "a stub"])
def test_unfinished_work_is_noticed(line: str) -> None:
    assert UNFINISHED.search(line)


def getters(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.lstrip("_").startswith("get_"):
            yield f"line {node.lineno}: {node.name}"
