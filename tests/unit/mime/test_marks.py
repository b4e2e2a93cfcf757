"""A link in place of a file, found while the mail streams by."""

from __future__ import annotations

from base64 import encodebytes
from quopri import encodestring

import pytest

from gateway.mime.scanner import Scanner
from gateway.mime.structure import Mark

LINKS = [
    "https://agency.sharepoint.com/:w:/s/desk/Ab3?e=1",
    "https://agency-my.sharepoint.us/personal/dana/Documents/Plan.docx",
    "https://1drv.ms/w/s!Ab3",
    "https://onedrive.live.com/?id=3",
    "https://gcc02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fagency.SharePoint.com%2F%3Aw&amp;data=05",
]


def marks(
    body: bytes, media_type: str = "text/plain", encoding: str = "8bit", *, block: int = 700, more: str = ""
) -> frozenset[Mark]:
    scanner = Scanner()
    mail = f"Content-Type: {media_type}\r\nContent-Transfer-Encoding: {encoding}\r\n{more}\r\n".encode() + body
    for start in range(0, len(mail), block):
        scanner.feed(mail[start : start + block])
    return scanner.finish().marks


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("block", [1, 64, 100_000])
def test_a_link_is_seen_through_every_encoding_however_the_mail_is_cut(link: str, block: int) -> None:
    words = ("Grüße, the plan stands here, as it is too large: " * 20 + f"\r\n<{link}>\r\n").encode()
    html = f'<p>See <a href="{link}">the plan</a></p>'.encode()
    assert marks(words, block=block) == {Mark.CLOUD_LINK}
    assert marks(encodestring(words), encoding="quoted-printable", block=block) == {Mark.CLOUD_LINK}
    assert marks(encodebytes(html), "text/html", "base64", block=block) == {Mark.CLOUD_LINK}


def test_what_outlook_on_the_web_puts_around_a_file_is_seen() -> None:
    html = b'<div id="OwaReferenceAttachments" contenteditable="false"><a href="https://x.example/">Plan.docx</a></div>'
    assert marks(html, "text/html") == {Mark.CLOUD_LINK}


@pytest.mark.parametrize(
    "body",
    [
        b"We keep it on sharepoint, and on OneDrive.\r\n",
        b"Ask sharepoint.com for help, or see https://portal.example/\r\n",
        b"I have no account there.\r\n> it is at https://agency.sharepoint.com/x\r\n",
    ],
)
def test_words_about_such_places_and_quoted_links_are_none(body: bytes) -> None:
    assert marks(body) == frozenset()


@pytest.mark.parametrize("begin", ['<div id="divRplyFwdMsg">', "<blockquote>", '<div class="gmail_quote">'])
def test_a_link_in_what_is_quoted_below_is_none(begin: str) -> None:
    html = f"<p>Thanks.</p>{begin}<a href='https://agency.sharepoint.com/x'>x</a></div>"
    assert marks(html.encode(), "text/html") == frozenset()


def test_a_file_that_is_attached_is_not_looked_into() -> None:
    body = LINKS[0].encode()
    assert marks(body, more="Content-Disposition: attachment\r\n") == frozenset()
    assert marks(body, "text/html", more="Content-Disposition: attachment; filename=x.html\r\n") == frozenset()
    assert marks(body, "application/pdf") == frozenset()


def test_a_long_text_is_looked_at_up_to_a_bound() -> None:
    assert marks(b"x\r\n" * 30_000 + LINKS[0].encode()) == frozenset()
    assert marks(LINKS[0].encode() + b"\r\n" + b"x\r\n" * 300_000, block=65_536) == {Mark.CLOUD_LINK}


@pytest.mark.parametrize("octets", [b"\xff" * 5_000, b"=" * 5_000, b"=3D=", b""])
@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "x-uuencode", "8bit"])
def test_octets_that_are_no_text_tell_nothing(octets: bytes, encoding: str) -> None:
    assert marks(octets, "text/html", encoding) == frozenset()
