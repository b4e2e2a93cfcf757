"""Content-Type and Content-Disposition: a token and its parameters (RFC 2045 section 5.1, RFC 2183, RFC 2231).

Senders write parameters in many wrong ways that all mean something. Each is read in the way most mail programs read it,
and what was odd is told by name, so that a stricter reader can refuse what this one understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.mime.charsets import codec_for, decode_octets
from gateway.mime.words import decode_words, unfold, word_oddities

_COMMENT = re.compile(rb"[()\\]")
_TOKEN = re.compile(rb"[^\x00-\x20\x7f-\xff()<>@,;:\\\"/\[\]?=]+\Z")
_PARAMETER = re.compile(
    rb"[ \t;]*+(?P<name>[^=;\"]*+)(?:=[ \t]*+(?:\"(?P<quoted>(?:[^\"\\]++|\\.)*+)(?P<closed>\"?)(?P<rest>[^;]*+)"
    rb"|(?P<plain>[^;]*+)))?;?",
    re.DOTALL,
)
_EXTENDED = re.compile(r"(?P<base>[^*]+)(?:\*(?P<index>0|[1-9][0-9]{0,3}))?(?P<encoded>\*)?\Z")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NAMES = ("name", "filename")
_MAX_TOKEN = 127  # RFC 6838 section 4.2 allows that many characters


@dataclass(frozen=True, slots=True)
class Parameterised:
    """One structured field: its token in lower case (empty when there is none fit to use), decoded parameters with
    lower-case names, the first of each name, and the names of what was odd.
    """

    token: str
    parameters: tuple[tuple[str, str], ...] = ()
    oddities: tuple[str, ...] = ()

    def parameter(self, name: str) -> str | None:
        """The parameter of this lower-case name."""
        return next((value for key, value in self.parameters if key == name), None)


@dataclass(slots=True)
class _Piece:
    """One parameter as written: `index` and `encoded` are RFC 2231's section number and percent mark."""

    base: str
    index: int | None
    encoded: bool
    octets: bytes


def parse_content_type(value: bytes, *, limit: int = 50) -> Parameterised:
    """`type/subtype` and parameters of a raw Content-Type value. Over `limit` parameters the oddity is "too_many"."""
    parsed = _parse(value, limit)
    main, slash, sub = parsed.token.partition("/")
    if slash and _is_token(main.strip()) and _is_token(sub.strip()):
        return Parameterised(f"{main.strip()}/{sub.strip()}", parsed.parameters, parsed.oddities)
    return Parameterised("", parsed.parameters, parsed.oddities)


def parse_disposition(value: bytes, *, limit: int = 50) -> Parameterised:
    """The disposition and parameters of a raw Content-Disposition value."""
    parsed = _parse(value, limit)
    if _is_token(parsed.token):
        return parsed
    return Parameterised("", parsed.parameters, parsed.oddities)


def strip_comments(line: bytes) -> tuple[bytes, bool]:
    """An unfolded value without its comments, which may nest, and whether there were any. Quoted strings are kept."""
    kept, depth, at, seen, quoted = bytearray(), 0, 0, False, False
    for mark in re.finditer(rb"\\.|[()\"]", line, re.DOTALL):
        octet = mark[0]
        if octet == b'"' and depth == 0:
            quoted = not quoted
        elif octet == b"(" and not quoted:
            if depth == 0:
                kept += line[at : mark.start()]
            depth, seen = depth + 1, True
        elif octet == b")" and depth > 0:
            depth -= 1
            at = mark.end()
    return (bytes(kept) + (line[at:] if depth == 0 else b""), seen)


def _parse(value: bytes, limit: int) -> Parameterised:
    line = unfold(value)
    head, semicolon, tail = line.partition(b";")
    oddities: list[str] = []
    if b"(" in head:
        head, _ = strip_comments(head)
        oddities.append("comment")
    token = re.sub(rb"[ \t]*/[ \t]*", b"/", head.strip(b" \t")) if len(head) <= 2 * _MAX_TOKEN else b""
    pieces = _pieces(tail, limit, oddities) if semicolon else []
    parameters = _assemble(pieces, oddities)
    return Parameterised(token.decode("latin-1").lower(), parameters, tuple(dict.fromkeys(oddities)))


def _is_token(text: str) -> bool:
    return 0 < len(text) <= _MAX_TOKEN and _TOKEN.match(text.encode("latin-1", "replace")) is not None


