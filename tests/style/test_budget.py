from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.style.source import ROOT, modules, shown

MODULE_LINES = 400
FUNCTION_LINES = 50

GOOD = '''"""What it does."""

from __future__ import annotations


def double(number: int) -> int:
    return 2 * number
'''


def test_every_module_keeps_to_the_budget() -> None:
    problems = [f"{shown(path)}: {what}" for path in modules() for what in overruns(path.read_text("utf-8"))]
    assert not problems, "\n".join(problems)


def test_good_code_is_within_the_budget() -> None:
    assert list(overruns(GOOD)) == []


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (GOOD + "x = 1\n" * MODULE_LINES, f"{MODULE_LINES + 7} lines"),
        (GOOD + "def long() -> None:\n" + "    print()\n" * (FUNCTION_LINES + 1), "long has 52 lines"),
        (GOOD.partition("\n")[2], "no docstring"),
        (GOOD.replace("from __future__ import annotations", ""), "does not import annotations"),
        (GOOD + "try:\n    print()\nexcept Exception:\n    pass\n", "swallows every exception"),
        (GOOD + "try:\n    print()\nexcept:\n    ...\n", "swallows every exception"),
        (GOOD + "def count() -> None:\n    global total\n    total = 1\n", "uses global"),
    ],
)
def test_the_budget_notices(source: str, complaint: str) -> None:
    assert any(complaint in one for one in overruns(source))


def test_a_long_docstring_costs_no_lines() -> None:
    doc = '    """Tell.\n' + "    more\n" * FUNCTION_LINES + '    """\n'
    assert list(overruns(GOOD + "\n\ndef told() -> None:\n" + doc + "    print()\n")) == []


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        ("C901", "def tangled(n: int) -> None:\n" + "".join(f"    if n == {i}:\n        print()\n" for i in range(10))),
        ("ANN201", "def bare():\n    print()\n"),
        ("ANN001", "def bare(n) -> None:\n    print(n)\n"),
        ("I002", "x = 1\n"),
        ("T201", "print()\n"),
        ("E501", "x = 1  # " + "long " * 30 + "\n"),
    ],
)
def test_the_linter_is_set_to_notice(rule: str, source: str) -> None:
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--output-format=concise",
        "--stdin-filename=gateway/sample.py",
        "-",
    ]
    told = subprocess.run(command, cwd=ROOT, input=source, capture_output=True, text=True, check=False)
    assert f" {rule} " in told.stdout


def overruns(source: str) -> Iterator[str]:
    """Every way in which a module breaks the budget."""
    tree = ast.parse(source)
    lines = source.count("\n")
    if lines > MODULE_LINES:
        yield f"{lines} lines, the budget is {MODULE_LINES}"
    if not ast.get_docstring(tree):
        yield "no docstring"
    if len(tree.body) > 1 and "from __future__ import annotations" not in source:
        yield "does not import annotations from __future__"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (length := code_lines(node)) > FUNCTION_LINES:
            yield f"line {node.lineno}: {node.name} has {length} lines, the budget is {FUNCTION_LINES}"
        if isinstance(node, ast.ExceptHandler) and swallows(node):
            yield f"line {node.lineno}: swallows every exception"
        if isinstance(node, ast.Global):
            yield f"line {node.lineno}: uses global"


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    doc = ast.get_docstring(node, clean=False)
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1 - (doc.count("\n") + 1 if doc else 0)


def swallows(node: ast.ExceptHandler) -> bool:
    catches_all = node.type is None or getattr(node.type, "id", "") in {"Exception", "BaseException"}
    return catches_all and all(isinstance(step, ast.Pass) or is_ellipsis(step) for step in node.body)


def is_ellipsis(step: ast.stmt) -> bool:
    return isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant) and step.value.value is ...
