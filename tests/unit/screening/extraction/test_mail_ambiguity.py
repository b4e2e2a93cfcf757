"""The policy of ambiguity: for every kind of defect a mail that is refused for it, or read in spite of it."""

from __future__ import annotations

import pytest

from gateway.mime.structure import DefectKind
from gateway.screening.extraction.ambiguity import HARMLESS, JUDGED, REFUSED, UNION
from tests.unit.screening.extraction.reading import (
    CLOSE,
    HEAD,
    NUMBER,
    OPEN,
    ambiguities,
    b64,
    mail,
    mixed,
    places,
)

INNER = "Content-Type: multipart/mixed; boundary=inner.0123"


def test_every_kind_of_defect_has_its_treatment_and_one_only() -> None:
    groups = [HARMLESS, UNION, REFUSED, frozenset(JUDGED), frozenset({DefectKind.OVER_CAP})]
    assert frozenset().union(*groups) == frozenset(DefectKind)
    assert sum(map(len, groups)) == len(DefectKind)


REFUSALS = [
    # Delimiters.
    (
        "boundary_reused",
        mixed(OPEN, 'Content-Type: multipart/mixed; boundary="limit.0123"', "", OPEN, "", NUMBER, CLOSE, CLOSE),
    ),
    ("early_close", mixed(OPEN, "", "x", CLOSE, OPEN, "", NUMBER, CLOSE)),
    ("late_close", mixed(OPEN, INNER, "", "--inner.0123", "", "x", OPEN, "", "y", "--inner.0123", "", NUMBER, CLOSE)),
    ("near_boundary", mixed(OPEN, "", "x", OPEN + "x", "", NUMBER, CLOSE)),
    ("near_boundary", mixed(OPEN, "", "x", OPEN + "-", "", NUMBER, CLOSE)),
    ("near_boundary", mixed(OPEN, "", "x", CLOSE + "-", "", NUMBER, CLOSE)),
    ("stray_boundary", mixed(OPEN, "", "x", " " + OPEN, "", NUMBER, CLOSE)),
    ("stray_boundary", mixed(OPEN, "", "x", "y" + OPEN, "", NUMBER, CLOSE)),
    ("stray_boundary", mixed(OPEN, "", "x\r" + OPEN, "", NUMBER, CLOSE)),
    ("stray_boundary", mixed(OPEN, "", "x", "\0" + OPEN, "", NUMBER, CLOSE)),
    (
        "second_boundary",
        mail(
            "Content-Type: multipart/mixed; boundary=a; boundary=b",
            "",
            "--a",
            "",
            "x",
            "--a--",
            "--b",
            "",
            NUMBER,
            "--b--",
        ),
    ),
    ("second_boundary", mail('Content-Type: text/plain; name="x; boundary=b"', "", "--b", "", NUMBER, "--b--")),
    (
        "second_boundary",
        mail(
            "Content-Type: multipart/mixed; boundary*0=a; boundary*1=b; boundary=c",
            "",
            "--ab",
            "",
            "x",
            "--c",
            "",
            NUMBER,
            "--c--",
        ),
    ),
    ("missing_boundary", mail("Content-Type: multipart/mixed", "", "--guess", "", NUMBER, "--guess--")),
    ("missing_parts", mail("Content-Type: multipart/mixed; boundary=a", "", "--b", "", NUMBER, "--b--")),
    ("odd_boundary", mail("Content-Type: multipart/mixed; boundary*=us-ascii''b", "", "--b", "", NUMBER, "--b--")),
    ("odd_boundary", mail("Content-Type: multipart/mixed; boundary=grün", "", "--grün", "", NUMBER, "--grün--")),
    (
        "odd_boundary",
        mixed(
            OPEN, 'Content-Type: multipart/mixed; boundary="limit.0123--"', "", CLOSE, "", NUMBER, CLOSE + "--", CLOSE
        ),
    ),
    ("misspelt_multipart", mail("Content-Type: mulitpart/mixed", "", "--b", "", NUMBER, "--b--")),
    ("misspelt_multipart", mail("Content-Type: multipart; boundary=b", "", "--b", "", NUMBER, "--b--")),
    ("odd_content_type", mail("Content-Type: multipart/(x)mixed; boundary=a", "", "--a", "", "x", "--a--")),
    ("outside_payload", mixed("Content-Type: text/html", "", NUMBER, OPEN, "", "x", CLOSE)),
    ("outside_payload", mixed(OPEN, "", "x", CLOSE, "Content-Disposition: attachment", "", NUMBER)),
    ("outside_payload", mixed(OPEN, "", "x", CLOSE, "", b64(NUMBER * 20))),
    # Header blocks.
    (
        "duplicate_header",
        mail("Content-Type: text/plain", "Content-Type: multipart/mixed; boundary=b", "", "--b", "", NUMBER, "--b--"),
    ),
    ("duplicate_header", mail("Content-Transfer-Encoding: 7bit", "Content-Transfer-Encoding: base64", "", b64(NUMBER))),
    ("duplicate_header", mail("From: someone@else.example", "", "x")),
    ("header_without_colon", mail("junk", "Content-Type: multipart/mixed; boundary=b", "", "--b", "", NUMBER, "--b--")),
    ("bad_content_type", mail("Content-Type: message/r,c822", "", NUMBER)),
    ("bad_content_type", mail("Content-Type: multipart /, mixed; boundary=b", "", NUMBER)),
    ("header_cut", mixed(OPEN, "Content-Type: application/pdf", OPEN, "", NUMBER, CLOSE)),
    ("odd_header_name", mail("Content-Type : multipart/mixed; boundary=b", "", "--b", "", NUMBER, "--b--")),
    ("nul", mail("Content-Ty\0pe: text/html", "Subject: a\0b", "", "x")),
    ("bare_cr", mail("Subject: a\rContent-Type: multipart/mixed; boundary=b", "", "--b", "", NUMBER, "--b--")),
    # Bodies.
    ("unknown_encoding", mail("Content-Transfer-Encoding: x-rot13", "", "x")),
    ("unknown_encoding", mail("Content-Transfer-Encoding: mac-binhex40", "", "x")),
    ("unknown_charset", mail("Content-Type: text/plain; charset=x-martian", "", bytes(range(128, 255)))),
    ("base64_junk", mail("Content-Type: application/pdf", "Content-Transfer-Encoding: base64", "", "JVBERi0x*LjQK")),
    (
        "base64_inner_padding",
        mail("Content-Type: application/pdf", "Content-Transfer-Encoding: base64", "", "JVBERg==", "LTEuNA=="),
    ),
    ("uu_bad_line", mail("Content-Transfer-Encoding: x-uuencode", "", "begin 644 a", "#!!!!!!!!!\x7f", "end")),
    ("uuencoded_text", mail("", "begin 644 a.txt", "#:&DA", "no end")),
    ("yenc_text", mail("", "=ybegin line=128 size=2 name=a", "xx")),
    ("binhex_text", mail("", "(This file must be converted with BinHex 4.0)", ":x")),
    ("partial", mail("Content-Type: message/partial; id=x; number=1", "", "x")),
    ("external_body", mail("Content-Type: message/external-body; access-type=URL", "", "x")),
]


