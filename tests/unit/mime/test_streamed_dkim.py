"""Signatures on a mail that streams by: what comes out is what comes out of the whole."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.domain.authentication import Result
from gateway.mime.dkim import dkim_proofs, read_signed
from gateway.mime.streamed_dkim import StreamedMail
from gateway.outbound.dkim import Signer

NOW = int(datetime(2026, 1, 5, tzinfo=UTC).timestamp())
RSA = rsa.generate_private_key(65537, 2048)
PEM = RSA.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
RECORD = Signer("tours.example", "one", RSA).record[1].encode()
HEAD = b"From: Ines <ines@tours.example>\r\nSubject: The \r\n concert\r\n\r\n"
BODIES = {
    "words": b"We begin  at seven. \r\n\r\nInes\r\n\r\n \r\n",
    "nothing": b"",
    "blank lines": b"\r\n" * 70_000,
    "no end of line": b"We begin",
    "blanks": b"a \t" * 60_000 + b"\r\n",
    "long": b"0123456789abcdef  \r\n" * 30_000,
}


def signed(body: bytes, form: bytes, **more: object) -> bytes:
    kept = {"canonicalize": (form, form), "include_headers": [b"from", b"subject"], **more}
    return bytes(dkim.sign(HEAD + body, b"one", b"tours.example", PEM, **kept)) + HEAD + body


def streamed(mail: bytes, size: int, *, record: bytes = RECORD) -> list[Result]:
    one = StreamedMail()
    for start in range(0, len(mail), size):
        one.feed(mail[start : start + size])
    one.finish()
    return [proof.result for proof in one.proofs(dict.fromkeys(one.key_names, record), NOW)]


@pytest.mark.parametrize("form", [b"simple", b"relaxed"])
@pytest.mark.parametrize("body", BODIES)
def test_a_mail_in_blocks_is_judged_as_the_whole(body: str, form: bytes) -> None:
    mail = signed(BODIES[body], form)
    read = read_signed(mail)
    whole = [one.result for one in dkim_proofs(read, dict.fromkeys(read.key_names, RECORD), NOW)]
    assert whole == [Result.PASS]
    for size in (1 if len(mail) < 1000 else 997, 4096, 65536, len(mail)):
        assert streamed(mail, size) == whole


@pytest.mark.parametrize("form", [b"simple", b"relaxed"])
def test_one_octet_of_the_body_changed_is_seen(form: bytes) -> None:
    mail = bytearray(signed(BODIES["long"], form))
    chance = random.Random(4)
    for _ in range(3):
        at = chance.randrange(mail.index(b"\r\n\r\n") + 4, len(mail) - 40)
        kept, mail[at] = mail[at], ord("X")
        assert streamed(bytes(mail), 65536) == [Result.FAIL]
        mail[at] = kept
    assert streamed(bytes(mail), 65536) == [Result.PASS]


def test_what_covers_the_beginning_of_a_body_alone_is_never_good() -> None:
    mail = signed(BODIES["words"], b"relaxed", length=True)
    assert Result.PASS not in streamed(mail, 50)


def test_two_signatures_of_both_forms_are_judged_each() -> None:
    mail = signed(BODIES["words"], b"relaxed")
    second = dkim.sign(mail, b"one", b"tours.example", PEM, canonicalize=(b"simple", b"simple")) + mail
    assert streamed(bytes(second), 100) == [Result.PASS, Result.PASS]


def test_the_names_of_keys_are_known_as_soon_as_the_header_is_in() -> None:
    mail = signed(BODIES["long"], b"relaxed")
    end = mail.index(b"\r\n\r\n") + 4
    one = StreamedMail()
    one.feed(mail[: end - 1])
    assert (one.fields, one.key_names) == (None, frozenset())
    one.feed(mail[end - 1 : end + 5])
    assert one.key_names == {"one._domainkey.tours.example"}
    assert one.fields is not None
    assert {field.name for field in one.fields} == {"dkim-signature", "from", "subject"}


@pytest.mark.parametrize("mail", [b"", b"\r\n", b"\r\n\r\n", b"words\r\n", b"x" * 300_000, b"A: b\r\n" * 60_000])
def test_what_is_odd_has_no_signature(mail: bytes) -> None:
    assert streamed(mail, 1000) == []


def test_a_header_over_the_cap_is_not_held() -> None:
    one = StreamedMail()
    for _ in range(100):
        one.feed(b"A: b\r\n" * 1000)
    assert one.fields == ()
