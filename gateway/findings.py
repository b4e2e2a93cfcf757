"""What the doctor says of one thing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How one finding stands: OFF is something optional that is absent."""

    OK = "ok"
    OFF = "off"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what was found, and what to do or what is off where it is not as it should be."""

    name: str
    state: State
    found: str
    advice: str = ""