def _pieces(tail: bytes, limit: int, oddities: list[str]) -> list[_Piece]:
    pieces: list[_Piece] = []
    at = 0
    while at < len(tail):
        match = _PARAMETER.match(tail, at)
        if match is None or match.end() == at:
            oddities.append("junk")
            at = tail.find(b";", at) + 1 or len(tail)
            continue
        at = match.end()
        name = match["name"].strip(b" \t")
        if not name and match["plain"] is None and match["quoted"] is None:
            continue
        if len(pieces) == limit:
            oddities.append("too_many")
            break
        piece = _piece(name, match, oddities)
        if piece is not None:
            pieces.append(piece)
    return pieces


def _piece(name: bytes, match: re.Match[bytes], oddities: list[str]) -> _Piece | None:
    if b"(" in name:
        name = strip_comments(name)[0].strip(b" \t")
        oddities.append("comment")
    octets = match["plain"] if match["quoted"] is None else match["quoted"]
    extended = _EXTENDED.match(name.decode("latin-1").lower())
    if octets is None or extended is None or not _is_token(extended["base"]):
        oddities.append("junk")
        return None
    if match["quoted"] is None:
        octets = octets.strip(b" \t")
        if not _TOKEN.match(octets):
            oddities.append("unquoted")
    else:
        octets = re.sub(rb"\\(.)", rb"\1", octets, flags=re.DOTALL)
        if not match["closed"]:
            oddities.append("unclosed_quote")
        if match["rest"].strip(b" \t"):
            oddities.append("comment" if match["rest"].lstrip(b" \t").startswith(b"(") else "junk")
    index = extended["index"]
    return _Piece(extended["base"], None if index is None else int(index), bool(extended["encoded"]), octets)


def _assemble(pieces: Iterable[_Piece], oddities: list[str]) -> tuple[tuple[str, str], ...]:
    """One value a name: the extended form wins over the plain one, as mail programs have it."""
    groups: dict[str, list[_Piece]] = {}
    for piece in pieces:
        groups.setdefault(piece.base, []).append(piece)
    parameters = []
    for base, group in groups.items():
        plain = [piece for piece in group if piece.index is None and not piece.encoded]
        extended = [piece for piece in group if piece.index is not None or piece.encoded]
        values = [_plain_value(base, piece.octets, oddities) for piece in plain]
        chosen = _extended_value(extended, oddities) if extended else values[0]
        if len(plain) > 1:
            oddities.append("twice")
        if extended and set(values) - {chosen}:
            oddities.append("two_forms")
        parameters.append((base, _CONTROLS.sub(" ", chosen)))
    return tuple(parameters)


def _plain_value(base: str, octets: bytes, oddities: list[str]) -> str:
    """Encoded words in a file name are against RFC 2047 section 5, and what most senders write; a boundary may hold the
    same characters and mean them.
    """
    if base not in _NAMES or b"=?" not in octets:
        if not octets.isascii():
            oddities.append("eight_bit")
        return decode_octets(octets)
    oddities.append("encoded_word")
    oddities += (f"encoded_word_{name}" for name in word_oddities(octets))
    return decode_words(octets)


def _extended_value(group: list[_Piece], oddities: list[str]) -> str:
    """RFC 2231 section 3 and 4: sections in the order of their numbers, the charset named in the first."""
    whole = [piece for piece in group if piece.index is None]
    sections = sorted((piece for piece in group if piece.index is not None), key=lambda piece: piece.index or 0)
    if (whole and sections) or len(whole) > 1:
        oddities.append("twice")
    run = whole[:1] or sections
    if not whole and [piece.index for piece in sections] != list(range(len(sections))):
        oddities.append("rfc2231_sections")
    charset, octets = "", bytearray()
    for number, piece in enumerate(run):
        text = piece.octets
        if piece.encoded:
            if number == 0 and text.count(b"'") >= 2:
                name, _, text = text.split(b"'", 2)
                charset = name.decode("latin-1")
            text = _PERCENT.sub(lambda found: bytes([int(found[1], 16)]), text)
        octets += text
    if not run[0].encoded and any(piece.encoded for piece in run):
        oddities.append("rfc2231_charset")
    if codec_for(charset) is None:
        oddities.append("charset")
    return decode_octets(bytes(octets), charset)
