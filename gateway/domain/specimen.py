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


@dataclass(frozen=True, slots=True)
class Specimens:
    """A site's wording as others show it.

    `show` makes a sample of a programme (by key), kind and language; `subject` gives the words that a kind of notice of
    a programme has in a language. Both raise KeyError for what is not of this site.
    """

    show: Callable[[str, NoticeKind, str], Specimen]
    subject: Callable[[str, NoticeKind, str], str]
