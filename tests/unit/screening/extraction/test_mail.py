from __future__ import annotations

import binascii

import pytest

from gateway.domain.verdict import Unread
from gateway.screening.chunk import Budget, Chunk, Form, Limits
from gateway.screening.extraction.mail import extract_mail
from tests.corpus.ordinary_mail import docx, pdf
from tests.unit.screening.extraction.reading import (
    CLOSE,
    HEAD,
    NUMBER,
    OPEN,
    ambiguities,
    b64,
    chunks,
    items,
    mail,
    mixed,
    places,
    qp,
    unread,
)

# Where it stands


@pytest.mark.parametrize(
    ("octets", "place"),
    [
        (mail(f"Subject: {NUMBER}", "", "x"), "subject"),
        (mail(f'From: "Kim {NUMBER}" <k@b.example>', "", "x", head=b""), "sender name"),
        (mail(f"Reply-To: Kim ({NUMBER}) <k@b.example>", "", "x"), "sender name"),
        (mail(f"X-Tax-Id: {NUMBER}", "", "x"), "a header"),
        (mail(f"Keywords: {NUMBER}", "", "x"), "a header"),
        (mail("", NUMBER), "body"),
        (mail("Content-Type: text/html", "", f"<p>{NUMBER}</p>"), "body"),
        (mixed(f"before {NUMBER}", OPEN, "", "x", CLOSE), "preamble"),
        (mixed(OPEN, "", "x", CLOSE, f"after {NUMBER}"), "epilogue"),
        (
            mixed(OPEN, "", "x", OPEN, f'Content-Type: application/pdf; name="{NUMBER}.pdf"', "", "x", CLOSE),
            "name of attachment 1",
        ),
        (mail("junk", NUMBER, "Subject: x", "", "x"), "a header"),
        (mixed(OPEN, "Content-Type: text/plain", f"junk {NUMBER}", "X-Note: x", "", "x", CLOSE), "a header"),
        (mixed(OPEN, f"Content-Description: {NUMBER}", "", "x", CLOSE), "a header"),
        (mixed(OPEN, f"Content-Type: text/plain; x-note={NUMBER}", "", "x", CLOSE), "a header"),
        (mixed(OPEN, "", "x", OPEN, "Content-Disposition: attachment", "", NUMBER, CLOSE), "attachment 1"),
        (mixed(OPEN, "", "x", OPEN, "Content-Type: text/csv", "", f"number\r\n{NUMBER}", CLOSE), "attachment 1"),
        (
            mixed(OPEN, "Content-Type: message/rfc822", "", mail(f"Subject: {NUMBER}", "", "x"), CLOSE),
            "attachment 1, subject",
        ),
        (mixed(OPEN, "Content-Type: message/rfc822", "", mail("", NUMBER), CLOSE), "attachment 1, body"),
        (
            mixed(
                OPEN,
                "Content-Type: message/rfc822",
                "Content-Transfer-Encoding: base64",
                "",
                b64(mail("", NUMBER)),
                CLOSE,
            ),
            "attachment 1, body",
        ),
        (
            mixed(
                OPEN,
                "Content-Type: message/global",
                "Content-Transfer-Encoding: quoted-printable",
                "",
                qp(f"Subject: {NUMBER}\n\nx"),
                CLOSE,
            ),
            "attachment 1, subject",
        ),
        (mixed(OPEN, "Content-Type: message/delivery-status", "", f"X-Note: {NUMBER}", CLOSE), "attachment 1"),
    ],
)
def test_text_is_found_where_it_stands(octets: bytes, place: str) -> None:
    assert place in places(octets)


def test_trace_fields_are_no_text() -> None:
    octets = mail(f"Received: from a by b id {NUMBER}", f"DKIM-Signature: b={NUMBER}", f"ARC-Seal: b={NUMBER}", "", "x")
    assert places(octets) == set()


