"""Signed content in CMS (RFC 5652 section 5) as S/MIME uses it (RFC 8551): what it holds, and whether it is as signed.

`read_signed_data` finds content, certificates and signers; `read_signer` reads one of them; `is_as_signed` does the
arithmetic. Who the signer is and whether anybody here knows them is told by `certificates`.

Strict where a lax reading has let forgeries through: signed attributes must be there, each kind once and with one
value, the content type is data, the digest in the attributes and the one in the signature algorithm are the same,
nothing below SHA-256, no RSA key below 2048 bits. What is not so is malformed or of an unknown algorithm, never good.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509 import Certificate

from gateway.mime.ber import INTEGER, OBJECT, OCTET_STRING, SEQUENCE, SET, Element, NotBer, Reader

MAX_SIGNERS = 4
MAX_CERTIFICATES = 30
MAX_CERTIFICATE_OCTETS = 64 * 1024
_FIELD_0, _FIELD_1, _FIELD_2, _FIELD_3 = 0xA0, 0xA1, 0xA2, 0xA3
_KEY_ID = 0x80  # [0] IMPLICIT SubjectKeyIdentifier

_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_DATA = bytes.fromhex("2a864886f70d010701")
_CONTENT_TYPE = bytes.fromhex("2a864886f70d010903")
_MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")
_MGF1 = bytes.fromhex("2a864886f70d010108")
_DIGESTS = {bytes.fromhex(f"60864801650304020{number}"): bits for number, bits in ((1, 256), (2, 384), (3, 512))}
_RSA = {
    bytes.fromhex("2a864886f70d010101"): 0,  # the digest is the signer's
    bytes.fromhex("2a864886f70d01010b"): 256,
    bytes.fromhex("2a864886f70d01010c"): 384,
    bytes.fromhex("2a864886f70d01010d"): 512,
}
_RSA_PSS = bytes.fromhex("2a864886f70d01010a")
_ECDSA = {bytes.fromhex(f"2a8648ce3d04030{number}"): bits for number, bits in ((2, 256), (3, 384), (4, 512))}
_ED25519 = bytes.fromhex("2b6570")
_HASHES: dict[int, hashes.HashAlgorithm] = {256: hashes.SHA256(), 384: hashes.SHA384(), 512: hashes.SHA512()}
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_RSA_BITS = range(2048, 8193)
_MAX_SALT = 8192 // 8


class UnknownAlgorithm(ValueError):
    """A digest, a signature algorithm or a key that is not taken here: too weak, too new, or odd."""


@dataclass(frozen=True, slots=True)
class SignedData:
    """One SignedData. `content`: where its octets lie, as (start, end); None when it is detached."""

    reader: Reader
    content: tuple[tuple[int, int], ...] | None
    certificates: tuple[bytes, ...]
    signers: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class SignerInfo:
    """One signer. The certificate is named by issuer (a DER name) and serial number, or by `key_id`.

    `digest_bits` is the SHA-2 over content and attributes; `family` is rsa, pss, ecdsa or ed25519; `salt` is of pss.
    """

    issuer: bytes
    serial: bytes
    key_id: bytes
    digest_bits: int
    family: str
    salt: int
    attributes: bytes
    message_digest: bytes
    signature: bytes


def read_signed_data(octets: bytes | bytearray) -> SignedData:
    """Read a ContentInfo that holds SignedData. Raises NotBer when it is none."""
    reader = Reader(octets)
    kind, wrapped = _several(reader.list(reader.whole(), SEQUENCE), 2)
    if kind.tag != OBJECT or reader.content(kind) != _SIGNED_DATA:
        raise NotBer("not signed data")
    (signed,) = _several(reader.list(wrapped, _FIELD_0), 1)
    version, _digests, encapsulated, *rest = _several(reader.list(signed, SEQUENCE), 4, most=6)
    if version.tag != INTEGER or rest[-1].tag != SET:
        raise NotBer("not signed data")
    between = {each.tag: each for each in rest[:-1]}
    certificates = between.pop(_FIELD_0, None)
    between.pop(_FIELD_1, None)  # revocation lists
    if between:
        raise NotBer("fields that signed data does not have")
    return SignedData(
        reader=reader,
        content=_content(reader, encapsulated),
        certificates=() if certificates is None else _certificates(reader, certificates),
        signers=tuple(reader.children(rest[-1])),
    )


def read_signer(data: SignedData, element: Element) -> SignerInfo:
    """Read one SignerInfo (RFC 5652 section 5.3). Raises NotBer, UnknownAlgorithm."""
    reader = data.reader
    _version, identifier, digest, *rest = _several(reader.list(element, SEQUENCE), 5, most=7)
    attributes, algorithm, signature = _several(rest[:3], 3)
    if attributes.tag != _FIELD_0 or signature.tag != OCTET_STRING or any(each.tag != _FIELD_1 for each in rest[3:]):
        raise NotBer("a signer without signed attributes, or with odd fields")
    bits = _DIGESTS.get(_algorithm(reader, digest)[0], 0)
    if not bits:
        raise UnknownAlgorithm("a digest that is not taken here")
    family, salt = _family(reader, algorithm, bits)
    issuer, serial, key_id = _identifier(reader, identifier)
    return SignerInfo(
        issuer=issuer,
        serial=serial,
        key_id=key_id,
        digest_bits=bits,
        family=family,
        salt=salt,
        # Section 5.4: what is signed has the tag of a SET in place of the field's own.
        attributes=bytes([SET]) + reader.raw(attributes)[1:],
        message_digest=_message_digest(reader, attributes),
        signature=reader.content(signature),
    )


def digest_of(signer: SignerInfo) -> hashes.Hash:
    """A digest that waits for the content."""
    return hashes.Hash(_HASHES[signer.digest_bits])


def is_as_signed(signer: SignerInfo, certificate: Certificate, digest: bytes) -> bool:
    """Tell whether the content with this digest is what the certificate's key signed. Raises UnknownAlgorithm."""
    if digest != signer.message_digest:
        return False
    try:
        key = certificate.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UnknownAlgorithm("a key that is not taken here") from None
    chosen = _HASHES[signer.digest_bits]
    try:
        if isinstance(key, rsa.RSAPublicKey) and signer.family == "rsa" and key.key_size in _RSA_BITS:
            key.verify(signer.signature, signer.attributes, padding.PKCS1v15(), chosen)
        elif isinstance(key, rsa.RSAPublicKey) and signer.family == "pss" and key.key_size in _RSA_BITS:
            key.verify(signer.signature, signer.attributes, padding.PSS(padding.MGF1(chosen), signer.salt), chosen)
        elif isinstance(key, ec.EllipticCurvePublicKey) and signer.family == "ecdsa" and isinstance(key.curve, _CURVES):
            key.verify(signer.signature, signer.attributes, ec.ECDSA(chosen))
        elif isinstance(key, ed25519.Ed25519PublicKey) and signer.family == "ed25519":
            key.verify(signer.signature, signer.attributes)
        else:
            raise UnknownAlgorithm("a key that is not taken here, or not of the signature's kind")
    except InvalidSignature:
        return False
    return True


