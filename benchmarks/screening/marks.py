"""The marks around a number in a passage, for whoever writes it out in a disguise of its own."""

from __future__ import annotations

OPEN, CLOSE = "\ue000", "\ue001"


def unmarked(text: str) -> str:
    return text.replace(OPEN, "").replace(CLOSE, "")
