"""Row ids: 32 hex digits that begin with the time, so that new rows stand together (the layout of UUID version 7)."""

from __future__ import annotations

import os
import time


def new_id() -> str:
    """Return a fresh id: 48 bits of milliseconds, 80 random bits. Not a secret and not an order to rely on."""
    return f"{time.time_ns() // 1_000_000:012x}{os.urandom(10).hex()}"
