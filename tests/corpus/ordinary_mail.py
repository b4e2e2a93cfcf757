"""Ordinary mail from outside, all invented, as real mailers make it: which fields they write, how they
cut their parts, what is slightly wrong with them. `ORDINARY` holds each mail with the texts that a reader finds in it.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import quopri
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

CRLF = b"\r\n"


@dataclass(frozen=True, slots=True)
class Ordinary:
    """One mail and words that stand in its texts (blanks do not count)."""

    octets: bytes
    texts: tuple[str, ...]


ORDINARY: dict[str, Ordinary] = {}


def mailer(*texts: str) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
    def keep(make: Callable[[], bytes]) -> Callable[[], bytes]:
        ORDINARY[make.__name__] = Ordinary(make(), texts)
        return make

    return keep


def lines(*texts: str | bytes) -> bytes:
    return b"".join((text.encode() if isinstance(text, str) else text) + CRLF for text in texts)


def head(
    *more: str | bytes, subject: str | bytes = "Tour dates", sender: str = "Kim Composer <kim@artists.example>"
) -> bytes:
    subject = subject if isinstance(subject, bytes) else subject.encode()
    return lines(
        "Received: from mail.artists.example (mail.artists.example [192.0.2.25]) by mx.agency.example with ESMTPS",
        "\tid 4XyZ123456789; Tue, 03 Mar 2026 10:15:02 -0500 (EST)",
        f"From: {sender}",
        "To: Central Desk <desk@agency.example>",
        b"Subject: " + subject,
        "Date: Tue, 03 Mar 2026 10:15:00 -0500",
        "Message-ID: <20260303101500.12345@artists.example>",
        *more,
    )


def text(
    words: str, kind: str = "plain", charset: str = "utf-8", how: str = "quoted-printable", more: str = ""
) -> bytes:
    octets = words.replace("\n", "\r\n").encode(charset)
    encoded = {"quoted-printable": quopri.encodestring, "base64": base64.encodebytes}.get(how, bytes)(octets)
    encoded = encoded.replace(b"\r\n", b"\n").replace(b"\n", CRLF)
    return lines(
        f'Content-Type: text/{kind}; charset="{charset}"{more}', f"Content-Transfer-Encoding: {how}", "", encoded
    )


def file(octets: bytes, media_type: str, disposition: str, *more: str) -> bytes:
    encoded = base64.encodebytes(octets).replace(b"\n", CRLF)
    fields = (f"Content-Type: {media_type}", "Content-Transfer-Encoding: base64", disposition, *more)
    return lines(*(field for field in fields if field), "", encoded)


def multi(kind: str, boundary: str, *parts: bytes, preamble: str = "", epilogue: str = "", written: str = "") -> bytes:
    field = written or f'Content-Type: multipart/{kind}; boundary="{boundary}"'
    body = b"".join(b"--" + boundary.encode() + CRLF + part + CRLF for part in parts)
    return (
        lines(field, "", *([preamble, ""] if preamble else []))
        + body
        + lines(f"--{boundary}--", *([epilogue] if epilogue else []))
    )


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    size = struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", size)
        + chunk(b"IDAT", zlib.compress(b"\0\xff\xff" * 2))
        + chunk(b"IEND", b"")
    )


def pdf(words: str) -> bytes:
    stream = b"BT /F1 12 Tf 72 720 Td (%s) Tj ET" % words.encode("ascii")
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(out)
    return out + b"xref\n0 6\n0000000000 65535 f \n%strailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (
        table,
        start,
    )


def docx(words: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        )
        archive.writestr(
            "word/document.xml",
            '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
            f"<w:body><w:p><w:r><w:t>{words}</w:t></w:r></w:p></w:body></w:document>",
        )
    return held.getvalue()


def calendar(method: str, summary: str) -> str:
    return "\r\n".join(
        [
            "BEGIN:VCALENDAR",
            "PRODID:-//Example//EN",
            "VERSION:2.0",
            f"METHOD:{method}",
            "BEGIN:VEVENT",
            "UID:7kukuqrfedlm2f9t0vr@artists.example",
            "DTSTART:20260610T180000Z",
            "DTEND:20260610T200000Z",
            f"SUMMARY:{summary}",
            "LOCATION:Hall 4",
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ]
    )


def inner(subject: str = "Inner subject", words: str = "Inner words of Dana.") -> bytes:
    return head("MIME-Version: 1.0", subject=subject, sender="Dana Drummer <dana@band.example>") + text(
        words, how="7bit"
    )


V1 = "MIME-Version: 1.0"
HELLO = "Hello, the rehearsal is on Friday at noon."
HTML = "<html><body><p>Hello, the <b>rehearsal</b> is on Friday at noon.</p></body></html>"
NEWS = "<html><body><table><tr><td>Spring season opens</td></tr></table></body></html>"


# Outlook and Exchange


@mailer("rehearsal is on Friday", "café")
def outlook_alternative() -> bytes:
    return head(
        "Thread-Topic: Tour dates",
        "Thread-Index: AQHaBcDeFgHiJkLmNoPqRsTuVwXyZ0==",
        "Accept-Language: en-US",
        "X-MS-Has-Attach:",
        "X-MS-TNEF-Correlator:",
        "x-ms-exchange-antispam-messagedata-0: " + "ABCDefgh1234+/" * 20,
        V1,
    ) + multi(
        "alternative",
        "_000_CY4PR12MB1234567890ABCDEFCY4PR12MB1234namp_",
        text(HELLO + " At the café.", charset="windows-1252"),
        text(HTML, "html", "windows-1252"),
    )


@mailer("rehearsal is on Friday")
def outlook_related_inline_image() -> bytes:
    alternative = multi("alternative", "_000_AAA_", text(HELLO), text(HTML, "html"))
    image = file(
        png(),
        'image/png; name="image001.png"',
        'Content-Disposition: inline; filename="image001.png"; size=70;\r\n'
        '\tcreation-date="Tue, 03 Mar 2026 15:15:00 GMT"',
        "Content-Description: image001.png",
        "Content-ID: <image001.png@01DABC12.3456>",
    )
    return head(V1) + multi(
        "related",
        "_004_AAA_",
        alternative,
        image,
        written='Content-Type: multipart/related;\r\n\tboundary="_004_AAA_";\r\n\ttype="multipart/alternative"',
    )


@mailer("rehearsal is on Friday", "Stage plan words", "stage plan.docx")
def outlook_mixed_with_document() -> bytes:
    return head("Content-Language: en-US", "X-MS-Has-Attach: yes", V1) + multi(
        "mixed",
        "_003_BBB_",
        multi("alternative", "_000_BBB_", text(HELLO, charset="us-ascii"), text(HTML, "html", "us-ascii")),
        file(
            docx("Stage plan words"),
            'application/vnd.openxmlformats-officedocument.wordprocessingml.document;\r\n\tname="stage plan.docx"',
            'Content-Disposition: attachment; filename="stage plan.docx"; size=1234',
            "Content-Description: stage plan.docx",
        ),
    )


@mailer("rehearsal is on Friday")
def outlook_three_levels_with_preamble() -> bytes:
    alternative = multi(
        "alternative",
        "----=_NextPart_001_0001_01D9",
        text(HELLO),
        text(HTML, "html"),
        written='Content-Type: multipart/alternative;\r\n\tboundary="----=_NextPart_001_0001_01D9"',
    )
    related = multi(
        "related",
        "----=_NextPart_001_0000_01D9",
        alternative,
        file(png(), 'image/png;\r\n\tname="a.png"', "Content-ID: <a>"),
    )
    return head("X-Mailer: Microsoft Outlook 16.0", V1) + multi(
        "mixed", "----=_NextPart_000_0000_01D9", related, preamble="This is a multipart message in MIME format."
    )


@mailer("Rehearsal with Kim")
def outlook_calendar_request() -> bytes:
    return head(V1) + multi(
        "alternative",
        "_000_CAL_",
        text("When: Wednesday"),
        text(HTML, "html"),
        text(calendar("REQUEST", "Rehearsal with Kim"), "calendar", how="base64", more="; method=REQUEST"),
    )


@mailer("Accepted: Rehearsal")
def outlook_calendar_reply() -> bytes:
    return head("Content-Class: urn:content-classes:calendarmessage", V1) + text(
        calendar("REPLY", "Accepted: Rehearsal"), "calendar", how="7bit", more="; method=REPLY"
    )


@mailer("Your message was read", "Disposition: automatic-action")
def outlook_read_receipt() -> bytes:
    return head(V1) + multi(
        "report",
        "_000_READ_",
        text("Your message was read on Tuesday."),
        lines(
            "Content-Type: message/disposition-notification",
            "",
            "Reporting-UA: agency.example; Microsoft Outlook",
            "Final-Recipient: RFC822; desk@agency.example",
            "Disposition: automatic-action/MDN-sent-automatically; displayed",
        ),
        written='Content-Type: multipart/report; report-type=disposition-notification; boundary="_000_READ_"',
    )


@mailer("out of the office until")
def outlook_out_of_office() -> bytes:
    return head(
        "Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All", V1, subject="Automatic reply: Tour"
    ) + multi("alternative", "_000_OOF_", text("I am out of the office until Monday."), text(HTML, "html"))


@mailer("Delivery has failed", "Status: 5.1.1", "Inner subject")
def exchange_report_with_headers_only() -> bytes:
    returned = head(V1, "Content-Type: multipart/alternative; boundary=_000_GONE_", subject="Inner subject")
    return head(V1, subject="Undeliverable: Tour") + multi(
        "report",
        "_REPORT_",
        multi("alternative", "_ALT_", text("Delivery has failed to these recipients."), text(HTML, "html")),
        lines(
            "Content-Type: message/delivery-status",
            "",
            "Reporting-MTA: dns;mx.agency.example",
            "",
            "Final-recipient: RFC822;x@agency.example",
            "Action: failed",
            "Status: 5.1.1",
        ),
        lines("Content-Type: message/rfc822", "", returned),
        written='Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary="_REPORT_"',
    )


@mailer("Delivery has failed", "Status: 5.7.1", "Inner subject")
def exchange_report_with_text_headers() -> bytes:
    return head(V1) + multi(
        "report",
        "_R2_",
        text("Delivery has failed."),
        lines("Content-Type: message/delivery-status", "", "Reporting-MTA: dns;mx", "", "Status: 5.7.1"),
        lines("Content-Type: text/rfc822-headers", "", head(subject="Inner subject")),
        written='Content-Type: multipart/report; report-type="delivery-status"; boundary="_R2_"',
    )


@mailer("rehearsal is on Friday", "Übersicht März.pdf", "Overview words")
def outlook_name_as_encoded_word() -> bytes:
    word = "=?utf-8?B?" + base64.b64encode("Übersicht März.pdf".encode()).decode() + "?="
    return head(V1) + multi(
        "mixed",
        "_005_",
        text(HELLO),
        file(
            pdf("Overview words"),
            f'application/pdf; name="{word}"',
            f'Content-Disposition: attachment; filename="{word}"',
        ),
    )


@mailer("rehearsal is on Friday", "Inner subject", "Inner words of Dana")
def outlook_message_attached() -> bytes:
    return head(V1) + multi(
        "mixed",
        "_006_",
        text(HELLO),
        lines(
            "Content-Type: message/rfc822",
            'Content-Disposition: attachment;\r\n\tcreation-date="Tue, 03 Mar 2026 15:15:00 GMT"',
            "",
            inner(),
        ),
    )


@mailer("Inner subject", "Inner words of Dana")
def exchange_message_attached_in_base64() -> bytes:
    return head(V1) + multi(
        "mixed",
        "_007_",
        text("See below."),
        file(inner(), 'message/rfc822; name="Tour.eml"', 'Content-Disposition: attachment; filename="Tour.eml"'),
    )


@mailer("rehearsal is on Friday")
def outlook_express() -> bytes:
    return head(
        "X-Priority: 3", "X-MSMail-Priority: Normal", "X-Mailer: Microsoft Outlook Express 6.00.2900.2180", V1
    ) + multi(
        "alternative",
        "----=_NextPart_000_0012_01C7A1B2.C3D4E5F0",
        text(HELLO, charset="iso-8859-1"),
        text(HTML, "html", "iso-8859-1"),
        preamble="This is a multi-part message in MIME format.",
    )


# Gmail


@mailer("rehearsal is on Friday", "On Tue, Kim wrote")
def gmail_reply() -> bytes:
    return head(
        "References: <a@b.example> <c@d.example>", "In-Reply-To: <c@d.example>", V1, subject="Re: Tour"
    ) + multi(
        "alternative",
        "000000000000a1b2c30612345678",
        text(HELLO + "\n\nOn Tue, Kim wrote:\n\n> when?\n", more="", how="7bit"),
        text(HTML, "html"),
    )


@mailer("rehearsal is on Friday", "plan.pdf", "Plan words")
def gmail_attachment() -> bytes:
    return head(V1) + multi(
        "mixed",
        "000000000000d4e5f60612345679",
        multi("alternative", "000000000000d4e5f40612345677", text(HELLO, how="7bit"), text(HTML, "html")),
        file(
            pdf("Plan words"),
            'application/pdf; name="plan.pdf"',
            'Content-Disposition: attachment; filename="plan.pdf"',
            "X-Attachment-Id: f_ltb1c2d30",
            "Content-ID: <f_ltb1c2d30>",
        ),
    )


@mailer("Forwarded message", "Inner words")
def gmail_forward_inline() -> bytes:
    words = (
        "---------- Forwarded message ---------\nFrom: Dana <dana@band.example>\nDate: Mon\nSubject: x\n"
        "To: me\n\nInner words\n"
    )
    return head(V1, subject="Fwd: x") + multi(
        "alternative", "00000000000011", text(words, how="7bit"), text(HTML, "html")
    )


@mailer("Rehearsal in June")
def gmail_calendar_invite() -> bytes:
    ics = calendar("REQUEST", "Rehearsal in June")
    return head(V1) + multi(
        "mixed",
        "000000000000cc",
        multi(
            "alternative",
            "000000000000cd",
            text("Invitation", more="; format=flowed; delsp=yes", how="base64"),
            text(HTML, "html"),
            text(ics, "calendar", how="7bit", more="; method=REQUEST"),
        ),
        file(
            ics.encode(), 'application/ics; name="invite.ics"', 'Content-Disposition: attachment; filename="invite.ics"'
        ),
    )


@mailer("Address not found", "Status: 5.1.1", "Inner words of Dana")
def gmail_report() -> bytes:
    related = multi(
        "related",
        "0000000000000dd",
        multi("alternative", "0000000000000de", text("Address not found"), text(HTML, "html")),
        file(
            png(),
            'image/png; name="icon.png"',
            'Content-Disposition: attachment; filename="icon.png"',
            "Content-ID: <icon.png>",
        ),
    )
    return head(V1) + multi(
        "report",
        "0000000000000dc",
        related,
        lines(
            "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; googlemail.example", "", "Status: 5.1.1"
        ),
        lines("Content-Type: message/rfc822", "", inner()),
        written='Content-Type: multipart/report; boundary="0000000000000dc"; report-type=delivery-status',
    )


@mailer("Tour \U0001f3b8 dates für Köln", "rehearsal is on Friday")
def gmail_encoded_subject() -> bytes:
    subject = b"=?UTF-8?Q?Tour_=F0=9F=8E=B8_dates_f?=\r\n =?UTF-8?Q?=C3=BCr_K=C3=B6ln?="
    return head(V1, subject=subject) + text(HELLO, how="7bit")


# Apple


@mailer("rehearsal is on Friday", "Plan words")
def apple_mail_mixed_in_alternative() -> bytes:
    mixed = multi(
        "mixed",
        "Apple-Mail=_B2",
        text(HTML, "html", how="7bit"),
        file(
            pdf("Plan words"),
            "application/pdf;\r\n\tname=plan.pdf;\r\n\tx-unix-mode=0644",
            "Content-Disposition: inline;\r\n\tfilename=plan.pdf",
        ),
        text("<html><body><br></body></html>", "html", how="7bit"),
    )
    return head(
        "Mime-Version: 1.0 (Mac OS X Mail 16.0 \\(3774.400.31\\))", "X-Mailer: Apple Mail (2.3774.400.31)"
    ) + multi(
        "alternative",
        "Apple-Mail=_B1",
        text(HELLO, how="7bit", charset="us-ascii"),
        mixed,
        written='Content-Type: multipart/alternative;\r\n\tboundary="Apple-Mail=_B1"',
    )


@mailer("rehearsal is on Friday")
def apple_mail_plain() -> bytes:
    return head(
        "Mime-Version: 1.0 (1.0)",
        "X-Mailer: iPhone Mail (21D61)",
        "Content-Type: text/plain; charset=us-ascii",
        "Content-Transfer-Encoding: quoted-printable",
    ) + lines("", HELLO + "=20", "", "Sent from my iPhone=")


@mailer("rehearsal is on Friday", "Sent from my iPhone")
def iphone_photo() -> bytes:
    return head("Mime-Version: 1.0 (1.0)", "X-Mailer: iPhone Mail (21D61)") + multi(
        "mixed",
        "Apple-Mail-5E0A1B2C-3D4E-5F60-7182-93A4B5C6D7E8",
        text(HELLO, how="7bit", charset="us-ascii"),
        file(png(), "image/png;\r\n\tname=IMG_0042.PNG", "Content-Disposition: inline;\r\n\tfilename=IMG_0042.PNG"),
        text("\n\nSent from my iPhone", how="7bit", charset="us-ascii"),
        written="Content-Type: multipart/mixed; boundary=Apple-Mail-5E0A1B2C-3D4E-5F60-7182-93A4B5C6D7E8",
    )


@mailer("rehearsal is on Friday", "Übersicht.pdf")
def apple_mail_name_in_two_forms() -> bytes:
    return head(V1) + multi(
        "mixed",
        "Apple-Mail=_C1",
        text(HELLO),
        file(
            pdf("Plan"),
            'application/pdf;\r\n\tname="=?utf-8?Q?U=CC=88bersicht=2Epdf?="',
            "Content-Disposition: attachment;\r\n\tfilename*=utf-8''%C3%9Cbersicht.pdf",
        ),
    )


# Thunderbird and other free mail tools


@mailer("long line that was folded by the mailer and goes on here")
def thunderbird_flowed() -> bytes:
    return head(
        "User-Agent: Mozilla Thunderbird",
        "Content-Language: en-US",
        V1,
        "Content-Type: text/plain; charset=UTF-8; format=flowed",
        "Content-Transfer-Encoding: 7bit",
    ) + lines("", "A long line that was folded by the mailer ", "and goes on here.", "", "-- ", "Kim")


@mailer("rehearsal is on Friday")
def thunderbird_html_related() -> bytes:
    related = multi(
        "related",
        "------------0A0b0C",
        text(HTML, "html", how="7bit"),
        file(
            png(),
            'image/png; name="part1.png"',
            'Content-Disposition: inline; filename="part1.png"',
            "Content-Id: <part1.0A0b0C@artists.example>",
        ),
    )
    return head(V1) + multi(
        "alternative",
        "------------1A1b1C",
        text(HELLO, how="7bit", more="; format=flowed"),
        related,
        preamble="This is a multi-part message in MIME format.",
    )


@mailer("rehearsal is on Friday", "a very long name of a plan für Köln.pdf")
def thunderbird_name_in_sections() -> bytes:
    return head(V1) + multi(
        "mixed",
        "------------2A2b2C",
        text(HELLO),
        file(
            pdf("Plan"),
            'application/pdf; name="=?UTF-8?Q?a_very_long_name_of_a_plan_f=C3=BCr_K=C3=B6ln=2Epdf?="',
            (
                "Content-Disposition: attachment;\r\n"
                " filename*0*=UTF-8''a%20very%20long%20name%20of%20a%20plan%20f%C3%BCr%20K;\r\n"
                " filename*1*=%C3%B6ln.pdf"
            ),
        ),
    )


# One signature packet of version 4 (RFC 9580 section 5.2.3), over nothing and by nobody.
PACKET = b"\xc2\x0e" + bytes.fromhex("0400160800000000abcd0100017f")
SIGNATURE = lines("-----BEGIN PGP SIGNATURE-----", "", base64.b64encode(PACKET), "-----END PGP SIGNATURE-----")


@mailer("rehearsal is on Friday", "In the protected header")
def thunderbird_signed() -> bytes:
    body = lines(
        'Content-Type: multipart/mixed; boundary="------------in";\r\n protected-headers="v1"',
        "Subject: In the protected header",
        "",
    )
    body += lines(
        "--------------in",
        "Content-Type: text/plain; charset=UTF-8; format=flowed",
        "Content-Transfer-Encoding: base64",
        "",
        base64.encodebytes(HELLO.encode()).replace(b"\n", CRLF),
        "--------------in--",
    )
    sig = lines(
        'Content-Type: application/pgp-signature; name="OpenPGP_signature.asc"',
        "Content-Description: OpenPGP digital signature",
        'Content-Disposition: attachment; filename="OpenPGP_signature.asc"',
        "",
        SIGNATURE,
    )
    return head(V1) + multi(
        "signed",
        "------------out",
        body,
        sig,
        written=(
            "Content-Type: multipart/signed; micalg=pgp-sha256;\r\n"
            ' protocol="application/pgp-signature";\r\n boundary="------------out"'
        ),
        preamble="This is an OpenPGP/MIME signed message (RFC 4880 and 3156)",
    )


@mailer("rehearsal is on Friday")
def mutt_signed() -> bytes:
    body = lines("Content-Type: text/plain; charset=us-ascii", "Content-Disposition: inline", "", HELLO)
    sig = lines('Content-Type: application/pgp-signature; name="signature.asc"', "", SIGNATURE)
    return head("Mail-Followup-To: list@artists.example", V1, "User-Agent: Mutt/2.2.12") + multi(
        "signed",
        "J/dobhs11T7y2rNN",
        body,
        sig,
        written=(
            "Content-Type: multipart/signed; micalg=pgp-sha256;\r\n"
            '\tprotocol="application/pgp-signature"; boundary="J/dobhs11T7y2rNN"'
        ),
    )


@mailer("rehearsal is on Friday", "+++ b/stage.c")
def mutt_patch() -> bytes:
    patch = lines(
        "Content-Type: text/x-diff; charset=us-ascii",
        'Content-Disposition: attachment; filename="0001-stage.patch"',
        "",
        "--- a/stage.c",
        "+++ b/stage.c",
        "@@ -1 +1 @@",
        "-int old;",
        "+int new;",
        "-- ",
        "2.43.0",
    )
    return head(V1, "Content-Disposition: inline") + multi("mixed", "k+w/mQv8wyuph6w0", text(HELLO, how="8bit"), patch)


@mailer("rehearsal is on Friday", "Notes words")
def alpine() -> bytes:
    note = lines(
        "Content-Type: TEXT/PLAIN; name=notes.txt",
        "Content-Transfer-Encoding: BASE64",
        "Content-ID: <alpine.1@x>",
        "Content-Description: ",
        "Content-Disposition: attachment; filename=notes.txt",
        "",
        base64.b64encode(b"Notes words"),
    )
    return head(V1) + multi(
        "mixed",
        "8323328-123456789-1234567890=:12345",
        lines("Content-Type: TEXT/PLAIN; CHARSET=US-ASCII", "", HELLO),
        note,
        written='Content-Type: MULTIPART/MIXED; BOUNDARY="8323328-123456789-1234567890=:12345"',
        preamble=(
            "  This message is in MIME format.  The first part should be readable text,\r\n"
            "  while the remaining parts are likely unreadable without MIME-aware tools.\r\n"
        ),
    )


@mailer("rehearsal is on Friday")
def kmail() -> bytes:
    return head(V1) + multi(
        "mixed",
        "Boundary-00=_abcDEF",
        text(HELLO),
        file(pdf("x"), 'application/pdf;\r\n  name="x.pdf"', 'Content-Disposition: attachment;\r\n\tfilename="x.pdf"'),
        written='Content-Type: Multipart/Mixed;\r\n  boundary="Boundary-00=_abcDEF"',
    )


@mailer("rehearsal is on Friday")
def claws_mail_signed() -> bytes:
    body = multi(
        "mixed",
        "MP_/abcdEFGH1234",
        text(HELLO),
        lines("Content-Type: text/plain", "Content-Disposition: attachment; filename=a.txt", "", "in a file"),
    )
    return head(V1) + multi(
        "signed",
        "Sig_/xyz=123",
        body,
        lines(
            "Content-Type: application/pgp-signature", "Content-Description: OpenPGP digital signature", "", SIGNATURE
        ),
        written=(
            'Content-Type: multipart/signed; boundary="Sig_/xyz=123";\r\n'
            ' protocol="application/pgp-signature"; micalg=pgp-sha256'
        ),
    )


@mailer("rehearsal is on Friday")
def evolution() -> bytes:
    return head("X-Evolution-Source: 1234567890.12345.1@host", V1) + multi(
        "alternative", "=-abcDEFghi123456789/", text(HELLO), text(HTML, "html")
    )


@mailer("rehearsal is on Friday")
def the_bat() -> bytes:
    return head("X-Priority: 3 (Normal)", V1) + multi(
        "mixed", "----------0B5D04E0C9C1B6B", text(HELLO, charset="windows-1251", how="8bit")
    )


@mailer("rehearsal is on Friday", "first.txt", "Words of a file")
def eudora() -> bytes:
    note = lines(
        'Content-Type: text/plain; name="first.txt";\r\n x-mac-type="54455854"; x-mac-creator="74747874"',
        'Content-Disposition: attachment; filename="first.txt"',
        "Content-Transfer-Encoding: 7bit",
        "",
        "Words of a file",
    )
    return head(
        "X-Mailer: QUALCOMM Windows Eudora Version 6.2.3.4", "X-Sender: kim@pop.artists.example", "Mime-Version: 1.0"
    ) + multi(
        "mixed",
        "=====================_12345678==_",
        lines('Content-Type: text/plain; charset="us-ascii"; format=flowed', "", HELLO),
        note,
    )


@mailer("rehearsal is on Friday")
def eudora_enriched() -> bytes:
    return head("Mime-Version: 1.0", 'Content-Type: text/enriched; charset="us-ascii"') + lines(
        "", "<bold>Hello</bold>, the rehearsal is on Friday at noon."
    )


@mailer("rehearsal is on Friday", "report.txt", "Words that were uuencoded")
def eudora_uuencoded() -> bytes:
    octets = b"Words that were uuencoded, in an old way.\n"
    return head('Content-Type: text/plain; charset="us-ascii"') + lines(
        "", HELLO, "", "begin 644 report.txt", binascii.b2a_uu(octets).rstrip(b"\n"), "`", "end", ""
    )


@mailer("rehearsal is on Friday")
def old_mail_without_mime() -> bytes:
    return head() + lines("", HELLO)


@mailer("rehearsal is on Friday")
def old_content_type() -> bytes:
    return head("Content-Type: text", "Content-Length: 44") + lines("", HELLO)


@mailer("rehearsal is on Friday")
def lotus_notes() -> bytes:
    return head("X-Mailer: Lotus Notes Release 8.5.3", V1) + multi(
        "alternative",
        "=_alternative 0052B1D780257D5A_=",
        text(HELLO, charset="us-ascii"),
        text(HTML, "html", "us-ascii"),
        preamble="This is a multipart message in MIME format.",
    )


@mailer("rehearsal is on Friday")
def groupwise() -> bytes:
    return head("X-Mailer: Novell GroupWise Internet Agent 18.4.0", V1) + multi(
        "alternative",
        "____ABCDEFGHIJKLMNOPQRST____",
        text(HELLO, charset="iso-8859-15"),
        text(HTML, "html"),
        preamble=(
            "This is a MIME message. If you are reading this text, you may want to \r\n"
            "consider changing to a mail reader or gateway that understands how to \r\n"
            "properly handle MIME multipart messages."
        ),
    )


# Yahoo, providers abroad, telephones


@mailer("rehearsal is on Friday")
def yahoo() -> bytes:
    return head("References: <123456789.1234567.1709478900000.ref@mail.yahoo.example>", V1) + multi(
        "alternative", "----=_Part_1234567_123456789.1709478900000", text(HELLO, how="7bit"), text(HTML, "html")
    )


@mailer("rehearsal is on Friday", "list.csv", "guitar")
def yahoo_attachment() -> bytes:
    return head(V1) + multi(
        "mixed",
        "----=_Part_1_2.3",
        multi("alternative", "----=_Part_4_5.6", text(HELLO), text(HTML, "html")),
        file(
            b"name;number\r\nguitar;4\r\n",
            "text/csv",
            'Content-Disposition: attachment; filename="list.csv"',
            "Content-ID: <1-2-3>",
        ),
    )


@mailer("リハーサルは金曜日です", "ツアーの日程")
def japanese_provider() -> bytes:
    subject = b"=?ISO-2022-JP?B?" + base64.b64encode("ツアーの日程".encode("iso2022_jp")) + b"?="
    return head(V1, subject=subject) + lines(
        "Content-Type: text/plain; charset=ISO-2022-JP",
        "Content-Transfer-Encoding: 7bit",
        "",
        "リハーサルは金曜日です".encode("iso2022_jp"),
    )


@mailer("排练在星期五", "日程.pdf", "Plan words")
def foxmail() -> bytes:
    name = "=?GB2312?B?" + base64.b64encode("日程.pdf".encode("gb2312")).decode() + "?="
    inside = multi(
        "alternative",
        "----=_002_NextPart012345678_=----",
        text("排练在星期五", charset="gb2312", how="base64"),
        text("<p>排练在星期五</p>", "html", "gb2312"),
    )
    return head("X-Mailer: Foxmail 7.2.25.375[cn]", "Mime-Version: 1.0") + multi(
        "mixed",
        "----=_001_NextPart012345678_=----",
        inside,
        file(
            pdf("Plan words"),
            f'application/octet-stream;\r\n\tname="{name}"',
            f'Content-Disposition: attachment;\r\n\tfilename="{name}"',
        ),
        preamble="This is a multi-part message in MIME format.",
    )


@mailer("Репетиция в пятницу")
def russian_provider() -> bytes:
    return head(V1) + multi(
        "alternative",
        "--ALT--gJ3kLmNo1709478900",
        text("Репетиция в пятницу", charset="koi8-r", how="base64"),
        text("<p>Репетиция в пятницу</p>", "html", how="base64"),
    )


@mailer("리허설은 금요일")
def korean_provider() -> bytes:
    return head(V1) + text("리허설은 금요일", "html", "euc-kr", "base64")


@mailer("rehearsal is on Friday")
def samsung_telephone() -> bytes:
    return head(V1, "Importance: normal") + multi(
        "alternative",
        "--_com.samsung.android.email_1709478900000",
        text(HELLO, how="base64"),
        text(HTML, "html", how="base64"),
    )


@mailer("Die Probe ist am Freitag um zwölf", "Grüße aus Köln")
def eight_bit_header_and_body() -> bytes:
    return head(V1, subject="Grüße aus Köln".encode("latin-1")) + text(
        "Die Probe ist am Freitag um zwölf", charset="iso-8859-1", how="8bit"
    )


@mailer("rehearsal is on Friday")
def lower_case_hex_and_stray_equals() -> bytes:
    return head(V1, "Content-Type: text/html; charset=utf-8", "Content-Transfer-Encoding: quoted-printable") + lines(
        "", '<a href="https://x.example/?a=b&c=3d1">Hello=2c the rehearsal is on Friday</a> ', "at noon =", "today"
    )


# Newsletters and programs that send


@mailer("Spring season opens")
def newsletter_mcpart() -> bytes:
    return head(
        "List-Unsubscribe: <mailto:u@news.example?subject=u>, <https://news.example/u?x=123456789>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        V1,
    ) + multi(
        "alternative",
        "_----------=_MCPart_123456789",
        text("Spring season opens", more="; format=fixed"),
        text(NEWS, "html"),
        written='Content-Type: multipart/alternative; boundary="_----------=_MCPart_123456789"',
        preamble="This is a multi-part message in MIME format",
    )


@mailer("Spring season opens")
def newsletter_with_encoding_at_its_root() -> bytes:
    return head(
        V1, "Content-Transfer-Encoding: quoted-printable", "Precedence: bulk", "Feedback-ID: 123:456:789:sender"
    ) + multi(
        "alternative",
        "b1_0a1b2c3d4e5f",
        text("Spring season opens"),
        text(NEWS, "html"),
        written='Content-Type: multipart/alternative; charset="utf-8"; boundary="b1_0a1b2c3d4e5f"',
    )


@mailer("Spring season opens")
def newsletter_html_only() -> bytes:
    return head(V1) + text(NEWS, "html")


@mailer("Spring season opens")
def newsletter_amp() -> bytes:
    return head(V1) + multi(
        "alternative",
        "===============1234567890==",
        text("Spring season opens"),
        text(NEWS, "x-amp-html"),
        text(NEWS, "html"),
    )


@mailer("Spring season opens")
def php_boundary_not_quoted() -> bytes:
    return head(V1) + multi(
        "mixed",
        "=_6ad3b1=_x",
        text("Spring season opens"),
        written="Content-Type: multipart/mixed; boundary==_6ad3b1=_x",
    )


@mailer("Spring season opens")
def ruby_mailer() -> bytes:
    return head(V1) + multi(
        "alternative",
        "--==_mimepart_65e4a1b2c3d4e_1a2b3c",
        text("Spring season opens", how="7bit"),
        text(NEWS, "html"),
        written=(
            'Content-Type: multipart/alternative;\r\n boundary="--==_mimepart_65e4a1b2c3d4e_1a2b3c";\r\n charset=UTF-8'
        ),
    )


@mailer("Spring season opens")
def charset_is_a_template() -> bytes:
    return head(V1, "Content-Type: text/html; charset=%CHARSET%", "Content-Transfer-Encoding: 8-bit") + lines("", NEWS)


@mailer("Spring season opens", "Bill words")
def program_without_last_delimiter() -> bytes:
    whole = head(V1) + multi(
        "mixed",
        "=_bill_1",
        text("Spring season opens"),
        file(pdf("Bill words"), "application/pdf; name=bill.pdf", "Content-Disposition: attachment"),
    )
    return whole.removesuffix(b"--=_bill_1--\r\n")


@mailer("Spring season opens")
def doubled_fields() -> bytes:
    return head(
        V1,
        V1,
        "Content-Type: text/plain",
        "Content-Type: text/plain",
        "Message-ID: <again@x>",
        "Date: Tue, 03 Mar 2026 10:15:01 -0500",
    ) + lines("", "Spring season opens")


@mailer("Spring season opens", "logo.gif")
def names_that_differ() -> bytes:
    return head(V1) + multi(
        "mixed",
        "nd",
        text("Spring season opens"),
        file(png(), 'image/png; name="image.png"', 'Content-Disposition: attachment; filename="logo.gif"'),
    )


@mailer("Spring season opens")
def comment_behind_a_charset() -> bytes:
    return head(
        V1, "Content-Type: text/plain; charset=us-ascii (Plain text)", "Content-Transfer-Encoding: 7bit (ASCII)"
    ) + lines("", "Spring season opens")


# Lists


@mailer("rehearsal is on Friday", "list mailing list")
def mailman_footer_part() -> bytes:
    footer = lines(
        'Content-Type: text/plain; charset="us-ascii"',
        "MIME-Version: 1.0",
        "Content-Transfer-Encoding: 7bit",
        "Content-Disposition: inline",
        "",
        "_______________________________________________",
        "list mailing list",
        "https://lists.example/listinfo",
    )
    return head(
        "List-Id: Players <list.lists.example>", "Errors-To: list-bounces@lists.example", V1, subject="[list] Tour"
    ) + multi(
        "mixed",
        "===============0123456789==",
        multi("alternative", "0000000a", text(HELLO), text(HTML, "html")),
        footer,
    )


@mailer("Inner words of Dana", "Second words")
def mailman_digest() -> bytes:
    digest = multi(
        "digest",
        "===============in==",
        lines("Content-Type: message/rfc822", "MIME-Version: 1.0", "", inner()),
        CRLF + inner(words="Second words"),
    )
    return head(V1, subject="list Digest, Vol 1") + multi(
        "mixed", "===============out==", text("Today's topics"), digest, text("End of digest")
    )


@mailer("rehearsal is on Friday", "To unsubscribe, write to")
def footer_as_epilogue() -> bytes:
    return head(V1) + multi(
        "mixed", "epi_1", text(HELLO), epilogue="To unsubscribe, write to list-leave@lists.example\r\n"
    )


@mailer("rehearsal is on Friday", "To leave the list")
def footer_behind_base64() -> bytes:
    return head(V1, "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64") + lines(
        "", base64.b64encode(HELLO.encode()), "", "_" * 40, "To leave the list, write to leave@lists.example"
    )


# Reports and robots


@mailer("This is the mail system", "Status: 5.1.1", "Inner words of Dana")
def postfix_report() -> bytes:
    return head(
        "Auto-Submitted: auto-replied",
        V1,
        subject="Undelivered Mail Returned to Sender",
        sender="MAILER-DAEMON@mx.agency.example (Mail Delivery System)",
    ) + multi(
        "report",
        "4XyZ123456.1709478900/mx.agency.example",
        lines(
            "Content-Description: Notification",
            "Content-Type: text/plain; charset=us-ascii",
            "",
            "This is the mail system at host mx.agency.example.",
        ),
        lines(
            "Content-Description: Delivery report",
            "Content-Type: message/delivery-status",
            "",
            "Reporting-MTA: dns; mx.agency.example",
            "",
            "Status: 5.1.1",
        ),
        lines("Content-Description: Undelivered Message", "Content-Type: message/rfc822", "", inner()),
        written=(
            "Content-Type: multipart/report; report-type=delivery-status;\r\n"
            '\tboundary="4XyZ123456.1709478900/mx.agency.example"'
        ),
        preamble="This is a MIME-encapsulated message.",
    )


@mailer("The original message was received", "Inner words of Dana")
def sendmail_report() -> bytes:
    return head(V1) + multi(
        "report",
        "423AFgHi012345.1709478900/mx",
        lines("", "The original message was received at Tue"),
        lines("Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx", "", "Status: 4.4.7"),
        lines("Content-Type: message/rfc822", "", b"Return-Path: <a@b.example>\r\n" + inner()),
        preamble="This is a MIME-encapsulated message",
    )


@mailer("copy of the message", "rehearsal is on Friday")
def qmail_report() -> bytes:
    copy = head(V1) + multi(
        "mixed",
        "in_a_copy",
        text(HELLO, how="8bit"),
        file(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 2, "image/png; name=a.png", "Content-Disposition: attachment"),
    )
    return head(subject="failure notice") + lines(
        "", "Hi. This is the qmail-send program.", "--- Below this line is a copy of the message.", "", copy
    )


@mailer("could not be delivered", "Inner subject")
def exim_report() -> bytes:
    return head("X-Failed-Recipients: x@agency.example", "Auto-Submitted: auto-replied", V1) + multi(
        "report",
        "1709478900-eximdsn-123456789",
        lines("Content-type: text/plain; charset=us-ascii", "", "A message that you sent could not be delivered"),
        lines("Content-type: message/delivery-status", "", "Reporting-MTA: dns; mx", "", "Status: 5.0.0"),
        lines("Content-type: message/rfc822", "", head(subject="Inner subject")),
        written="Content-Type: multipart/report; report-type=delivery-status; boundary=1709478900-eximdsn-123456789",
    )


@mailer("was reported as spam", "Feedback-Type: abuse", "Inner words of Dana")
def abuse_report() -> bytes:
    return head(V1) + multi(
        "report",
        "arf_1",
        text("This mail was reported as spam."),
        lines("Content-Type: message/feedback-report", "", "Feedback-Type: abuse", "Version: 1"),
        lines("Content-Type: message/rfc822", "Content-Disposition: inline", "", inner()),
        written='Content-Type: multipart/report; report-type=feedback-report; boundary="arf_1"',
    )


@mailer("artists.example!1709478900!1709565299.xml.gz", "policy_published")
def dmarc_report() -> bytes:
    name = "google.example!artists.example!1709478900!1709565299.xml.gz"
    return head(V1, subject="Report domain: artists.example") + file(
        gzip.compress(
            b'<?xml version="1.0"?><feedback><policy_published><domain>a</domain></policy_published></feedback>',
            mtime=0,
        ),
        f'application/gzip; \r\n\tname="{name}"',
        f'Content-Disposition: attachment; \r\n\tfilename="{name}"',
    )


# Fax and scanners, signed mail, files of mail


@mailer("The following fax was received", "Fax words")
def fax_server() -> bytes:
    return head(V1, subject='Fax received from "+1 202 555 0100"') + multi(
        "mixed",
        "----_=_Fax_001",
        text("The following fax was received\nSender: +1 202 555 0100\nPages: 1\n", how="7bit"),
        file(
            pdf("Fax words"),
            'application/pdf; name="fax00000123.pdf"',
            'Content-Disposition: attachment; filename="fax00000123.pdf"',
        ),
    )


@mailer("Scan words")
def scanner_at_the_office() -> bytes:
    return head(V1, "X-Mailer: Canon MFP", subject="Attached Image") + multi(
        "mixed",
        "=_MFP_ 0001",
        lines("Content-Type: text/plain; charset=US-ASCII", "", ""),
        file(
            pdf("Scan words"),
            'application/pdf; name="0123_001.pdf"',
            'Content-Disposition: attachment; filename="0123_001.pdf"',
        ),
    )


@mailer("rehearsal is on Friday")
def smime_signed() -> bytes:
    return head(V1) + multi(
        "signed",
        "----=_NextPart_smime",
        lines("Content-Type: text/plain; charset=utf-8", "", HELLO),
        lines("Content-Type: text/plain; name=note.txt", "", "kept without a signature"),
        written=(
            'Content-Type: multipart/signed; protocol="application/x-pkcs7-signature";\r\n'
            '\tmicalg="sha-256"; boundary="----=_NextPart_smime"'
        ),
        preamble="This is an S/MIME signed message",
    )


@mailer("rehearsal is on Friday")
def line_ends_of_unix() -> bytes:
    return outlook_alternative().replace(b"\r\n", b"\n")


@mailer("rehearsal is on Friday")
def out_of_a_mailbox_file() -> bytes:
    return b"From kim@artists.example Tue Mar  3 10:15:00 2026\r\n" + thunderbird_html_related()


@mailer("rehearsal is on Friday")
def forwarded_five_times() -> bytes:
    mail = head(V1) + text(HELLO, how="7bit")
    for level in range(5):
        mail = head(V1) + multi(
            "mixed",
            f"fw_{level}",
            text(f"See below {level}"),
            lines("Content-Type: message/rfc822", "Content-Disposition: attachment", "", mail),
        )
    return mail


@mailer("rehearsal is on Friday", "Kim's card")
def with_a_card() -> bytes:
    card = lines("BEGIN:VCARD", "VERSION:3.0", "FN:Kim's card", "TEL:+1 202 555 0100", "END:VCARD")
    return head(V1) + multi(
        "mixed",
        "card_1",
        text(HELLO),
        lines(
            "Content-Type: text/x-vcard; charset=utf-8; name=kim.vcf",
            "Content-Disposition: attachment; filename=kim.vcf",
            "",
            card,
        ),
    )


@mailer("Ünïcode name")
def eight_bit_file_name() -> bytes:
    return head(V1) + multi(
        "mixed",
        "ebf",
        text(HELLO),
        lines(
            'Content-Type: text/plain; name="Ünïcode name.txt"',
            'Content-Disposition: attachment; filename="Ünïcode name.txt"',
            "",
            "x",
        ),
    )


@mailer("rehearsal is on Friday", "Project:=Tour")
def long_references_and_odd_fields() -> bytes:
    references = "\r\n ".join(f"<{number:020d}.{number}@mail.artists.example>" for number in range(180))
    return head(f"References: {references}", "X-Custom: Project:=Tour", "X-Empty:", V1) + text(HELLO)


@mailer("rehearsal is on Friday")
def to_three_hundred_people() -> bytes:
    people = ",\r\n ".join(
        f"=?utf-8?Q?K=C3=BCnstler_{number}?= <artist.{number}@artists.example>" for number in range(300)
    )
    return head(f"Cc: {people}", V1) + text(HELLO)
