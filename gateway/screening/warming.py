"""Mails that a template reads before it forks: what they have taught the patterns, no child has to learn again.

A pattern of RE2 works out what to do with a text as it meets it, and Python's interpreter suits itself to code as it
runs; both last only as long as a process, and a child lives for one mail. So the template meets words of many kinds
first: prose, words of every label beside numbers of every sort, letters in several languages, fields full of ids.
"""

from __future__ import annotations

import sys
from base64 import encodebytes
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from quopri import encodestring
from random import Random
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits, printable
from types import ModuleType
from typing import Final

import re2

from gateway.screening import candidates, facts, fragments, marks, numberwords, sieve
from gateway.screening.lexicon import LEXICON, Role
from gateway.screening.spans import find_spans

_PROSE: Final = 3_000  # characters of a letter
_LETTERS: Final = 24
_LINES: Final = 60  # labels of a letter
_BEGUN: Final = 14  # characters of a phrase
_SHORT: Final = 4  # of those that go on with any sign, in capitals as well
_OF_IDS: Final = 3 * (ascii_letters + digits) + "    \n+/=_-.<>@"
_OF_CHAINS: Final = 12 * digits + 4 * " -./,_|'\"*" + "&<\n:" + 2 * "ABHMSXOLE" + "abhmsxlezr"
_DRAWN: Final = 200_000
_GOES_ON: Final = "abcdefghijklmnopqrstuvwxyz .,'-\n:07"
_NUMBERS: Final = (
    "536-41-2879", "+1 (202) 555-0142", "$1,250.00", "5 January 2026", "10:30", "12-3456789", "AB 12 34 56 C",
    "4111 1111 1111 1111", "01/05/2026", "INV-2026-00417", "1Z999AA10123456784", "DE89 3704 0044 0532 0130 00", "75%",
)  # fmt: skip
_CODES: Final = (
    "aA1a1AA1a1aA", "1a1b11c11d1111ee", "AAAA1111AA1A1AA1A1AAAAAA", "0x11bb11cc11", "A11-11-A111", "(111) 111-1111 x11",
    "A-111.111", "1.11.1", "11 11 11 11 11", "Aaaaa, AA 11111-1111", "https://aaaaa.example/aa?a1=1a1b1c&aa=11111",
    "aaaa_11@aaaaa.example", "£111,111.11", "11:11:11", "1111-11-11T11:11:11Z", "AAAA1A1A.11111.AA.111", "#11-1111/AA",
    "Aaa, 11 Aaa 1111 11:11:11 -1111", "Aaa, 1 Aaa 1111 11:11:11 +1111", "1111-11-11 11:11:11.111", "11/11/1111 11:11",
    "11:11:11.111Z", "11:11:11.111111Z", "111-111-1111", "111.111.1111", "111 111 1111", "1 111 111 1111", "a111111111",
    "1-111-111-1111", "111 111 111", "111 111 11 11", "111 1111 1111", "11 1 11 11 11 11", "11 11 1111 1111", "1-a1111",
    "11 11 11111111", "11 111 1111111", "11 1-1111-1111", "11 (11) 1111-1111", "11 (1)11 11 11 11", "111-1111-1111",
    "11 11 111 11 11", "1,111,111.11", "11.111.111,11", "1.1111.111.11", "111.1.1111.111", "11.1.11111.11111",
    "111111111", "1111111111", "11111111111", "111111111111", "1111111111111", "111111111111111", "111-1111111111",
    "111111111-111111", "111111111_1111111", "111111111111.11111.1111111111111", "1111111.1111.1111111111111",
)  # fmt: skip
_FIELDS: Final = """\
Received: from aaaaa.aaaa.com (aaaa.aaaa.com [11.111.11.1])
\tby mx.aaa.example (Postfix) with ESMTPS id 1Aa1aaAa1a
\tfor <aaaa@aaaa.example>; Mon, 11 Feb 1111 11:11:11 -1111

Received: by 1111:11a1:111:1aa1:a1:11a:1a11:1 with SMTP id a1aa1aaa1111aaa.11.1111111111111;
\tTue, 1 Mar 1111

DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=aaaaaaa.com; s=a1111;
\tt=1111111111; h=from:to; bh=Aa1aaAAa1aAaaA1AaaaAaAaAAaaaAa1aA1aAaaaAa=;
\tb=AaAaaA1aAAaaAaaaA1aAaaAaAAaa/Aa+AaaaAAaAAaa1aAaAaaAaaAAaAaaAAaAaaAaaA1Aaa
\t aA1AaaAAAaaAaa1aaAaAaaAaAaaAA+aAaaAaAaa/1AaaAaAAaaA1aaAAaAaa1AaaA==

Message-ID: <AAAA1AAA1A.111111111@aaaa.example>

References: <a1b1c11d-11ee-1f11-1a11-111b1c1d1e1f@aaaa.com>
\t<AAAA_aA1aA-aaA1+AAaa=aA1a@mail.aaaa.com>

X-Aaa-Id: 1a11bb11-1c1d-11e1-1a1b-1c1111d1e1f1

X-Aaaa-State: AAaaAaA1AaaAaA1aaaAaAAaaA1aaAaAaaA1aAaAAaaAaaA1

Thread-Index: AaAAaA1AaAAaa1aAAaaaAaAaaA1AaA==

Feedback-ID: 1111111:1111:aaaa:aa

X-Aaaa-Aa: 111111111

List-Unsubscribe: <https://aaaa.example/a?a=1a1b1c&u=AaA1aaA1>, <mailto:aaaa-1111@aaaa.example>

X-MS-Exchange-Organization-Network-Message-Id: 1a11bb11-1c1d-11e1-1a1b-1c1111d1e1f1
X-MS-Exchange-CrossTenant-OriginalArrivalTime: 11 Aaa 1111 11:11:11.1111 (AAA)
X-MS-Has-Attach: aaa
X-MS-TNEF-Correlator: <AAAA1AAA1A@aaaa.example>
X-Forefront-Antispam-Report: AAA:111.11.11.1;AAAA:AA;AAAA:aa;AAA:1;AAA:;A:aaaa-aa11.aaa.aaaa.example;AAA:AAA
Accept-Language: en-US
Content-Language: en-US

X-Google-Smtp-Source: AAaA1aAaaAA1aaAAaaAAaa1AaAaA1AAAaAAAA
X-Gm-Message-State: AOJu0YwAaAAaa1AAaa1aA1aAAa
ARC-Seal: i=1; a=rsa-sha256; t=1111111111; cv=none; d=aaaa.example; s=aaa-11111111; b=AaAa1aA/AAa+aA1

X-SG-EID: aA1aAAaa1A1aAA+aAaaa1AAaaA1aaA==
X-Mailer: Aaaa Mail (1.1111.111.11)
Precedence: bulk
Auto-Submitted: auto-generated

X-Originating-IP: [111.11.111.11]
X-Spam-Status: No, score=-1.1 required=1.1 tests=AAAA_11,AAA_AAAA autolearn=ham version=1.1.1
User-Agent: Aaaaaaa/1.1 (Aaaaaaa; Aaaaa aaa AA A 11_11_1) Aaaaa/11111111 Aaaaaaa/11.1.1
Importance: Normal
X-Priority: 1
Thread-Topic: Aaaa aaa aaaaa 1111""".split("\n\n")
_FIELDS_OF_A_MAIL: Final = 6
_KINDS: Final = (digits, ascii_lowercase, ascii_uppercase)
_SEED: Final = 1
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
    """Mails of every sort that is written in words, none of which is anybody's; always the same ones."""
    random = Random(_SEED)
    prose = _prose()
    for at in range(0, min(len(prose), _LETTERS * _PROSE), _PROSE):
        yield _mail(prose[at : at + _PROSE], rich=at % (2 * _PROSE) == 0, random=random)
    for paragraph in _PARAGRAPHS:
        yield _mail(f"{paragraph}\n\n{_numbers(random)}", rich=False, random=random)
        yield _mail(f"{paragraph}\n\n{_PARAGRAPHS[0]}", rich=True, random=random)
    labels = [f"{label.title()}: {_like(random.choice(_NUMBERS), random)}, {label}" for label in _labels()]
    for at in range(0, len(labels), _LINES):
        yield _mail("\n".join(labels[at : at + _LINES]), rich=at % (2 * _LINES) == 0, random=random)


