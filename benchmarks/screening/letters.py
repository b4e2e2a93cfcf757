"""Whole mails as real mailers make them, around a text that a place or a topic has filled in."""

from __future__ import annotations

import datetime as dt
import html
from dataclasses import dataclass, field
from random import Random

from benchmarks.screening import filler, parts, people
from benchmarks.screening.marks import CLOSE, OPEN, unmarked
from benchmarks.screening.parts import Part, hexadecimal, token
from benchmarks.screening.people import Person

PROGRAMME = "cwa-intake@gateway.example"
MAILERS = ("outlook", "gmail", "apple", "thunderbird", "phone", "exchange", "webmail")


@dataclass
class Letter:
    """A mail in the making. `blocks` are paragraphs of the body, in order; numbers in them may be marked."""

    rng: Random
    language: str
    writer: Person
    reader: Person
    mailer: str
    subject: str
    blocks: list[str] = field(default_factory=list)
    quoted: list[str] = field(default_factory=list)
    signature: list[str] = field(default_factory=list)
    attachments: list[Part] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    form: str = "alternative"  # or plain, or html
    sender_name: str = ""
    raw_html: list[str] = field(default_factory=list)
    markup: str = ""  # how a marked number is written in HTML: "", spans, comments, entities, tags
    soft_break: bool = False
    plain_says: str | None = None  # text of the plain alternative when it says less than the HTML
    preamble: str = ""
    epilogue: str = ""
    own_text: Part | None = None  # replaces the text part(s)


def letter(rng: Random, language: str = "en") -> Letter:
    """A mail with writer, reader, subject, greeting, a paragraph or two, and a signature."""
    home = {"es": "ES", "de": "DE", "fr": "FR", "pt": "BR", "it": "IT", "nl": "NL", "ja": "JP", "zh": "CN", "ru": "UA", "pl": "PL",
            "ko": "KR", "sv": "SE"}.get(language, "")  # fmt: skip
    writer, reader = people.person(rng, home), people.person(rng, "US" if rng.random() < 0.6 else "")
    made = Letter(rng, language, writer, reader, rng.choice(MAILERS), filler.subject(rng, language))
    made.blocks = [filler.greeting(rng, language, reader)]
    if rng.random() < 0.7:
        made.blocks.append(filler.paragraph(rng, language))
    made.signature = [filler.closing(rng, language), *filler.signature(rng, writer)]
    made.form = rng.choice({"phone": ["plain", "alternative"], "thunderbird": ["plain", "plain", "alternative"], "webmail": ["html", "plain"]}.get(
        made.mailer, ["alternative", "alternative", "plain", "html"]))  # fmt: skip
    if rng.random() < 0.25:
        made.quoted = [filler.paragraph(rng, language, 3) for _ in range(rng.randint(1, 3))]
    return made


def octets(made: Letter) -> bytes:
    """The mail as it goes over the wire."""
    body = made.own_text or _text_parts(made)
    if made.attachments or made.preamble or made.epilogue:
        body = parts.multipart(
            made.rng, "mixed", [body, *made.attachments], preamble=made.preamble, epilogue=made.epilogue
        )
    head = "".join(f"{line}\r\n" for line in _head(made)).encode("utf-8", "surrogateescape")
    return head + body.render()


def body_text(made: Letter) -> str:
    """The plain text: blocks, signature, and what is quoted below it."""
    text = "\n\n".join(block for block in made.blocks if block) + "\n\n" + "\n".join(made.signature)
    if made.quoted:
        when = people.day_text(made.rng, people.day(made.rng, 2025, 2026))
        lead = {
            "outlook": f"\n\n-----Original Message-----\nFrom: {made.reader.name}\nSent: {when}\n",
            "gmail": f"\n\nOn {when}, {made.reader.name} wrote:\n",
        }
        text += lead.get(made.mailer, f"\n\nOn {when} {made.reader.name} <{made.reader.address}> wrote:\n")
        quote = "" if made.mailer == "outlook" else "> "
        text += "\n".join(f"{quote}{line}" for line in "\n\n".join(made.quoted).split("\n"))
    return text + "\n"


