from __future__ import annotations

import base64
import bz2
import datetime as dt
import zlib
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7

from gateway.domain.verdict import Unread, Unreadable
from gateway.screening.chunk import Budget, Chunk, Form
from gateway.screening.extraction.documents import Document, extract_document
from tests.unit.screening.extraction.samples import NUMBER, places, texts, whys

ENTITY = f"Content-Type: text/plain\r\n\r\nMy number is {NUMBER}.\r\n".encode()


@pytest.fixture(scope="module")
def holder() -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Kim")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + dt.timedelta(days=9))
    return key, made.sign(key, hashes.SHA256())


def through_mail(octets: bytes, name: str = "smime.p7m") -> list[bytes]:
    """What was handed back to be read as a message."""
    handed: list[bytes] = []

    def mail(octets: bytes, depth: int, place: str) -> Iterator[Chunk | Unreadable]:
        handed.append(octets)
        yield Chunk("read", place)

    list(extract_document(Document(octets, "", name, "x"), Budget(), 0, mail=mail))
    return handed


@pytest.mark.parametrize("encoding", [serialization.Encoding.DER, serialization.Encoding.PEM], ids=["der", "pem"])
def test_opaque_signed_mail_is_read_inside(
    holder: tuple[rsa.RSAPrivateKey, x509.Certificate], encoding: serialization.Encoding
) -> None:
    key, certificate = holder
    builder = pkcs7.PKCS7SignatureBuilder().set_data(ENTITY).add_signer(certificate, key, hashes.SHA256())
    assert through_mail(builder.sign(encoding, [pkcs7.PKCS7Options.Binary])) == [ENTITY]


def test_a_detached_signature_and_certificates_hold_nothing(
    holder: tuple[rsa.RSAPrivateKey, x509.Certificate],
) -> None:
    key, certificate = holder
    builder = pkcs7.PKCS7SignatureBuilder().set_data(ENTITY).add_signer(certificate, key, hashes.SHA256())
    detached = builder.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature])
    assert whys(detached, "smime.p7s") == set()
    assert whys(pkcs7.serialize_certificates([certificate], serialization.Encoding.DER), "a.p7c") == set()


def test_enveloped_mail_is_encrypted(holder: tuple[rsa.RSAPrivateKey, x509.Certificate]) -> None:
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(ENTITY).add_recipient(holder[1])
    assert whys(builder.encrypt(serialization.Encoding.DER, []), "smime.p7m") == {Unread.ENCRYPTED}


def _ber(tag: int, *parts: bytes) -> bytes:
    """A value of indefinite length (X.690 section 8.1.3.6)."""
    return bytes([tag, 0x80]) + b"".join(parts) + b"\x00\x00"


def _der(tag: int, body: bytes) -> bytes:
    size = len(body)
    return bytes([tag]) + (bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big")) + body


def _signed_in_pieces(content: bytes) -> bytes:
    data = bytes.fromhex("06092a864886f70d010701")
    pieces = _ber(0x24, *(_der(0x04, content[at : at + 10]) for at in range(0, len(content), 10)))
    signed = _ber(0x30, _der(0x02, b"\x01"), _der(0x31, b""), _ber(0x30, data, _ber(0xA0, pieces)), _der(0x31, b""))
    return _ber(0x30, bytes.fromhex("06092a864886f70d010702"), _ber(0xA0, signed))


def test_content_in_pieces_of_indefinite_length_is_joined() -> None:
    assert through_mail(_signed_in_pieces(ENTITY)) == [ENTITY]


def test_signed_content_that_is_no_mail_is_read_as_what_it_is() -> None:
    assert NUMBER in texts(_signed_in_pieces(f"Just text {NUMBER}".encode()))


def test_compressed_mail_is_unpacked() -> None:
    data = bytes.fromhex("06092a864886f70d010701")
    inner = _ber(0x30, data, _ber(0xA0, _der(0x04, zlib.compress(ENTITY))))
    octets = _ber(0x30, bytes.fromhex("060b2a864886f70d0109100109"), _ber(0xA0, _ber(0x30, _der(0x02, b"\0"), inner)))
    assert through_mail(octets) == [ENTITY]


def _packet(tag: int, body: bytes) -> bytes:
    return bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4, "big") + body


