"""Searching a disk for what may not be there, in every form in which a careless program leaves it.

What is sought is a word or a few (`words`: in any letter case, however the line was broken) or octets (`octets`).
Forms: as it is, UTF-16 and UTF-32, hex (either case, with separators), base64 of all these at each alignment (both
alphabets, folded or not), percent, quoted-printable, backslash escapes; and all of it inside gzip, zlib, bzip2, xz, zip
members, and base64 of gzip. File names count, too. A search that finds nothing proves something only when the same
search finds the same thing where sealing is off.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.demo.inflating import inflated

MAX_DEPTH = 4
_FOLDS = b"\r\n\t "
_SPACE = rb"(?:=[ \t]*\r?\n|[\s\x00+]|%20|%0[aAdD]|=20|=0[aAdD]|\\[rnt])+"
_SOFT_BREAK = rb"(?:=[ \t]*\r?\n)?"
_SEPARATOR = rb"(?:[\s:._-]|0x|\\x|, ?|%|=|\\u00)?"

Form = re.Pattern[bytes] | tuple[bytes, ...]
"""A pattern, or some literal octets, which are found many times as fast."""

Forms = Mapping[str, Form]


@dataclass(frozen=True, slots=True)
class Hit:
    """Where it was seen: the file, the form (`zlib > base64`, say) and the offset in what was searched."""

    path: str
    form: str
    offset: int


@dataclass(frozen=True, slots=True)
class Looked:
    """What a search of folders saw: the hits, and how many files and octets it looked at."""

    hits: tuple[Hit, ...]
    files: int
    octets: int


@dataclass(frozen=True, slots=True)
class SearchResult:
    """How often words were found: in the sealed site's files, and in those of a vault with sealing switched off."""

    words: str
    sealed: int
    unsealed: int
    files: int
    octets: int


def words(text: str) -> Forms:
    """Return the forms of some words. Letter case and the kind of space between them do not matter."""
    pieces = text.split()
    if not pieces:
        raise ValueError("there is nothing to search for")
    variants = dict.fromkeys(form(" ".join(pieces)) for form in (str, str.lower, str.upper, str.title, str.capitalize))
    found = {"text": _SPACE.join(_any_case(piece) for piece in pieces)}
    for name in ("utf-16-le", "utf-16-be", "utf-32-le"):
        space = b"(?:%b)+" % b"|".join(re.escape(blank.encode(name)) for blank in " \t\r\n")
        found[name] = space.join(_any_case(piece, name) for piece in pieces)
    found["hex"] = b"|".join(_hex(variant.encode()) for variant in variants)
    coded = (variant.encode(name) for variant in variants for name in ("utf-8", "utf-16-le", "utf-16-be"))
    base64_forms = tuple(dict.fromkeys(piece for value in coded for piece in _base64(value)))
    return {**_compiled(found), "base64": base64_forms}


def octets(sought: bytes) -> Forms:
    """Return the forms of some octets, and of their hex text."""
    text = sought.hex()
    plain = {
        "octets": sought,
        "utf-16-le": text.encode("utf-16-le"),
        "utf-16-be": text.encode("utf-16-be"),
        "utf-32-le": text.encode("utf-32-le"),
        "utf-8 of latin-1": sought.decode("latin-1").encode(),
    }
    found = {"hex": _hex(sought)}
    found["percent"] = b"".join(_one_of(octet, b"(?i:%%%02x)" % octet) for octet in sought)
    found["quoted-printable"] = _SOFT_BREAK.join(_one_of(octet, b"(?i:=%02x)" % octet) for octet in sought)
    found["escapes"] = b"".join(_one_of(octet, *_escapes(octet)) for octet in sought)
    coded = {**plain, "hex": text.encode(), "HEX": text.upper().encode()}
    return {
        **{form: (value,) for form, value in plain.items()},
        **{f"base64 of {form}": tuple(_base64(value)) for form, value in coded.items()},
        **_compiled(found),
    }


def search(forms: Forms, folders: Iterable[Path]) -> Looked:
    """Look into every file of the folders, and at every name in them."""
    hits: list[Hit] = []
    files = size = 0
    for path in sorted(path for folder in folders for path in _below(folder)):
        hits += [Hit(str(path), f"name > {form}", at) for form, at in _found(forms, os.fsencode(path.name), 0)]
        if path.is_file() and not path.is_symlink():
            content = _octets(path)
            files += 1
            size += len(content)
            hits += search_octets(forms, content, str(path))
    return Looked(tuple(hits), files, size)


def search_octets(forms: Forms, content: bytes, name: str = "") -> list[Hit]:
    """Look into some octets: a log, what came over a wire."""
    return [Hit(name, form, at) for form, at in _found(forms, content, MAX_DEPTH)]