def meet_beginnings() -> None:
    """Let each pattern of phrases meet what begins like one of them and goes on in any way.

    Where a word of a mail does so first, RE2 builds a state, and a fork copies the page that it writes it to. They meet
    capitals as well, which some patterns tell apart, and ids, whose letters begin like everything.
    """
    kinds = {
        phrase
        for name, phrases in LEXICON.phrases.items()
        if LEXICON.roles[name] in {Role.NAMES, Role.FOREIGN}
        for phrase in phrases
    }
    marked = {phrase for name in marks.MARKED for phrase in LEXICON.phrases[name]}
    prose = _prose()
    sieve.matching(prose.encode("ascii", "replace"))
    ids = _ids(Random(_SEED))
    for pattern, phrases, before in (
        (marks.HEADS, kinds, ("",)),
        (marks.BEGUN, marked, ("",)),
        (marks.GLUED, marked, ()),
        (facts.FACTS, facts.STRONG | facts.EVENTS | facts.WEAK, ("",)),
        (facts.TITLES, facts.FORM_TITLES, ("",)),
        (fragments.GATE, fragments.ORDER, ("",)),
        (numberwords.RUN, numberwords.WORDS, ("", "zwei ", "7 ")),
    ):
        begun = _beginnings(phrases, _BEGUN)
        for first in before:
            _meet(pattern, "".join(f" {first}{piece}{sign}" for piece in begun for sign in _GOES_ON))
        short = _beginnings(phrases, _SHORT)
        written = sorted({each for piece in short for each in (piece, piece.upper(), piece.title())})
        _meet(pattern, "".join(f" {piece}{sign}" for piece in written for sign in printable))
        _meet(pattern, prose)
        _meet(pattern, ids)
    chains = _chains(Random(_SEED))
    for pattern in candidates.GATES:
        _meet(pattern, chains)
        _meet(pattern, ids)


