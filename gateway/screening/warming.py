"""Mails that a template reads before it forks: what they have taught the patterns, no child has to learn again.

A pattern of RE2 works out what to do with a text as it meets it, and Python's interpreter suits itself to code as it
runs; both last only as long as a process, and a child lives for one mail. So the template meets words of many kinds
first: prose, words of every label beside numbers of every sort, letters in several languages.
"""

from __future__ import annotations

import sys
from base64 import encodebytes
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from quopri import encodestring
from types import ModuleType
from typing import Final

from gateway.screening.lexicon import LEXICON

_PROSE: Final = 3_000  # characters of a letter
_LETTERS: Final = 24
_LINES: Final = 60  # labels of a letter
_NUMBERS: Final = (
    "536-41-2879", "+1 (202) 555-0142", "$1,250.00", "5 January 2026", "10:30", "12-3456789", "AB 12 34 56 C",
    "4111 1111 1111 1111", "01/05/2026", "INV-2026-00417", "1Z999AA10123456784", "DE89 3704 0044 0532 0130 00", "75%",
)  # fmt: skip
_PARAGRAPHS: Final = tuple(
    files("gateway.screening").joinpath("warming.txt").read_text("utf-8").removesuffix("\n").split("\n\f\n")
)
_ENGLISH: Final = 5  # of them stand first
_HEAD: Final = (
    b"Received: from mail.venue.example (mail.venue.example [192.0.2.14]) by mx.office.example with ESMTPS id 4X\r\n"
    b" for <intake@office.example>; Mon, 05 Jan 2026 10:00:01 +0000\r\n"
    b"DKIM-Signature: v=1; a=rsa-sha256; d=venue.example; s=k1; h=from:to:subject;\r\n"
    b" bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=dGVzdA==\r\n"
    b'From: Kim Miller <kim.miller@venue.example>\r\nTo: "Intake" <intake@office.example>, jo@venue.example\r\n'
    b"Cc: =?utf-8?q?J=C3=B6rg_Wei=C3=9F?= <joerg@venue.example>\r\nReply-To: kim@venue.example\r\n"
    b"Subject: Re: [Tour] =?utf-8?b?UsOpcG9uc2Ug?= programme of 5 January 2026 (INV-2026-00417)\r\n"
    b"Date: Mon, 05 Jan 2026 10:00:00 +0000\r\nMessage-ID: <20260105100000.8f3a-77@venue.example>\r\n"
    b"In-Reply-To: <CAF=abc+7@venue.example>\r\nX-Mailer: Mail 16.0\r\nMIME-Version: 1.0\r\n"
)


def mails() -> Iterator[bytes]:
    """Mails of every sort that is written in words, none of which is anybody's."""
    prose = _prose()
    for at in range(0, min(len(prose), _LETTERS * _PROSE), _PROSE):
        yield _mail(prose[at : at + _PROSE], rich=at % (2 * _PROSE) == 0)
    for paragraph in _PARAGRAPHS:
        yield _mail(paragraph, rich=False)
        yield _mail(f"{paragraph}\n\n{_PARAGRAPHS[0]}", rich=True)
    labels = [f"{label.title()}: {_NUMBERS[at % len(_NUMBERS)]}, {label}" for at, label in enumerate(_labels())]
    for at in range(0, len(labels), _LINES):
        yield _mail("\n".join(labels[at : at + _LINES]), rich=at % (2 * _LINES) == 0)


@cache
def letter() -> bytes:
    """A letter as text and as HTML. A child reads it before its own mail: it has then touched what a look touches."""
    words = "\n\n".join((*_PARAGRAPHS[:_ENGLISH], "My social security number is 536-41-2879.", _prose()[:1_500]))
    return _mail(words, rich=True)


@cache
def _prose() -> str:
    """What the modules that are loaded say of themselves."""
    loaded = (module for _, module in sorted(sys.modules.items()) if type(module) is ModuleType)
    return "\n\n".join(module.__doc__ for module in loaded if module.__doc__)


def _labels() -> list[str]:
    return sorted({phrase for phrases in LEXICON.phrases.values() for phrase in phrases})


def _mail(text: str, *, rich: bool) -> bytes:
    octets = text.encode("utf-8", "replace")
    if not rich:
        return _HEAD + b'Content-Type: text/plain; charset="utf-8"\r\n\r\n' + octets.replace(b"\n", b"\r\n")
    rows = text.replace("&", "&amp;").replace("<", "&lt;").split("\n\n")
    page = (
        '<html><head><meta charset="utf-8"><style>p{margin:0;color:#1f497d}</style></head><body>'
        '<table width="600"><tr><td>'
        + "".join(f'<div class="b"><p style="margin:0"><span lang="en">{row}</span><br></p></div>\n' for row in rows)
        + '</td><td align="right"><a href="https://venue.example/u?id=8f3a">unsubscribe</a></td></tr></table>'
        + "</body></html>"
    )
    parts = (
        b'--=_b1\r\nContent-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n',
        encodestring(octets).replace(b"\n", b"\r\n"),
        b'\r\n--=_b1\r\nContent-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n',
        encodebytes(page.encode("utf-8", "replace")).replace(b"\n", b"\r\n"),
        b"\r\n--=_b1--\r\n",
    )
    return _HEAD + b'Content-Type: multipart/alternative; boundary="=_b1"\r\n\r\n' + b"".join(parts)