def search_process(forms: Forms, pid: int) -> list[Hit]:
    """Look at a process's environment and arguments."""
    folder = Path(f"/proc/{pid}")
    return [hit for name in ("environ", "cmdline") for hit in search_octets(forms, _octets(folder / name), name)]


def _any_case(piece: str, encoding: str = "utf-8") -> bytes:
    """Return the pattern of one word in an encoding; in UTF-8 also with the escapes of mail, addresses and JSON."""
    letters: list[bytes] = []
    for letter in piece:
        coded = [kind.encode(encoding) for kind in dict.fromkeys((letter, letter.lower(), letter.upper()))]
        patterns = [re.escape(one) for one in coded]
        if encoding == "utf-8" and not (letter.isascii() and letter.isalnum()):
            patterns += [
                b"".join(b"(?i:%b%02x)" % (sign, octet) for octet in one) for one in coded for sign in (b"%", b"=")
            ]
            patterns += [rb"\\u(?i:%04x)" % ord(kind) for kind in {letter.lower(), letter.upper()} if len(kind) == 1]
        letters.append(_either(patterns))
    return (_SOFT_BREAK if encoding == "utf-8" else b"").join(letters)


def _either(patterns: list[bytes]) -> bytes:
    """Return the pattern for one of these; a set where each is one octet, which is searched many times as fast."""
    if all(len(pattern) == 1 for pattern in patterns):
        return b"[%b]" % b"".join(patterns) if len(patterns) > 1 else patterns[0]
    return b"(?:%b)" % b"|".join(patterns)


def _hex(value: bytes) -> bytes:
    digits = [b"[%b%b]" % (low, low.upper()) for low in (bytes([digit]) for digit in value.hex().encode())]
    return _SEPARATOR.join(first + second for first, second in zip(digits[::2], digits[1::2], strict=True))


def _one_of(octet: int, *coded: bytes) -> bytes:
    return b"(?:%b|%b)" % (re.escape(bytes([octet])), b"|".join(coded))


def _escapes(octet: int) -> Iterator[bytes]:
    yield rb"(?i:\\{1,2}x%02x)" % octet
    yield rb"(?i:\\{1,2}u00%02x)" % octet
    yield rb"\\{1,2}%03o" % octet
    for name, value in ((b"n", 10), (b"r", 13), (b"t", 9), (b"b", 8), (b"f", 12), (b"a", 7), (b"v", 11)):
        if octet == value:
            yield rb"\\{1,2}" + name
    if chr(octet) in "\"'\\/":
        yield rb"\\{1,2}" + re.escape(bytes([octet]))


def _base64(value: bytes) -> Iterator[bytes]:
    """Yield what is sure to stand in the base64 of anything that has these octets, for each alignment."""
    for before in range(3):
        whole = base64.b64encode(bytes(before) + value)
        first = (before * 8 + 5) // 6
        last = (before + len(value)) * 8 // 6
        sure = whole[first:last]
        yield sure
        if sure != (url := sure.translate(bytes.maketrans(b"+/", b"-_"))):
            yield url


def _found(forms: Forms, content: bytes, depth: int) -> Iterator[tuple[str, int]]:
    yield from _matches(forms, content)
    if depth == 0:
        return
    unfolded = content.translate(None, _FOLDS)
    if unfolded != content:
        may_fold = {form: pattern for form, pattern in forms.items() if "base64" in form or form == "hex"}
        yield from ((f"folded {form}", at) for form, at in _matches(may_fold, unfolded))
    for kind, at, within in inflated(content, unfolded):
        yield from ((f"{kind} > {form}", at) for form, _ in _found(forms, within, depth - 1))


def _matches(forms: Forms, content: bytes) -> Iterator[tuple[str, int]]:
    seen: set[int] = set()  # the plain octets are also quoted-printable, and so on: one hit a place is enough
    for form, pattern in forms.items():
        for at in _places(pattern, content):
            if at not in seen:
                seen.add(at)
                yield form, at


def _places(form: Form, content: bytes) -> Iterator[int]:
    if isinstance(form, re.Pattern):
        yield from (match.start() for match in form.finditer(content))
        return
    for literal in form:
        at = content.find(literal)
        while at >= 0:
            yield at
            at = content.find(literal, at + 1)


def _compiled(patterns: Mapping[str, bytes]) -> dict[str, Form]:
    return {form: re.compile(pattern, re.DOTALL) for form, pattern in patterns.items()}


def _below(folder: Path) -> Iterator[Path]:
    """Yield everything in a folder; what has gone by the time it is looked into has nothing in it."""
    for above, folders, files in os.walk(folder):
        yield from (Path(above, name) for name in (*folders, *files))


def _octets(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # gone since it was listed
        return b""