def issuer_and_serial(certificate: bytes) -> tuple[bytes, bytes]:
    """The issuer's name and the serial number of a certificate in DER, as octets. Raises NotBer."""
    reader = Reader(certificate)
    to_be_signed, _algorithm, _signature = _several(reader.list(reader.whole(), SEQUENCE), 3)
    fields = reader.list(to_be_signed, SEQUENCE)
    if fields and fields[0].tag == _FIELD_0:
        del fields[0]
    serial, _, issuer, *_ = _several(fields, 6, most=12)
    return reader.raw(issuer), reader.content(serial)


def _several(elements: list[Element], count: int, *, most: int = 0) -> list[Element]:
    """The elements, if there are as many as there must be."""
    if not count <= len(elements) <= (most or count):
        raise NotBer("too few elements, or too many")
    return elements


def _content(reader: Reader, encapsulated: Element) -> tuple[tuple[int, int], ...] | None:
    kind, *content = _several(reader.list(encapsulated, SEQUENCE), 1, most=2)
    if kind.tag != OBJECT or reader.content(kind) != _DATA:
        raise NotBer("signed content that is no data")
    if not content:
        return None
    (octets,) = _several(reader.list(content[0], _FIELD_0), 1)
    return reader.spans(octets)


def _certificates(reader: Reader, field: Element) -> tuple[bytes, ...]:
    """Plain certificates; other kinds are passed over (RFC 5652 section 10.2.2)."""
    found = [each for each in reader.children(field) if each.tag == SEQUENCE]
    if len(found) > MAX_CERTIFICATES or any(each.end - each.start > MAX_CERTIFICATE_OCTETS for each in found):
        raise NotBer("more certificates, or larger ones, than anybody needs")
    return tuple(reader.raw(each) for each in found)


