"""Tables of a new database, for tests that need their own: copied from one that was upgraded once in this process.

The migrations themselves, and what PostgreSQL makes of them, are for `tests/contract/`.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from gateway.store.migrations import upgrade


def make_tables(url: str) -> None:
    """Make the newest tables in a new file of SQLite; in any other database by its migrations."""
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and not path.exists():
        shutil.copy(_pattern(), path)
    else:
        upgrade(url)


@functools.cache
def _pattern() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tables-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    upgrade(f"sqlite:///{folder}/gateway.db")
    return folder / "gateway.db"
