"""Notifications that are signed by S/MIME, judged by programs that have nothing of ours: OpenSSL and dkimpy."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import shutil
import subprocess
from base64 import b64encode
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gateway.domain.address import parse_address
from gateway.domain.notice import Notice, NoticeKind
from gateway.domain.reference import Reference
from gateway.outbound.dkim import Signer, sign
from gateway.outbound.notification import Draft, Renderer
from gateway.outbound.templates import Templates
from gateway.parcels.smime_signing import load_mail_signer, sign_mail
from gateway.programmes import load_programme
from gateway.resources import programmes_folder, templates_folder
from tests.signing import DAY, card

OPENSSL = shutil.which("openssl")
NOW = dt.datetime.now(dt.UTC)
VALID = (NOW - DAY, NOW + DAY)
TEMPLATES = Templates(templates_folder() / "notifications", frozenset({"en", "es"}))
PROGRAMME = load_programme(programmes_folder() / "cwa")
SENDER = parse_address("notices@gateway.example")

if OPENSSL is None:
    pytest.skip("needs OpenSSL: make peers", allow_module_level=True)


def rendered(kind: NoticeKind, language: str) -> bytes:
    notice = Notice(kind, language, Reference("SM", "7K2Q", "9F4T"), "https://gateway.example/", NOW, "production")
    return Renderer(TEMPLATES, SENDER).render(Draft(notice, parse_address("ann@agent.example"), "0" * 32), PROGRAMME)


def verified(folder: Path, mail: bytes) -> subprocess.CompletedProcess[bytes]:
    (folder / "mail.eml").write_bytes(mail)
    command = [str(OPENSSL), "cms", "-verify", "-in", "mail.eml", "-CAfile", "root.pem", "-purpose", "smimesign"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False)


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)])
def test_openssl_verifies_what_is_signed_and_dkim_stands_over_it(tmp_path: Path, key: object) -> None:
    root = card("Root", ca=True, valid=VALID)
    middle = card("Middle", ca=True, issuer=root, valid=VALID)
    own = card("Notices", str(SENDER), issuer=middle, key=key, valid=VALID)
    (tmp_path / "root.pem").write_bytes(root.certificate.public_bytes(Encoding.PEM))
    pem = b"".join(one.certificate.public_bytes(Encoding.PEM) for one in (own, middle))
    (tmp_path / "own.pem").write_bytes(pem)
    (tmp_path / "key.pem").write_bytes(own.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    signer = load_mail_signer(tmp_path / "own.pem", tmp_path / "key.pem", SENDER, NOW)
    dkim_key = rsa.generate_private_key(65537, 2048)
    public = dkim_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for kind in NoticeKind:
        for language in ("en", "es"):
            plain = rendered(kind, language)
            mail = sign(sign_mail(plain, signer), (Signer("gateway.example", "r1", dkim_key),), NOW)
            done = verified(tmp_path, mail)
            assert done.returncode == 0, done.stderr
            # What OpenSSL gives back is what was signed: the content of the plain notification, whole.
            assert plain.endswith(done.stdout.partition(b"\r\n\r\n")[2])
            record = b"v=DKIM1; k=rsa; p=" + b64encode(public)
            assert dkim.verify(mail, dnsfunc=lambda _name, timeout=5, record=record: record)


def test_a_changed_word_is_found(tmp_path: Path) -> None:
    own = card("Notices", str(SENDER), valid=VALID)
    for name, octets in (
        ("root.pem", own.certificate.public_bytes(Encoding.PEM)),
        ("key.pem", own.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())),
    ):
        (tmp_path / name).write_bytes(octets)
    signer = load_mail_signer(tmp_path / "root.pem", tmp_path / "key.pem", SENDER, NOW)
    mail = sign_mail(rendered(NoticeKind.MESSAGE_WAITING, "en"), signer)
    assert verified(tmp_path, mail).returncode == 0, verified(tmp_path, mail).stderr
    assert verified(tmp_path, mail.replace(b"is waiting for you. You", b"was taken back. You", 1)).returncode != 0


def test_what_is_signed_reads_the_same_where_nobody_checks_it(tmp_path: Path) -> None:
    own = card("Notices", str(SENDER), valid=VALID)
    (tmp_path / "own.pem").write_bytes(own.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "key.pem").write_bytes(own.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    plain = rendered(NoticeKind.REMINDER, "es")
    signed = sign_mail(plain, load_mail_signer(tmp_path / "own.pem", tmp_path / "key.pem", SENDER, NOW))
    before, after = (email.message_from_bytes(mail, policy=email.policy.default) for mail in (plain, signed))
    for subtype in ("plain", "html"):
        assert after.get_body((subtype,)).get_content() == before.get_body((subtype,)).get_content()
    for name in ("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress"):
        assert after[name] == before[name]
