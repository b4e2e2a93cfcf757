"""A signature that mail tools would not believe is refused before anything is signed."""

from __future__ import annotations

import email
import email.policy
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.domain.address import parse_address
from gateway.domain.errors import ConfigError
from gateway.parcels.smime_signing import load_mail_signer, sign_mail
from tests.signing import DAY, NOW, Card, card

SENDER = parse_address("notices@gateway.example")
MAIL = (
    b"From: <notices@gateway.example>\r\nSubject: A message\r\n waits\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/alternative;\r\n boundary="=_notice"\r\nContent-Language: en\r\n\r\n'
    b"--=_notice\r\n\r\nWords\r\n--=_notice--\r\n"
)


def files(folder: Path, sign: Card, key: object | None = None) -> tuple[Path, Path]:
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(sign.certificate.public_bytes(Encoding.PEM))
    private.write_bytes((key or sign.key).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))  # type: ignore[union-attr]
    return certificate, private


def test_the_content_is_signed_as_it_is_and_the_head_stays_as_it_was(tmp_path: Path) -> None:
    signer = load_mail_signer(*files(tmp_path, card("Notices", str(SENDER))), SENDER, NOW)
    signed = sign_mail(MAIL, signer)
    assert signed.isascii()
    assert b"\n" not in signed.replace(b"\r\n", b"")
    mail = email.message_from_bytes(signed, policy=email.policy.default)
    assert [part.get_content_type() for part in mail.iter_parts()] == [
        "multipart/alternative", "application/pkcs7-signature"
    ]  # fmt: skip
    assert mail["Subject"] == "A message waits"
    assert mail.get_all("Content-Type") == [str(mail["Content-Type"])]
    assert mail["Content-Type"].params["micalg"] == "sha-256"
    assert b"Content-Language: en\r\n\r\n--=_notice\r\n\r\nWords\r\n--=_notice--\r\n\r\n--=_signed" in signed


@pytest.mark.parametrize(
    ("sign", "key", "said"),
    [
        (card("Else", "else@gateway.example"), None, "is not for notices@gateway.example"),
        (card("Notices", str(SENDER), valid=(NOW - 2 * DAY, NOW - DAY)), None, "is in force until 2026-11-01"),
        (card("Notices", str(SENDER), valid=(NOW + DAY, NOW + 2 * DAY)), None, "Get a new one"),
        (card("Notices", str(SENDER)), ec.generate_private_key(ec.SECP256R1()), "does not belong"),
        (card("Notices", str(SENDER)), ed25519.Ed25519PrivateKey.generate(), "no RSA and no elliptic curve key"),
        (card("Notices", str(SENDER)), rsa.generate_private_key(65537, 1024), "has 1024 bits"),
    ],
)
def test_what_mail_tools_would_not_believe_is_refused(tmp_path: Path, sign: Card, key: object, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_mail_signer(*files(tmp_path, sign, key), SENDER, NOW)
    assert said in caught.value.advice


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    certificate, key = files(tmp_path, card("Notices", str(SENDER)))
    with pytest.raises(ConfigError, match="cannot be read"):
        load_mail_signer(tmp_path / "none", key, SENDER, NOW)
    key.write_text("nothing")
    with pytest.raises(ConfigError, match="no PEM file"):
        load_mail_signer(certificate, key, SENDER, NOW)


def test_an_address_is_found_whatever_its_case(tmp_path: Path) -> None:
    paths = files(tmp_path, card("Notices", "Notices@Gateway.EXAMPLE"))
    assert load_mail_signer(*paths, SENDER, NOW).chain == ()
