from __future__ import annotations

import datetime as dt

import pytest

from gateway.domain.summary import Mailbox
from gateway.mime.scanner import Scanner
from gateway.mime.summary import Facts, read_facts
from tests.corpus.odd_mail import MAILS, Parties


def facts_of(octets: bytes) -> Facts:
    scanner = Scanner()
    scanner.feed(octets)
    return read_facts(scanner.finish())


def facts_of_mail(name: str) -> Facts:
    return facts_of(MAILS[name](Parties()))


def test_the_header_is_read() -> None:
    facts = facts_of(
        b"From: Ann <a@b.example>, c@d.example\r\nSender: s@d.example\r\nReply-To: r@d.example\r\nTo: t@d.example\r\n"
        b"Cc: u@d.example\r\nSubject: =?utf-8?q?=C3=A4?=\r\nDate: 3 Mar 2026 10:15 +0100\r\n"
        b"Message-ID: <m@d.example>\r\n"
        b"In-Reply-To: <i@d.example>\r\nReferences: <j@d.example>\r\n <k@d.example>\r\n\r\n"
    )
    assert facts.from_ == (Mailbox("Ann", "a@b.example"), Mailbox("", "c@d.example"))
    assert facts.sender == Mailbox("", "s@d.example")
    assert [box.address for box in (*facts.reply_to, *facts.to, *facts.cc)] == [
        "r@d.example",
        "t@d.example",
        "u@d.example",
    ]
    assert facts.subject == "ä"
    assert facts.date == dt.datetime(2026, 3, 3, 9, 15, tzinfo=dt.UTC)
    assert facts.message_id == "<m@d.example>"
    assert facts.in_reply_to == ("<i@d.example>",)
    assert facts.references == ("<j@d.example>", "<k@d.example>")
    assert not facts.bcc_ranges
    assert not facts.is_signed
    assert not facts.is_encrypted


def test_an_empty_message_has_empty_facts() -> None:
    facts = facts_of(b"")
    assert facts.from_ == ()
    assert facts.sender is None
    assert facts.date is None
    assert (facts.subject, facts.message_id, facts.references) == ("", "", ())


def test_two_from_fields_never_pass_for_one() -> None:
    facts = facts_of(b"From: a@b.example\r\nFrom: evil@c.example\r\n\r\n")
    assert [box.address for box in facts.from_] == ["a@b.example", "evil@c.example"]


def test_every_bcc_in_the_octets_is_told_with_its_place() -> None:
    octets = MAILS["bcc_in_the_octets"](Parties()).replace(
        b"Subject:", b"bcc: x@y.example\r\nResent-Bcc: z@y.example\r\nSubject:"
    )
    facts = facts_of(octets)
    cut = [octets[offset : offset + length] for offset, length in facts.bcc_ranges]
    assert cut == [
        b"bcc: x@y.example\r\n",
        b"Resent-Bcc: z@y.example\r\n",
        b"Bcc: Hidden Person <hidden.person@agency.example>,\r\n\tother.hidden@agency.example\r\n",
    ]
    assert len(facts.bcc) == 3


@pytest.mark.parametrize(
    ("name", "is_signed", "is_encrypted"),
    [
        ("plain_text", False, False),
        ("smime_clear_signed", True, False),
        ("smime_opaque_signed", True, False),
        ("smime_enveloped", False, True),
        ("pgp_mime_signed", True, False),
        ("pgp_mime_encrypted", False, True),
        ("pgp_inline_signed", True, False),
        ("rights_managed", False, True),
        ("forwarded_message", False, False),
    ],
)
def test_signed_and_encrypted_mail_is_told_apart(name: str, is_signed: bool, is_encrypted: bool) -> None:
    facts = facts_of_mail(name)
    assert (facts.is_signed, facts.is_encrypted) == (is_signed, is_encrypted)


def test_inline_pgp_is_seen_in_base64_too() -> None:
    facts = facts_of(b"Content-Transfer-Encoding: base64\r\n\r\nSGkKLS0tLS1CRUdJTiBQR1AgTUVTU0FHRS0tLS0tCg==\r\n")
    assert facts.is_encrypted


def test_an_encrypted_message_inside_of_an_attached_one_does_not_make_this_one_encrypted() -> None:
    inner = MAILS["pgp_mime_encrypted"](Parties())
    facts = facts_of(
        b"Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n" + inner
    )
    assert not facts.is_encrypted
