from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mime.openpgp import (
    NotOpenPgp,
    WeakDigest,
    clear_signed,
    literal_header,
    signature_packet,
)


def packet(version: int = 4, kind: int = 0, digest: int = 8, *, tag: int = 2, length: int = 20) -> bytes:
    body = bytes([version, kind, 22, digest]) + bytes(length)
    return bytes([0xC0 | tag, len(body)]) + body


def armour(octets: bytes, *headers: bytes, checksum: bytes = b"=NExe\n") -> bytes:
    return b"".join((
        b"-----BEGIN PGP SIGNATURE-----\n",
        *headers,
        b"\n",
        b64encode(octets) + b"\n",
        checksum,
        b"-----END PGP SIGNATURE-----\n",
    ))  # fmt: skip


def signed(text: bytes, *, before: bytes = b"", after: bytes = b"", heading: bytes = b"Hash: SHA256\n\n") -> bytes:
    return b"".join((
        before,
        b"-----BEGIN PGP SIGNED MESSAGE-----\n",
        heading,
        text,
        b"\n",
        armour(packet(kind=1)),
        after,
    ))  # fmt: skip


@pytest.mark.parametrize("digest", [8, 9, 10, 12, 14])
@pytest.mark.parametrize("kind", [0, 1])
def test_one_signature_packet_is_taken_out_of_its_armour(kind: int, digest: int) -> None:
    whole = packet(kind=kind, digest=digest)
    for text in (
        armour(whole),
        armour(whole, b"Version: GnuPG v2\n", b"Comment: hello\n"),
        armour(whole, checksum=b""),
        armour(whole).replace(b"\n", b"\r\n"),
        b"\r\n" + armour(whole) + b"  \r\n\r\n",
    ):
        assert signature_packet(text) == whole


BODY = bytes([4, 0, 22, 8])


@pytest.mark.parametrize(
    "octets",
    [
        b"\x88\x18" + BODY + bytes(20),
        b"\x89\0\x18" + BODY + bytes(20),
        b"\xc2\xc0\x08" + BODY + bytes(196),
        b"\xc2\xff\0\0\0\x18" + BODY + bytes(20),
    ],
    ids=["old", "old, two octets", "two octets", "five octets"],
)
def test_every_way_to_write_a_length_is_read(octets: bytes) -> None:
    assert signature_packet(armour(octets)) == octets


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        packet() + packet(),
        packet() + b"\xcb\x08b\0\0\0\0\0hi",  # a signed message of its own
        packet(tag=8),
        packet(tag=11),
        packet(tag=4),
        packet(version=3),
        packet(version=6),
        packet(kind=0x10),
        packet()[:-1],
        b"\xc2\xe1" + bytes([4, 0, 22, 8]) + bytes(20),  # in pieces
        b"\x8b" + bytes([4, 0, 22, 8]) + bytes(20),  # without a length
        b"\xc2\xff\0\1\0\0" + bytes([4, 0, 22, 8]) + bytes(65_532),
    ],
)
def test_anything_but_one_signature_is_refused(octets: bytes) -> None:
    with pytest.raises(NotOpenPgp):
        signature_packet(armour(octets))


@pytest.mark.parametrize("digest", [0, 1, 2, 3, 11, 99])
def test_a_weak_or_unknown_digest_is_told(digest: int) -> None:
    with pytest.raises(WeakDigest):
        signature_packet(armour(packet(digest=digest)))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"no armour",
        armour(packet()) + armour(packet()),
        b"Read this first.\n" + armour(packet()),
        armour(packet()) + b"Read this too.\n",
        armour(packet(), b"Read this: it looks signed\n"),
        armour(packet()).replace(b"=NExe", b"***"),
        armour(packet()).replace(b"\n\n", b"\n"),
        b"-----BEGIN PGP SIGNATURE-----\n-----END PGP SIGNATURE-----\n",
    ],
)
def test_what_is_not_one_armour_is_refused(text: bytes) -> None:
    with pytest.raises(NotOpenPgp):
        signature_packet(text)


def test_a_signed_text_is_unescaped_and_canonical() -> None:
    found = clear_signed(signed(b"Guten Tag  \t\n- -- \n- - one\n\nZ\xc3\xbcrich").replace(b"\n", b"\r\n"))
    assert found.text == b"Guten Tag\r\n--\r\n- one\r\n\r\nZ\xc3\xbcrich"
    assert found.signature == packet(kind=1)
    assert found.is_alone


@pytest.mark.parametrize(("before", "after"), [(b"Pay to another account.\n", b""), (b"", b"\nP.S. pay soon\n")])
def test_text_around_a_signed_text_is_told(before: bytes, after: bytes) -> None:
    assert clear_signed(signed(b"x", before=b"\n \n", after=b" \n\n")).is_alone
    assert not clear_signed(signed(b"x", before=before, after=after)).is_alone


@pytest.mark.parametrize(
    "text",
    [
        signed(b"one") + signed(b"two"),
        signed(b"-----BEGIN PGP SIGNED MESSAGE-----"),
        signed(b"- \n-----BEGIN PGP SIGNATURE-----\n-----END PGP SIGNATURE-----"),
        signed(b"--\nnot escaped"),
        signed(b"x", heading=b"Hash: SHA256\nRead this: it looks signed\n\n"),
        signed(b"x", heading=b"Comment: it looks signed\n\n"),
        signed(b"x", heading=b""),
        signed(b"x").replace(b"-----END PGP SIGNATURE-----\n", b""),
        signed(b"x").replace(b"SIGNED MESSAGE", b"MESSAGE"),
        b"-----END PGP SIGNATURE-----\n" + signed(b"x").replace(b"-----END PGP SIGNATURE-----\n", b""),
        signed(b"x").replace(b64encode(packet(kind=1)), b64encode(packet(kind=0))),
    ],
)
def test_what_is_not_one_signed_text_is_refused(text: bytes) -> None:
    with pytest.raises(NotOpenPgp):
        clear_signed(text)


def test_a_literal_packet_tells_its_length() -> None:
    assert literal_header(5) + b"hello" == b"\xcb\xff\0\0\0\x0bb\0\0\0\0\0hello"


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=120))
def test_any_packet_is_one_signature_or_refused(octets: bytes) -> None:
    try:
        assert signature_packet(armour(octets)) == octets
    except (NotOpenPgp, WeakDigest):
        return


LINES = [b"-----BEGIN PGP SIGNED MESSAGE-----", b"Hash: SHA256", b"", b"-----BEGIN PGP SIGNATURE-----", b"- x", b"y"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([*LINES, b64encode(packet(kind=1)), b"-----END PGP SIGNATURE-----"]), max_size=14))
def test_any_lines_are_one_signed_text_or_refused(lines: list[bytes]) -> None:
    try:
        found = clear_signed(b"\n".join(lines))
    except (NotOpenPgp, WeakDigest):
        return
    assert found.signature == packet(kind=1)
