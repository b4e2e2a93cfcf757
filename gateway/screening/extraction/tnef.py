"""TNEF ([MS-OXTNEF]), the winmail.dat of Outlook: texts, bodies in all forms, attachments, messages inside."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Final

from tnefparse import TNEF

from gateway.domain.verdict import Unread, Unreadable
from gateway.screening.chunk import Chunk, Form
from gateway.screening.extraction.descent import Descent, Document, Item, UnreadableError
from gateway.screening.extraction.outlook import unpack_rtf
from gateway.screening.extraction.texts import readings, strings

_SIGNATURE: Final = b"\x78\x9f\x3e\x22"
_RTF: Final = 0x1009
_HTML: Final = 0x1013
_CONTENT: Final = 0x3701
_SUBJECT: Final = 0x8004
_ATTRIBUTES: Final = 2_000
_LONGEST: Final = 1_000_000

# The library logs what it meets, which can be words of a message.
logging.getLogger("tnef-decode").disabled = True
logging.getLogger("tnefparse").disabled = True


def read_tnef(document: Document, descent: Descent) -> Iterator[Item]:
    """All texts and attachments. Raises UnreadableError(CORRUPT)."""
    descent.budget.expand(len(document.octets), len(document.octets), len(document.octets))
    if not document.octets.startswith(_SIGNATURE):
        raise UnreadableError(Unread.CORRUPT, "tnef")
    is_whole = _is_whole(document.octets)
    parsed = TNEF(document.octets, do_checksum=False)
    place = document.place
    for item in parsed.objects:
        yield from _value(item.name, item.data, place, descent)
    for item in parsed.mapiprops:
        yield from _value(item.name, item.data, place, descent)
    for text in _bodies(parsed.body):
        yield Chunk(text, place)
    for text in _bodies(parsed.htmlbody):
        yield Chunk(text, place, Form.HTML)
    rtf = bytes(parsed.rtfbody or b"")
    if rtf:
        plain = rtf if rtf.startswith(b"{\\rtf") else unpack_rtf(rtf)
        yield from descent.into(Document(plain, "application/rtf", "", place))
    for count, attachment in enumerate(parsed.attachments, 1):
        yield from _attachment(attachment, f"{place}, attachment {count}", descent)
    if not is_whole:
        yield Unreadable(place, Unread.CORRUPT, "tnef")


def _is_whole(octets: bytes) -> bool:
    """Whether attributes follow each other up to the end ([MS-OXTNEF] section 2.1.3.1): the library stops quietly, and
    copies the rest for each of them.
    """
    place, count = 6, 0
    while place + 11 <= len(octets) and octets[place] in (1, 2):
        place += 11 + int.from_bytes(octets[place + 5 : place + 9], "little")
        count += 1
        if count > _ATTRIBUTES:
            raise UnreadableError(Unread.OVER_LIMIT, "members")
    return place > 6 and not octets[place:].strip(b"\x00\r\n") and place <= len(octets)


def _bodies(body: Any) -> list[str]:
    """A body as the library gives it: text, octets, or several of them."""
    if isinstance(body, str):
        return [body]
    if isinstance(body, bytes):
        return readings(body)
    return [text for one in body for text in _bodies(one)] if isinstance(body, list) else []


def _value(tag: int, data: Any, place: str, descent: Descent) -> Iterator[Item]:
    if isinstance(data, str):
        yield Chunk(data.strip("\x00"), place)
    elif isinstance(data, (list, tuple)):
        for one in data[:1_000]:
            yield from _value(tag, one, place, descent)
    elif isinstance(data, bytes) and tag == _RTF:
        yield from descent.into(Document(unpack_rtf(data), "application/rtf", "", place))
    elif isinstance(data, bytes) and tag == _HTML:
        for text in readings(data):
            yield Chunk(text, place, Form.HTML)
    elif isinstance(data, bytes) and tag != _CONTENT and len(data) < _LONGEST:
        yield Chunk(strings(data, 4), place)


def _attachment(attachment: Any, place: str, descent: Descent) -> Iterator[Item]:
    name = _name(attachment)
    for item in attachment.mapi_attrs:
        yield from _value(item.name, item.data, place, descent)
    octets = bytes(attachment.data or b"")
    inner = octets.find(_SIGNATURE, 0, 64)
    if inner > 0:  # a message kept as an object: its class stands before it
        octets = octets[inner:]
    yield from descent.into(Document(octets, "", name, place))


def _name(attachment: Any) -> str:
    """Its long name or its short one; the library takes names for UTF-8, Outlook writes them in a code page."""
    try:
        names = [attachment.long_filename(), attachment.name]
    except UnicodeDecodeError:
        names = [vars(attachment).get("_name")]
    for told in names:
        name = told.decode("cp1252", "replace") if isinstance(told, bytes) else str(told or "")
        if name.strip("\x00 "):
            return name.strip("\x00 ")
    return ""
