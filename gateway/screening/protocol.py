"""What the pool and its children say to each other: small JSON, judged as data from a stranger.

A request names a task and comes with the mail in a sealed memory file; an answer is at most 64 KiB. Whatever code ran
in the child, what passes here is one of our own words, a small number, or a place that looks like one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from gateway.domain.verdict import Finding, Kind, Strength, Unread, Unreadable, Verdict
from gateway.screening.chunk import Limits
from gateway.screening.policy import Policy

MAX_ANSWER = 64 * 1024
MAX_ORDERS = 192 * 1024  # one packet of a socket; the public numbers are what is long
MAX_REQUEST = 4096
MAIL = "message"
"""The place of what is said of a mail as a whole."""

PAGES = "ocr_pages"
"""The limit that a look without reading images sets to 0, and the detail of what it leaves unread."""

FORK = b"fork"
"""What the pool says to have one more child."""

READY = b"ready"
"""What the template says when it has loaded everything."""

_MOST_ENTRIES = 120  # of findings, and of what was not read: both together fit into an answer
_MOST = 1_000_000
_PLACE = re.compile(r"(?!.*[0-9]{5})[a-z](?:[a-z0-9 ,/-]{0,158}[a-z0-9])?\Z")
_DETAIL = re.compile(r"(?!.*[0-9]{5})[a-z0-9_ ./-]{0,60}\Z")
_FAULT = re.compile(r"(?!.*[0-9]{6})[A-Za-z0-9_./]{1,80}:[0-9]{1,5} [A-Za-z_]{1,60}\Z")
_STRENGTHS = list(Strength)

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


class BadAnswer(Exception):
    """A child has not done its task; `reason` is a kind: answer (said what none of ours says), died, time."""

    def __init__(self, reason: str = "answer") -> None:
        super().__init__(reason)
        self.reason = reason


class Task(StrEnum):
    """What a child may be asked for."""

    SCREEN = "screen"
    CHECK = "check"  # look into one of our own mails, which is named, for every kind
    PROBE = "probe"  # try what a child must not be able to do
    COUNT = "count"  # say how many pages a PDF has
    RECOGNISE = "recognise"  # say what pages of a fax are
    NUMBERS = "numbers"  # find taxpayers' numbers and seal them to the keyholder: in children of the guard alone


class Role(StrEnum):
    """Which look a template's children are for: quick, or with the pages of images read (slow, behind all others)."""

    TEXT = "text"
    PAGES = "pages"


@dataclass(frozen=True, slots=True)
class Orders:
    """What every child of one template looks for, and the limits that it keeps to."""

    policy: Policy = field(default_factory=Policy.default)
    limits: Limits = field(default_factory=Limits)
    role: Role = Role.TEXT

    def encode(self) -> bytes:
        """Return the packet that the template is started with. Raises ValueError when it is too long for one."""
        packet = _packed({
            "kinds": sorted(self.policy.kinds),
            "threshold": self.policy.threshold,
            "public_numbers": sorted(self.policy.public_numbers),
            "limits": {name: getattr(self.limits, name) for name in Limits.__dataclass_fields__},
            "role": self.role,
        })  # fmt: skip
        if len(packet) > MAX_ORDERS:
            raise ValueError("too many public numbers")
        return packet

    @classmethod
    def decode(cls, packet: bytes) -> Orders:
        """Read what `encode` wrote; it comes from our own program."""
        told = json.loads(packet)
        policy = Policy(frozenset(map(Kind, told["kinds"])), told["threshold"], frozenset(told["public_numbers"]))
        return cls(policy, Limits(**told["limits"]), Role(told["role"]))


@dataclass(frozen=True, slots=True)
class Request:
    """One mail to look at: what to do, how many octets it has, and whether the first certain finding is enough."""

    task: str
    octets: int
    first: bool = False

    def encode(self) -> bytes:
        """Return one packet."""
        return _packed({"task": self.task, "octets": self.octets, "first": self.first})

    @classmethod
    def decode(cls, packet: bytes) -> Request:
        """Read what `encode` wrote; it comes from our own program."""
        told = json.loads(packet)
        return cls(told["task"], told["octets"], told["first"])