def test_a_boundary_is_no_text() -> None:
    octets = mail(f"Content-Type: multipart/mixed; boundary={NUMBER}", "", f"--{NUMBER}", "", "x", f"--{NUMBER}--")
    assert places(octets) == set()


def test_all_branches_of_an_alternative_are_read() -> None:
    octets = mixed(
        OPEN,
        "",
        "one",
        OPEN,
        "Content-Type: text/html",
        "",
        "<p>two",
        OPEN,
        "Content-Type: text/x-amp-html",
        "",
        "three",
        CLOSE,
        kind="alternative",
    )
    assert places(octets, "one") == places(octets, "two") == places(octets, "three") == {"body"}


def test_no_place_holds_what_a_sender_wrote() -> None:
    octets = mixed(
        OPEN, 'Content-Type: application/x-secret; name="secret.pdf"', "Content-ID: <secret>", "", "x", CLOSE
    )
    assert not any("secret" in item.place for item in items(octets))


def test_the_markup_of_html_is_handed_on_as_it_is() -> None:
    markup = f"<p title='{NUMBER}'>a<!-- b --></p>"
    octets = mail("Content-Type: text/html; charset=utf-8", "", markup)
    assert [(chunk.text.strip(), chunk.form) for chunk in chunks(octets) if chunk.place == "body"] == [
        (markup, Form.HTML)
    ]


def test_html_that_says_it_is_plain_is_read_as_both() -> None:
    octets = mail("Content-Type: text/plain", "", f"<html><body>{NUMBER}")
    assert {chunk.form for chunk in chunks(octets) if chunk.place == "body"} == {Form.HTML, Form.TEXT}


def test_flowed_text_is_joined() -> None:
    octets = mail("Content-Type: text/plain; format=flowed; delsp=yes", "", "123-45- ", "6780 is it")
    assert places(octets) == {"body"}


def test_long_texts_come_in_slices_that_overlap() -> None:
    at = 1_000_000 - 4
    octets = mail("", "x" * at + NUMBER + "x" * 1_000_000)
    bodies = [chunk.text for chunk in chunks(octets) if chunk.place == "body"]
    assert len(bodies) == 3
    assert sum(NUMBER in text for text in bodies) == 1


# Every plausible reading

