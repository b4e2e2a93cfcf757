"""Text inside text: base64, base32, hexadecimal, binary, Morse, percent and backslash escapes, character references.

What decodes to readable text is given with its surroundings, so that a keyword beside it still counts. Only what has
the look of an encoding is tried; what comes out unreadable (keys, hashes, images) is dropped.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any, Final

import re2

from gateway.screening.folding import MARK_BEGIN, MARK_END
from gateway.screening.sieve import sifted
from gateway.screening.spans import Span, find_spans
from gateway.screening.view import View

_AROUND: Final = 160  # characters of surroundings kept before and after what was decoded
_LONGEST: Final = 200_000  # characters of one encoded run that are tried
_MOST: Final = 2_000_000  # characters given per text, all together
_APART: Final = 100  # tokens that are given with all their surroundings


def decoded(view: View) -> str:
    """Passages of a text with what is encoded in them undone, a form feed between them; "" when there is nothing."""
    passages: list[str] = []
    size = 0
    for passage in _passages(view):
        passages.append(passage)
        size += len(passage)
        if size > _MOST:
            break
    return "\n\f\n".join(passages)


def _passages(view: View) -> Iterator[str]:
    octets, text = view.octets, view.text
    if _MAY_ESCAPE.search(octets) and view.may_match(_ESCAPED):
        yield from _unescaped(octets, text)
    tokens = _find_tokens(view)
    for number, (start, end) in enumerate(tokens):
        token = text[start : min(end, start + _LONGEST)]
        begins, ends = max(0, start - _AROUND), end + _AROUND // 2
        if number >= _APART:  # a text full of them is given with what stands between two of them
            begins = max(begins, min(tokens[number - 1][1], start))
            ends = min(ends, max(tokens[number + 1][0], end)) if number + 1 < len(tokens) else ends
        for decode in _decoders(token):
            plain = decode(token)
            if plain is not None:
                yield text[begins:start] + MARK_BEGIN + plain + MARK_END + text[end:ends]


def _find_tokens(view: View) -> list[Span]:
    """Where tokens stand that look encoded, in the order of the text; what two patterns see is given twice."""
    if view.is_long:
        return list(find_spans(_ANY_TOKEN, view.octets))
    return sorted({span for pattern in _TOKENS for span in find_spans(pattern, view.octets)})


_MAY_ESCAPE: Final = re.compile(rb"[%\\&=]|\+00")
# Escapes: a digit written as %31, \x31, \u0031, \061, &#49; or =31.
_ONE: Final = (
    r"%[0-9a-f]{2}|\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\u\{[0-9a-f]{1,6}\}|\\0?[0-7]{2,3}|"
    r"&#x?[0-9a-f]{1,6};?|u\+[0-9a-f]{4}|=[0-9a-f]{2}"
)
_ESCAPE: Final = re.compile(rf"(?:{_ONE})", re.IGNORECASE)
_RUN_OF_ESCAPES: Final = re.compile(rf"(?:{_ONE})(?:[ ,]?(?:{_ONE}))*", re.IGNORECASE)
_ESCAPED: Final = sifted(
    re2.compile(
        rb"(?i)%(?:25)?3[0-9]|\\x3[0-9]|\\u003[0-9]|\\u\{0*3[0-9]\}|\\0?(?:6[0-7]|7[01])|&#0*(?:4[89]|5[0-7])\b|&#x0*3[0-9]\b|u\+003[0-9]|=3[0-9]|%2[0-9cdf][0-9]|"
        rb"\\u00[2-7][0-9a-f]"
    )
)


def _unescaped(octets: bytes, text: str) -> Iterator[str]:
    last = -1
    for found, _ in find_spans(_ESCAPED, octets):
        if found < last:
            continue
        start = max(0, found - 8 * _AROUND)
        last = found + 8 * _AROUND
        yield _mark(text[start:last])


def _mark(passage: str) -> str:
    """A passage with its escapes undone, the words that had some between marks; what stands beside is as it was."""
    spans: list[list[int]] = []
    for run in _RUN_OF_ESCAPES.finditer(passage):
        before, behind = _BEFORE.search(passage[: run.start()][-40:]), _BEHIND.match(passage, run.end())
        start = run.start() - (len(before[0]) if before else 0)
        end = behind.end() if behind else run.end()
        if spans and start <= spans[-1][1] + 1:
            spans[-1][1] = max(end, spans[-1][1])
        else:
            spans.append([start, end])
    told, last = list[str](), 0
    for start, end in spans:
        told += [passage[last:start], MARK_BEGIN, unescape(passage[start:end]), MARK_END]
        last = end
    return "".join(told) + passage[last:]


_BEFORE: Final = re.compile(r"(?:[\d .-]{0,20}|\S{0,40})\Z")
_BEHIND: Final = re.compile(r"\S{0,40}[\d .-]{0,20}")


def unescape(passage: str) -> str:
    """All escapes of a passage undone, blanks between escapes dropped."""
    return _RUN_OF_ESCAPES.sub(_undo_run, passage)


def _undo_run(run: re.Match[str]) -> str:
    return "".join(map(_undo_one, _ESCAPE.findall(run.group())))


def _undo_one(escape: str) -> str:
    if escape[0] == "%":
        return urllib.parse.unquote(escape, errors="replace")
    if escape[0] == "&":
        return html.unescape(escape)
    digits = escape.lstrip("\\=uUxX+{").rstrip("}")
    octal = escape[0] == "\\" and escape[1] in "01234567"
    code = int(digits or "0", 8 if octal else 16)
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else ""


# Encodings of a whole token.
_HEX_PAIR: Final = r"(?:0x)?[0-9a-fA-F]{2}"
_BASE64_SIGN: Final = r"[A-Za-z0-9+/_-]"
_TOKENS: Final = tuple(  # apart, since one pattern of all would build states in every mail
    re2.compile("|".join(patterns).encode())
    for patterns in (
        (
            r"\b[01]{8}(?:[ ,.-]?[01]{8}){5,}\b",
            r"[.-]{5}(?:[ /|]{1,3}[.-]{1,6}){7,}",
            rf"\b{_HEX_PAIR}(?:[ :,;-]{{1,2}}{_HEX_PAIR}){{6,}}\b",
            r"\b(?:3[2-9]|4[0-9]|5[0-7])(?:[ ,;-]{1,2}(?:3[2-9]|4[0-9]|5[0-7])){7,}\b",
        ),
        (
            r"\b(?:0x)?(?:[2-7][0-9a-fA-F]){8,}\b",
            rf"//4{_BASE64_SIGN}{{12,}}={{0,3}}",
            r"\b[A-Z2-7]{16,}={0,6}",
        ),
        (
            # ASCII in base64: each fourth character is of a known third of the alphabet; UTF-16 has zeros between.
            rf"\b(?:[I-Za-fA0-9]{_BASE64_SIGN}{{3}}){{3,}}(?:{_BASE64_SIGN}|\n{_BASE64_SIGN}{{4}})*={{0,3}}",
            r"\b(?:[MNO][DTjz][A-Za-z0-9][0-9w-z]){2,}(?:[A-Za-z0-9]{2,3}={1,2})?",
        ),
    )
)
_ANY_TOKEN: Final = re2.compile(b"|".join(pattern.pattern for pattern in _TOKENS))
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_\-\n]+={0,6}\Z")
_HEXADECIMAL: Final = re.compile(r"(?:(?:0x)?[0-9a-fA-F]{2}[ :,;\-\n]{0,2})+\Z")
_BINARY: Final = re.compile(r"[01 ,.\-]+\Z")
_DECIMAL: Final = re.compile(r"(?:[3-5][0-9][ ,;\-]{1,2})+[3-5][0-9]\Z")
_MORSE_DIGITS: Final = {
    "-----": "0",
    ".----": "1",
    "..---": "2",
    "...--": "3",
    "....-": "4",
    ".....": "5",
    "-....": "6",
    "--...": "7",
    "---..": "8",
    "----.": "9",
}


def _decoders(token: str) -> Iterator[Callable[[str], str | None]]:
    if token[0] in ".-":
        yield _from_morse
        return
    if _BINARY.match(token) and len(token) >= 48:
        yield _from_binary
    if _DECIMAL.match(token):
        yield _from_decimal
    if _HEXADECIMAL.match(token) and len(token) >= 16:
        yield _from_hex
    if _BASE64.match(token):
        body = token.rstrip("=")
        if any(map(str.isupper, body)) and not (
            body.isalpha() and (body[1:].islower() or (body.isupper() and len(body) < 16))
        ):
            yield _from_base64
            if body.isupper() and len(body) >= 16:
                yield _from_base32


def _from_morse(token: str) -> str | None:
    digits = "".join(_MORSE_DIGITS.get(sign, " ") for sign in re.split(r"[ /|]+", token))
    return digits if sum(map(str.isdigit, digits)) >= 8 else None


def _from_binary(token: str) -> str | None:
    bits = re.sub(r"[^01]", "", token)
    return _readable(bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8)))


def _from_decimal(token: str) -> str | None:
    return _readable(bytes(int(code) for code in re.findall(r"\d+", token)))


def _from_hex(token: str) -> str | None:
    return _readable(bytes.fromhex("".join(re.findall(r"(?:0x)?([0-9a-fA-F]{2})", token))))


def _from_base64(token: str) -> str | None:
    body = token.replace("\n", "").rstrip("=").replace("-", "+").replace("_", "/")
    body = body[: len(body) - (len(body) % 4 == 1)]
    try:
        return _readable(base64.b64decode(body + "=" * (-len(body) % 4)))
    except binascii.Error:
        return None


def _from_base32(token: str) -> str | None:
    body = token.replace("\n", "").rstrip("=")
    try:
        return _readable(base64.b32decode(body + "=" * (-len(body) % 8)))
    except binascii.Error:
        return None


def _readable(octets: bytes) -> str | None:
    """The octets as text when nearly all of them are text; UTF-16 is seen by its zeros."""
    octets = octets.removeprefix(b"\xff\xfe")
    if octets[1::2].count(0) * 3 > len(octets) or octets[::2].count(0) * 3 > len(octets):
        octets = octets.replace(b"\0", b"")
    if len(octets) < 6 or (len(octets) < 8 and not octets.isdigit()):
        return None
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        odd = octets.translate(None, _TEXT)
        return None if len(odd) * 12 > len(octets) else octets.decode("utf-8", "replace")
    odd = octets.translate(None, _TEXT)
    return text if len(odd) * 12 <= len(octets) or (text.isprintable() and len(text) >= 6) else None


_TEXT: Final = bytes((9, 10, 13, *range(32, 127)))


def rotated(text: str) -> str:
    """Letters and digits turned by half their alphabet: ROT13 with ROT5."""
    return text.translate(_ROTATED)


def _rotation() -> dict[int, Any]:
    lower, upper, digits = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
    return str.maketrans(
        lower + upper + digits, "".join(row[len(row) // 2 :] + row[: len(row) // 2] for row in (lower, upper, digits))
    )


_ROTATED: Final = _rotation()
