"""Normalising: a chunk in, its views out. Ordinary text has one view; what could be read otherwise has more, each of
the passages concerned only. Linear in time and memory: what is added to a chunk is a few times its length at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import re2

from gateway.screening import markup, numberwords
from gateway.screening.chunk import Chunk, Form
from gateway.screening.decoding import decoded, rotated
from gateway.screening.folding import BEGIN, END, MARK_BEGIN, MARK_END, fold
from gateway.screening.lexicon import LEXICON
from gateway.screening.sieve import sifted
from gateway.screening.spans import find_spans, finds
from gateway.screening.view import Reading, View

_LEVELS: Final = 2  # an encoding inside an encoding is undone, and no deeper
_AROUND: Final = 120
_OVERRIDES: Final = "\u202e\u202b\u2067"
_OVERRIDDEN: Final = re.compile(f"[{_OVERRIDES}]([^\u202c\u2069\n]*)")
_SPACED: Final = sifted(re2.compile(rb"\b[A-Za-z0-9](?:[ ._*|\t-]{1,3}[A-Za-z0-9]){7,}\b"))
_BROKEN: Final = re2.compile(rb"[A-Za-z0-9.-]{1,24} ?(?:\n ?[A-Za-z0-9./-]{1,8} ?){1,8}(?:\n ?[A-Za-z0-9./-]{1,24})?")
_BROKEN_DIGITS: Final = re.compile(r"\d{1,9}-? ?\n ?\d{1,9}[.,]?\Z")  # a number too short to be looked for by itself
_CHAIN: Final = re.compile(r"[0-9](?:[ \t.,:;/_-]{0,3}[0-9]){7,}")


def _gate(name: str) -> re2._Regexp:
    words = "|".join(re.escape(word).replace("\\ ", r"[\s'_-]{1,3}") for word in LEXICON.pieces[name])
    return sifted(re2.compile(rf"(?i)\b(?:{words})\b".encode()))


_BACKWARDS: Final = _gate("backwards")
_ROTATED: Final = _gate("rotated")


def read_views(chunk: Chunk) -> Iterator[View]:
    """All views of a chunk, the plainest first."""
    octets = fold(chunk.text)
    if b"\x01" in octets or b"\x02" in octets:
        octets = octets.translate(None, b"\x01\x02")
    if chunk.form is Form.HTML or markup.looks_like_markup(octets):
        texts = list(_readings_of_markup(octets, chunk.form is Form.HTML))
    else:
        texts = [(octets, Reading.PLAIN)]
    if not chunk.text.isascii() and any(sign in chunk.text for sign in _OVERRIDES):
        texts.append(
            (
                fold(_OVERRIDDEN.sub(lambda match: f"{MARK_BEGIN}{match.group(1)[::-1]}{MARK_END}", chunk.text)),
                Reading.REVERSED,
            )
        )
    for folded, reading in texts:
        view = View(folded, chunk.place, chunk.form, reading)
        yield view
        yield from _derived(view, 0)


def _readings_of_markup(octets: bytes, declared: bool) -> Iterator[tuple[bytes, Reading]]:
    source = octets.decode("ascii")
    if not declared:
        yield octets, Reading.PLAIN
    shown = fold(markup.shown(source))
    yield shown, Reading.PLAIN
    if markup.may_be_otherwise(octets):
        visible = markup.unhidden(source, octets)
        if visible is not None:
            yield fold(visible), Reading.PLAIN
        turned = markup.turned(source, octets)
        if turned is not None:
            yield fold(turned), Reading.REVERSED
    if declared:
        aside = fold(markup.aside(source))
        if aside:
            yield aside, Reading.MARKUP


def _derived(view: View, level: int) -> Iterator[View]:
    """Views of the passages of a view that can be read otherwise."""
    inner = decoded(view)
    if inner and level < _LEVELS:
        source = fold(inner)
        again = View(source, view.place, view.form, Reading.DECODED)
        yield again
        yield from _derived(again, level + 1)
        if markup.looks_like_markup(source):
            yield View(fold(markup.shown(source.decode("ascii"))), view.place, view.form, Reading.DECODED)
    for text, reading in (
        (_unwrapped(view), Reading.UNWRAPPED),
        (_spelled(view), Reading.WORDS),
        (_squeezed(view), Reading.SQUEEZED),
        (_backwards(view), Reading.REVERSED),
        (_turned_letters(view), Reading.DECODED),
    ):
        if text:
            yield View(text.encode("ascii"), view.place, view.form, reading)


def _spelled(view: View) -> str:
    return _passages(view.text, [(run.start, run.end, run.digits) for run in numberwords.find_spelled(view)])


def _squeezed(view: View) -> str:
    runs = []
    for start, end in find_spans(_SPACED, view.octets) if view.has_digits and view.may_match(_SPACED) else ():
        run = view.text[start:end]
        if any(map(str.isalpha, run)) and any(map(str.isdigit, run)):
            runs.append((start, end, re.sub(r"[ ._*|\t-]", "", run)))
    return _passages(view.text, runs)


def _unwrapped(view: View) -> str:
    """Short pieces of lines, as documents break them inside a word, put together with what stands around them."""
    if view.form is Form.HEADER or not view.has_digits:
        return ""  # each of its lines is another field
    runs = []
    for start, end in find_spans(_BROKEN, view.octets):
        run = view.text[start:end]
        if not any(map(str.isdigit, run)):
            continue
        if any(map(str.isalpha, run)) or (view.text[start - 1 : start] == " " and _BROKEN_DIGITS.match(run)):
            runs.append((start, end, re.sub(r" ?\n ?", "", run)))
    return _passages(view.text, runs)


def _backwards(view: View) -> str:
    if not (view.may_match(_BACKWARDS) and finds(_BACKWARDS, view.octets)):
        return ""
    return _passages(
        view.text, [(chain.start(), chain.end(), chain.group()[::-1]) for chain in _CHAIN.finditer(view.text)]
    )


def _turned_letters(view: View) -> str:
    if not (view.may_match(_ROTATED) and finds(_ROTATED, view.octets)):
        return ""
    return f"{view.text[:200]}\n{BEGIN}{rotated(view.text)}{END}"


def _passages(text: str, runs: list[tuple[int, int, str]]) -> str:
    """Each run replaced, with its surroundings; runs that lie close together share one passage."""
    passages: list[str] = []
    last = 0
    for number, (start, end, instead) in enumerate(runs):
        following = runs[number + 1][0] if number + 1 < len(runs) else len(text)
        if not passages or start - last > _AROUND:
            passages.append("\n\f\n")
            last = max(last, start - _AROUND)
        passages += [text[last:start], BEGIN, instead, END, text[end : min(following, end + _AROUND)]]
        last = min(following, end + _AROUND)
    return "".join(passages)
