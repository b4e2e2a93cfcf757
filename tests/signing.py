"""People with certificates, and mail that they sign: made anew in each test, kept nowhere.

`smime` writes CMS by hand, so that a test can make every field wrong; that an independent program agrees with the right
ones is shown in tests/peers/test_signatures.py.
"""

from __future__ import annotations

import datetime as dt
from base64 import encodebytes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = dt.datetime(2026, 11, 2, 15, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
INES = "ines@agency.example"

DATA, SIGNED_DATA = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.2"
CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME = (f"1.2.840.113549.1.9.{number}" for number in (3, 4, 5))
DIGESTS = {256: "2.16.840.1.101.3.4.2.1", 384: "2.16.840.1.101.3.4.2.2", 512: "2.16.840.1.101.3.4.2.3"}
HASHES = {256: hashes.SHA256(), 384: hashes.SHA384(), 512: hashes.SHA512()}
MD5, SHA1 = "1.2.840.113549.2.5", "1.3.14.3.2.26"


# ---- DER


def der(tag: int, *pieces: bytes) -> bytes:
    """One element."""
    content = b"".join(pieces)
    if len(content) < 128:
        return bytes([tag, len(content)]) + content
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + content


def indefinite(tag: int, *pieces: bytes) -> bytes:
    """One constructed element of indefinite length, as BER has it."""
    return bytes([tag, 0x80]) + b"".join(pieces) + b"\0\0"


def oid(dotted: str) -> bytes:
    first, second, *rest = (int(number) for number in dotted.split("."))
    octets = bytearray([first * 40 + second])
    for number in rest:
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(0x80 | number & 0x7F)
        octets += bytes(reversed(groups))
    return der(0x06, bytes(octets))


def seq(*pieces: bytes) -> bytes:
    return der(0x30, *pieces)


def integer(number: int) -> bytes:
    return der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


# ---- people


@dataclass(frozen=True)
class Card:
    """A key and its certificate."""

    key: Any
    certificate: x509.Certificate

    @property
    def octets(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


def card(
    name: str = "Ines Adler",
    address: str | None = INES,
    *,
    issuer: Card | None = None,
    key: Any = None,
    ca: bool = False,
    path_length: int | None = None,
    uses: Sequence[x509.ObjectIdentifier] | None = (ExtendedKeyUsageOID.EMAIL_PROTECTION,),
    valid: tuple[dt.datetime, dt.datetime] = (NOW - DAY, NOW + DAY),
    extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> Card:
    """A certificate for a person, or for an authority when `ca`. Without an issuer it signs itself."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    above = issuer or Card(key, None)  # type: ignore[arg-type]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
        .add_extension(x509.BasicConstraints(ca, path_length if ca else None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above.key.public_key()), critical=False)
    )
    if address and not ca:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.RFC822Name(address)]), critical=False)
    if uses is not None and not ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical=critical)
    chosen = None if isinstance(above.key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return Card(key, builder.sign(above.key, chosen))


# ---- CMS


def attribute(kind: str, *values: bytes) -> bytes:
    return seq(oid(kind), der(0x31, *values))


def attributes(content: bytes, bits: int = 256) -> list[bytes]:
    digest = hashes.Hash(HASHES[bits])
    digest.update(content)
    return [attribute(CONTENT_TYPE, oid(DATA)), attribute(MESSAGE_DIGEST, der(0x04, digest.finalize()))]


def algorithm(key: Any, bits: int, *, pss: bool = False) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return seq(oid("1.3.101.112"))
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return seq(oid(f"1.2.840.10045.4.3.{ {256: 2, 384: 3, 512: 4}[bits] }"))
    if not pss:
        return seq(oid("1.2.840.113549.1.1.1"), der(0x05))
    digest = seq(oid(DIGESTS[bits]), der(0x05))
    mask = seq(oid("1.2.840.113549.1.1.8"), digest)
    salt = integer(bits // 8)
    return seq(oid("1.2.840.113549.1.1.10"), seq(der(0xA0, digest), der(0xA1, mask), der(0xA2, salt)))


def sign(key: Any, octets: bytes, bits: int, *, pss: bool = False) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(octets)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(octets, ec.ECDSA(HASHES[bits]))
    assert isinstance(key, rsa.RSAPrivateKey)
    chosen = padding.PSS(padding.MGF1(HASHES[bits]), bits // 8) if pss else padding.PKCS1v15()
    return key.sign(octets, chosen, HASHES[bits])


def signer(
    who: Card,
    content: bytes,
    *,
    bits: int = 256,
    pss: bool = False,
    attrs: list[bytes] | None = None,
    by_key_id: bool = False,
    digest: str = "",
    signature: bytes | None = None,
) -> bytes:
    """One SignerInfo."""
    signed = b"".join(attributes(content, bits) if attrs is None else attrs)
    if by_key_id:
        identifier = der(0x80, x509.SubjectKeyIdentifier.from_public_key(who.key.public_key()).digest)
    else:
        identifier = seq(who.certificate.issuer.public_bytes(), integer(who.certificate.serial_number))
    return seq(
        integer(3 if by_key_id else 1),
        identifier,
        seq(oid(digest or DIGESTS[bits])),
        der(0xA0, signed) if attrs != [] else b"",
        algorithm(who.key, bits, pss=pss),
        der(0x04, sign(who.key, der(0x31, signed), bits, pss=pss) if signature is None else signature),
    )


def signed_data(
    signers: Sequence[bytes], certificates: Sequence[bytes], content: bytes | None = None, *, kind: str = DATA
) -> bytes:
    """A ContentInfo with SignedData; the content is in it when one is given (as an OCTET STRING unless it is DER)."""
    held = b"" if content is None else der(0xA0, content)
    return seq(
        oid(SIGNED_DATA),
        der(
            0xA0,
            seq(
                integer(1),
                der(0x31, seq(oid(DIGESTS[256]))),
                seq(oid(kind), held),
                der(0xA0, *certificates) if certificates else b"",
                der(0x31, *signers),
            ),
        ),
    )


# ---- mail

ENTITY = b"Content-Type: text/plain; charset=utf-8\r\n\r\nThe figures you asked for.\r\n-- \r\nInes\r\n"


def base64_lines(octets: bytes) -> bytes:
    return encodebytes(octets).replace(b"\n", b"\r\n")


def header(author: str = f'"Ines Adler" <{INES}>', subject: str = "Signed") -> bytes:
    return (
        f"From: {author}\r\nTo: case@gateway.example\r\nSubject: {subject}\r\n"
        "Date: Mon, 02 Nov 2026 10:00:00 -0500\r\nMIME-Version: 1.0\r\n"
    ).encode()


def detached(signature: bytes, entity: bytes = ENTITY, *, more: bytes = b"") -> bytes:
    """A multipart/signed entity with S/MIME; `more` stands between content and signature."""
    return (
        b'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary="=_s"\r\n\r\n'
        b"--=_s\r\n" + entity + b"\r\n" + more + b"--=_s\r\n"
        b"Content-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64_lines(signature)
        + b"--=_s--\r\n"
    )


def opaque(octets: bytes) -> bytes:
    """An application/pkcs7-mime entity."""
    return (
        b"Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\n"
        b"Content-Disposition: attachment; filename=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64_lines(octets)
    )


def openpgp(signature: bytes, entity: bytes = ENTITY) -> bytes:
    """A multipart/signed entity with an armoured OpenPGP signature (RFC 3156)."""
    return (
        b'Content-Type: multipart/signed; protocol="application/pgp-signature"; boundary="=_p"\r\n\r\n'
        b"--=_p\r\n" + entity + b"\r\n--=_p\r\n"
        b"Content-Type: application/pgp-signature; name=signature.asc\r\n\r\n"
        + signature.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        + b"--=_p--\r\n"
    )
