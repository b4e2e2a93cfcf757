"""The pages that are held to the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`]+)`")


def pages() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def prose(path: Path) -> str:
    return FENCE.sub("", path.read_text("utf-8"))


def spans(path: Path) -> Iterator[str]:
    """What stands in backticks on a page, fenced blocks apart."""
    yield from (" ".join(span.split()) for span in CODE.findall(prose(path)))


def fenced_lines(path: Path) -> Iterator[str]:
    for block in FENCE.findall(path.read_text("utf-8")):
        yield from block.splitlines()[1:-1]


def section(path: Path, heading: str) -> str:
    """The text below a heading of any level, up to the next heading of that level or above."""
    text = path.read_text("utf-8")
    found = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    assert found, f"{path.name} has no heading {heading}"
    rest = text[found.end() :]
    following = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: following.start()] if following else rest


def literal_arguments(function: str) -> set[str]:
    """The first argument of every call of a function in gateway/, where it is a literal text."""
    found: set[str] = set()
    for module in (ROOT / "gateway").rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function:
                found |= {one.value for one in node.args[:1] if isinstance(one, ast.Constant)}
    return found
