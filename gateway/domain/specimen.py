"""What a notification will look like, for somebody to see before anybody gets one: all of it made of invented facts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.domain.notice import NoticeKind


@dataclass(frozen=True, slots=True)
class Specimen:
    """One notification as it will be read: its sender and subject, and its text and HTML."""

    sender: str
    subject: str
    text: str
    html: str


Specimens = Callable[[str, NoticeKind, str], Specimen]
"""Shows what a kind of notice looks like: programme, kind, language. Raises KeyError for what is not known here."""
