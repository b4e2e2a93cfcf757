"""Which S/MIME certificates full copies may be encrypted to, and in which words the others are refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.config.copy_keys import MailAuthorities
from gateway.domain.errors import Malformed, Unavailable
from gateway.domain.recipient_key import KeyKind
from gateway.parcels.making import ParcelFailed, Signer, make
from gateway.parcels.site import KeyChecker
from gateway.parcels.smime_key import MailCertificates
from tests.signing import DAY, INES, NOW, Card, card

RSA = rsa.generate_private_key(65537, 2048)
WEAK = rsa.generate_private_key(65537, 1024)
VALID = (NOW - DAY, NOW + 400 * DAY)
ROOT = card("Root", ca=True, valid=VALID)
MIDDLE = card("Middle", ca=True, issuer=ROOT, valid=VALID)
ELSE = card("Elsewhere", ca=True, valid=VALID)


def usage(**uses: bool) -> tuple[x509.KeyUsage, bool]:
    named = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    named += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: uses.get(name, False) for name in named}), True


ENCRYPTS = (usage(key_encipherment=True),)


def mine(**changed: Any) -> Card:
    return card(**{"issuer": MIDDLE, "key": RSA, "valid": VALID, "extra": ENCRYPTS, **changed})


def authorities(folder: Path, *revoked: Card, days: int = 30) -> MailCertificates:
    (folder / "root.pem").write_bytes(ROOT.certificate.public_bytes(Encoding.PEM))
    lists = b""
    for issuer in (ROOT, MIDDLE):
        builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
        builder = builder.last_update(NOW - DAY).next_update(NOW + days * DAY)
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(NOW - DAY).build())
        lists += builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.PEM)
    (folder / "lists.pem").write_bytes(lists)
    return MailCertificates(MailAuthorities(folder / "root.pem", folder / "lists.pem", ""))


def pem(*cards: Card) -> bytes:
    return b"".join(one.certificate.public_bytes(Encoding.PEM) for one in cards)


async def test_pem_der_and_pkcs7_are_read_and_those_above_are_kept(tmp_path: Path) -> None:
    own = mine()
    chain = [own.certificate, MIDDLE.certificate]
    direct = mine(issuer=ROOT)
    judge = authorities(tmp_path)
    for octets in (
        pem(MIDDLE, own),
        *(pkcs7.serialize_certificates(chain, form) for form in (Encoding.DER, Encoding.PEM)),
    ):
        key = await judge.check(octets, ["else@agency.example", INES], NOW)
        assert (key.kind, key.address, key.expires) == (KeyKind.SMIME, INES, VALID[1])
        assert key.octets == own.octets + MIDDLE.octets
    assert (await judge.check(direct.octets, [INES], NOW)).octets == direct.octets


REFUSED: list[tuple[str, Sequence[Card], str]] = [
    ("another's", [mine(address="bo@agency.example"), MIDDLE], "has your address as an alternative name"),
    ("no address", [mine(address=None), MIDDLE], "has your address as an alternative name"),
    ("two of mine", [mine(), mine(), MIDDLE], "several certificates for your address"),
    ("elliptic curve", [mine(key=ec.generate_private_key(ec.SECP256R1())), MIDDLE], "is no RSA key"),
    ("weak", [mine(key=WEAK), MIDDLE], "has 1024 bits"),
    ("to sign alone", [mine(extra=(usage(digital_signature=True),)), MIDDLE], "not for mail that is encrypted"),
    ("for servers", [mine(uses=(ExtendedKeyUsageOID.SERVER_AUTH,)), MIDDLE], "not for mail that is encrypted"),
    ("middle missing", [mine()], "one above it is missing"),
    ("elsewhere", [mine(issuer=ELSE), ELSE], "not from an authority that is known here"),
    ("expired", [mine(valid=(NOW - 9 * DAY, NOW - DAY)), MIDDLE], "has expired"),
    ("later", [mine(valid=(NOW + DAY, NOW + 9 * DAY)), MIDDLE], "not valid yet"),
    ("tomorrow", [mine(valid=(NOW - DAY, NOW + DAY)), MIDDLE], "which is too soon"),
]


@pytest.mark.parametrize(("cards", "said"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
async def test_a_certificate_of_no_use_is_refused_in_words(tmp_path: Path, cards: Sequence[Card], said: str) -> None:
    with pytest.raises(Malformed) as caught:
        await authorities(tmp_path).check(pem(*cards), [INES], NOW)
    assert said in caught.value.advice


async def test_a_revoked_one_is_refused_and_an_unknown_state_is_never_good(tmp_path: Path) -> None:
    own = mine()
    with pytest.raises(Malformed, match="is revoked"):
        await authorities(tmp_path, own).check(pem(own, MIDDLE), [INES], NOW)
    with pytest.raises(Unavailable, match="cannot be looked up"):
        await authorities(tmp_path).check(pem(own, MIDDLE), [INES], NOW + 31 * DAY)


async def test_a_private_key_and_what_is_no_certificate_are_refused(tmp_path: Path) -> None:
    judge = authorities(tmp_path)
    private = RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(Malformed, match="private key"):
        await judge.check(pem(mine()) + private, [INES], NOW)
    for octets in (b"", b"hello", b"0\x82\x01\x00"):
        with pytest.raises(Malformed, match="can be read in this"):
            await judge.check(octets, [INES], NOW)
    with pytest.raises(Malformed, match="too large"):
        await judge.check(bytes(300_000), [INES], NOW)


async def test_where_certificates_are_off_none_is_taken_and_nothing_is_made_for_one(tmp_path: Path) -> None:
    key = await authorities(tmp_path).check(pem(mine(), MIDDLE), [INES], NOW)
    with pytest.raises(Malformed, match="not taken here"):
        await KeyChecker().check(pem(mine(), MIDDLE), [INES], NOW)
    with pytest.raises(ParcelFailed):
        make(key, b"Content-Type: text/plain\r\n\r\nx\r\n", Signer(offers_smime=False), now=NOW)
    assert make(key, b"Content-Type: text/plain\r\n\r\nx\r\n", None, now=NOW + dt.timedelta(hours=1))


async def test_a_certificate_that_was_taken_is_looked_up_again(tmp_path: Path) -> None:
    own = mine()
    key = await authorities(tmp_path).check(pem(own, MIDDLE), [INES], NOW)
    judge = KeyChecker(authorities(tmp_path))
    assert not await judge.is_revoked(key, NOW + DAY)
    with pytest.raises(Unavailable):
        await judge.is_revoked(key, NOW + 40 * DAY)  # the lists are of no use by then
    assert await KeyChecker(authorities(tmp_path, own)).is_revoked(key, NOW)
    (tmp_path / "root.pem").write_bytes(ELSE.certificate.public_bytes(Encoding.PEM))
    elsewhere = MailCertificates(MailAuthorities(tmp_path / "root.pem", tmp_path / "lists.pem", ""))
    for nobody in (KeyChecker(elsewhere), KeyChecker()):
        with pytest.raises(Unavailable):
            await nobody.is_revoked(key, NOW)
