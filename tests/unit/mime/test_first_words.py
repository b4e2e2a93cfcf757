"""The first line that somebody wrote, in the shapes that mail tools give an answer."""

from __future__ import annotations

import pytest

from gateway.mime.first_words import first_line
from gateway.mime.scanner import Scanner

QUOTED = (
    "On Sunday, March 1, 2026 the Secure Messaging service\r\n<notices@gateway.example> wrote:\r\n> Your message\r\n"
)


def line_of(body: str, *header: str) -> str | None:
    octets = "\r\n".join([*header, "", body]).encode()
    scanner = Scanner()
    scanner.feed(octets)
    return first_line(scanner.finish().part_map, octets)


@pytest.mark.parametrize(
    "body",
    [
        "WITHDRAW\r\n",
        "\r\n \r\nWITHDRAW \r\nThank you\r\n",
        f"WITHDRAW\r\n\r\n{QUOTED}",
        f"{QUOTED}\r\nWITHDRAW\r\n",
        "> Your message was filed\r\n>\r\nWITHDRAW\r\n",
        "\u200bWITHDRAW\u00a0\r\n",
    ],
)
def test_what_is_quoted_and_what_introduces_it_is_not_the_writers(body: str) -> None:
    assert line_of(body, "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit") == "WITHDRAW"


def test_a_sentence_above_a_quotation_is_the_writers() -> None:
    assert line_of(f"Please look at this\r\n\r\n{QUOTED}") == "Please look at this"


def test_a_line_of_html_is_read_without_its_marks() -> None:
    body = (
        "<html><head><style>p { color: red }</style></head><body><blockquote>old words</blockquote>"
        "<p>WITH<b>DRAW</b></p><div>From: the service</div></body></html>"
    )
    assert line_of(body.replace("WITH<b>DRAW</b>", "WITHDRAW"), "Content-Type: text/html") == "WITHDRAW"


@pytest.mark.parametrize(
    "marks", ["<a ", "<a b='", '<a b="', "<!--", "<![if", "</a ", "<", "&#", "<a b='>", "<script></", "<a b=\"<a c='"]
)
def test_marks_without_an_end_are_read_to_the_end_of_what_is_read(marks: str) -> None:
    """What takes time that grows as the square of its length comes to no end here within the patience of a test."""
    body = marks * (60_000 // len(marks))
    assert line_of(f"<p>WITHDRAW</p>{body}", "Content-Type: text/html") == "WITHDRAW"
    for one in range(20):
        line_of(f"{body}{one}", "Content-Type: text/html")


@pytest.mark.parametrize(
    "markup",
    [
        "<body title=\"a > b\"><p class='x > y'>WITHDRAW</p>",
        "<!-- <p>no</p> > --><!DOCTYPE html><?xml version='1.0'?><P>WITHDRAW<BR/>Thank you</P>",
        "<![if !mso]><p style='it's broken>WITHDRAW</p>",
        "<title>no</title><p>&#87;ITHDR&#x41;W&nbsp;</p>",
        "<blockquote><p>no</p></blockquote></blockquote><div\nid=a\n>WITHDRAW</div>",
    ],
)
def test_marks_as_mail_tools_write_them_are_no_words(markup: str) -> None:
    assert line_of(markup, "Content-Type: text/html") == "WITHDRAW"


def test_an_encoded_part_of_a_signed_mail_is_read() -> None:
    body = (
        "--a\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nV0lUSERSQVcK\r\n"
        "--a\r\nContent-Type: application/pkcs7-signature\r\n\r\nMAA=\r\n--a--\r\n"
    )
    kind = 'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary=a'
    assert line_of(body, kind) == "WITHDRAW"


@pytest.mark.parametrize("kind", ["application/pkcs7-mime; smime-type=signed-data", "application/pdf"])
def test_what_is_opened_first_cannot_be_read(kind: str) -> None:
    assert line_of("MAA=", f"Content-Type: {kind}", "Content-Transfer-Encoding: base64") is None


def test_a_mail_without_words_has_no_line() -> None:
    assert line_of("\r\n\r\n") == ""
