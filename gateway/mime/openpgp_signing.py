"""Signing by OpenPGP with an Ed25519 key (RFC 9580, in forms of version 4 that every tool reads), and the key itself.

The key signs and certifies itself, and nothing is ever encrypted to it. That is two packets to write, so no program and
no agent holds its secret: it is kept as the keys of DKIM and S/MIME are.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

BOUNDARY: Final = "=_openpgp"
_PUBLIC_KEY, _USER_ID, _SIGNATURE = 6, 13, 2
_EDDSA: Final = 22
_CURVE: Final = bytes.fromhex("2b06010401da470f01")  # Ed25519, RFC 9580 section 9.2
_SHA512: Final = 10
_OF_OCTETS, _OF_USER_ID = 0x00, 0x13
_CREATED, _KEY_FLAGS, _FEATURES, _ISSUER, _FINGERPRINT = 2, 27, 30, 16, 33
_CERTIFIES_AND_SIGNS: Final = 0x03
_LINE: Final = 64


@dataclass(frozen=True, slots=True)
class OpenPgpKey:
    """The gateway's own key: made at `created` (whole seconds count), for the one user id `NAME <address>`."""

    private: Ed25519PrivateKey = field(repr=False)
    created: datetime
    user_id: str

    @property
    def fingerprint(self) -> str:
        """Capital hex, 40 digits (RFC 9580 section 5.5.4.2)."""
        return self._fingerprint.hex().upper()

    @property
    def certificate(self) -> bytes:
        """The public key with its user id and the signature over both: packets without armour."""
        user_id = self.user_id.encode()
        flags = _subpacket(_KEY_FLAGS, bytes([_CERTIFIES_AND_SIGNS])) + _subpacket(_FEATURES, b"\x01")
        signed = _hashed_key(self._body) + b"\xb4" + len(user_id).to_bytes(4, "big") + user_id
        own = self._signature(_OF_USER_ID, signed, self.created, flags)
        return _packet(_PUBLIC_KEY, self._body) + _packet(_USER_ID, user_id) + own

    def sign(self, content: bytes, at: datetime) -> bytes:
        """Return a detached signature over octets: one packet without armour (RFC 9580 section 5.2)."""
        return self._signature(_OF_OCTETS, content, at)

    @property
    def _body(self) -> bytes:
        point = b"\x40" + self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        made = int(self.created.timestamp()).to_bytes(4, "big")
        return b"\x04" + made + bytes([_EDDSA, len(_CURVE)]) + _CURVE + _number(point)

    @property
    def _fingerprint(self) -> bytes:
        return hashlib.sha1(_hashed_key(self._body), usedforsecurity=False).digest()

    def _signature(self, kind: int, signed: bytes, at: datetime, more: bytes = b"") -> bytes:
        hashed = _subpacket(_FINGERPRINT, b"\x04" + self._fingerprint)
        hashed += _subpacket(_CREATED, int(at.timestamp()).to_bytes(4, "big")) + more
        head = bytes([4, kind, _EDDSA, _SHA512]) + len(hashed).to_bytes(2, "big") + hashed
        hashing = hashlib.sha512(signed)
        hashing.update(head + b"\x04\xff" + len(head).to_bytes(4, "big"))
        digest = hashing.digest()
        unhashed = _subpacket(_ISSUER, self._fingerprint[-8:])
        raw = self.private.sign(digest)
        numbers = _number(raw[:32]) + _number(raw[32:])
        return _packet(_SIGNATURE, head + len(unhashed).to_bytes(2, "big") + unhashed + digest[:2] + numbers)


def signed_entity(entity: bytes, key: OpenPgpKey, at: datetime) -> bytes:
    """Return a MIME entity (lines of 7 bits that end with CRLF) in a `multipart/signed` (RFC 3156 section 5)."""
    top = (
        'Content-Type: multipart/signed; micalg=pgp-sha512;\r\n protocol="application/pgp-signature"; '
        f'boundary="{BOUNDARY}"\r\n\r\n--{BOUNDARY}\r\n'
    )
    between = (
        f'\r\n--{BOUNDARY}\r\nContent-Type: application/pgp-signature; name="signature.asc"\r\n'
        'Content-Disposition: attachment; filename="signature.asc"\r\n\r\n'
    )
    armoured = armour("SIGNATURE", key.sign(entity, at)).replace("\n", "\r\n")
    return b"".join((top.encode(), entity, between.encode(), armoured.encode(), f"--{BOUNDARY}--\r\n".encode()))


def armour(what: str, octets: bytes) -> str:
    """Return octets in lines of text: `-----BEGIN PGP WHAT-----` and so on (RFC 9580 section 6)."""
    text = base64.b64encode(octets).decode("ascii")
    lines = [text[at : at + _LINE] for at in range(0, len(text), _LINE)]
    checksum = base64.b64encode(_crc24(octets).to_bytes(3, "big")).decode("ascii")
    return "\n".join((f"-----BEGIN PGP {what}-----", "", *lines, f"={checksum}", f"-----END PGP {what}-----", ""))


def _packet(tag: int, body: bytes) -> bytes:
    return bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4, "big") + body


def _subpacket(kind: int, body: bytes) -> bytes:
    return bytes([len(body) + 1, kind]) + body


def _number(octets: bytes) -> bytes:
    """A multiprecision integer: its length in bits, and no zeros before it (RFC 9580 section 3.2)."""
    value = int.from_bytes(octets, "big")
    return value.bit_length().to_bytes(2, "big") + value.to_bytes((value.bit_length() + 7) // 8, "big")


def _hashed_key(body: bytes) -> bytes:
    return b"\x99" + len(body).to_bytes(2, "big") + body


def _crc24(octets: bytes) -> int:
    """The checksum that older tools ask for (RFC 4880 section 6.1)."""
    value = 0xB704CE
    for octet in octets:
        value ^= octet << 16
        for _ in range(8):
            value = (value << 1) ^ (0x1864CFB if value & 0x800000 else 0)
    return value & 0xFFFFFF
