"""16 octets that may not be found: what tests plant, and the demo's own search (`gateway.demo.search`) for it.

A test puts `new_canary()` into a message, as octets, as the text `canary.hex()` or as the word `word_of(canary)`, and
asserts afterwards `search(canary, folder, …) == []`. The same search must find it where sealing is off.
"""

from __future__ import annotations

import base64
import os
from functools import cache
from pathlib import Path

from gateway.demo import search as engine
from gateway.demo.search import Forms, Hit


def new_canary() -> bytes:
    """Return 16 octets that are nowhere else."""
    return os.urandom(16)


def word_of(canary: bytes) -> str:
    """Return the canary as one word of 26 letters and digits, as a person could type it."""
    return base64.b32encode(canary).decode("ascii").rstrip("=").lower()


def search(canary: bytes, *folders: Path) -> list[Hit]:
    """Return every form of the canary in the files of the folders, and in their names."""
    return list(engine.search(_forms(canary), folders).hits)


def search_octets(canary: bytes, octets: bytes, name: str = "") -> list[Hit]:
    """Return every form of the canary in some octets (a log, what came over a wire)."""
    return engine.search_octets(_forms(canary), octets, name)


def search_process(canary: bytes, pid: int) -> list[Hit]:
    """Return every form of the canary in a process's environment and arguments."""
    return engine.search_process(_forms(canary), pid)


@cache
def _forms(canary: bytes) -> Forms:
    return {**engine.octets(canary), **{f"word {form}": it for form, it in engine.words(word_of(canary)).items()}}
