from __future__ import annotations

import pytest

from gateway.domain.partmap import PartMap
from gateway.domain.signature import Scheme, Signature, Signer, known
from gateway.mime.scanner import Scanner
from gateway.mime.signing import Form, signed_parts, with_cover
from tests.signing import ENTITY, detached, header, opaque, openpgp, signed_data

GOOD = known(Scheme.SMIME, Signer("Ines", ("ines@agency.example",)), "ines@agency.example")
SIGNED = detached(b"a signature")
ARMOURED = b"-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nhello\r\n"


def part_map(octets: bytes) -> PartMap:
    scanner = Scanner()
    scanner.feed(octets)
    return scanner.finish().part_map


def mixed(*entities: bytes, kind: bytes = b"mixed") -> bytes:
    body = b"".join(b"--out\r\n" + entity + b"\r\n" for entity in entities)
    return b"Content-Type: multipart/" + kind + b"; boundary=out\r\n\r\n" + body + b"--out--\r\n"


def covers(octets: bytes) -> list[tuple[bool, bool]]:
    """For each signed part: does it cover everything, and the text that is shown."""
    found = part_map(octets)
    signed = signed_parts(found)
    results: list[Signature] = [with_cover(GOOD, found, each, signed) for each in signed]
    return [(one.is_whole, one.is_of_text) for one in results]


def test_each_form_of_signing_is_found_with_what_it_signs() -> None:
    found = part_map(header() + SIGNED)
    (one,) = signed_parts(found)
    assert (one.scheme, one.form) == (Scheme.SMIME, Form.DETACHED)
    assert one.content is not None
    assert one.signature is not None
    assert (one.content.path, one.signature.path) == ("1", "2")
    octets = header() + SIGNED
    assert octets[one.content.header_offset : one.content.end] == ENTITY
    (one,) = signed_parts(part_map(header() + openpgp(b"x")))
    assert (one.scheme, one.form) == (Scheme.OPENPGP, Form.DETACHED)
    (one,) = signed_parts(part_map(header() + opaque(signed_data([], []))))
    assert (one.scheme, one.form) == (Scheme.SMIME, Form.OPAQUE)
    (one,) = signed_parts(part_map(header() + b"\r\n" + ARMOURED))
    assert (one.scheme, one.form) == (Scheme.OPENPGP, Form.CLEAR)


def test_a_protocol_may_be_left_out_or_be_spelled_in_the_old_way() -> None:
    for protocol in (b"", b'protocol="application/x-pkcs7-signature"; '):
        octets = header() + SIGNED.replace(b'protocol="application/pkcs7-signature"; ', protocol)
        (one,) = signed_parts(part_map(octets))
        assert one.scheme is Scheme.SMIME
        assert one.content is not None


def test_the_content_is_the_octets_between_the_delimiters_whatever_it_is() -> None:
    for entity in (
        mixed(ENTITY, ENTITY).removesuffix(b"\r\n"),
        mixed(ENTITY) + b"an epilogue\r\n",
        b"Content-Type: message/rfc822\r\n\r\n" + header() + SIGNED.replace(b"=_s", b"=_inner"),
        b"\r\nno header",
        b"Content-Type: text/plain\r\n\r\n",
        ENTITY + b"\r\n\r\n",
    ):
        octets = header() + detached(b"x", entity)
        one, *_ = signed_parts(part_map(octets))
        assert one.content is not None
        assert octets[one.content.header_offset : one.content.end] == entity


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (SIGNED, [(True, True)]),
        (detached(b"x", mixed(ENTITY, ENTITY)), [(True, True)]),
        (mixed(SIGNED, b"\r\nadded"), [(False, True)]),
        (mixed(b"\r\nadded", SIGNED), [(False, False)]),
        (mixed(SIGNED, b"Content-Type: text/html\r\n\r\n<p>added", kind=b"alternative"), [(False, False)]),
        (mixed(b"Content-Type: text/html\r\n\r\n<p>added", SIGNED, kind=b"related"), [(False, False)]),
        (mixed(SIGNED, detached(b"y").replace(b"=_s", b"=_t")), [(False, True), (False, False)]),
        (detached(b"x", openpgp(b"y").removesuffix(b"\r\n")), [(True, True), (True, True)]),
        (mixed(opaque(signed_data([], []))), [(True, True)]),
        (mixed(b"\r\nadded", opaque(signed_data([], []))), [(False, False)]),
        (mixed(b"\r\n" + ARMOURED, b"Content-Type: text/html\r\n\r\n<p>added", kind=b"alternative"), [(False, False)]),
    ],
)
def test_what_a_signature_covers_is_told(octets: bytes, expected: list[tuple[bool, bool]]) -> None:
    assert covers(header() + octets) == expected


@pytest.mark.parametrize(
    "octets",
    [
        SIGNED.replace(b"--=_s--", b"--=_s\r\n\r\nadded\r\n--=_s--"),
        SIGNED.replace(b"application/pkcs7-signature; name", b"application/pgp-signature; name"),
        SIGNED.replace(b"application/pkcs7-signature; name", b"text/plain; name"),
        b"Content-Type: multipart/signed; boundary=x\r\n\r\n--x\r\n\r\nalone\r\n--x--\r\n",
    ],
)
def test_another_shape_than_a_content_and_its_signature_covers_nothing(octets: bytes) -> None:
    (one,) = signed_parts(part_map(header() + octets))
    assert one.content is None
    assert covers(header() + octets) == [(False, False)]


def test_what_is_signed_in_an_attached_message_is_no_part_of_this_one() -> None:
    octets = mixed(b"\r\nsee below", b"Content-Type: message/rfc822\r\n\r\n" + header() + SIGNED)
    assert signed_parts(part_map(header() + octets)) == ()
