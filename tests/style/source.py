"""The files whose style is judged."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def modules() -> Iterator[Path]:
    return (path for path in sorted((ROOT / "gateway").rglob("*.py")) if "_data" not in path.parts)


def shipped_texts() -> Iterator[Path]:
    yield from modules()
    yield from (path for path in sorted((ROOT / "templates").rglob("*")) if path.is_file())


def tracked_files() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))
