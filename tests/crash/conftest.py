"""Folders for whole sites: the address of a socket may have 107 octets (unix(7)), and pytest's own are long."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def short_path() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="story-"))
    yield folder
    shutil.rmtree(folder)
