"""Unstructured header text: unfolding (RFC 5322 section 2.2.3) and encoded words (RFC 2047)."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from gateway.mime.charsets import codec_for, decode_octets

_WORD = re.compile(rb"=\?([^?\s]{1,60})\?([BbQq])\?([^?\r\n]*+)\?=")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_LINE_ENDS = re.compile(rb"[\r\n]+")
# Most subjects and names: nothing in them needs to be taken out or read first.
_PLAIN = re.compile(rb"[ -~]*+")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_NOT_QUOTED = re.compile(rb"=(?![0-9A-Fa-f]{2})|[ \t]")
_LIKE_A_WORD = re.compile(rb"=\?[A-Za-z0-9_*-]{2,40}\?[^?]?\?")


def unfold(value: bytes) -> bytes:
    """A raw header value as one line, without blanks around it. What else looks like a line end becomes a blank."""
    if b"\n" not in value and b"\r" not in value:
        return value.strip(b" \t")
    return _LINE_ENDS.sub(b" ", _FOLD.sub(b"", value)).strip(b" \t\r\n")


def decode_words(value: bytes) -> str:
    """The text of an unstructured field, or of a phrase: encoded words read, adjacent ones joined, controls as blanks.

    Octets of adjacent words in one charset are joined before they are read, because many senders split characters
    between words. What is no proper encoded word stays as it is written; 8-bit text is read as UTF-8, else as
    windows-1252. Linear, never raises.
    """
    if _PLAIN.fullmatch(value) and b"=?" not in value:
        return value.strip(b" ").decode("ascii")
    return _CONTROLS.sub(" ", "".join(_pieces(unfold(value))))


def count_words(value: bytes) -> int:
    """How many encoded words a raw value holds."""
    return sum(1 for _ in _WORD.finditer(value))


def word_oddities(value: bytes) -> Iterator[str]:
    """Names of what is odd in the encoded words of a raw value: an unknown charset, base64 or Q-encoding that is bad,
    a word longer than the 75 octets of RFC 2047 section 2, something that begins like a word and is none.
    """
    line = unfold(value)
    found = 0
    for word in _WORD.finditer(line):
        found += 1
        charset, encoding, text = word[1], word[2], word[3]
        if codec_for(charset.partition(b"*")[0].decode("latin-1")) is None:
            yield "charset"
        if encoding in b"Bb" and (_NOT_BASE64.search(text.rstrip(b"=")) or len(text) % 4):
            yield "base64"
        if encoding in b"Qq" and _NOT_QUOTED.search(text):
            yield "quoted-printable"
        if len(word[0]) > 200:
            yield "length"
    if line.count(b"=?") > found and _LIKE_A_WORD.search(_WORD.sub(b"", line)):
        yield "unreadable"


def _pieces(line: bytes) -> Iterator[str]:
    """Runs of plain text and runs of adjacent encoded words, as text."""
    at = 0
    charset, octets = "", bytearray()
    for word in _WORD.finditer(line):
        between = line[at : word.start()]
        name = word[1].partition(b"*")[0].decode("latin-1")
        joins = at > 0 and not between.strip(b" \t")
        if octets and not (joins and name.lower() == charset.lower()):
            yield decode_octets(bytes(octets), charset)
            octets.clear()
        if between and not joins:
            yield decode_octets(between)
        charset = name
        octets += _word_octets(word[2], word[3])
        at = word.end()
    if octets:
        yield decode_octets(bytes(octets), charset)
    yield decode_octets(line[at:])


def _word_octets(encoding: bytes, text: bytes) -> bytes:
    if encoding in b"Qq":
        return binascii.a2b_qp(text.replace(b"==", b"=3D="), header=True)
    clean = _NOT_BASE64.sub(b"", text)
    if len(clean) % 4 == 1:
        clean = clean[:-1]
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))
