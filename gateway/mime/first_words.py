"""The first line that the writer of an answer has written: what they quote, and what introduces a quotation, is not.

For commands in answers: a person writes above or below what their mail tool quotes, as plain text or as HTML.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final

from gateway.domain.partmap import PartMap
from gateway.mime.decoding import Decoder, text

MAX_TEXT: Final = 64 * 1024
_INTRODUCTION: Final = 3
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_BLOCKS = frozenset({"p", "div", "br", "tr", "li", "table", "body", "h1", "h2", "h3", "hr", "blockquote", "pre"})
_SILENT = frozenset({"style", "script", "head", "title"})
# Neither looks beyond the next "<": each octet is looked at a few times at most.
_TAG = re.compile(r"<(?:(?P<end>/?)(?P<name>[A-Za-z][^\s<>/]*+)|[!?])(?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*+>")
_BROKEN_TAG = re.compile(r"<(?:(?P<end>/?)(?P<name>[A-Za-z][^\s<>/]*+)|[!?])[^<>]*+>")


def first_line(part_map: PartMap, octets: bytes) -> str | None:
    """Return the first line of a message that is no quotation, stripped; "" where there is none.

    `octets` are the message's beginning. None where its text cannot be read: there is none, it lies behind what is
    given, or within something that is opened first.
    """
    best = part_map.best_text()
    part = best.plain or best.html
    if part is None or part.offset >= len(octets):
        return None
    decoder = Decoder(part.encoding)
    given = octets[part.offset : min(part.end, part.offset + MAX_TEXT)]
    words = text(part, decoder.feed(given) + decoder.finish())
    if part.media_type == "text/html":
        words = _words_of_html(words)
    return _first(words)


def _first(words: str) -> str:
    lines = [_INVISIBLE.sub("", line).strip() for line in words.splitlines()]
    introduced = _introduction(lines)
    for place, line in enumerate(lines):
        if line and not line.startswith(">") and place not in introduced:
            return line
    return ""


def _introduction(lines: list[str]) -> range:
    """Return the places of the lines above the first quotation that introduce it: "On Sunday Ann wrote:"."""
    quoted = next((place for place, line in enumerate(lines) if line.startswith(">")), 0)
    last = quoted - 1
    while last >= 0 and not lines[last]:
        last -= 1
    if last < 0 or not lines[last].endswith(":"):
        return range(0)
    first = last
    while first > 0 and lines[first - 1] and last - first + 1 < _INTRODUCTION:
        first -= 1
    return range(first, last + 1)


def _words_of_html(markup: str) -> str:
    """Return what is read of HTML, in time that grows as its length does, whatever stands in it; a quotation gets the
    mark that plain text has.
    """
    reader = _Reader()
    at = 0
    while (start := markup.find("<", at)) >= 0:
        reader.take_words(markup[at:start])
        if markup.startswith("<!--", start):
            end = markup.find("-->", start + len("<!--"))
            at = len(markup) if end < 0 else end + len("-->")
        elif (tag := _TAG.match(markup, start) or _BROKEN_TAG.match(markup, start)) is not None:
            reader.take_tag((tag["name"] or "").lower(), is_end=bool(tag["end"]))
            at = tag.end()
        else:
            reader.take_words("<")
            at = start + 1
    reader.take_words(markup[at:])
    return "".join(reader.words)


class _Reader:
    """Keeps what is read."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self._silent = 0
        self._quoted = 0

    def take_tag(self, name: str, *, is_end: bool) -> None:
        """Begin or end a line, or what is not read."""
        step = -1 if is_end else 1
        self._silent = max(self._silent + step * (name in _SILENT), 0)
        self._quoted = max(self._quoted + step * (name == "blockquote"), 0)
        if name in _BLOCKS:
            self.words.append("\n")

    def take_words(self, data: str) -> None:
        """Keep words; line ends in HTML are blanks."""
        words = "" if self._silent else " ".join(unescape(data).split())
        if words:
            self.words.append(("\n>" if self._quoted else "") + words + " ")
