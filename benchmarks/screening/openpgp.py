"""OpenPGP packets and their armour (RFC 9580)."""

from __future__ import annotations

import struct

from benchmarks.screening import parts


def packet(tag: int, body: bytes) -> bytes:
    """An OpenPGP packet of the new format (RFC 9580 section 4.2)."""
    size = len(body)
    length = (
        bytes([size])
        if size < 192
        else bytes([192 + ((size - 192) >> 8), (size - 192) & 0xFF])
        if size < 8384
        else b"\xff" + struct.pack(">I", size)
    )
    return bytes([0xC0 | tag]) + length + body


def armour(title: str, octets: bytes) -> str:
    """ASCII armour with its CRC-24 (RFC 9580 section 6)."""
    check = 0xB704CE
    for octet in octets:
        check ^= octet << 16
        for _ in range(8):
            check = check << 1 ^ (0x1864CFB if check & 0x800000 else 0)
    lines = parts.in_base64(octets).decode().replace("\r\n", "\n")
    end = parts.in_base64(struct.pack(">I", check & 0xFFFFFF)[1:]).decode().strip()
    return f"-----BEGIN PGP {title}-----\n\n{lines}={end}\n-----END PGP {title}-----\n"
