"""The table [screening]: what mail from outside is searched for, and what one mail may cost."""

from __future__ import annotations

import re

from gateway.config.reading import Table
from gateway.config.settings import ScreeningLimits, ScreeningSettings
from gateway.domain.verdict import Kind

_NUMBER = re.compile(r"[0-9A-Za-z](?:[ .-]?[0-9A-Za-z]){3,15}\Z")
_SENDER = re.compile(r"[^\s@<>,;]{0,64}@[A-Za-z0-9.-]{1,253}\Z")
_MOST_NUMBERS = 5000
_KINDS = ", ".join(Kind)


def read_screening(table: Table) -> ScreeningSettings:
    """Read the table."""
    kinds = _kinds(table, "kinds")
    never = _kinds(table, "never")
    if kinds and kinds <= never:
        table.complain("never", "names every kind of kinds.", "Leave at least one kind to be searched for.")
    numbers = table.texts("public_numbers", (), _NUMBER, "a number as it is published, such as an employer's own")
    if len(numbers) > _MOST_NUMBERS:
        table.complain("public_numbers", "is too long.", f"Name at most {_MOST_NUMBERS}.")
    senders = table.texts("allowed_senders", (), _SENDER, '"name@example.org" or "@example.org"')
    allowed = _kinds(table, "allowed_kinds")
    if bool(senders) != bool(allowed):
        what = "and allowed_kinds go together: who may send, and what."
        table.complain("allowed_senders", what, "Give both, or leave both out.")
    return ScreeningSettings(
        kinds=kinds or None,
        never=never,
        threshold=table.fraction("threshold", 0.5),
        public_numbers=numbers,
        allowed_senders=tuple(sender.lower() for sender in senders),
        allowed_kinds=allowed,
        text_children=table.whole("text_children", 0, 0, 256),
        page_children=table.whole("page_children", 0, 0, 256),
        limits=table.table("limits", _limits),
    )


def _kinds(table: Table, key: str) -> frozenset[Kind]:
    words = table.texts(key, (), re.compile(rf"(?:{'|'.join(map(re.escape, Kind))})\Z"), f"one of: {_KINDS}")
    return frozenset(map(Kind, words))


def _limits(table: Table) -> ScreeningLimits:
    expanded = table.size("expanded", "64000000", 1024)
    one = table.size("expanded_one", "32000000", 1024)
    if one > expanded:
        table.complain("expanded_one", "is larger than expanded.", "Make it smaller, or the other larger.")
    return ScreeningLimits(
        depth=table.whole("depth", 10, 1, 100),
        parts=table.whole("parts", 200, 1, 10_000),
        members=table.whole("members", 2000, 1, 100_000),
        expanded=expanded,
        expanded_one=one,
        ratio=table.whole("ratio", 200, 2, 10_000),
        ratio_after=table.size("ratio_after", "1000000", 1024),
        pixels=table.whole("pixels", 52_000_000, 1_000_000, 200_000_000),
        pages=table.whole("pages", 50, 1, 1000),
        ocr_pages=table.whole("ocr_pages", 20, 0, 1000),
        seconds=table.time("time", "17 s"),
    )


EXAMPLE = """\
[screening]
# Mail from outside is searched for these kinds. Empty: for those that the programmes name.
# kinds = []
# never = []
# The score from which a candidate is a finding.
# threshold = 0.5
# Published numbers that are nobody's secret, such as an employer's own.
# public_numbers = []
# Senders whose mail may hold some kinds, where their domain vouches for it: "name@example.org" or "@example.org".
# allowed_senders = []
# allowed_kinds = []
# Children that look at once; 0 follows the cores of the machine.
# text_children = 0
# page_children = 0

[screening.limits]
# What one mail may cost; over a limit it cannot be screened, and is refused.
# depth = 10
# parts = 200
# members = 2000
# expanded = 64000000
# expanded_one = 32000000
# ratio = 200
# ratio_after = 1000000
# pixels = 52000000
# pages = 50
# ocr_pages = 20
# time = "17 s"
"""
"""What the commented `gateway.toml` says of it."""