def _text_parts(made: Letter) -> Part:
    text = body_text(made)
    plain_text = text if made.plain_says is None else made.plain_says
    if made.form == "plain":
        return parts.text(made.rng, text, "plain", made.language, soft_break=made.soft_break)
    rich = parts.text(made.rng, as_html(made, text), "html", made.language, soft_break=made.soft_break)
    if made.form == "html":
        return rich
    plain = parts.text(
        made.rng, plain_text, "plain", made.language, soft_break=made.soft_break and made.plain_says is None
    )
    return parts.multipart(made.rng, "alternative", [plain, rich])


def as_html(made: Letter, text: str) -> str:
    """`text` in the markup of the mailer."""
    shown = "".join(f"{_paragraph(made, block)}\n" for block in text.split("\n\n"))
    inserts = "\n".join(made.raw_html)
    style = "p.MsoNormal{margin:0in;font-size:11.0pt;font-family:Calibri,sans-serif}"
    if made.mailer in {"outlook", "exchange"}:
        return (
            '<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns="http://www.w3.org/TR/REC-html40">'
            f'<head><meta http-equiv="Content-Type" content="text/html"><style><!-- {style} --></style></head>'
            f'<body lang="EN-US" link="#0563C1"><div class="WordSection1">{shown}{inserts}</div></body></html>'
        )
    if made.mailer == "gmail":
        return f'<div dir="ltr">{shown}{inserts}</div>'
    if made.mailer == "apple":
        return f'<html><head></head><body style="overflow-wrap: break-word; -webkit-nbsp-mode: space;">{shown}{inserts}</body></html>'
    return f"<!DOCTYPE html>\n<html>\n<head><title></title></head>\n<body>\n{shown}{inserts}</body>\n</html>"


def _paragraph(made: Letter, block: str) -> str:
    if "\t" in block or "   " in block:
        return f"<pre>{_escape(made, block)}</pre>"
    lines = _escape(made, block).replace("\n", "<br>\n" if made.rng.random() < 0.8 else "<br/>")
    if made.mailer in {"outlook", "exchange"}:
        return f'<p class="MsoNormal">{lines}<o:p></o:p></p>'
    return f"<div>{lines}</div><div><br></div>" if made.mailer in {"gmail", "apple"} else f"<p>{lines}</p>"


def _escape(made: Letter, block: str) -> str:
    head, opened, rest = block.partition(OPEN)
    if not opened:
        return html.escape(block, quote=False)
    value, _, tail = rest.partition(CLOSE)
    shown = f"{OPEN}{html.escape(value)}{CLOSE}" if made.soft_break else marked_up(made.rng, value, made.markup)
    return html.escape(head, quote=False) + shown + _escape(made, tail)