def _literal(content: bytes, name: bytes = b"a.txt") -> bytes:
    return _packet(11, b"b" + bytes([len(name)]) + name + bytes(4) + content)


SAID = f"My number is {NUMBER}.".encode()


def _deflated(octets: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(octets) + packer.flush()


@pytest.mark.parametrize(
    "octets",
    [
        _literal(SAID),
        _packet(8, b"\x00" + _literal(SAID)),
        _packet(8, b"\x01" + _deflated(_literal(SAID))),
        _packet(8, b"\x02" + zlib.compress(_literal(SAID))),
        _packet(8, b"\x03" + bz2.compress(_literal(SAID))),
        bytes([0x80 | 11 << 2 | 1]) + (len(_literal(SAID)) - 6).to_bytes(2, "big") + _literal(SAID)[6:],
    ],
    ids=["plain", "kept", "deflate", "zlib", "bzip2", "old packet"],
)
def test_literal_openpgp_data_is_read(octets: bytes) -> None:
    assert NUMBER in texts(octets, "a.pgp")
    assert whys(octets, "a.pgp") == set()


def test_openpgp_data_in_parts_is_joined() -> None:
    body = _literal(SAID * 60)[6:]
    octets = (
        bytes([0xC0 | 11, 0xE0 | 9]) + body[:512] + bytes([0xFF]) + (len(body) - 512).to_bytes(4, "big") + body[512:]
    )
    assert NUMBER in texts(octets, "a.pgp")


def _armoured(kind: str, octets: bytes) -> bytes:
    body = base64.encodebytes(octets).decode()
    return f"-----BEGIN PGP {kind}-----\nComment: c\n\n{body}=AAAA\n-----END PGP {kind}-----\n".encode()


def test_armour_is_undone_and_the_text_round_it_is_read() -> None:
    octets = b"before 111-15-0001\n" + _armoured("MESSAGE", _literal(SAID)) + b"after 222-15-0002\n"
    found = texts(octets)
    for words in (NUMBER, "before 111-15-0001", "after 222-15-0002"):
        assert words in found


@pytest.mark.parametrize("tag", [1, 3, 9, 18, 20])
def test_encrypted_openpgp_data_is_told(tag: int) -> None:
    body = bytes([{1: 3, 3: 4, 9: 0, 18: 1, 20: 1}[tag]]) + bytes(40)
    assert whys(_packet(tag, body), "a.pgp") == {Unread.ENCRYPTED}
    assert whys(_armoured("MESSAGE", _packet(tag, body))) == {Unread.ENCRYPTED}


def test_keys_and_signatures_are_clean() -> None:
    key = _packet(6, b"\x04" + bytes(50)) + _packet(13, b"Kim <kim@b.example>") + _packet(2, b"\x04" + bytes(60))
    assert whys(_armoured("PUBLIC KEY BLOCK", key)) == set()
    assert "Kim <kim@b.example>" in texts(_armoured("PUBLIC KEY BLOCK", key))
    assert whys(_packet(2, b"\x04" + bytes(60)), "a.sig") == set()


def test_a_signed_text_is_read_as_text() -> None:
    signature = base64.b64encode(_packet(2, b"\x04" + bytes(60))).decode()
    octets = (
        f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nMy number is {NUMBER}.\n"
        f"-----BEGIN PGP SIGNATURE-----\n\n{signature}\n-----END PGP SIGNATURE-----\n"
    ).encode()
    assert "attachment 1" in places(octets)
    assert whys(octets) == set()


def test_armour_without_end_is_told() -> None:
    assert whys(b"-----BEGIN PGP MESSAGE-----\n\nAAAA\n") == {Unread.CORRUPT}


def test_many_beginnings_of_armour_cost_no_more_than_their_length() -> None:
    octets = b"-----BEGIN PGP MESSAGE-----\n" * 20_000
    assert texts(octets, form=Form.TEXT)