LATIN = "café: "
UU = binascii.b2a_uu(NUMBER.encode()).decode()


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        # Transfer encodings: declared, misdeclared, misspelt, twice, hidden.
        (["Content-Transfer-Encoding: base64"], b64(NUMBER)),
        (["Content-Transfer-Encoding: BASE64"], b64(NUMBER)),
        (["Content-Transfer-Encoding: base-64"], b64(NUMBER)),
        (["Content-Transfer-Encoding: base64 (really)"], b64(NUMBER)),
        (["Content-Transfer-Encoding: base64"], NUMBER),
        (["Content-Transfer-Encoding: base64"], "MTIz!LTQ1\r\n*LTY3ODA="),
        (["Content-Transfer-Encoding: base64"], "MTIzLTQ=\r\nNS02Nzgw"),
        (["Content-Transfer-Encoding: base64"], b64("nothing") + "\r\n" + NUMBER),
        (["Content-Transfer-Encoding: 7bit"], b64("the number is " + NUMBER)),
        (["Content-Transfer-Encoding: 8-bit"], NUMBER),
        (["Content-Transfer-Encoding: quoted-printable"], "=31=32=33-45=\r\n-6780"),
        (["Content-Transfer-Encoding: quoted_printable"], "=31=32=33-45-6780"),
        (["Content-Transfer-Encoding: quoted-printable"], "=3x=31=32=33-45-6780"),
        ([], "=31=32=33-45-67=38=30"),
        (["Content-Transfer-Encoding: x-uuencode"], "begin 644 a\r\n" + UU + "end"),
        (["Content-Transfer-Encoding: quoted-printable", "Content-Transfer-Encoding: base64"], b64(NUMBER)),
        # Charsets: declared, misdeclared, unknown, not declared.
        (["Content-Type: text/plain; charset=utf-7"], "+ADEAMgAzAC0ANAA1AC0ANgA3ADgAMA-"),
        (["Content-Type: text/plain; charset=utf-8"], "+ADEAMgAzAC0ANAA1AC0ANgA3ADgAMA-"),
        (["Content-Type: text/plain; charset=utf-16"], NUMBER.encode("utf-16")),
        (["Content-Type: text/plain; charset=utf-8"], NUMBER.encode("utf-16")),
        ([], ("the number is " + NUMBER).encode("utf-16-le")),
        ([], ("the number is " + NUMBER).encode("utf-16-be")),
        (["Content-Type: text/plain; charset=utf-32"], NUMBER.encode("utf-32")),
        (["Content-Type: text/plain; charset=ibm037"], NUMBER.encode("cp037")),
        (["Content-Type: text/plain; charset=us-ascii"], ("The number is " + NUMBER).encode("cp500")),
        (["Content-Type: text/plain; charset=x-none-such"], NUMBER),
        (["Content-Type: text/plain; charset=utf-8"], (LATIN + NUMBER).encode("latin-1")),
        (["Content-Type: text/plain; charset=iso-2022-jp"], ("番号 " + NUMBER).encode("iso2022_jp")),
        (["Content-Type: text/plain; charset=a; charset=utf-16"], NUMBER.encode("utf-16")),
        (["Content-Type: text/html; charset=utf-8"], "<meta charset=utf-7><p>+ADEAMgAzAC0ANAA1AC0ANgA3ADgAMA-"),
        # Types: none, broken, unknown.
        (["Content-Type: text"], NUMBER),
        (["Content-Type: ;;;"], NUMBER),
        (["Content-Type: x-anything/at-all"], NUMBER),
        (["Content-Type: application/octet-stream"], NUMBER),
        (["Content-Type: message/news"], f"Subject: x\r\n\r\n{NUMBER}"),
        (["Content-Type: multipart/mixed"], NUMBER),
        (["Content-Type: multipart/mixed; boundary=never"], NUMBER),
    ],
)  # fmt: skip
def test_a_text_is_read_in_every_plausible_way(fields: list[str], body: str | bytes) -> None:
    octets = mail(*fields, "", body)
    assert any(NUMBER in chunk.text for chunk in chunks(octets))


@pytest.mark.parametrize("field", ["Subject", "From", "X-Note", "Comments"])
@pytest.mark.parametrize(
    "value",
    [
        NUMBER,
        "=?utf-8?Q?123-45-6780?=",
        f"=?utf-8?B?{b64(NUMBER)}?=",
        "=?utf-8?Q?123-?=\r\n =?utf-8?Q?45-6780?=",
        "=?utf-8?Q?123-?= =?us-ascii?Q?45-6780?=",
        "=?utf-8?B?MTIz?= =?utf-8?B?LTQ?= =?utf-8?B?1LTY3ODA?=",
        "=?utf-8*en?Q?123-45-6780?=",
        "=?x-unknown?Q?123-45-6780?=",
        "=?utf-7?Q?+ADEAMgAzAC0ANAA1AC0ANgA3ADgAMA-?=",
        "=?utf-16?B?" + b64(NUMBER.encode("utf-16")) + "?=",
        "=?utf-8?q?=31=32=33=2D45=2D6780?=",
        "=?utf-8?Q?123-45-6780",
        "=?utf-8?B?MTIzLTQ1LTY3ODA",
        "=?utf-8?Q?what?_123-45-6780?=",
        "=?utf-8? Q ?123-45-6780?=",
        "=?utf-8?Q?=3D=3Futf-8=3FQ=3F123-45-6780=3F=3D?=",
        "(=?utf-8?Q?123-45-6780?=)",
        '"=?utf-8?Q?123-45-6780?="',
        "a=?utf-8?Q?_123-45-6780?=b",
        "123-45\r\n -6780",
    ],
)
def test_a_field_is_decoded_in_every_plausible_way(field: str, value: str) -> None:
    octets = mail(f"{field}: {value}", "", "x", head=b"MIME-Version: 1.0\r\n")
    texts = [chunk.text for chunk in chunks(octets) if chunk.place != "body"]
    assert any(NUMBER in text.replace("45 -", "45-") for text in texts)


