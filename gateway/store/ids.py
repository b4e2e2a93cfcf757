"""Row ids: 32 hex digits that begin with the time, so that new rows stand together (the layout of UUID version 7)."""

from __future__ import annotations

import os
import re
import time
from typing import Final

_ID: Final = re.compile(r"[0-9a-f]{32}\Z")
_DIGITS: Final = 20
_EACH: Final = re.compile(f".{{{_DIGITS}}}")
_DRAWN_AT_ONCE: Final = 256
_drawn: list[str] = []
"""Random digits for ids to come: a system call for each id would each time let another thread have the interpreter."""


def new_id() -> str:
    """Return a fresh id: 48 bits of milliseconds, 80 random bits. Not a secret and not an order to rely on."""
    return f"{time.time_ns() // 1_000_000:012x}{_next_digits()}"


def is_id(text: str) -> bool:
    """Tell whether a text has the form of an id."""
    return _ID.match(text) is not None


def below(bound: int) -> int:
    """Return a random number of [0, bound), each as likely as any other but for one in 2^80 / bound. Not a secret."""
    return int(_next_digits(), 16) % bound


def _next_digits() -> str:
    try:
        return _drawn.pop()
    except IndexError:
        digits = os.urandom(_DIGITS // 2 * _DRAWN_AT_ONCE).hex()
        _drawn.extend(_EACH.findall(digits))
        return _drawn.pop()


os.register_at_fork(after_in_child=_drawn.clear)  # a child would give the same ids as its parent
