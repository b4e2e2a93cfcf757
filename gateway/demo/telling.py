"""What the story's steps share: how a step tells what happened, and how it fails."""

from __future__ import annotations

from dataclasses import dataclass


class NotSo(AssertionError):
    """Something is not as the story says."""


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the story: what happened, and how to see it oneself."""

    line: str
    proof: str


def require(so: bool, otherwise: str) -> None:
    """Raise NotSo, with what is the case instead, where something is not so."""
    if not so:
        raise NotSo(otherwise)