@pytest.mark.parametrize(
    ("detail", "octets"), REFUSALS, ids=[f"{detail}-{n}" for n, (detail, _) in enumerate(REFUSALS)]
)
def test_what_could_hide_a_part_is_refused(detail: str, octets: bytes) -> None:
    assert detail in ambiguities(octets)


READ = [
    ("missing_close", mixed(OPEN, "", NUMBER)),
    ("preamble_text", mixed(NUMBER, OPEN, "", "x", CLOSE)),
    ("epilogue_text", mixed(OPEN, "", "x", CLOSE, NUMBER)),
    ("missing_boundary", mail("Content-Type: multipart/mixed", "", NUMBER)),
    ("missing_parts", mail("Content-Type: multipart/mixed; boundary=b", "", NUMBER)),
    (
        "odd_boundary",
        mail(f"Content-Type: multipart/mixed; boundary={'b' * 80}", "", "--" + "b" * 80, "", NUMBER, f"--{'b' * 80}--"),
    ),
    ("odd_boundary", mail("Content-Type: multipart/mixed; boundary=b--", "", "--b--", "", NUMBER, "--b----")),
    ("misspelt_multipart", mail("Content-Type: text/html; boundary=b", "", NUMBER)),
    ("duplicate_header", mail(f"Subject: {NUMBER}", "Subject: x", "To: a@b.example", "To: c@d.example", "", "x")),
    ("duplicate_header", mail("Content-Type: text/plain", "content-type:  text/plain", "", NUMBER)),
    ("header_without_colon", mail("Content-Type: text/plain", f"junk {NUMBER}", "X-Note: x", "", NUMBER)),
    ("header_cut", mixed(OPEN, "Content-Type: message/rfc822", "", f"Subject: {NUMBER}", CLOSE)),
    ("header_cut", mixed(OPEN, OPEN, "", NUMBER, CLOSE)),
    ("odd_header_name", mail(f"Subject : {NUMBER}", "", "x")),
    ("folded_empty", mail("X-Note: a", " ", f" {NUMBER}", "Content-Type: text/plain", "", "x")),
    ("bare_cr", mail("Subject: a\r", "", NUMBER)),
    ("bare_lf", mail("", NUMBER).replace(b"\r\n", b"\n")),
    ("eight_bit_header", mail(f"Subject: Grüße {NUMBER}", "", "x")),
    ("envelope_line", mail("", NUMBER, head=b"From a@b.example Tue Mar  3 10:15:00 2026\r\n" + HEAD)),
    ("bad_content_type", mail("Content-Type: text", "", NUMBER)),
    ("odd_content_type", mail("Content-Type: text/plain; charset=us-ascii (Plain text)", "", NUMBER)),
    ("odd_content_type", mail("Content-Type: multipart/mixed; boundary==b=", "", "--=b=", "", NUMBER, "--=b=--")),
    ("odd_disposition", mail("Content-Disposition: x; filename=a; filename=b", "", NUMBER)),
    ("unknown_encoding", mail("Content-Transfer-Encoding: 8-bit", "", NUMBER)),
    ("odd_encoding", mail("Content-Transfer-Encoding: 7bit (x)", "", NUMBER)),
    (
        "encoded_composite",
        mixed(
            OPEN, INNER, "Content-Transfer-Encoding: base64", "", "--inner.0123", "", NUMBER, "--inner.0123--", CLOSE
        ),
    ),
    ("unknown_charset", mail("Content-Type: text/plain; charset=x-martian", "", NUMBER)),
    ("unknown_charset", mail("Content-Type: text/plain; charset=ansi", "", b"caf\xe9 " + NUMBER.encode())),
    (
        "filename_disagrees",
        mail("Content-Type: text/plain; name=a.txt", "Content-Disposition: attachment; filename=b.txt", "", NUMBER),
    ),
    ("odd_encoded_word", mail(f"Subject: =?utf-8?B?YQ=?= {NUMBER}", "", "x")),
    ("risky_charset", mail("Content-Type: text/plain; charset=utf-16", "", NUMBER.encode("utf-16"))),
    ("type_disagrees", mail("Content-Type: text/plain; name=a.png", "", NUMBER)),
    ("base64_junk", mail("Content-Transfer-Encoding: base64", "", b64(NUMBER), "_____", "a footer of the list")),
    ("base64_inner_padding", mail("Content-Transfer-Encoding: base64", "", b64("hello ") + "=", b64(NUMBER))),
    ("base64_truncated", mail("Content-Transfer-Encoding: base64", "", b64(NUMBER).rstrip("="))),
    ("qp_bad_escape", mail("Content-Transfer-Encoding: quoted-printable", "", f"a=b&c=zz {NUMBER}")),
    ("qp_trailing_blank", mail("Content-Transfer-Encoding: quoted-printable", "", f"{NUMBER} ", "x")),
    ("uuencoded_text", mail("", NUMBER, "begin 644 a.txt", "#:&DA", "`", "end")),
    ("yenc_text", mail("", NUMBER, "=ybegin line=128 size=2 name=a.txt", "\x92\x93", "=yend size=2")),
]


@pytest.mark.parametrize(("kind", "octets"), READ, ids=[f"{kind}-{n}" for n, (kind, _) in enumerate(READ)])
def test_what_is_read_in_every_way_is_not_refused(kind: str, octets: bytes) -> None:
    assert kind in list(DefectKind)
    assert ambiguities(octets) == []
    assert places(octets)


def test_a_field_too_long_for_addresses_is_read_as_text_all_the_same() -> None:
    people = ", ".join(f"=?utf-8?Q?K=C3=BCnstler_{number}?= <a{number}@b.example>" for number in range(900))
    assert ambiguities(mail(f"Cc: {people}, {NUMBER}", "", "x")) == []
    assert places(mail(f"Cc: {people}, {NUMBER}", "", "x")) == {"a header"}
