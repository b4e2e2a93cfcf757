"""How fast mail is judged: light mail of text, pages, and long texts; Presidio beside over the same mails."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from benchmarks.screening import corpus, filler, letters, presidio, reading, score, texts
from benchmarks.screening.drive import Answer, Screener
from benchmarks.screening.sample import Label, Sample

SCREENER = [str(Path(sys.executable).with_name("gateway")), "screen", "--stdin-paths", "--json"]
_SEED = 4
_TEXTS, _PICTURED, _PAGES = 400, 6, 12
_LONG = 2_000_000  # octets of each text that the rate is measured with
_RATES = (("plain", "en"), ("plain", "fr"), ("html", "en"), ("plain", "ru"))


def lines(folder: Path) -> list[str]:
    """The rows of speed: ours with their goals, then the peer's."""
    screener = Screener(SCREENER, folder)
    try:
        texts = [screener.judge(each) for each in _texts(_TEXTS, pictured=False)]
        pictured = [screener.judge(each) for each in _texts(_PICTURED, pictured=True)]
        pages = [screener.judge(each) for each in _pages()]
    finally:
        screener.close()
    made = [goal for goal in score.goals([*texts, *pages], None) if goal.name.startswith(("text m", "page"))]
    shown = score.centile([each.took for each in pictured], 0.5)
    made.append(score.Goal("text, a picture p50", "≤ 1200 ms", f"{shown:.1f} ms", shown <= 1200))
    for form, language in _RATES:
        rate = text_rate(SCREENER, folder, form, language)
        made.append(score.Goal(f"{form}, {language}", "≥ 20 MB/s", f"{rate:.1f} MB/s", rate >= 20))
    made += reading.goals()
    ours = [
        f"screening, {goal.name:<18} {goal.wanted:<15} {goal.measured:<26} {'met' if goal.met else 'MISSED'}"
        for goal in made
    ]
    return [
        f"screening by {shlex.join(SCREENER[1:])}: {_TEXTS} text mails, {_PAGES} pages, child included",
        *ours,
        *presidio.lines(_SEED, _TEXTS, folder),
    ]


def text_rate(command: Sequence[str], folder: Path, form: str = "plain", language: str = "en") -> float:
    """Megabytes a second of long clean texts, by the screener's own times, after one to warm up."""
    rng = Random("rate")
    answers: list[Answer] = []
    screener = Screener(command, folder)
    try:
        for at in range(4):
            letter = letters.letter(rng)
            letter.form, letter.blocks = form, list(_paragraphs(rng, language))
            answers.append(screener.judge(Sample(Label(f"rate-{at}", "clean"), letters.octets(letter))))
    finally:
        screener.close()
    return sum(each.octets for each in answers[1:]) / 1e6 / (sum(each.took for each in answers[1:]) / 1000)


def _paragraphs(rng: Random, language: str) -> Iterator[str]:
    size = 0
    while size < _LONG:
        text = filler.paragraph(rng, language, 6)
        size += len(text.encode()) + 4
        yield text


def _texts(count: int, *, pictured: bool) -> list[Sample]:
    """Mails of text, without a picture, or with one, as a logo in a signature: that has to be read like a page."""
    made = (corpus.sample(_SEED, at) for at in range(200 * count if pictured else 4 * count))
    light = (
        each
        for each in made
        if each.label.place in {*texts.PLACES, "body", "bulk"}
        and len(each.octets) < score.LIGHT
        and pictured == (b"\nContent-Type: image/" in each.octets)
    )
    return [each for _, each in zip(range(count), light, strict=False)]


def _pages() -> list[Sample]:
    made = (corpus.sample(_SEED, at) for at in range(40 * _PAGES))
    return [
        each for _, each in zip(range(_PAGES), (one for one in made if one.label.place in score.PAGES), strict=False)
    ]
