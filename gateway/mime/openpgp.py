"""OpenPGP signatures as mail carries them (RFC 3156, RFC 9580): taken out of their armour, put before what they sign.

Only one form is made for the program that checks them: one signature packet of version 4 and one literal packet with
the content. What else can stand in a file of signatures (compressed or nested messages, keys, several signatures,
comments that look like text) never reaches it.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass

MAX_SIGNATURE_OCTETS = 16 * 1024
_SIGNATURE_TAG, _LITERAL_TAG = 2, 11
_KINDS = (0x00, 0x01)  # over octets, over text
_DIGESTS = (8, 9, 10, 12, 14)  # SHA-256, SHA-384, SHA-512, SHA3-256, SHA3-512
_BEGIN_SIGNED = b"-----BEGIN PGP SIGNED MESSAGE-----"
_BEGIN = b"-----BEGIN PGP SIGNATURE-----"
_END = b"-----END PGP SIGNATURE-----"
_BLANKS = b" \t\r"
_HASH = re.compile(rb"Hash: ?[A-Za-z0-9, -]{1,100}\Z")
_HEADER = re.compile(rb"(?:Version|Comment|MessageID|Hash|Charset): ?[ -~]{0,200}\Z")


class NotOpenPgp(ValueError):
    """What was read is no signature, or one of a form that is not taken here."""


class WeakDigest(ValueError):
    """A signature over a digest below SHA-256, or an unknown one."""


@dataclass(frozen=True, slots=True)
class ClearSigned:
    """A text with its signature in line. `text` is canonical, as it was signed; `signature` is the packet.

    `is_alone`: nothing but blanks stands before or behind it.
    """

    text: bytes
    signature: bytes
    is_alone: bool


def signature_packet(armoured: bytes) -> bytes:
    """The one signature packet that a detached signature holds. Raises NotOpenPgp, WeakDigest."""
    lines = [line.rstrip(_BLANKS) for line in armoured[: 2 * MAX_SIGNATURE_OCTETS].split(b"\n")]
    while lines and not lines[0]:
        del lines[0]
    while lines and not lines[-1]:
        del lines[-1]
    if len(armoured) > 2 * MAX_SIGNATURE_OCTETS or lines[:1] != [_BEGIN] or lines[-1:] != [_END]:
        raise NotOpenPgp("not one armoured signature")
    return _judged(_dearmoured(lines[1:-1]))


def clear_signed(octets: bytes) -> ClearSigned:
    """The one clear-signed text in a part (RFC 9580 section 7). Raises NotOpenPgp, WeakDigest, also for two of them."""
    lines = [line.rstrip(_BLANKS) for line in octets.split(b"\n")]
    begins = [number for number, line in enumerate(lines) if line == _BEGIN_SIGNED]
    if len(begins) != 1 or lines.count(_BEGIN) != 1 or lines.count(_END) != 1:
        raise NotOpenPgp("not one signed text")
    start, middle, end = begins[0], lines.index(_BEGIN), lines.index(_END)
    if not start < middle < end or b"" not in lines[start:middle]:
        raise NotOpenPgp("the lines of a signed text are out of order")
    blank = lines.index(b"", start)
    if not all(_HASH.match(line) for line in lines[start + 1 : blank]):
        raise NotOpenPgp("a header that a signed text does not have")
    text = b"\r\n".join(_unescaped(line) for line in lines[blank + 1 : middle])
    packet = _judged(_dearmoured(lines[middle + 1 : end]))
    if packet[_header_length(packet) + 1] != _KINDS[1]:
        raise NotOpenPgp("a text that is not signed as text")
    return ClearSigned(text, packet, is_alone=not any(lines[:start]) and not any(lines[end + 1 :]))


def literal_header(length: int) -> bytes:
    """What stands before a content of so many octets to make it a literal packet, without name and date."""
    return bytes([0xC0 | _LITERAL_TAG, 0xFF]) + (length + 6).to_bytes(4, "big") + b"b\0\0\0\0\0"


def _unescaped(line: bytes) -> bytes:
    if line.startswith(b"- "):
        return line[2:]
    if line == b"-":  # an escaped line whose blanks were stripped
        return b""
    if line.startswith(b"-"):
        raise NotOpenPgp("a line of a signed text that is not escaped")
    return line


def _dearmoured(lines: list[bytes]) -> bytes:
    """The octets between the two lines of an armour (RFC 9580 section 6.2)."""
    if b"" not in lines:
        raise NotOpenPgp("an armour without its blank line")
    blank = lines.index(b"")
    body = [line for line in lines[blank + 1 :] if line]
    if body and len(body[-1]) == 5 and body[-1].startswith(b"="):
        del body[-1]  # the checksum: what it guards is signed
    if not all(_HEADER.match(line) for line in lines[:blank]):
        raise NotOpenPgp("a header that an armour does not have")
    try:
        return binascii.a2b_base64(b"".join(body), strict_mode=True)
    except binascii.Error:
        raise NotOpenPgp("an armour that is not base64") from None


def _judged(packet: bytes) -> bytes:
    """The octets, if they are exactly one signature packet of a form taken here."""
    if not 8 <= len(packet) <= MAX_SIGNATURE_OCTETS:
        raise NotOpenPgp("too short for a signature, or too long")
    body = packet[_header_length(packet) :]
    if body[0] != 4 or body[1] not in _KINDS:
        raise NotOpenPgp("a signature of another version or kind")
    if body[3] not in _DIGESTS:
        raise WeakDigest("a digest that is not taken here")
    return packet


def _header_length(packet: bytes) -> int:
    """How long the header of a signature packet is (RFC 9580 section 4.2). Raises NotOpenPgp unless it fills all."""
    first, second = packet[0], packet[1]
    if first == 0xC0 | _SIGNATURE_TAG:
        if second < 192:
            header, length = 2, second
        elif second < 224:
            header, length = 3, ((second - 192) << 8) + packet[2] + 192
        elif second == 255:
            header, length = 6, int.from_bytes(packet[2:6], "big")
        else:
            raise NotOpenPgp("a signature in pieces")
    elif first & 0xFC == 0x80 | _SIGNATURE_TAG << 2 and first & 3 < 3:
        header = 1 + (1, 2, 4)[first & 3]
        length = int.from_bytes(packet[1:header], "big")
    else:
        raise NotOpenPgp("not a signature packet")
    if header + length != len(packet) or length < 5:
        raise NotOpenPgp("not one whole signature packet")
    return header
