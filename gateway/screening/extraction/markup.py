"""HTML documents: the markup goes to detection as it is; what it carries inside as `data:` is read as documents."""

from __future__ import annotations

import binascii
import re
import urllib.parse
from collections.abc import Iterator
from typing import Final

from gateway.screening.chunk import Chunk, Form
from gateway.screening.extraction.descent import Descent, Document, Item
from gateway.screening.extraction.texts import readings

_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_.:-]{2,40})")
_DATA = re.compile(
    r"data:([A-Za-z0-9.+/-]{0,100})((?:;[A-Za-z0-9=_.\"-]{0,100}){0,5}),([^\"'\s)<>]*(?:\s+[A-Za-z0-9+/=]+)*)"
)
_BASE64_JUNK = re.compile(r"[^A-Za-z0-9+/]")
_SHORTEST: Final = 8


def read_markup(document: Document, descent: Descent) -> Iterator[Item]:
    """HTML in every plausible charset, and the documents inside of its `data:` addresses."""
    head = document.octets[:4096]
    told = _CHARSET.search(head) or _XML_ENCODING.search(head)
    for text in readings(document.octets, told.group(1).decode("ascii") if told else ""):
        yield Chunk(text, document.place, Form.HTML)
        yield from embedded_data(text, document.place, descent)


def embedded_data(text: str, place: str, descent: Descent) -> Iterator[Item]:
    """The documents that stand in a text as `data:` addresses (RFC 2397)."""
    for count, match in enumerate(_DATA.finditer(text), 1):
        declared, flags, data = match.groups()
        octets = urllib.parse.unquote_to_bytes(data)
        if ";base64" in flags.lower():
            plain = _BASE64_JUNK.sub("", octets.decode("ascii", "replace"))
            plain = plain[: len(plain) - 1] if len(plain) % 4 == 1 else plain
            octets = binascii.a2b_base64(plain + "=" * (-len(plain) % 4))
        if len(octets) >= _SHORTEST:
            yield from descent.into(Document(octets, declared.lower(), "", f"{place}, embedded data {count}"))