@pytest.mark.parametrize(
    "fields",
    [
        ['Content-Type: application/x; name="123-45-6780"'],
        ["Content-Disposition: attachment; filename=123-45-6780"],
        ["Content-Disposition: attachment; filename*=utf-8''%31%32%33-45-6780"],
        ["Content-Disposition: attachment; filename*0=123-45; filename*1=-6780"],
        ["Content-Disposition: attachment; filename*1=-6780; filename*0=123-45"],
        ["Content-Disposition: attachment; filename*0*=utf-8''%31%32%33; filename*1*=%2D45; filename*2=-6780"],
        ["Content-Disposition: attachment; filename*1=123-45; filename*3=-6780"],
        ['Content-Disposition: attachment; filename="=?utf-8?Q?123-45-6780?="'],
        ["Content-Type: application/x; name=harmless", "Content-Disposition: attachment; filename=123-45-6780"],
        ["Content-Type: application/x; name=123-45-6780", "Content-Disposition: attachment; filename=harmless"],
        ["Content-Disposition: attachment; filename=harmless; filename*=utf-8''123-45-6780"],
        ["Content-Disposition: attachment; filename=harmless; filename=123-45-6780"],
        ['Content-Disposition: attachment; filename="123\\-45\\-6780"'],
    ],
)
def test_a_name_is_read_in_every_plausible_way(fields: list[str]) -> None:
    assert "name of attachment 1" in places(mixed(OPEN, *fields, "", "x", CLOSE), form=Form.FILE_NAME)


# Files


@pytest.mark.parametrize(
    "declared",
    [
        "application/pdf",
        "application/octet-stream",
        "text/plain",
        "text/html",
        "image/png",
        "message/delivery-status",
        "x/y",
    ],
)
def test_a_file_is_read_whatever_its_part_declares(declared: str) -> None:
    octets = mixed(OPEN, f"Content-Type: {declared}", "Content-Transfer-Encoding: base64", "", b64(docx(NUMBER)), CLOSE)
    assert any(place.startswith(("body", "attachment 1")) for place in places(octets))


def test_a_file_inside_of_a_text_is_read() -> None:
    packed = docx(NUMBER)
    lines = [binascii.b2a_uu(packed[at : at + 45]).rstrip(b"\n") for at in range(0, len(packed), 45)]
    octets = mail("", "See:", "begin 644 plan.docx", *lines, "`", "end")
    assert places(octets) == {"body, file 1 in the text"}
    assert places(octets, "plan.docx", Form.FILE_NAME) == {"name of body, file 1 in the text"}
    assert unread(octets) == []


def test_a_file_in_base64_inside_of_a_text_is_read() -> None:
    assert places(mail("", "See:", "", b64(docx(NUMBER)), "", "Kim")) == {"body, file 1 in the text"}


def test_a_file_in_a_data_uri_is_read() -> None:
    data = b64(docx(NUMBER)).replace("\r\n", "")
    octets = mail("Content-Type: text/html", "", f'<a href="data:application/octet-stream;base64,{data}">x</a>')
    assert places(octets) == {"body, file 1 in the text"}


def test_base64_that_is_nothing_is_no_complaint() -> None:
    octets = mail("", "-----BEGIN CERTIFICATE-----", b64(bytes(range(256)) * 4), "-----END CERTIFICATE-----")
    assert unread(octets) == []


@pytest.mark.parametrize(
    "body",
    [
        "070701 is my number",
        "xar! she said",
        "[1] Please see",
        '{"x"} he said',
        "<kim@b.example> wrote:",
        "PK is short",
    ],
)
def test_words_that_begin_like_a_file_are_no_complaint(body: str) -> None:
    assert unread(mail("", body)) == []
    assert places(mail("", body), body) == {"body"}