@dataclass(frozen=True, slots=True)
class Locks:
    """What holds a child: the version of Landlock and whether system calls are filtered. 0 and False: absent here."""

    landlock: int
    seccomp: bool

    def encode(self) -> bytes:
        """Return the packet by which a child says that it is locked and waits."""
        return _packed({"landlock": self.landlock, "seccomp": self.seccomp})

    @classmethod
    def decode(cls, packet: bytes) -> Locks:
        """Read what `encode` wrote. Raises BadAnswer."""
        told = _object(packet, {"landlock", "seccomp"})
        return cls(_number(told["landlock"], 0), told["seccomp"] is True)


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict of one look, and where our own code gave up over this mail (`extraction/pdf.py:10 KeyError`)."""

    verdict: Verdict
    fault: str = ""

    def encode(self) -> bytes:
        """Return one packet of at most MAX_ANSWER octets; of very many entries the strongest ones."""
        findings = sorted(self.verdict.findings, key=lambda one: _STRENGTHS.index(one.strength))[:_MOST_ENTRIES]
        return _packed({
            "findings": [
                [one.kind, fit_place(one.place), one.strength, max(1, min(one.count, _MOST))] for one in findings
            ],
            "unreadable": [
                [fit_place(one.place), one.why, one.detail if _DETAIL.match(one.detail) else ""]
                for one in self.verdict.unreadable[:_MOST_ENTRIES]
            ],
            "fault": self.fault if _FAULT.match(self.fault) else "",
        })  # fmt: skip

    @classmethod
    def decode(cls, packet: bytes) -> Answer:
        """Judge what a child said. Raises BadAnswer for anything that `encode` would not have written."""
        told = _object(packet, {"findings", "unreadable", "fault"})
        fault = told["fault"]
        return cls(
            Verdict(
                tuple(_each(told["findings"], 4, _finding)), tuple(_each(told["unreadable"], 3, _unreadable))
            ),
            _text(fault, _FAULT) if fault else "",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class PageCount:
    """How many pages a document has, None where it cannot be read."""

    pages: int | None

    def encode(self) -> bytes:
        """Return one packet."""
        return _packed({"pages": None if self.pages is None else min(self.pages, _MOST)})

    @classmethod
    def decode(cls, packet: bytes) -> PageCount:
        """Judge what a child said. Raises BadAnswer."""
        told = _object(packet, {"pages"})["pages"]
        return cls(None if told is None else _number(told, 0))


def lacks_pages(verdict: Verdict) -> bool:
    """Tell whether a look without reading images left some unread for that reason alone."""
    return any(one.detail == PAGES for one in verdict.unreadable)


def fit_place(place: str) -> str:
    """Return a place as an answer may hold it: as many of its steps as look like ours."""
    steps = place.lower().split(", ")
    while steps and not _PLACE.match(", ".join(steps)):
        steps.pop()
    return ", ".join(steps) or MAIL


def _finding(entry: list[Any]) -> Finding:
    kind, place, strength, count = entry
    return Finding(_word(kind, Kind), _text(place, _PLACE), _word(strength, Strength), _number(count, 1))


def _unreadable(entry: list[Any]) -> Unreadable:
    place, why, detail = entry
    return Unreadable(_text(place, _PLACE), _word(why, Unread), _text(detail, _DETAIL))


def _each(entries: object, length: int, read: Callable[[list[Any]], T]) -> Iterable[T]:
    if not isinstance(entries, list) or len(entries) > _MOST_ENTRIES:
        raise BadAnswer
    for entry in entries:
        if not isinstance(entry, list) or len(entry) != length:
            raise BadAnswer
        yield read(entry)


def _object(packet: bytes, keys: set[str]) -> dict[str, Any]:
    try:
        if len(packet) > MAX_ANSWER:
            raise BadAnswer
        told = json.loads(packet)
    except (ValueError, RecursionError):
        raise BadAnswer from None
    if not isinstance(told, dict) or told.keys() != keys:
        raise BadAnswer
    return told


def _word(value: object, words: type[E]) -> E:
    if not isinstance(value, str) or value not in words.__members__.values():
        raise BadAnswer
    return words(value)


def _text(value: object, like: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not like.match(value):
        raise BadAnswer
    return value


def _number(value: object, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _MOST:
        raise BadAnswer
    return value


def _packed(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")
