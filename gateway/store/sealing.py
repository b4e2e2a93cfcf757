"""Sealing: how plaintext becomes what may rest. This module knows public keys and keys it has just made, nothing else.

    content key ── HKDF ──► summary key   seals the summary (subject, addressees, part map)
         │      └─ HKDF ──► body key      wraps the segment keys of a received message
         │      └─ HKDF ──► part key      wraps the segment keys of one part of a composed message
         └─ HPKE to the case's public key (suite 1: ML-KEM-768 + X25519, HKDF-SHA-256, AES-256-GCM;
                                           suite 2, of approved parts: ML-KEM-1024 + P-384, HKDF-SHA-384, AES-256-GCM)

A *segment* is one uninterrupted run of octets under one random key: AES-256-GCM in frames of 64 KiB, the nonce is a
counter with a last-frame flag (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizar, 2015), the segment's
id, frame format and suite are associated data. Nothing is sealed twice under one key. A *box* is one AES-256-GCM seal
with a random nonce in front.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey, MLKEM1024PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.domain.errors import Tampered

KEY_OCTETS = 32
FRAME_OCTETS = 64 * 1024
TAG_OCTETS = 16
SEALED_FRAME_OCTETS = FRAME_OCTETS + TAG_OCTETS
NONCE_OCTETS = 12

MLKEM768_X25519 = 1
"""Suite number of the default profile; it stands beside every wrap and segment."""
MLKEM1024_P384 = 2
"""Suite number of keys whose every part is approved: FIPS 203, SP 800-56A, SP 800-56C, SP 800-38D."""
MLKEM768_OCTETS = 1184
MLKEM1024_OCTETS = 1568
P384_OCTETS = 97
P384_PRIVATE_OCTETS = 48
HPKE_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
HPKE_SUITES: Final[Mapping[int, hpke.Suite]] = MappingProxyType(
    {
        MLKEM768_X25519: HPKE_SUITE,
        MLKEM1024_P384: hpke.Suite(hpke.KEM.MLKEM1024_P384, hpke.KDF.HKDF_SHA384, hpke.AEAD.AES_256_GCM),
    }
)
_PUBLIC_OCTETS = {MLKEM768_X25519: MLKEM768_OCTETS + 32, MLKEM1024_P384: MLKEM1024_OCTETS + P384_OCTETS}


@dataclass(frozen=True, slots=True)
class SealingKey:
    """A public key that content keys are wrapped to: its id, suite, and component keys (ML-KEM, then the curve's: raw
    X25519, or P-384 as an uncompressed point).
    """

    id: str
    suite: int
    public: bytes

    def __post_init__(self) -> None:
        if self.suite not in _PUBLIC_OCTETS:
            raise ValueError(f"unknown sealing suite {self.suite}")
        if len(self.public) != _PUBLIC_OCTETS[self.suite]:
            raise ValueError("a sealing key has a wrong length")

    def wrap(self, content_key: bytes, message_id: str) -> bytes:
        """Wrap a content key to this key; the message and this key's id are bound to it."""
        info = wrap_info(self.id, self.suite, message_id)
        return HPKE_SUITES[self.suite].encrypt(content_key, self.components(), info)

    def components(self) -> hpke.MLKEM768X25519PublicKey | hpke.MLKEM1024P384PublicKey:
        """Return the key as its library has it. Raises ValueError where a component is none."""
        return _components(self.suite, self.public)


def wrap_info(key_id: str, suite: int, message_id: str) -> bytes:
    """Return the HPKE `info` that binds a wrap to its key and its message."""
    return b"gateway wrap v1\x00" + f"{suite}\x00{key_id}\x00{message_id}".encode("ascii")


def new_key() -> bytes:
    """Return a random 256-bit key."""
    return os.urandom(KEY_OCTETS)


def summary_key(content_key: bytes, message_id: str) -> bytes:
    """Derive the key that opens a message's summary and nothing else of it."""
    return _derive(content_key, message_id, "summary", "")


def body_key(content_key: bytes, message_id: str) -> bytes:
    """Derive the key that opens every segment of a received message."""
    return _derive(content_key, message_id, "body", "")


def part_key(content_key: bytes, message_id: str, part: str) -> bytes:
    """Derive the key that opens the segments of one part of a composed message."""
    return _derive(content_key, message_id, "part", part)


def seal_box(key: bytes, plaintext: bytes, context: str) -> bytes:
    """Seal a small value: nonce, ciphertext, tag. `context` says what it is and is bound to it."""
    nonce = os.urandom(NONCE_OCTETS)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, context.encode("utf-8"))


