"""Sealing, checked against constructions made here from the primitives alone."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.errors import Tampered
from gateway.store.sealing import (
    FRAME_OCTETS,
    MLKEM768_X25519,
    SEALED_FRAME_OCTETS,
    FrameOpener,
    FrameSealer,
    SealingKey,
    body_key,
    frame_count,
    new_key,
    open_box,
    part_key,
    seal_box,
    sealed_length,
    summary_key,
)

SEGMENT = "0" * 32
KEY = bytes(range(32))
SIZES = st.one_of(
    st.integers(0, 40),
    st.sampled_from([n * FRAME_OCTETS + d for n in (1, 2, 3) for d in (-1, 0, 1)]),
    st.integers(0, 4 * FRAME_OCTETS),
)


def sealed(plaintext: bytes, key: bytes = KEY, segment: str = SEGMENT) -> bytes:
    sealer = FrameSealer(segment, key)
    return sealer.add(plaintext) + sealer.finish()


def frames(ciphertext: bytes) -> list[bytes]:
    return [ciphertext[at : at + SEALED_FRAME_OCTETS] for at in range(0, len(ciphertext), SEALED_FRAME_OCTETS)]


def opened(pieces: list[bytes], octets: int, key: bytes = KEY, segment: str = SEGMENT) -> bytes:
    opener = FrameOpener(segment, key, octets)
    assert opener.frames == len(pieces)
    return b"".join(opener.open(number, piece) for number, piece in enumerate(pieces))


def plaintext_of(octets: int) -> bytes:
    return hashlib.shake_128(str(octets).encode()).digest(octets)


# ---- frames


@pytest.mark.parametrize("octets", [0, 1, FRAME_OCTETS, FRAME_OCTETS + 1, 3 * FRAME_OCTETS])
def test_a_frame_is_aes_gcm_under_a_counter_nonce_with_a_last_flag(octets: int) -> None:
    plaintext = plaintext_of(octets)
    pieces = frames(sealed(plaintext))
    bound = b"gateway segment v1\x00" + b"1" + b"\x00" + SEGMENT.encode()
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        nonce = bytes(7) + number.to_bytes(4, "big") + bytes([last])
        begin = number * FRAME_OCTETS
        assert AESGCM(KEY).decrypt(nonce, piece, bound) == plaintext[begin : begin + FRAME_OCTETS]


@pytest.mark.parametrize(
    ("octets", "count"),
    [(0, 1), (1, 1), (FRAME_OCTETS, 1), (FRAME_OCTETS + 1, 2), (2 * FRAME_OCTETS, 2), (2 * FRAME_OCTETS + 1, 3)],
)
def test_the_last_frame_holds_at_least_one_octet_unless_the_segment_is_empty(octets: int, count: int) -> None:
    assert frame_count(octets) == count
    ciphertext = sealed(plaintext_of(octets))
    assert len(frames(ciphertext)) == count
    assert len(ciphertext) == sealed_length(octets)


@settings(deadline=None, max_examples=60)
@given(SIZES, st.lists(st.integers(0, 3 * FRAME_OCTETS), max_size=6))
def test_the_ciphertext_does_not_depend_on_how_the_octets_came(octets: int, cuts: list[int]) -> None:
    plaintext = plaintext_of(octets)
    sealer = FrameSealer(SEGMENT, KEY)
    ends = sorted(min(cut, octets) for cut in cuts)
    pieces = [plaintext[a:b] for a, b in zip([0, *ends], [*ends, octets], strict=True)]
    assert b"".join([*map(sealer.add, pieces), sealer.finish()]) == sealed(plaintext)


@settings(deadline=None, max_examples=60)
@given(SIZES)
def test_what_was_sealed_opens(octets: int) -> None:
    plaintext = plaintext_of(octets)
    assert opened(frames(sealed(plaintext)), octets) == plaintext


def test_a_segment_cut_at_a_frame_does_not_open() -> None:
    pieces = frames(sealed(plaintext_of(3 * FRAME_OCTETS)))
    with pytest.raises(Tampered):
        opened(pieces[:2], 2 * FRAME_OCTETS)


def test_a_segment_cannot_be_made_longer() -> None:
    pieces = frames(sealed(plaintext_of(2 * FRAME_OCTETS)))
    with pytest.raises(Tampered):
        opened([*pieces, pieces[0]], 3 * FRAME_OCTETS)


def test_frames_in_another_order_do_not_open() -> None:
    pieces = frames(sealed(plaintext_of(3 * FRAME_OCTETS)))
    for order in ([1, 0, 2], [0, 2, 1], [0, 0, 2]):
        with pytest.raises(Tampered):
            opened([pieces[place] for place in order], 3 * FRAME_OCTETS)


def test_a_frame_of_another_segment_under_the_same_key_does_not_open() -> None:
    mine, other = frames(sealed(b"a" * 100)), frames(sealed(b"a" * 100, segment="1" * 32))
    assert mine != other
    with pytest.raises(Tampered):
        opened(other, 100)


def test_a_wrong_key_does_not_open() -> None:
    with pytest.raises(Tampered):
        opened(frames(sealed(b"a" * 100)), 100, key=bytes(32))


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 115), st.integers(1, 255))
def test_any_changed_octet_does_not_open(place: int, change: int) -> None:
    frame = bytearray(sealed(b"a" * 100))
    frame[place] ^= change
    with pytest.raises(Tampered):
        opened([bytes(frame)], 100)


@pytest.mark.parametrize("length", [0, 1, 15, 16])
def test_a_frame_cut_short_does_not_open(length: int) -> None:
    with pytest.raises(Tampered):
        opened([sealed(b"a" * 100)[:length]], 100)


def test_a_segment_has_one_last_frame() -> None:
    sealer = FrameSealer(SEGMENT, KEY)
    sealer.finish()
    with pytest.raises(ValueError, match="last frame"):
        sealer.finish()
    with pytest.raises(ValueError, match="last frame"):
        sealer.add(b"more")


@settings(deadline=None, max_examples=30)
@given(st.lists(SIZES, max_size=4))
def test_no_two_frames_of_a_segment_have_the_same_nonce(sizes: list[int]) -> None:
    """Of equal plaintexts under one key no two ciphertexts are equal: GCM would give equal ones for equal nonces."""
    octets = sum(sizes)
    sealer = FrameSealer(SEGMENT, KEY)
    pieces = frames(b"".join([*(sealer.add(bytes(size)) for size in sizes), sealer.finish()]))
    starts = {piece[:16] for piece in pieces}
    assert len(starts) == len(pieces) == frame_count(octets)


# ---- boxes


def test_a_box_opens_under_its_key_and_context_alone() -> None:
    box = seal_box(KEY, b"value", "summary 1")
    assert open_box(KEY, box, "summary 1") == b"value"
    for key, changed, context in (
        (bytes(32), box, "summary 1"),
        (KEY, box, "summary 2"),
        (KEY, box[:-1], "summary 1"),
        (KEY, b"\x00" + box[1:], "summary 1"),
        (KEY, b"", "summary 1"),
        (KEY, box[:13], "summary 1"),
    ):
        with pytest.raises(Tampered):
            open_box(key, changed, context)


def test_a_box_has_a_nonce_of_its_own_each_time() -> None:
    nonces = {seal_box(KEY, b"", "x")[:12] for _ in range(1000)}
    assert len(nonces) == 1000


# ---- derived keys


def test_keys_of_different_purposes_differ() -> None:
    content = new_key()
    keys = [
        summary_key(content, "m1"),
        body_key(content, "m1"),
        part_key(content, "m1", "1"),
        part_key(content, "m1", "2"),
        part_key(content, "m1", "1.2"),
        part_key(content, "m1", ""),
        summary_key(content, "m2"),
        body_key(content, "m2"),
        summary_key(new_key(), "m1"),
        content,
    ]
    assert len(set(keys)) == len(keys)
    assert {len(key) for key in keys} == {32}


def test_a_derived_key_is_hkdf_sha256_of_its_purpose_message_and_part() -> None:
    content = KEY
    extracted = hmac.digest(bytes(32), content, "sha256")  # RFC 5869 section 2.2, no salt
    for derived, purpose, part in (
        (summary_key(content, "m"), "summary", ""),
        (body_key(content, "m"), "body", ""),
        (part_key(content, "m", "2.1"), "part", "2.1"),
    ):
        info = f"gateway {purpose} v1\x00m\x00{part}".encode()
        assert derived == hmac.digest(extracted, info + b"\x01", "sha256")


def test_a_key_is_made_anew_each_time() -> None:
    assert len({new_key() for _ in range(1000)}) == 1000


# ---- wraps to a case's public key


class CaseKeys:
    """What the keyholder keeps: the two component private keys."""

    def __init__(self, key_id: str = "k1") -> None:
        self.mlkem, self.x25519 = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
        public = self.mlkem.public_key().public_bytes_raw() + self.x25519.public_key().public_bytes_raw()
        self.public = SealingKey(key_id, MLKEM768_X25519, public)

    def unwrap(self, wrapped: bytes, message_id: str, key_id: str = "k1", suite: int = 1) -> bytes:
        rebuilt = hpke.MLKEM768X25519PrivateKey(
            MLKEM768PrivateKey.from_seed_bytes(self.mlkem.private_bytes_raw()),
            X25519PrivateKey.from_private_bytes(self.x25519.private_bytes_raw()),
        )
        info = b"gateway wrap v1\x00" + f"{suite}\x00{key_id}\x00{message_id}".encode()
        suite_ = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
        return suite_.decrypt(wrapped, rebuilt, info)


def test_a_content_key_unwraps_with_the_private_keys_of_its_case() -> None:
    keys = CaseKeys()
    assert keys.unwrap(keys.public.wrap(KEY, "m1"), "m1") == KEY


def test_a_wrap_is_bound_to_its_message_its_key_and_its_suite() -> None:
    keys, others = CaseKeys(), CaseKeys()
    wrapped = keys.public.wrap(KEY, "m1")
    for holder, message, key_id, suite in (
        (keys, "m2", "k1", 1),
        (keys, "m1", "k2", 1),
        (keys, "m1", "k1", 2),
        (others, "m1", "k1", 1),
    ):
        with pytest.raises(InvalidTag):
            holder.unwrap(wrapped, message, key_id, suite)


def test_two_wraps_of_one_key_share_nothing() -> None:
    keys = CaseKeys()
    one, two = keys.public.wrap(KEY, "m1"), keys.public.wrap(KEY, "m1")
    assert one != two
    assert one[:32] != two[:32]


@pytest.mark.parametrize(("suite", "length"), [(0, 1216), (2, 1216), (1, 1215), (1, 1217), (1, 0)])
def test_a_sealing_key_of_another_suite_or_length_is_refused(suite: int, length: int) -> None:
    with pytest.raises(ValueError, match=r"suite|length"):
        SealingKey("k", suite, bytes(length))