def _algorithm(reader: Reader, element: Element) -> tuple[bytes, Element | None]:
    """The identifier and the parameters of an AlgorithmIdentifier."""
    identifier, *parameters = _several(reader.list(element, SEQUENCE), 1, most=2)
    if identifier.tag != OBJECT:
        raise NotBer("an algorithm without a name")
    return reader.content(identifier), parameters[0] if parameters else None


def _family(reader: Reader, element: Element, bits: int) -> tuple[str, int]:
    """The kind of a signature algorithm whose digest is the signer's, and the length of its salt."""
    name, parameters = _algorithm(reader, element)
    if name in _RSA and _RSA[name] in (0, bits):
        return "rsa", 0
    if _ECDSA.get(name) == bits:
        return "ecdsa", 0
    if name == _ED25519:
        return "ed25519", 0
    if name == _RSA_PSS and parameters is not None:
        return "pss", _salt(reader, parameters, bits)
    raise UnknownAlgorithm("a signature algorithm that is not taken here, or not with this digest")


def _salt(reader: Reader, parameters: Element, bits: int) -> int:
    """The length of the salt (RFC 4055 section 3.1). A default would be SHA-1, so digest and mask must be named."""
    fields = {each.tag: reader.list(each, each.tag) for each in reader.list(parameters, SEQUENCE)}
    if not {_FIELD_0, _FIELD_1, _FIELD_2} <= fields.keys() <= {_FIELD_0, _FIELD_1, _FIELD_2, _FIELD_3}:
        raise UnknownAlgorithm("RSA-PSS with defaults")
    (digest,), (mask,), (salt,) = (_several(fields[tag], 1) for tag in (_FIELD_0, _FIELD_1, _FIELD_2))
    mask_name, mask_digest = _algorithm(reader, mask)
    if mask_name != _MGF1 or mask_digest is None or salt.tag != INTEGER:
        raise UnknownAlgorithm("RSA-PSS with another mask")
    named = {_DIGESTS.get(_algorithm(reader, each)[0], 0) for each in (digest, mask_digest)}
    length = int.from_bytes(reader.content(salt)[:4], "big")
    if named != {bits} or length > _MAX_SALT:
        raise UnknownAlgorithm("RSA-PSS with another digest or salt")
    return length


def _identifier(reader: Reader, element: Element) -> tuple[bytes, bytes, bytes]:
    if element.tag == _KEY_ID:
        return b"", b"", reader.content(element)
    issuer, serial = _several(reader.list(element, SEQUENCE), 2)
    if issuer.tag != SEQUENCE or serial.tag != INTEGER:
        raise NotBer("a signer without a name")
    return reader.raw(issuer), reader.content(serial), b""


def _message_digest(reader: Reader, attributes: Element) -> bytes:
    """The digest among the signed attributes (RFC 5652 section 11); the content type beside it must be data."""
    values: dict[bytes, Element] = {}
    for attribute in reader.children(attributes):
        name, held = _several(reader.list(attribute, SEQUENCE), 2)
        kind = reader.content(name)
        if name.tag != OBJECT or kind in values:
            raise NotBer("an attribute that stands twice")
        values[kind] = held
    found: list[Element] = []
    for kind, tag in ((_CONTENT_TYPE, OBJECT), (_MESSAGE_DIGEST, OCTET_STRING)):
        if kind not in values:
            raise NotBer("an attribute is missing")
        found += _several(reader.list(values[kind], SET), 1)
        if found[-1].tag != tag:
            raise NotBer("an attribute of another type")
    if reader.content(found[0]) != _DATA:
        raise NotBer("the attributes tell of another content")
    return reader.content(found[1])
