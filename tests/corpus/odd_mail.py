"""Odd but legal mail, all invented: what mail tools really send and what the RFCs allow. Line ends are CRLF, no line is
longer than 998 octets, nothing depends on the machine except for keys made on the spot.

`odd_mails()` yields (name, octets) one by one; `MAILS[name](parties)` makes a single one. Where `name` ends with
`_unended` the last line has no line end, which only BDAT can carry.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import functools
import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

CRLF = b"\r\n"
LARGE = 25 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Parties:
    """Who writes to whom. Addresses only; they must be ASCII."""

    author: str = "avery.example@agency.example"
    recipient: str = "kim.composer@artists.example"


Maker = Callable[[Parties], bytes]
MAILS: dict[str, Maker] = {}
ENCRYPTED = frozenset({"rights_managed", "smime_enveloped", "pgp_mime_encrypted"})
"""Those that are encrypted for someone, which the door refuses."""

AUTOMATIC = frozenset({"delivery_report", "read_receipt"})
"""Those that no person wrote: they end at the door, with a line on the case."""


def odd_mails(parties: Parties | None = None) -> Iterator[tuple[str, bytes]]:
    """Every mail of the corpus, made when it is asked for."""
    for name, make in MAILS.items():
        yield name, make(parties or Parties())


def mail(make: Maker) -> Maker:
    MAILS[make.__name__] = make
    return make


def lines(*texts: str | bytes) -> bytes:
    return b"".join((text.encode() if isinstance(text, str) else text) + CRLF for text in texts)


def head(parties: Parties, *more: str | bytes, subject: str = "Odd mail") -> bytes:
    """The ordinary fields, then more of them."""
    return lines(
        f"From: Avery Example <{parties.author}>",
        f"To: <{parties.recipient}>",
        f"Subject: {subject}",
        "Date: Tue, 03 Mar 2026 10:15:00 -0500",
        f"Message-ID: <odd.{zlib.crc32(repr(more).encode())}@agency.example>",
        "MIME-Version: 1.0",
        *more,
    )


def multipart(kind: str, boundary: str, *parts: bytes, preamble: str = "", epilogue: str = "") -> bytes:
    """A Content-Type field, the blank line, and the body; goes behind other fields. Parts begin with their fields."""
    opened = lines(f'Content-Type: multipart/{kind}; boundary="{boundary}"', "", *([preamble] if preamble else []))
    body = b"".join(b"--" + boundary.encode() + CRLF + part + CRLF for part in parts)
    return opened + body + lines(f"--{boundary}--", *([epilogue] if epilogue else []))


def text_part(text: str, kind: str = "plain", charset: str = "utf-8") -> bytes:
    return lines(f"Content-Type: text/{kind}; charset={charset}", "Content-Transfer-Encoding: 8bit", "", text)[:-2]


def file_part(name_field: str, octets: bytes, media_type: str = "application/octet-stream") -> bytes:
    return lines(
        f"Content-Type: {media_type}",
        f"Content-Disposition: attachment; {name_field}",
        "Content-Transfer-Encoding: base64",
        "",
    ) + base64.encodebytes(octets).replace(b"\n", CRLF)


# Text


@mail
def plain_text(p: Parties) -> bytes:
    return head(p, "Content-Type: text/plain; charset=us-ascii") + lines("", "Hello,", "", "an ordinary text.")


@mail
def no_mime_fields(p: Parties) -> bytes:
    return lines(f"From: {p.author}", f"To: {p.recipient}", "Subject: old", "", "RFC 822 text.")


@mail
def no_body(p: Parties) -> bytes:
    return head(p) + CRLF


@mail
def no_blank_line(p: Parties) -> bytes:
    return head(p)


@mail
def empty_lines_only(p: Parties) -> bytes:
    return head(p) + CRLF * 5


@mail
def no_final_line_end_unended(p: Parties) -> bytes:
    return head(p) + lines("") + b"The last line has no end"


@mail
def missing_close_delimiter_unended(p: Parties) -> bytes:
    return head(p) + multipart("mixed", "cut", text_part("one"), text_part("two")).removesuffix(b"\r\n--cut--\r\n")


@mail
def utf8_8bit(p: Parties) -> bytes:
    return head(p, "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit") + lines(
        "", "Grüße aus Zürich, café, naïve, 東京, Ελλάδα, Привет, שלום, 🎻"
    )


@mail
def quoted_printable(p: Parties) -> bytes:
    body = binascii.b2a_qp("Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. ".encode() * 5)
    return head(p, "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable") + lines(
        "", body.replace(b"\n", CRLF), "=46rom the start =3D fine", "soft =", "break"
    )


@mail
def base64_text(p: Parties) -> bytes:
    body = base64.encodebytes("Ein Text in Base64, häufig bei Mobilgeräten.\r\n".encode() * 9).replace(b"\n", CRLF)
    return head(p, "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64") + CRLF + body


def _charset(charset: str, codec: str, text: str) -> None:
    def make(p: Parties) -> bytes:
        encoded = base64.encodebytes(text.encode(codec)).replace(b"\n", CRLF)
        subject = f"=?{charset}?B?{base64.b64encode(text[:8].encode(codec)).decode()}?="
        return (
            head(
                p, f"Content-Type: text/plain; charset={charset}", "Content-Transfer-Encoding: base64", subject=subject
            )
            + CRLF
            + encoded
        )

    make.__name__ = "charset_" + charset.lower().replace("-", "_")
    mail(make)


_charset("ISO-8859-1", "latin-1", "Señor Müller à Genève ÷ façade")
_charset("iso-8859-15", "iso8859-15", "Preis: 20 €, Œuvre, Žižkov")
_charset("windows-1252", "cp1252", "“Smart quotes” – and a dash … €")
_charset("windows-1251", "cp1251", "Съешь же ещё этих мягких булок")
_charset("KOI8-R", "koi8-r", "Съешь же ещё этих мягких булок")
_charset("ISO-2022-JP", "iso2022_jp", "これは日本語の本文です。")
_charset("Shift_JIS", "cp932", "これは日本語の本文です。①")
_charset("EUC-JP", "euc_jp", "これは日本語の本文です。")
_charset("GB2312", "gb2312", "这是一封中文邮件。")
_charset("GB18030", "gb18030", "这是一封中文邮件。㐀")
_charset("Big5", "big5", "這是一封中文郵件。")
_charset("EUC-KR", "euc_kr", "한국어 메일입니다.")
_charset("windows-1255", "cp1255", "זוהי הודעה בעברית")
_charset("windows-1256", "cp1256", "هذه رسالة بالعربية")
_charset("ISO-8859-2", "iso8859-2", "Zażółć gęślą jaźń")
_charset("ISO-8859-7", "iso8859-7", "Ελληνικό μήνυμα")
_charset("ISO-8859-9", "iso8859-9", "Türkçe ileti ğşı")
_charset("TIS-620", "tis-620", "ข้อความภาษาไทย")
_charset("UTF-16", "utf-16", "Two octets a letter")
_charset("UTF-16LE", "utf-16-le", "Little endian")


@mail
def charset_unknown(p: Parties) -> bytes:
    return head(p, "Content-Type: text/plain; charset=x-invented-12", "Content-Transfer-Encoding: 8bit") + lines(
        "", "Read as UTF-8: ä ö ü"
    )


@mail
def lines_of_998(p: Parties) -> bytes:
    return head(p) + lines("", "a" * 998, "b" * 998, "c" * 997)


@mail
def lines_with_dots(p: Parties) -> bytes:
    return head(p) + lines("", ".", "..", "...", ".leading dot", "", ". ", "end.", ".")


@mail
def from_lines_and_dashes(p: Parties) -> bytes:
    return head(p) + lines("", "From here on it is text.", ">From quoted", "--", "-- ", "--not-a-boundary", "--=_x--")


@mail
def format_flowed(p: Parties) -> bytes:
    return head(p, "Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes") + lines(
        "",
        "This is a paragraph that its author  ",
        "wrote as one line.",
        "> quoted text that  ",
        "> flows too",
        " From",
        "-- ",
        "Avery",
    )


@mail
def html_only(p: Parties) -> bytes:
    return head(p, "Content-Type: text/html; charset=utf-8") + lines(
        "", "<html><body><p>Hello &amp; welcome</p><!-- note --><script>x()</script></body></html>"
    )


# Headers


@mail
def smtputf8_header(p: Parties) -> bytes:
    return lines(
        f"From: Jürgen Beispiel <{p.author}>",
        f"To: 見本 <{p.recipient}>",
        "Subject: Grüße – 件名",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        "ä",
    )


@mail
def encoded_subject_split_in_character(p: Parties) -> bytes:
    octets = "Prüfung für den Künstler: Übersicht".encode()
    words = " ".join(f"=?UTF-8?B?{base64.b64encode(octets[at : at + 7]).decode()}?=" for at in range(0, len(octets), 7))
    return head(p, subject=words.replace(" ", "\r\n ")) + lines("", "text")


@mail
def encoded_words_of_all_kinds(p: Parties) -> bytes:
    return head(
        p,
        "Comments: =?iso-8859-1*en?Q?caf=E9_?= plain =?koi8-r?B?8NLJ18XU?=",
        "Keywords: =?us-ascii?q?a?= =?utf-8?q?_b?=, =?unknown?q?c?=",
        subject="=?utf-8?q?Re=3A_your_question?= (=?utf-8?b?w6TDtsO8?=)",
    ) + lines("", "text")


@mail
def very_long_headers(p: Parties) -> bytes:
    references = "\r\n ".join(f"<{number:08}.{number * 7919}@agency.example>" for number in range(60))
    return head(p, f"References: {references}", "X-Long: " + "y" * 980, "X-Folded: a" + "\r\n\tb" * 300) + lines(
        "", "t"
    )


@mail
def four_hundred_fields(p: Parties) -> bytes:
    return head(p, *(f"X-Field-{number}: {number}" for number in range(400))) + lines("", "text")


@mail
def many_addressees(p: Parties) -> bytes:
    cc = ",\r\n ".join(f'"Colleague, Number {number}" <c{number}@agency.example>' for number in range(150))
    return head(p, f"Cc: {cc}") + lines("", "text")


@mail
def groups_comments_and_routes(p: Parties) -> bytes:
    return head(
        p,
        'Cc: Team: one@agency.example, "Two (2)" <two@agency.example> (the second (nested) one);,',
        " <@relay.example,@other.example:three@agency.example>, four @ agency . example, undisclosed:;",
        "Reply-To: (only a comment) five@agency.example (Five)",
    ) + lines("", "text")


@mail
def bcc_in_the_octets(p: Parties) -> bytes:
    return head(p, "Bcc: Hidden Person <hidden.person@agency.example>,", "\tother.hidden@agency.example") + lines(
        "", "x"
    )


@mail
def trace_fields_and_internal_hosts(p: Parties) -> bytes:
    return (
        lines(
            f"Return-Path: <{p.author}>",
            "Received: from desk42.internal.agency.example (10.1.2.3) by hub.internal.agency.example",
            "\twith ESMTPS id 4X; Tue, 3 Mar 2026 10:15:01 -0500",
            "Received: from [10.9.8.7] by desk42.internal.agency.example; Tue, 3 Mar 2026 10:15:00 -0500",
            "X-Originating-IP: 10.9.8.7",
            "X-MS-Exchange-Organization-AuthSource: hub.internal.agency.example",
            "DKIM-Signature: v=1; a=rsa-sha256; d=agency.example; s=x; h=from; bh=AAAA; b=BBBB",
        )
        + head(p, "User-Agent: Invented Mail 1.0", "Thread-Topic: odd")
        + lines("", "text")
    )


@mail
def obsolete_date_and_fields(p: Parties) -> bytes:
    return lines(
        f"From: {p.author}",
        f"To: {p.recipient}",
        "Subject : blanks before the colon",
        "Date: Tue, 3 Mar 98 10:15 EST",
        "In-Reply-To: Your message of Monday <a.b@agency.example>",
        "Lines: 1",
        "Status: RO",
        "",
        "text",
    )


@mail
def folded_blank_lines(p: Parties) -> bytes:
    return head(p, "X-Fold: one", " ", "\t", " two", "X-Empty:") + lines("", "text")


# Multiparts


@mail
def alternative(p: Parties) -> bytes:
    return head(p) + multipart("alternative", "alt", text_part("Hello"), text_part("<p>Hello</p>", "html"))


@mail
def alternative_in_related_in_mixed(p: Parties) -> bytes:
    image = lines(
        "Content-Type: image/png; name=logo.png",
        "Content-ID: <logo@agency.example>",
        "Content-Disposition: inline; filename=logo.png",
        "Content-Transfer-Encoding: base64",
        "",
        base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)),
    )
    inner = multipart(
        "alternative", "=_alt", text_part("Hello"), text_part('<img src="cid:logo@agency.example">', "html")
    )
    related = multipart('related; type="multipart/alternative"', "=_rel", inner, image)
    return head(p) + multipart(
        "mixed",
        "=_mix",
        related,
        file_part('filename="report.pdf"', b"%PDF-1.7 invented", "application/pdf"),
        preamble="This is a multi-part message in MIME format.",
    )


@mail
def boundaries_that_begin_alike(p: Parties) -> bytes:
    inner = multipart("alternative", "sep.1", text_part("a"), text_part("<b>a</b>", "html"))
    return head(p) + multipart("mixed", "sep", inner, text_part("--sep.2 is no delimiter"), text_part("--septum"))


@mail
def boundary_with_all_characters(p: Parties) -> bytes:
    return head(p) + multipart("mixed", "a'b()c+_,-./:=?d e", text_part("one"), text_part("two"))


@mail
def boundary_of_seventy(p: Parties) -> bytes:
    return head(p) + multipart("mixed", "x" * 70, text_part("one"))


@mail
def delimiters_with_padding(p: Parties) -> bytes:
    return head(p) + multipart("mixed", "pad", text_part("one")).replace(b"--pad\r\n", b"--pad \t  \r\n")


@mail
def preamble_and_epilogue(p: Parties) -> bytes:
    return head(p) + multipart("mixed", "pe", text_part("one"), preamble="Before.", epilogue="After.\r\nMore.")


@mail
def empty_parts(p: Parties) -> bytes:
    return head(p) + multipart(
        "mixed", "e", CRLF, lines("Content-Type: text/plain", ""), b"", CRLF + CRLF, CRLF + b"last"
    )


@mail
def part_without_fields(p: Parties) -> bytes:
    return head(p) + multipart("mixed", "nf", CRLF + b"plain by default", CRLF + b"this one too")


@mail
def nested_ten_deep(p: Parties) -> bytes:
    inner = text_part("deep down")
    for depth in range(10):
        inner = multipart("mixed", f"level-{depth}", inner)
    return head(p) + inner


@mail
def hundred_and_fifty_parts(p: Parties) -> bytes:
    return head(p) + multipart("mixed", "many", *(text_part(f"part {number}") for number in range(150)))


@mail
def digest(p: Parties) -> bytes:
    inner = [CRLF + lines(f"Subject: item {number}", f"From: {p.author}", "", f"text {number}") for number in range(3)]
    return head(p) + multipart("digest", "dig", *inner)


@mail
def parallel_and_unknown_multiparts(p: Parties) -> bytes:
    return head(p) + multipart("parallel", "par", multipart("x-invented", "inv", text_part("a")), text_part("b"))


# Attached messages


@mail
def forwarded_message(p: Parties) -> bytes:
    inner = head(p, "Received: from inner.example by x; Mon, 2 Mar 2026 09:00:00 +0000", "Bcc: kept@agency.example")
    forwarded = lines("Content-Type: message/rfc822", 'Content-Disposition: attachment; filename="old.eml"', "")
    return head(p) + multipart("mixed", "fwd", text_part("see below"), forwarded + inner + lines("", "inner text"))


@mail
def forwarded_multipart_in_message_in_message(p: Parties) -> bytes:
    innermost = head(p) + multipart("mixed", "in3", text_part("three"), file_part("filename=c.bin", bytes(90)))
    middle = head(p) + multipart(
        "mixed", "in2", text_part("two"), lines("Content-Type: message/rfc822", "") + innermost
    )
    return head(p) + multipart("mixed", "in1", text_part("one"), lines("Content-Type: message/rfc822", "") + middle)


@mail
def message_as_whole_body(p: Parties) -> bytes:
    return head(p, "Content-Type: message/rfc822") + CRLF + head(p) + lines("", "the inner text")


@mail
def delivery_report(p: Parties) -> bytes:
    status = lines(
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mx.artists.example",
        "",
        "Final-Recipient: rfc822; nobody@artists.example",
        "Action: failed",
        "Status: 5.1.1",
    )
    original = lines("Content-Type: text/rfc822-headers", "") + head(p)
    return head(p, "Auto-Submitted: auto-replied") + multipart(
        "report; report-type=delivery-status", "rep", text_part("It could not be delivered."), status, original
    )


@mail
def read_receipt(p: Parties) -> bytes:
    notice = lines(
        "Content-Type: message/disposition-notification",
        "",
        "Final-Recipient: rfc822; a@artists.example",
        "Disposition: manual-action/MDN-sent-manually; displayed",
    )
    return head(p) + multipart("report; report-type=disposition-notification", "mdn", text_part("Read."), notice)


@mail
def calendar_request(p: Parties) -> bytes:
    event = lines(
        "BEGIN:VCALENDAR",
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        "UID:odd-1@agency.example",
        "DTSTART:20260310T150000Z",
        "SUMMARY:Call",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    part = lines("Content-Type: text/calendar; charset=utf-8; method=REQUEST; component=vevent", "") + event
    return head(p) + multipart("alternative", "cal", text_part("A call"), text_part("<p>A call</p>", "html"), part)


# Attachments


@mail
def rfc2231_continuations(p: Parties) -> bytes:
    field = "filename*0*=utf-8''Aufstellung%20der%20; filename*1*=Eink%C3%BCnfte%20; filename*2=\"2025 final.pdf\""
    return head(p) + multipart("mixed", "r", text_part("see"), file_part(field, b"%PDF-", "application/pdf"))


@mail
def rfc2231_out_of_order_with_language(p: Parties) -> bytes:
    field = "\r\n filename*1*=%E4%B8%96%E7%95%8C;\r\n filename*0*=utf-8'zh'%E4%BD%A0%E5%A5%BD;\r\n filename*2=.txt"
    return head(p) + multipart("mixed", "r", file_part(field, b"text", "text/plain"))


@mail
def filename_as_encoded_word(p: Parties) -> bytes:
    field = 'filename="=?utf-8?B?' + base64.b64encode("Übersicht.xlsx".encode()).decode() + '?="'
    return head(p) + multipart("mixed", "r", file_part(field, bytes(200)))


@mail
def filename_with_quotes_and_specials(p: Parties) -> bytes:
    return head(p) + multipart("mixed", "r", file_part(r'filename="a \"b\" (1); c=d\\e.txt"', b"x"))


@mail
def attachment_is_whole_mail(p: Parties) -> bytes:
    return (
        head(
            p,
            "Content-Type: application/pdf; name=scan.pdf",
            "Content-Disposition: attachment; filename=scan.pdf",
            "Content-Transfer-Encoding: base64",
        )
        + CRLF
        + base64.encodebytes(b"%PDF-1.4").replace(b"\n", CRLF)
    )


@mail
def base64_without_line_ends(p: Parties) -> bytes:
    part = lines(
        "Content-Type: application/octet-stream",
        "Content-Transfer-Encoding: BASE64",
        "",
        base64.b64encode(bytes(range(256)) * 2),
    )
    return head(p) + multipart("mixed", "b", part)


@mail
def uuencoded_attachment(p: Parties) -> bytes:
    body = b"begin 644 odd.bin\r\n" + binascii.b2a_uu(b"uuencoded octets").replace(b"\n", CRLF) + b"`\r\nend"
    part = lines(
        "Content-Type: application/octet-stream; name=odd.bin", "Content-Transfer-Encoding: x-uuencode", "", body
    )
    return head(p) + multipart("mixed", "u", text_part("old tool"), part)


@mail
def tnef_like(p: Parties) -> bytes:
    octets = bytes.fromhex("789f3e22") + bytes(60)
    return head(p, "X-MS-TNEF-Correlator: 1") + multipart(
        "mixed",
        "t",
        text_part("from Outlook"),
        file_part("filename=winmail.dat", octets, 'application/ms-tnef; name="winmail.dat"'),
    )


@mail
def rights_managed(p: Parties) -> bytes:
    part = file_part("filename=message.rpmsg", bytes(80), "application/x-microsoft-rpmsg-message; name=message.rpmsg")
    return head(p) + multipart("mixed", "rm", text_part("protected"), part)


@mail
def attachment_of_25_mb(p: Parties) -> bytes:
    octets = random.Random(25).randbytes(LARGE)
    return head(p) + multipart("mixed", "=_large", text_part("large"), file_part("filename=large.bin", octets))


# Signed and encrypted


@functools.cache
def _signer() -> tuple[object, object]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import NameOID

    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Avery Example (invented)")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def _pkcs7(octets: bytes, *, opaque: bool) -> bytes:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.serialization import pkcs7

    key, certificate = _signer()
    builder = pkcs7.PKCS7SignatureBuilder().set_data(octets).add_signer(certificate, key, hashes.SHA256())  # type: ignore[arg-type]
    if opaque:
        return builder.sign(serialization.Encoding.DER, [])
    return builder.sign(serialization.Encoding.SMIME, [pkcs7.PKCS7Options.DetachedSignature])


@mail
def smime_clear_signed(p: Parties) -> bytes:
    signed = _pkcs7(lines("Content-Type: text/plain", "", "Signed with an invented card."), opaque=False)
    mime = signed.replace(b"\r\n", b"\n").replace(b"\n", CRLF).removeprefix(b"MIME-Version: 1.0\r\n")
    return head(p) + mime


@mail
def smime_opaque_signed(p: Parties) -> bytes:
    octets = _pkcs7(lines("Content-Type: text/plain", "", "Opaque."), opaque=True)
    return (
        head(
            p,
            "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m",
            "Content-Disposition: attachment; filename=smime.p7m",
            "Content-Transfer-Encoding: base64",
        )
        + CRLF
        + base64.encodebytes(octets).replace(b"\n", CRLF)
    )


@mail
def smime_enveloped(p: Parties) -> bytes:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.serialization import pkcs7

    _, certificate = _signer()
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(b"sealed").add_recipient(certificate)  # type: ignore[arg-type]
    octets = builder.encrypt(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])
    return (
        head(
            p,
            "Content-Type: application/pkcs7-mime; name=smime.p7m",
            "Content-Transfer-Encoding: base64",
        )
        + CRLF
        + base64.encodebytes(octets).replace(b"\n", CRLF)
    )


@mail
def pgp_mime_signed(p: Parties) -> bytes:
    signature = lines(
        "Content-Type: application/pgp-signature; name=signature.asc",
        "",
        "-----BEGIN PGP SIGNATURE-----",
        "",
        "iQEzBAEB",
        "-----END PGP SIGNATURE-----",
    )
    kind = 'signed; micalg=pgp-sha256; protocol="application/pgp-signature"'
    return head(p) + multipart(kind, "pgp", text_part("Signed, trailing blanks: "), signature)


@mail
def pgp_mime_encrypted(p: Parties) -> bytes:
    control = lines("Content-Type: application/pgp-encrypted", "", "Version: 1")
    sealed = lines(
        "Content-Type: application/octet-stream; name=encrypted.asc",
        "",
        "-----BEGIN PGP MESSAGE-----",
        "",
        "hQEMA",
        "-----END PGP MESSAGE-----",
    )
    return head(p) + multipart('encrypted; protocol="application/pgp-encrypted"', "enc", control, sealed)


@mail
def pgp_inline_signed(p: Parties) -> bytes:
    return head(p) + lines(
        "",
        "-----BEGIN PGP SIGNED MESSAGE-----",
        "Hash: SHA256",
        "",
        "- --dash escaped",
        "-----BEGIN PGP SIGNATURE-----",
        "",
        "iQEz",
        "-----END PGP SIGNATURE-----",
    )
