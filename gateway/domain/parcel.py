"""What a parcel looks like from outside: an entity in which nothing but ciphertext can stand.

It is looked at before it is stored, and again, by what sends it, before it leaves.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

_HEAD: Final = re.compile(rb"(?:Content-[A-Za-z-]+: [!-~ ]+(?:\r\n [!-~ ]+)*\r\n){1,4}\r\n")
_OPENPGP: Final = re.compile(
    rb"Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\";"
    rb"\r\n boundary=\"(=_[a-z]{1,32})\"\r\n\r\n"
)
_PARTS: Final = re.compile(
    rb"--(=_[a-z]{1,32})\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n"
    rb"--\1\r\nContent-Type: application/octet-stream; name=\"encrypted\.asc\"\r\n"
    rb"Content-Disposition: inline; filename=\"encrypted\.asc\"\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\n"
)
_END: Final = re.compile(rb"\r\n-----END PGP MESSAGE-----\r\n--(=_[a-z]{1,32})--\r\n\Z")
_SMIME: Final = b'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"\r\n'
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n"
_ENVELOPED: Final = bytes.fromhex("06092a864886f70d010703")
"""The object identifier of CMS enveloped-data (RFC 5652 section 6.1)."""
_LOOK: Final = 64
_TAIL: Final = 128


def is_ciphertext(entity: bytes) -> bool:
    """Tell whether an entity is of the one form of its kind, whose content begins as ciphertext does.

    OpenPGP by RFC 3156 section 4, its message beginning with a session key for somebody (RFC 9580 section 5.1); S/MIME
    by RFC 8551 section 3.3, enveloped data.
    """
    if head := _OPENPGP.match(entity):
        return _is_openpgp(entity, head.end(), head[1])
    if entity.startswith(_SMIME) and (head := _HEAD.match(entity)):
        return _is_enveloped(entity[head.end() :])
    return False


def _is_openpgp(entity: bytes, start: int, boundary: bytes) -> bool:
    parts = _PARTS.match(entity, start)
    end = _END.search(entity, max(start, len(entity) - _TAIL))
    if parts is None or end is None or parts[1] != boundary or end[1] != boundary:
        return False
    armour = entity[parts.end() : end.start()]
    first = _first_octets(armour)
    if armour.translate(None, _BASE64) or not first:
        return False
    return (first[0] & 0xC0 == 0xC0 and first[0] & 0x3F == 1) or first[0] & 0xFC == 0x84


def _is_enveloped(body: bytes) -> bool:
    return not body.translate(None, _BASE64) and _ENVELOPED in _first_octets(body)[:24]


def _first_octets(lines: bytes) -> bytes:
    try:
        return base64.b64decode(lines[:_LOOK], validate=True)
    except (binascii.Error, ValueError):
        return b""
