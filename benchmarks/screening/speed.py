"""How fast mail is judged: light mail of text, pages, and long texts; Presidio beside over the same mails."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

from benchmarks.screening import corpus, filler, letters, presidio, score, texts
from benchmarks.screening.drive import Answer, Screener
from benchmarks.screening.sample import Label, Sample

SCREENER = [str(Path(sys.executable).with_name("gateway")), "screen", "--stdin-paths", "--json"]
_SEED = 4
_TEXTS, _PAGES = 400, 12
_LONG = 2_000_000  # octets of each text that the rate is measured with


def lines(folder: Path) -> list[str]:
    """The rows of speed: ours with their goals, then the peer's."""
    screener = Screener(SCREENER, folder)
    try:
        texts = [screener.judge(each) for each in _texts()]
        pages = [screener.judge(each) for each in _pages()]
    finally:
        screener.close()
    made = [
        goal
        for goal in score.goals([*texts, *pages], text_rate(SCREENER, folder))
        if goal.name.startswith(("text", "page"))
    ]
    ours = [
        f"screening, {goal.name:<16} {goal.wanted:<10} {goal.measured:<24} {'met' if goal.met else 'MISSED'}"
        for goal in made
    ]
    return [
        f"screening by {shlex.join(SCREENER[1:])}: {_TEXTS} text mails, {_PAGES} pages, child included",
        *ours,
        *presidio.lines(_SEED, _TEXTS, folder),
    ]


def text_rate(command: Sequence[str], folder: Path) -> float:
    """Megabytes a second of long clean texts, by the screener's own times, after one to warm up."""
    rng = Random("rate")
    answers: list[Answer] = []
    screener = Screener(command, folder)
    try:
        for at in range(4):
            letter = letters.letter(rng)
            text = "\n\n".join(filler.paragraph(rng, "en", 6) for _ in range(400))
            letter.form, letter.blocks = "plain", [text] * (_LONG // len(text))
            answers.append(screener.judge(Sample(Label(f"rate-{at}", "clean"), letters.octets(letter))))
    finally:
        screener.close()
    return sum(each.octets for each in answers[1:]) / 1e6 / (sum(each.took for each in answers[1:]) / 1000)


def _texts() -> list[Sample]:
    made = (corpus.sample(_SEED, at) for at in range(4 * _TEXTS))
    light = (
        each for each in made if each.label.place in {*texts.PLACES, "body", "bulk"} and len(each.octets) < score.LIGHT
    )
    return [each for _, each in zip(range(_TEXTS), light, strict=False)]


def _pages() -> list[Sample]:
    made = (corpus.sample(_SEED, at) for at in range(40 * _PAGES))
    return [
        each for _, each in zip(range(_PAGES), (one for one in made if one.label.place in score.PAGES), strict=False)
    ]