def test_a_message_inside_of_a_file_is_read() -> None:
    attached = mail(f"Subject: {NUMBER}", "To: x@y.example", "Date: Tue, 03 Mar 2026 10:15:00 -0500", "", "x")
    octets = mixed(
        OPEN,
        "Content-Type: application/octet-stream; name=a.eml",
        "Content-Transfer-Encoding: base64",
        "",
        b64(attached),
        CLOSE,
    )
    assert any(place.startswith("attachment 1") and place.endswith("subject") for place in places(octets))


def test_a_multipart_in_an_encoding_is_read_raw_and_decoded() -> None:
    inside = f"--in.0123\r\n\r\n{NUMBER}\r\n--in.0123--"
    for how, body in (("base64", b64(inside)), ("quoted-printable", inside.replace("--in", "=2D-in"))):
        octets = mixed(
            OPEN,
            "Content-Type: multipart/mixed; boundary=in.0123",
            f"Content-Transfer-Encoding: {how}",
            "",
            body,
            CLOSE,
        )
        assert any(place.endswith("body") for place in places(octets))


# The order, and what is refused


def test_cheap_things_come_first() -> None:
    octets = mixed(
        OPEN, "Content-Type: image/png", "Content-Transfer-Encoding: base64", "", b64(b"\x89PNG\r\n\x1a\n"),
        OPEN, "Content-Type: application/pdf", "Content-Transfer-Encoding: base64", "", b64(pdf("words of a file")),
        OPEN, "Content-Type: text/csv", "", "a,b", OPEN, "Content-Type: text/plain", "", "the last text",
        CLOSE,
    )  # fmt: skip
    order = [item.place for item in items(octets)]
    assert order.index("body") < order.index("attachment 3") < order.index("attachment 1")
    assert order.index("attachment 3") < next(n for n, place in enumerate(order) if place.startswith("attachment 2"))


def test_nothing_is_decoded_before_it_is_asked_for() -> None:
    class Reluctant(Budget):
        def spend(self, limit: str, amount: int = 1) -> None:
            raise AssertionError("a part was read")

    first = next(extract_mail(mail(f"Subject: {NUMBER}", "", "x"), Reluctant()))
    assert isinstance(first, Chunk)


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (mixed(OPEN, "", "x", CLOSE, kind="encrypted"), Unread.ENCRYPTED),
        (mail("Content-Type: message/partial; id=a; number=1; total=2", "", "x"), Unread.AMBIGUOUS),
        (mail("Content-Type: message/external-body; access-type=URL", "", "x"), Unread.AMBIGUOUS),
        (mail("Content-Type: application/octet-stream", "", bytes(range(1, 256))), Unread.UNKNOWN_TYPE),
    ],
)
def test_what_cannot_be_looked_into_is_told(octets: bytes, why: Unread) -> None:
    assert why in {each.why for each in unread(octets)}


@pytest.mark.parametrize(
    ("octets", "limits", "detail"),
    [
        (mixed(*[OPEN, "", "x"] * 6, CLOSE), Limits(parts=4), "parts"),
        (mail("X: " + "y" * 200_000, "", "x"), None, "header_block"),
        (mail("From: " + "." * 30_000, "", "x"), None, "structured_header"),
    ],
)
def test_a_limit_is_told_by_its_name(octets: bytes, limits: Limits | None, detail: str) -> None:
    assert (Unread.OVER_LIMIT, detail) in {(each.why, each.detail) for each in unread(octets, limits)}


def test_messages_in_messages_share_one_budget() -> None:
    inner = HEAD + b"\r\nx"
    for _ in range(4):
        inner = mixed(OPEN, "Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "", b64(inner), CLOSE)
    assert {each.detail for each in unread(inner, Limits(depth=2))} == {"depth"}
    assert {each.detail for each in unread(inner, Limits(parts=3))} == {"parts"}
    assert ambiguities(inner) == []