def _beginnings(phrases: Iterable[str], longest: int) -> list[str]:
    """What phrases begin with, up to so many characters."""
    return sorted({phrase[:size] for phrase in phrases for size in range(1, min(len(phrase), longest) + 1)})


def _meet(pattern: re2._Regexp, text: str) -> None:
    deque(find_spans(pattern, text.encode("ascii", "replace")), maxlen=0)


def _ids(random: Random) -> str:
    """Letters and digits in any order, as in what programs call their mails and themselves."""
    return "".join(random.choices(_OF_IDS, k=_DRAWN))


def _chains(random: Random) -> str:
    """Digits with what may stand between them, and a letter now and then."""
    return "".join(random.choices(_OF_CHAINS, k=_DRAWN))


@cache
def letter() -> bytes:
    """A letter as text and as HTML. A child reads it before its own mail: it has then touched what a look touches."""
    random = Random(_SEED)
    words = "\n\n".join((*_PARAGRAPHS[:_ENGLISH], "My social security number is 536-41-2879.", _numbers(random)))
    return _mail(words, rich=True, random=random)


@cache
def _prose() -> str:
    """What the modules that are loaded say of themselves."""
    loaded = (module for _, module in sorted(sys.modules.items()) if type(module) is ModuleType)
    return "\n\n".join(module.__doc__ for module in loaded if module.__doc__)


def _labels() -> list[str]:
    return sorted({phrase for phrases in LEXICON.phrases.values() for phrase in phrases})


def _numbers(random: Random) -> str:
    """Lines of numbers and codes of every sort."""
    return "\n".join(f"{_like('aaaa', random)} {_like(number, random)}" for number in (*_NUMBERS, *_CODES))


def _like(sample: str, random: Random) -> str:
    """Other letters and digits in place of those of a sample, capitals for capitals."""
    return "".join(random.choice(next((kind for kind in _KINDS if sign in kind), sign)) for sign in sample)


def _head(random: Random) -> bytes:
    """The header of a mail as it comes from afar: much of it is ids that look like anything."""
    drawn = random.sample(_FIELDS, k=_FIELDS_OF_A_MAIL)
    lines = (_line(*line.rpartition(": "), random) for field in drawn for line in field.split("\n"))
    return "".join(lines).encode("ascii") + _HEAD


def _line(name: str, colon: str, value: str, random: Random) -> str:
    return f"{name}{colon}{_like(value, random)}\r\n"


def _mail(text: str, *, rich: bool, random: Random) -> bytes:
    octets = text.encode("utf-8", "replace")
    head = _head(random)
    if not rich:
        return head + b'Content-Type: text/plain; charset="utf-8"\r\n\r\n' + octets.replace(b"\n", b"\r\n")
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
    return head + b'Content-Type: multipart/alternative; boundary="=_b1"\r\n\r\n' + b"".join(parts)