def open_box(key: bytes, box: bytes, context: str) -> bytes:
    """Open what `seal_box` made. Raises Tampered when key, context or any octet differs."""
    try:
        return AESGCM(key).decrypt(box[:NONCE_OCTETS], box[NONCE_OCTETS:], context.encode("utf-8"))
    except (InvalidTag, ValueError):
        raise Tampered("A sealed value does not open.") from None


def segment_context(segment_id: str) -> str:
    """Return the context of a segment's wrapped key."""
    return f"segment key {segment_id}"


def summary_context(message_id: str) -> str:
    """Return the context of a message's sealed summary."""
    return f"summary {message_id}"


class FrameSealer:
    """Seals one segment as it comes: `add` returns the frames that are full, `finish` the last one."""

    def __init__(self, segment_id: str, key: bytes) -> None:
        self._aead = AESGCM(key)
        self._associated = _associated(segment_id)
        self._counter = 0
        self._buffer = bytearray()
        self._spent = False

    def add(self, octets: bytes | memoryview) -> bytes:
        """Take octets; return the sealed frames they complete, possibly none. Raises ValueError when spent."""
        if self._spent:
            raise ValueError("the segment has its last frame")
        self._buffer += octets
        if len(self._buffer) <= FRAME_OCTETS:
            return b""
        frames: list[bytes] = []
        start = 0
        with memoryview(self._buffer) as view:
            while len(view) - start > FRAME_OCTETS:
                frames.append(self._seal(view[start : start + FRAME_OCTETS], last=False))
                start += FRAME_OCTETS
        del self._buffer[:start]
        return b"".join(frames)

    def finish(self) -> bytes:
        """Return the last frame; the sealer is spent. Raises ValueError when it was already."""
        if self._spent:
            raise ValueError("the segment has its last frame")
        self._spent = True
        frame = self._seal(self._buffer, last=True)
        self._buffer = bytearray()
        return frame

    def _seal(self, octets: bytes | bytearray | memoryview, *, last: bool) -> bytes:
        nonce = _nonce(self._counter, last=last)
        self._counter += 1
        return self._aead.encrypt(nonce, octets, self._associated)


class FrameOpener:
    """Opens frames of one segment by number. `octets` is the segment's plaintext length."""

    def __init__(self, segment_id: str, key: bytes, octets: int) -> None:
        self._aead = AESGCM(key)
        self._associated = _associated(segment_id)
        self.octets = octets
        self.frames = frame_count(octets)

    def open(self, number: int, frame: bytes) -> bytes:
        """Return the plaintext of frame `number`. Raises Tampered."""
        try:
            return self._aead.decrypt(_nonce(number, last=number == self.frames - 1), frame, self._associated)
        except (InvalidTag, ValueError):
            raise Tampered("A sealed segment does not open.") from None


def frame_count(octets: int) -> int:
    """Return how many frames a segment of `octets` plaintext has; an empty one has one."""
    return max(1, -(-octets // FRAME_OCTETS))


def sealed_length(octets: int) -> int:
    """Return the ciphertext length of a segment of `octets` plaintext."""
    return octets + frame_count(octets) * TAG_OCTETS


@lru_cache(256)
def _components(suite: int, public: bytes) -> hpke.MLKEM768X25519PublicKey | hpke.MLKEM1024P384PublicKey:
    """Read the component keys once: that takes longer than to wrap."""
    if suite == MLKEM1024_P384:
        return hpke.MLKEM1024P384PublicKey(
            MLKEM1024PublicKey.from_public_bytes(public[:MLKEM1024_OCTETS]),
            ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP384R1(), public[MLKEM1024_OCTETS:]),
        )
    return hpke.MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(public[:MLKEM768_OCTETS]),
        X25519PublicKey.from_public_bytes(public[MLKEM768_OCTETS:]),
    )


def _derive(content_key: bytes, message_id: str, purpose: str, part: str) -> bytes:
    info = f"gateway {purpose} v1\x00{message_id}\x00{part}".encode()
    return HKDF(SHA256(), KEY_OCTETS, salt=None, info=info).derive(content_key)


def _associated(segment_id: str) -> bytes:
    return f"gateway segment v1\x00{MLKEM768_X25519}\x00{segment_id}".encode("ascii")


def _nonce(counter: int, *, last: bool) -> bytes:
    return b"\x00" * 7 + counter.to_bytes(4, "big") + (b"\x01" if last else b"\x00")
