"""A small suite of tests with the rules of `tests/conftest.py`, played by a pytest of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.style.source import ROOT


def play(
    folder: Path, suite: str, *, listed: str, command: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Write the suite into the folder and run the command there, in which `$tests` is this Python's pytest."""
    shutil.copy(ROOT / "tests" / "conftest.py", folder)
    (folder / "skips.txt").write_text(listed, "utf-8")
    (folder / "test_suite.py").write_text(suite, "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = sweep\n", "utf-8")
    clean = {name: value for name, value in os.environ.items() if name not in {"CI", "SWEEP"} and "PYTEST" not in name}
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=clean | {"tests": f"{sys.executable} -m pytest"} | environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
