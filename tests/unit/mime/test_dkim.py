"""Signatures of domains: what dkimpy and our own signer have signed, and all that makes one bad."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gateway.domain.authentication import Result
from gateway.mime.canonical import Field, canonical_body, canonical_field, fields_of
from gateway.mime.dkim import MOST_SETS, MOST_SIGNATURES, Answer, arc_proof, dkim_proofs, read_signed
from gateway.outbound.dkim import Canonical, Signer

NOW = int(datetime(2026, 1, 5, tzinfo=UTC).timestamp())
RSA = rsa.generate_private_key(65537, 2048)
ED25519 = ed25519.Ed25519PrivateKey.generate()
SIGNER = Signer("tours.example", "one", RSA)
PEM = RSA.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
SEED = base64.b64encode(ED25519.private_bytes_raw())
MAIL = (
    b"Received: from a by b; Mon, 5 Jan 2026 10:00:00 +0000\r\n"
    b"From: Ines <ines@tours.example>\r\nTo: office@secure.example.gov\r\nSubject: The \r\n concert\r\n"
    b"Date: Mon, 5 Jan 2026 10:00:00 +0000\r\n\r\nWe begin  at seven. \r\n\r\nInes\r\n\r\n"
)
CANONICAL = Canonical.of(MAIL)
RECORD = SIGNER.record[1].encode()
ED25519_RECORD = Signer("tours.example", "one", ED25519).record[1].encode()
NAME = b"one._domainkey.tours.example"


def signed(mail: bytes = MAIL, **more: Any) -> bytes:
    chosen = {"canonicalize": (b"relaxed", b"relaxed"), "include_headers": [b"from", b"to", b"subject"], **more}
    return dkim.sign(mail, b"one", b"tours.example", PEM, **chosen) + mail


def results(mail: bytes, record: Answer = RECORD, now: int = NOW) -> list[Result]:
    read = read_signed(mail)
    proofs = dkim_proofs(read, dict.fromkeys(read.key_names, record), now)
    assert all(one.of("header.d") == "tours.example" for one in proofs if one.result is Result.PASS)
    return [one.result for one in proofs]


@pytest.mark.parametrize("head", [b"simple", b"relaxed"])
@pytest.mark.parametrize("body", [b"simple", b"relaxed"])
def test_what_dkimpy_signs_is_good(head: bytes, body: bytes) -> None:
    assert results(signed(canonicalize=(head, body))) == [Result.PASS]


def test_what_our_own_signer_signs_is_good() -> None:
    mail = SIGNER.field(CANONICAL, datetime.now(UTC)) + MAIL
    assert results(mail) == [Result.PASS]
    assert results(
        Signer("tours.example", "one", ED25519).field(CANONICAL, datetime.now(UTC)) + MAIL, ED25519_RECORD
    ) == [Result.PASS]


def test_an_ed25519_signature_of_dkimpy_is_good() -> None:
    field = dkim.sign(MAIL, b"one", b"tours.example", SEED, signature_algorithm=b"ed25519-sha256")
    assert results(field + MAIL, ED25519_RECORD) == [Result.PASS]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"at seven", b"at eight"),
        (b"Subject: The", b"Subject: Your"),
        (b"Ines <ines@", b"Eve <ines@"),
        (b"Ines\r\n\r\n", b"Ines\r\nSend money.\r\n"),
        (b"bh=", b"bh=A"),
    ],
)
def test_what_was_changed_is_bad(old: bytes, new: bytes) -> None:
    mail = signed()
    assert old in mail
    assert results(mail.replace(old, new))[0] in {Result.FAIL, Result.PERMERROR}


def test_a_second_author_breaks_what_is_over_signed() -> None:
    assert results(b"From: eve@tours.example\r\n" + SIGNER.field(CANONICAL, datetime.now(UTC)) + MAIL) == [Result.FAIL]


def test_what_covers_a_part_of_the_body_does_not_count() -> None:
    mail = signed(length=True)
    assert b"l=" in mail
    assert results(mail) == [Result.POLICY]
    assert results(mail + b"Send money.\r\n") == [Result.POLICY]


def test_an_expired_signature_is_bad() -> None:
    mail = SIGNER.field(CANONICAL, datetime.now(UTC)).replace(b" t=", f" x={NOW - 1}; t=".encode()) + MAIL
    assert results(mail) == [Result.FAIL]
    assert results(mail, now=NOW - 2) == [Result.FAIL]  # by then not expired, and still not what was signed


@pytest.mark.parametrize(
    ("record", "result"),
    [
        (Result.TEMPERROR, Result.TEMPERROR),
        (Result.PERMERROR, Result.PERMERROR),
        (b"", Result.PERMERROR),
        (b"v=DKIM1; p=", Result.PERMERROR),
        (b"v=DKIM1; k=rsa; p=nonsense", Result.PERMERROR),
        (b"v=DKIM2; " + RECORD.partition(b";")[2], Result.PERMERROR),
        (RECORD + b"; s=chat", Result.PERMERROR),
        (RECORD + b"; s=chat:email", Result.PASS),
        (RECORD + b"; h=sha1", Result.PERMERROR),
        (RECORD + b"; h=sha1:sha256", Result.PASS),
        (RECORD + b"; t=y", Result.NEUTRAL),
        (RECORD + b"; t=s", Result.PASS),
        (RECORD + b"; k=rsa", Result.PERMERROR),  # twice
        pytest.param(ED25519_RECORD, Result.PERMERROR, id="of another algorithm"),
        (RECORD + b"; n=" + b"x" * 3000, Result.PERMERROR),
    ],
)
def test_the_record_of_the_key_decides(record: Answer, result: Result) -> None:
    assert results(signed(), record) == [result]


@pytest.mark.parametrize(("bits", "result"), [(1024, Result.PASS), (512 + 256, Result.POLICY)])
def test_a_short_key_does_not_count(bits: int, result: Result) -> None:
    if bits < 1024:
        number = base64.b64encode(_der(bits))
        assert results(signed(), b"v=DKIM1; p=" + number) == [result]
        return
    key = rsa.generate_private_key(65537, bits)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    field = dkim.sign(MAIL, b"one", b"tours.example", pem)
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert results(field + MAIL, b"v=DKIM1; p=" + base64.b64encode(der)) == [result]


@pytest.mark.parametrize(
    "tag", [b"v=2", b"a=rsa-sha1", b"d=-", b"s= ", b"c=odd/odd", b"h=to:subject", b"i=@evil.example"]
)
def test_a_field_that_cannot_be_right_is_none(tag: bytes) -> None:
    mail = signed()
    name = tag[:2]
    start = mail.index(b" " + name) + 1
    broken = mail[:start] + tag + mail[mail.index(b";", start) :]
    assert results(broken)[0] is Result.PERMERROR


def test_of_many_signatures_the_first_ones_count() -> None:
    field = SIGNER.field(CANONICAL, datetime.now(UTC))
    assert results(field * 50 + MAIL) == [Result.PASS] * MOST_SIGNATURES


def test_octets_of_any_kind_do_no_harm() -> None:
    for mail in (b"", b"\r\n", b"DKIM-Signature: =\r\n\r\n", b"DKIM-Signature: \xff;;\r\nARC-Seal: i=x\r\n\r\n", MAIL):
        read = read_signed(mail)
        dkim_proofs(read, {}, NOW)
        arc_proof(read, {})


# ---- ARC


def sealed(mail: bytes, times: int = 1) -> bytes:
    """A mail that passed through so many hosts which seal it (RFC 8617 section 5.1), as dkimpy agrees."""
    for number in range(1, times + 1):
        digest = base64.b64encode(hashlib.sha256(b"".join(canonical_body(body_of(mail), relaxed=True))).digest())
        results = b"ARC-Authentication-Results: i=%d; tours.example; spf=pass" % number
        message = b"ARC-Message-Signature: i=%d; a=rsa-sha256; c=relaxed/relaxed; d=tours.example; s=one;" % number
        message += b" h=from:subject; bh=%s; b=" % digest
        over = [one for name in ("from", "subject") for one in fields_of(mail) if one.name == name]
        message += signature_over([*over, *fields_of(message)])
        status = b"none" if number == 1 else b"pass"
        seal = b"ARC-Seal: i=%d; a=rsa-sha256; cv=%s; d=tours.example; s=one; b=" % (number, status)
        before = fields_of(mail[: mail.index(b"\r\n\r\n")])
        sets = [one for one in before if one.name.startswith("arc-")]
        in_order = [field for start in range(len(sets) - 3, -1, -3) for field in reversed(sets[start : start + 3])]
        seal += signature_over([*in_order, *fields_of(results), *fields_of(message), *fields_of(seal)])
        mail = b"\r\n".join((seal, message, results, mail))
    status, _, reason = dkim.arc_verify(mail, dnsfunc=lambda name, timeout=5: RECORD)
    assert status == dkim.CV_Pass, reason
    return mail


def body_of(mail: bytes) -> memoryview:
    return memoryview(mail[mail.index(b"\r\n\r\n") + 4 :])


def signature_over(fields: list[Field]) -> bytes:
    octets = b"\r\n".join(canonical_field(one, relaxed=True) for one in fields)
    return base64.b64encode(RSA.sign(octets, PKCS1v15(), SHA256()))


def arc(mail: bytes, record: Answer = RECORD) -> Result | None:
    read = read_signed(mail)
    proof = arc_proof(read, dict.fromkeys(read.key_names, record))
    return None if proof is None else proof.result


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_chain_of_dkimpy_is_good(times: int) -> None:
    assert arc(sealed(MAIL, times)) is Result.PASS


def test_mail_without_a_chain_has_no_result() -> None:
    assert arc(MAIL) is None


def test_a_chain_that_was_changed_is_bad() -> None:
    mail = sealed(MAIL, 2)
    assert arc(mail.replace(b"at seven", b"at eight")) is Result.FAIL
    assert arc(mail.replace(b"spf=pass", b"spf=fail", 1)) is Result.FAIL
    assert arc(mail.replace(b"cv=none", b"cv=pass")) is Result.FAIL
    assert arc(mail[mail.index(b"ARC-Message") :]) is Result.FAIL
    assert arc(mail, Result.TEMPERROR) is Result.TEMPERROR
    assert arc(mail, Result.PERMERROR) is Result.FAIL


def test_a_chain_has_each_set_once_and_not_too_many() -> None:
    mail = sealed(MAIL)
    seal = mail[: mail.index(b"ARC-Message")]
    assert arc(seal + mail) is Result.FAIL
    many = b"".join(
        f"ARC-Seal: i={n}; a=x; b=x; d=x.y; s=x\r\nARC-Message-Signature: i={n}; a=x; b=x; d=x.y; s=x\r\n"
        f"ARC-Authentication-Results: i={n}; x\r\n".encode()
        for n in range(1, MOST_SETS + 2)
    )
    assert arc(many + MAIL) is Result.FAIL


def _der(bits: int) -> bytes:
    """The public key of a modulus that nobody makes keys of any more, as SubjectPublicKeyInfo."""
    key = rsa.RSAPublicNumbers(65537, (1 << bits) - 189 | 1).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
