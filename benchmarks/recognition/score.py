"""Faxes made by a seed, recognised, and counted: forms, POA boxes, digits in combs, and how many pages a second."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from PIL import Image

from benchmarks.recognition import fax, sheets
from benchmarks.recognition.paper import Truth
from gateway.domain.layout import Layouts, Look
from gateway.domain.recognition import Page, Section, Sort
from gateway.programmes import load_programme
from gateway.screening.recognition.exchange import Asked, Opening, PagesRead
from gateway.screening.recognition.phrases import folded
from gateway.screening.recognition.reader import read_pages
from gateway.screening.recognition.values import shaped

_PROGRAMME = Path(__file__).parents[2] / "programmes" / "cwa"
_NO_LIMIT = 10**9
_TURNS = (0, 0, 0, 0, 0, 0, 180, 180, 180, 90, 270)
_POA = "user-poa"
_ON_SIDE = ", on side"
"""What stands on pages that lay on their side is counted apart: a coarse line has half the dots for it."""


@dataclass(slots=True)
class Tally:
    """How often each thing was right, of how many; and what was wrong, for whoever looks into it."""

    right: Counter[str] = field(default_factory=Counter)
    of: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def count(self, what: str, right: int, of: int = 1, told: str = "") -> None:
        self.right[what] += right
        self.of[what] += of
        if right < of:
            self.wrong.append(f"{what}: {told}")

    def share(self, what: str) -> float:
        return self.right[what] / self.of[what] if self.of[what] else 0.0


def layouts() -> Layouts:
    """The layouts of the programme that ships."""
    return load_programme(_PROGRAMME).layouts


def faxes(seed: int, count: int) -> Iterator[tuple[bytes, list[Truth], list[int], list[Image.Image]]]:
    """Faxes of one to three documents: octets, what each page is, and how far it has to be turned clockwise."""
    for at in range(count):
        rng = Random(f"{seed}/{at}")
        made = [one for _ in range(rng.randint(1, 3)) for one in rng.choice(sheets.MAKERS)(rng)]
        turn = rng.choice(_TURNS)
        turns = [turn if rng.random() < 0.8 else 0 for _ in made]
        pictures = [picture for picture, _ in made]
        octets = fax.send(rng, fax.Line.any(rng), list(zip(pictures, turns, strict=True)))
        yield octets, [truth for _, truth in made], turns, pictures


def run(seed: int, count: int) -> Tally:
    """Recognise so many faxes, and count."""
    tally, known = Tally(), layouts()
    for at, (octets, truths, turns, _) in enumerate(faxes(seed, count)):
        began = time.process_time()
        read = read_pages(Asked("2", octets, known), _NO_LIMIT)
        tally.seconds += time.process_time() - began
        _judge(tally, f"fax {at}", read, truths, turns)
    return tally


def _judge(tally: Tally, name: str, read: PagesRead, truths: list[Truth], turns: list[int]) -> None:
    tally.count("pages found", len(read.pages.pages), len(truths), name)
    sections = {section.pages[0]: section for section in read.pages.sections}
    opened = dict(zip(sections, read.openings, strict=True))
    for number, (truth, turn, page) in enumerate(zip(truths, turns, read.pages.pages, strict=False), 1):
        told = f"{name} page {number}: {truth.kind or 'none'}{'' if truth.is_first else ' later'}, turned {turn}"
        section = sections.get(number)
        said = f"{section.sort} {section.form} {section.confidence}" if section else "blank"
        tally.count("form kind", _is_kind(truth, page, section), told=f"{told}: {said}")
        if truth.kind == "blank" or section is None:
            continue
        tally.count("turned upright", page.turn == turn, told=f"{told}: {page.turn}")
        if truth.kind and section.form == f"Form {truth.kind}":
            first = opened[number] is Opening.BEGINS
            tally.count("first or later page", first == truth.is_first, told=told)
            _judge_fields(tally, told, truth, section, _ON_SIDE if turn in (90, 270) else "")


def _is_kind(truth: Truth, page: Page, section: Section | None) -> bool:
    if truth.kind == "blank" or section is None:
        return page.blank and truth.kind == "blank"
    if truth.kind == "cover-sheet":
        return section.sort is Sort.COVER_SHEET and section.reference == truth.reference
    if not truth.kind:
        return section.sort in {Sort.LETTER, Sort.UNKNOWN}
    return section.form == f"Form {truth.kind}"


def _judge_fields(tally: Tally, told: str, truth: Truth, section: Section, where: str) -> None:
    said = {(one.field, one.row): one.value for one in section.suggestions}
    known = {field.key for form in layouts().forms for field in (*form.fields, *form.table)}
    for key, row, ticked in truth.ticks:
        value = said.get((key, row), said.get((key, 0), "nothing") if row <= 1 else "nothing")
        name = "POA box" if key == _POA else "other boxes"
        tally.count(
            name + where, value == ("yes" if ticked else "no"), told=f"{told}: {key} {row}: {value}, is {ticked}"
        )
    for key, row, digits in truth.combs:
        if key in known:
            value = said.get((key, row), "")
            right = sum(a == b for a, b in zip(digits, value, strict=False))
            tally.count("comb digits" + where, right, len(digits), told=f"{told}: {key}: {value!r}, is {digits}")
    for key, row, value in truth.values:
        if key in known:
            other = said.get((key, row), "")
            same = folded(value)[:20] in folded(other) or _as_day(value) == other
            tally.count("other fields" + where, bool(same), told=f"{told}: {key} {row}: {other!r}, is {value!r}")
    if truth.signed is not None and section.signatures:
        drawn = any(one.drawn for one in section.signatures)
        tally.count("signed or not" + where, drawn == truth.signed, told=f"{told}: {drawn}, is {truth.signed}")
    elif truth.signed is not None:
        tally.count("signed or not" + where, 0, told=f"{told}: no field")


def _as_day(value: str) -> str:
    return shaped(value, Look.DATE)[0]


GOALS = {"form kind": 0.98, "POA box": 0.98, "comb digits": 0.93}
PAGES_A_SECOND = 1.0


def lines(seed: int, count: int) -> list[str]:
    """Recognise so many faxes, and return the rows of the table."""
    return lines_of(run(seed, count), seed, count)


def lines_of(tally: Tally, seed: int, count: int) -> list[str]:
    """The rows of the table."""
    pages = tally.of["pages found"]
    rate = pages / tally.seconds if tally.seconds else 0.0
    made = [
        f"recognition of {count} synthetic faxes, {pages} pages, seed {seed}: 204×98 and 204×196, ±3°, specks, upside down"
    ]
    for name in sorted(tally.of, key=lambda one: (one not in GOALS, one)):
        share = tally.share(name)
        goal = GOALS.get(name)
        told = f"{100 * share:.1f} % of {tally.of[name]}"
        met = "" if goal is None else f"≥ {100 * goal:g} %  {'met' if share >= goal else 'MISSED'}"
        made.append(f"recognition, {name:<22} {told:<22} {met}")
    met = "met" if rate >= PAGES_A_SECOND else "MISSED"
    made.append(f"recognition, {'pages a second a core':<22} {rate:<22.2f} ≥ {PAGES_A_SECOND:g}  {met}")
    return made
