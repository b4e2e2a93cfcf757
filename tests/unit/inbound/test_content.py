from __future__ import annotations

import pytest

from gateway.domain.errors import Malformed
from gateway.domain.notice import message_id
from gateway.inbound.content import MAX_HOPS, check_content
from gateway.inbound.replies import reply_for
from gateway.mime.scanner import Scanner
from gateway.mime.summary import read_facts
from tests.corpus.odd_mail import ENCRYPTED, MAILS, Parties

PARTIES = Parties("dana@agency.example", "t-sm-1@gw.example")
HEAD = b"From: a@b.example\r\nSubject: x\r\n"


def answer(octets: bytes) -> str:
    """What the door says to a message at the end of data; "" where it has nothing against it."""
    scanner = Scanner()
    scanner.feed(octets)
    structure = scanner.finish()
    try:
        check_content(structure, read_facts(structure))
    except Malformed as problem:
        return str(reply_for(problem))
    return ""


@pytest.mark.parametrize("name", sorted(ENCRYPTED))
def test_encrypted_mail_is_refused_with_what_to_do(name: str) -> None:
    assert answer(MAILS[name](PARTIES)) == (
        "550 5.6.1 the message is encrypted for someone: send it without Encrypt, the gateway seals it itself"
    )


@pytest.mark.parametrize("name", sorted({*MAILS} - {*ENCRYPTED, "attachment_of_25_mb"}))
def test_all_else_that_mail_tools_send_passes(name: str) -> None:
    assert answer(MAILS[name](PARTIES)) == ""


def test_an_encrypted_mail_that_is_attached_as_a_message_passes() -> None:
    attached = HEAD + b"Content-Type: message/rfc822\r\n\r\n" + MAILS["pgp_mime_encrypted"](PARTIES)
    assert answer(attached) == ""


def test_a_message_that_goes_round_ends_here() -> None:
    hop = b"Received: from a.example by b.example; Tue, 3 Mar 2026 10:15:00 -0500\r\n"
    assert answer(hop * MAX_HOPS + HEAD + b"\r\nx\r\n") == ""
    assert answer(hop * (MAX_HOPS + 1) + HEAD + b"\r\nx\r\n") == (
        "554 5.4.6 the message has passed more than 50 servers: it goes round, and ends here"
    )


@pytest.mark.parametrize("field", [b"Message-ID", b"message-id", b"X-Microsoft-Original-Message-ID"])
def test_a_notification_that_comes_back_is_refused(field: bytes) -> None:
    own = message_id("0123456789abcdef", "gw.example").encode()
    assert answer(field + b": " + own + b"\r\n" + HEAD + b"\r\nx\r\n") == (
        "554 5.4.6 this is a notification of this gateway coming back: answer it, or forward it as an attachment"
    )


def test_an_answer_to_a_notification_passes() -> None:
    own = message_id("0123456789abcdef", "gw.example").encode()
    fields = b"Message-ID: <1@agency.example>\r\nIn-Reply-To: " + own + b"\r\nReferences: " + own + b"\r\n"
    assert answer(fields + HEAD + b"\r\nx\r\n") == ""


@pytest.mark.parametrize(
    ("octets", "cap"),
    [
        (b"X: y\r\n" * 1_001 + b"\r\n", "headers at most 1000"),
        (b"X: " + b"y" * 103_000 + b"\r\n\r\n", "header_block at most 102400"),
        (
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 201 + b"--b--\r\n",
            "parts at most 200",
        ),
    ],
    ids=["headers", "header_block", "parts"],
)
def test_a_message_over_a_cap_is_refused_with_the_caps_name(octets: bytes, cap: str) -> None:
    assert answer(octets) == (f"550 5.6.0 The message is over a limit of this server: {cap}. Send it in simpler form.")
