"""JSON (RFC 8259), and lines of it: every value as `key<TAB>value`, escapes undone, repeated keys kept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from gateway.screening.chunk import Chunk, Form
from gateway.screening.extraction.descent import Descent, Document, Item
from gateway.screening.extraction.tables import padded
from gateway.screening.extraction.texts import readings

_BLANKS = re.compile(r"[\s,\x1e]*")
_CHUNK: Final = 65_536
_MOST_DIGITS: Final = 20
_FEW_DIGITS = re.compile(r"\d{1,5}\Z")


class _Pairs(list[tuple[str, Any]]):
    """An object as its pairs: a dict would hide what a repeated key said first."""


def read_json(document: Document, descent: Descent) -> Iterator[Item]:
    """Values under their keys. What is not JSON, as a whole or from some place on, is read as the text that it is."""
    del descent
    for text in readings(document.octets):
        end = 0
        lines: list[str] = []
        try:
            for value, after in _values(text):
                end = after
                lines += _lines(value)
                if sum(map(len, lines)) > _CHUNK:
                    yield Chunk("\n".join(lines), document.place, Form.FIELDS)
                    lines = []
        except (ValueError, RecursionError):
            yield Chunk(text[end:], document.place)
        if lines:
            yield Chunk("\n".join(lines), document.place, Form.FIELDS)


def _values(text: str) -> Iterator[tuple[Any, int]]:
    """Each JSON text in a row, and where it ends."""
    decoder = json.JSONDecoder(object_pairs_hook=_Pairs, parse_int=str, parse_float=str, strict=False)
    place = _end_of_blanks(text, 0)
    while place < len(text):
        value, place = decoder.raw_decode(text, place)
        yield value, place
        place = _end_of_blanks(text, place)


def _end_of_blanks(text: str, place: int) -> int:
    match = _BLANKS.match(text, place)
    return match.end() if match else place


def _lines(value: Any) -> Iterator[str]:
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        key, one = waiting.pop()
        if isinstance(one, _Pairs):
            waiting += [(f"{_last(key)} {name}".strip(), inner) for name, inner in reversed(one)]
            yield ""
        elif isinstance(one, list):
            waiting += [(key, inner) for inner in reversed(one)]
            if 3 <= len(one) <= _MOST_DIGITS and all(
                isinstance(inner, str) and _FEW_DIGITS.match(inner) for inner in one
            ):
                yield f"{key}\t{'-'.join(one)}"  # a number told digit by digit, or group by group
        elif one is not None:
            yield f"{key}\t{padded(' '.join(str(one).split()), key)}"


def _last(key: str) -> str:
    return key.rpartition(" ")[2]
