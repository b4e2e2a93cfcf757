"""The files whose style is judged."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINK = "120000"
"""Git's mode of a symbolic link."""


def modules() -> Iterator[Path]:
    return (path for path in sorted((ROOT / "gateway").rglob("*.py")) if "_data" not in path.parts)


def shipped_texts() -> Iterator[Path]:
    yield from modules()
    yield from (path for path in sorted((ROOT / "templates").rglob("*")) if path.is_file())


def tracked_files() -> list[Path]:
    return [path for _, path in _tracked() if path.is_file()]


def tracked_links() -> list[Path]:
    return [path for mode, path in _tracked() if mode == LINK]


def _tracked() -> Iterator[tuple[str, Path]]:
    """Yield the mode of each tracked entry, and where it is."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout")
    listed = subprocess.run(["git", "ls-files", "-s", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    for entry in filter(None, listed.stdout.split("\0")):
        about, _, name = entry.partition("\t")
        yield about.split()[0], ROOT / name


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))