def marked_up(rng: Random, value: str, how: str) -> str:
    """A number in HTML: each digit in its own element, comments or entities between, or as it is."""
    if how == "spans":
        style = rng.choice(["", ' class="d"', ' style="font-size:11pt"', ' style="color:#1F497D"'])
        return "".join(f"<span{style}>{html.escape(mark)}</span>" for mark in value)
    if how == "comments":
        return "".join(f"{html.escape(mark)}<!-- {token(rng, 3)} -->" for mark in value)
    if how == "entities":
        return "".join(f"&#{ord(mark)};" if rng.random() < 0.6 else f"&#x{ord(mark):X};" for mark in value)
    if how == "cells":
        return (
            "<table><tr>"
            + "".join(f"<td>{html.escape(mark)}</td>" for mark in value if mark.isalnum())
            + "</tr></table>"
        )
    if how == "backwards":
        return f'<bdo dir="rtl">{html.escape(value[::-1])}</bdo>'
    if how == "tags":
        half = max(len(value) // 2, 1)
        tag = rng.choice(["b", "i", "font", "wbr", "u", "em"])
        first, second = html.escape(value[:half]), html.escape(value[half:])
        return f"{first}<wbr>{second}" if tag == "wbr" else f"{first}<{tag}>{second}</{tag}>"
    return html.escape(value, quote=False)


def _head(made: Letter) -> list[str]:
    rng = made.rng
    when = dt.datetime.combine(
        people.day(rng, 2025, 2026), dt.time(rng.randint(6, 22), rng.randint(0, 59), rng.randint(0, 59))
    )
    zone = rng.choice(["+0000", "-0500", "-0700", "+0200", "+0100", "+0900"])
    date = when.strftime("%a, %d %b %Y %H:%M:%S ") + zone
    name = made.sender_name or made.writer.name
    host = f"mail-{token(rng, 3).lower()}.{made.writer.domain}"
    lines = _trace(made, host, date)
    lines += [
        f"From: {display_name(rng, name)} <{made.writer.address}>",
        f"To: {rng.choice([PROGRAMME, f'CWA Programme <{PROGRAMME}>'])}",
    ]
    lines += [
        f"Subject: {header_text(rng, made.subject)}",
        f"Date: {date}",
        f"Message-ID: {_message_id(made)}",
        "MIME-Version: 1.0",
    ]
    if made.quoted:
        lines.append(f"In-Reply-To: {_message_id(made)}")
    return lines + _mailer_fields(made) + made.fields


def header_text(rng: Random, words: str) -> str:
    """A header's text as mailers write it: as it is when ASCII, in encoded words otherwise."""
    words = unmarked(words).replace("\n", " ")
    return words if words.isascii() else parts.encoded_word(rng, words).replace(" ", "\r\n ")


def display_name(rng: Random, name: str) -> str:
    name = unmarked(name).replace("\n", " ")
    if not name.isascii():
        return parts.encoded_word(rng, name).replace(" ", "\r\n ")
    return f'"{name}"' if any(mark in '.,:;()<>@[]"' for mark in name) or rng.random() < 0.3 else name


def _message_id(made: Letter) -> str:
    rng = made.rng
    return rng.choice([
        f"<CA{token(rng, 40)}@mail.gmail.com>", f"<{hexadecimal(rng, 8).upper()}-{hexadecimal(rng, 4).upper()}-{hexadecimal(rng, 12).upper()}@{made.writer.domain}>",
        f"<{token(rng, 12, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789')}.{rng.randint(10**8, 10**9 - 1)}@{made.writer.domain}>",
        f"<{rng.randint(10**11, 10**12)}.{rng.randint(1000, 99999)}.{rng.randint(10**12, 10**13)}@{made.writer.domain}>",
    ])  # fmt: skip


def _trace(made: Letter, host: str, date: str) -> list[str]:
    rng = made.rng
    ip = ".".join(str(rng.randint(1, 254)) for _ in range(4))
    lines = [
        f"Received: from {host} ({host} [{ip}])\r\n\tby mx.gateway.example (Postfix) with ESMTPS id {token(rng, 11)}\r\n\tfor <{PROGRAMME}>; {date}"
    ]
    if rng.random() < 0.7:
        signature = token(rng, 172, parts.LETTERS + "+/")
        lines.append(
            f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={made.writer.domain}; s=s{rng.randint(1, 20250)};\r\n"
            f"\tt={rng.randint(1_700_000_000, 1_790_000_000)}; h=from:to:subject:date; bh={token(rng, 43)}=;\r\n\tb={signature[:72]}\r\n\t {signature[72:144]}\r\n\t {signature[144:]}=="
        )
    return lines


def _mailer_fields(made: Letter) -> list[str]:
    rng = made.rng
    if made.mailer in {"outlook", "exchange"}:
        return [
            f"Thread-Index: Ad{token(rng, 26)}==", "Accept-Language: en-US", "X-MS-Has-Attach: " + ("yes" if made.attachments else ""),
            f"X-MS-Exchange-CrossTenant-Id: {_uuid(rng)}", f"X-MS-Exchange-CrossTenant-Network-Message-Id: {_uuid(rng)}",
            f"X-Microsoft-Antispam-Message-Info:\r\n\t{token(rng, 60)}\r\n\t{token(rng, 64)}=",
        ]  # fmt: skip
    if made.mailer == "gmail":
        return [f"X-Gm-Message-State: AO{token(rng, 60)}", f"X-Google-Smtp-Source: AG{token(rng, 70)}"]
    agents = {
        "apple": "X-Mailer: Apple Mail (2.3774.600.62)", "thunderbird": "User-Agent: Mozilla Thunderbird", "phone": "X-Mailer: iPhone Mail (21F90)",
        "webmail": f"X-Mailer: Zimbra 9.0.0_GA_{rng.randint(1000, 4999)} (ZimbraWebClient - GC{rng.randint(100, 140)} (Win)/9.0.0_GA_{rng.randint(1000, 4999)})",
    }  # fmt: skip
    return [agents[made.mailer]]


def _uuid(rng: Random) -> str:
    raw = hexadecimal(rng, 32)
    return f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"
