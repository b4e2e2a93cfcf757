"""docs/security.md knows every key file, and each invariant names tests that exist or says that it is open."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.docs.sources import CODE, ROOT, section

PAGE = ROOT / "docs" / "security.md"
KEY_FILE = re.compile(r"[a-z]+\.(?:key|pub)\Z")
INVARIANTS = [f"I{number}" for number in range(1, 10)]


def test_every_key_file_has_its_row() -> None:
    told = {span for span in CODE.findall(section(PAGE, "Every key")) if KEY_FILE.match(span)}
    assert told == key_files()


def test_every_row_of_a_key_is_whole() -> None:
    assert all(len(row) == 5 and all(row) for row in rows("Every key"))


def test_every_invariant_has_its_row() -> None:
    assert [row[0] for row in rows("Invariants")] == INVARIANTS


@pytest.mark.parametrize("number", INVARIANTS)
def test_an_invariant_is_held_by_tests_or_said_to_be_open(number: str) -> None:
    (held,) = [row[2] for row in rows("Invariants") if row[0] == number]
    named = CODE.findall(held)
    assert named or held.startswith("Open: ")
    assert not [one for one in named if not is_test(one)]


def test_the_parts_not_built_are_not_in_the_tree() -> None:
    held = {row[0]: row[2] for row in rows("Invariants")}
    assert held["I6"].startswith("Open: ") != (ROOT / "gateway" / "screening").is_dir()


def rows(heading: str) -> list[list[str]]:
    lines = [line for line in section(PAGE, heading).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def key_files() -> set[str]:
    """Names of key files: the constants of modules that spell one."""
    found: set[str] = set()
    for module in (ROOT / "gateway").rglob("*.py"):
        for node in ast.parse(module.read_text("utf-8")).body:
            value = node.value if isinstance(node, ast.Assign) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and KEY_FILE.match(value.value):
                found.add(value.value)
    return found


def is_test(named: str) -> bool:
    """`tests/folder/test_x.py`, or one test of it behind `::`."""
    file, _, test = named.partition("::")
    path = Path(ROOT, file)
    if not path.is_file() or not path.name.startswith("test_"):
        return False
    return (
        not test or re.search(rf"^(async )?def {re.escape(test)}\(", path.read_text("utf-8"), re.MULTILINE) is not None
    )
