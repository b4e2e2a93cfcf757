"""A small file system of its own for tests, where root may mount one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount a tmpfs of so many MiB on `folder`; skip the test where that is not allowed."""
    folder.mkdir(exist_ok=True)
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "gateway-test", str(folder)]
    try:
        subprocess.run(["mount", *options], check=True, capture_output=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        pytest.skip("needs root that may mount a tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True, timeout=10)


def fill(folder: Path, leave: int) -> Path:
    """Write a file that leaves `leave` octets free; return it."""
    filler = folder / "filler"
    free = os.statvfs(folder)
    octets = free.f_bavail * free.f_frsize - leave
    with open(filler, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, octets)
    return filler
