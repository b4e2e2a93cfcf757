"""iCalendar (RFC 5545) and vCard (RFC 2426, RFC 6350): lines unfolded, values decoded; and mailbox files (RFC 4155)."""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Iterator
from typing import Final

from gateway.mime.charsets import decode_octets
from gateway.screening.chunk import Chunk, Form
from gateway.screening.extraction.descent import Descent, Document, Item
from gateway.screening.extraction.texts import readings

_FOLD = re.compile(r"\n[ \t]")
_SOFT = re.compile(r"=[ \t]*\n[ \t]*")
_PROPERTY = re.compile(r'([A-Za-z0-9_.-]+)((?:;(?:[^":\n]|"[^"\n]*")*)?):(.*)')
_ESCAPED = re.compile(r"\\([nN,;:\\])")
_CHARSET = re.compile(r"CHARSET=\"?([A-Za-z0-9_.:-]+)", re.IGNORECASE)
_ENCODED: Final = ("ENCODING=BASE64", "ENCODING=B", ";BASE64")
_MESSAGE = re.compile(rb"^From [^\n]*\n", re.MULTILINE)


def read_card(document: Document, descent: Descent) -> Iterator[Item]:
    """Each property as `name and parameters<TAB>value`; pictures and files inside as documents."""
    for text in readings(document.octets):
        lines: list[str] = []
        nested: list[bytes] = []
        for name, parameters, value in _properties(text):
            if _is_base64(parameters):
                nested.append(_octets(value))
                continue
            plain = _plain(value, parameters)
            label = f"{name} {parameters}".strip()
            lines.append(f"{label}\t{' '.join(plain.split())}")
            if "\n" in plain:
                yield Chunk(plain, document.place)
            if "text/html" in parameters.lower():
                yield Chunk(plain, document.place, Form.HTML)
        yield Chunk("\n".join(lines), document.place, Form.FIELDS)
        for count, octets in enumerate(nested, 1):
            yield from descent.into(Document(octets, "", "", f"{document.place}, embedded data {count}"))


def read_mailbox(document: Document, descent: Descent) -> Iterator[Item]:
    """Each message of a mailbox file."""
    starts = list(_MESSAGE.finditer(document.octets))
    ends = [match.start() for match in starts[1:]] + [len(document.octets)]
    yield Chunk(document.octets[: starts[0].start()].decode("latin-1") if starts else "", document.place)
    for count, (match, end) in enumerate(zip(starts, ends, strict=True), 1):
        descent.budget.spend("members")
        yield Chunk(match.group().decode("latin-1"), document.place)
        yield from descent.message(document.octets[match.end() : end], f"{document.place}, message {count}")


def _properties(text: str) -> Iterator[tuple[str, str, str]]:
    """Name, parameters and value of each line; a line that is no property is a value without name."""
    unfolded = _FOLD.sub("", _join_soft(text))
    for line in unfolded.split("\n"):
        match = _PROPERTY.match(line)
        if match is None:
            yield "", "", line
        elif match.group(1).upper() not in ("BEGIN", "END", "VERSION", "PRODID"):
            yield match.group(1).rpartition(".")[2], match.group(2).replace(";", " ").strip(), match.group(3)
        else:
            yield "", "", match.group(3)


def _join_soft(text: str) -> str:
    """Soft line breaks of quoted-printable values, which vCard 2.1 folds by themselves."""
    return _SOFT.sub("", text) if "QUOTED-PRINTABLE" in text.upper() else text


def _is_base64(parameters: str) -> bool:
    plain = f";{parameters.upper().replace(' ', ';')};"
    return any(f"{mark};" in plain for mark in _ENCODED)


def _octets(value: str) -> bytes:
    plain = re.sub(r"[^A-Za-z0-9+/]", "", value)
    plain = plain[:-1] if len(plain) % 4 == 1 else plain
    return binascii.a2b_base64(plain + "=" * (-len(plain) % 4))


def _plain(value: str, parameters: str) -> str:
    if "QUOTED-PRINTABLE" in parameters.upper():
        charset = _CHARSET.search(parameters)
        octets = quopri.decodestring(value.encode("utf-8"))
        value = decode_octets(octets, charset.group(1) if charset else "utf-8")
    return _ESCAPED.sub(lambda match: "\n" if match.group(1) in "nN" else match.group(1), value)
