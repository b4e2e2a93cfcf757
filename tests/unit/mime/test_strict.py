from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mime.scanner import Scanner
from gateway.mime.strict import examine, plausible_boundaries
from gateway.mime.structure import Defect, DefectKind
from tests.corpus.ordinary_mail import ORDINARY

HEAD = b"From: a@b.example\r\nMIME-Version: 1.0\r\n"
LONG = "boundary.0123"


def defects(octets: bytes) -> tuple[Defect, ...]:
    scanner = Scanner(smtputf8=True)
    scanner.feed(octets)
    return examine(octets, scanner.finish())


def kinds(octets: bytes) -> set[str]:
    return {str(defect.kind) for defect in defects(octets)}


def mixed(*lines: str, boundary: str = LONG, written: str = "") -> bytes:
    field = written or f"Content-Type: multipart/mixed; boundary={boundary}"
    return HEAD + "\r\n".join([field, "", *lines, ""]).encode("latin-1")


def leaf(*lines: str) -> bytes:
    return HEAD + "\r\n".join([*lines, ""]).encode("latin-1")


@pytest.mark.parametrize(
    ("kind", "octets"),
    [
        # Two readers, two boundaries.
        (
            DefectKind.SECOND_BOUNDARY,
            mixed(
                "--a",
                "",
                "x",
                "--a--",
                "--b",
                "",
                "y",
                "--b--",
                written="Content-Type: multipart/mixed; boundary=a; boundary=b",
            ),
        ),
        (
            DefectKind.SECOND_BOUNDARY,
            mixed("--b", "", "y", "--b--", written='Content-Type: text/plain; x="; boundary=b"'),
        ),
        (
            DefectKind.SECOND_BOUNDARY,
            mixed(
                "--a b",
                "",
                "x",
                "--a b--",
                "--a",
                "",
                "y",
                "--a--",
                written="Content-Type: multipart/mixed; boundary=a b",
            ),
        ),
        (
            DefectKind.SECOND_BOUNDARY,
            mixed("--ab", "", "x", "--ab--", written="Content-Type: text/html; boundary*0=a; boundary*1=b"),
        ),
        (
            DefectKind.SECOND_BOUNDARY,
            mixed("--a(c)", "", "x", "--a", "", "y", written="Content-Type: multipart/mixed; boundary=a(c)"),
        ),
        (
            DefectKind.SECOND_BOUNDARY,
            mixed("x", written="Content-Type: text/plain" + "".join(f"; boundary={n}" for n in range(9))),
        ),
        # The boundary where no delimiter is.
        (DefectKind.STRAY_BOUNDARY, mixed("--" + LONG, "", "x", " --" + LONG, "", "hidden", f"--{LONG}--")),
        (DefectKind.STRAY_BOUNDARY, mixed("--" + LONG, "", "text --" + LONG, "", "hidden", f"--{LONG}--")),
        (DefectKind.STRAY_BOUNDARY, mixed("--" + LONG, "", "x\r--" + LONG, "", f"--{LONG}--")),
        # What stands outside of parts.
        (DefectKind.OUTSIDE_PAYLOAD, mixed("Content-Type: text/html", "", "<p>", "--" + LONG, "", "x", f"--{LONG}--")),
        (
            DefectKind.OUTSIDE_PAYLOAD,
            mixed("--" + LONG, "", "x", f"--{LONG}--", "begin 644 a.pdf", "#:&DA", "`", "end"),
        ),
        (DefectKind.OUTSIDE_PAYLOAD, mixed("--" + LONG, "", "x", f"--{LONG}--", "A" * 76, "A" * 40 + "==")),
        # Content that is elsewhere.
        (DefectKind.PARTIAL, leaf("Content-Type: message/partial; id=x; number=1; total=2", "", "x")),
        (DefectKind.EXTERNAL_BODY, leaf("Content-Type: message/external-body; access-type=URL; url=x", "", "x")),
        # Charsets that an ASCII reader does not see through.
        *[
            (DefectKind.RISKY_CHARSET, leaf(f"Content-Type: text/plain; charset={name}", "", "x"))
            for name in (
                "utf-7",
                "UTF-16",
                "utf-16le",
                "UTF-32",
                "ebcdic-us",
                "IBM037",
                "cp500",
                "ibm1047",
                "unicode-1-1-utf-7",
            )
        ],
        # Bodies.
        (DefectKind.BASE64_JUNK, leaf("Content-Transfer-Encoding: base64", "", "aGVs*bG8=")),
        (DefectKind.BASE64_INNER_PADDING, leaf("Content-Transfer-Encoding: base64", "", "aGVsbG8=", "aGVsbG8=")),
        (DefectKind.BASE64_TRUNCATED, leaf("Content-Transfer-Encoding: base64", "", "aGVsbG8")),
        (DefectKind.QP_BAD_ESCAPE, leaf("Content-Transfer-Encoding: quoted-printable", "", "a=zz")),
        (DefectKind.QP_TRAILING_BLANK, leaf("Content-Transfer-Encoding: quoted-printable", "", "a ", "b")),
        (
            DefectKind.UU_BAD_LINE,
            leaf("Content-Transfer-Encoding: x-uuencode", "", "begin 644 a", "#!!!!!!!!!\x7f", "end"),
        ),
        (DefectKind.UUENCODED_TEXT, leaf("", "begin 644 a.txt", "#:&DA", "`", "end")),
        (DefectKind.UUENCODED_TEXT, leaf("", "begin-base64 644 a.txt", "aGk=", "====")),
        (DefectKind.YENC_TEXT, leaf("", "=ybegin line=128 size=2 name=a", "xx", "=yend size=2")),
        (DefectKind.BINHEX_TEXT, leaf("", "(This file must be converted with BinHex 4.0)", ":x")),
        # Type, name and content.
        (DefectKind.TYPE_DISAGREES, leaf("Content-Type: text/plain", "", "%PDF-1.4")),
        (DefectKind.TYPE_DISAGREES, leaf("Content-Type: image/png; name=a.png", "", "PK\x03\x04")),
        (
            DefectKind.TYPE_DISAGREES,
            leaf("Content-Disposition: attachment; filename=a.zip", "Content-Type: image/png", "", "x"),
        ),
    ],
)
def test_an_ambiguity_is_named(kind: DefectKind, octets: bytes) -> None:
    assert kind in kinds(octets)


@pytest.mark.parametrize(
    "octets",
    [
        leaf(
            "Content-Type: text/plain; charset=utf-8", "", "begin 644 is how a line may begin", "and this is the next"
        ),
        leaf("Content-Type: application/octet-stream; name=a.pdf", "", "%PDF-1.4"),
        leaf("Content-Type: application/msword; name=a.docx", "", "PK\x03\x04"),
        leaf("Content-Type: text/html; boundary=never.used.here", "", "<p>x</p>"),
        mixed("--" + LONG, "", "boundary.01 and 0123", f"--{LONG}--"),
        mixed(
            "This is a multi-part message in MIME format.",
            "--" + LONG,
            "",
            "x",
            f"--{LONG}--",
            "To leave, write to us.",
        ),
        mixed(
            f"--{LONG}",
            f"Content-Type: multipart/mixed; boundary={LONG}.1",
            "",
            f"--{LONG}.1",
            "",
            "x",
            f"--{LONG}.1--",
            f"--{LONG}--",
        ),
    ],
)
def test_what_only_looks_so_is_not_named(octets: bytes) -> None:
    strict = kinds(octets) - {"preamble_text", "epilogue_text", "misspelt_multipart"}
    assert strict == set()


@pytest.mark.parametrize(
    ("value", "boundaries"),
    [
        (b"multipart/mixed; boundary=abc", {b"abc"}),
        (b'multipart/mixed; boundary="a b"; charset=x', {b"a b"}),
        (b'multipart/mixed; boundary="a\\b"', {b"a\\b", b"ab"}),
        (b"multipart/mixed; BOUNDARY (c) = (d) abc", {b"abc"}),
        (b"multipart/mixed; boundary*=us-ascii'en'a%20b", {b"us-ascii'en'a%20b", b"a%20b", b"a b"}),
        (b"text/plain; charset=x", set()),
    ],
)
def test_every_boundary_that_a_field_may_name_is_found(value: bytes, boundaries: set[bytes]) -> None:
    assert plausible_boundaries(value) == boundaries


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_mail_scans_alike_in_any_blocks(name: str) -> None:
    octets = ORDINARY[name].octets
    whole = Scanner(smtputf8=True)
    whole.feed(octets)
    structure = whole.finish()
    chance = random.Random(name)
    for _ in range(10):
        scanner, at = Scanner(smtputf8=True), 0
        for cut in sorted(chance.randrange(len(octets)) for _ in range(chance.choice([1, 20]))):
            scanner.feed(octets[at:cut])
            at = cut
        scanner.feed(octets[at:])
        assert scanner.finish() == structure


@settings(max_examples=200)
@given(st.binary(max_size=600))
def test_octets_of_any_kind_are_examined(octets: bytes) -> None:
    assert all(0 <= defect.offset <= len(octets) for defect in defects(octets))


@pytest.mark.parametrize(
    "octets",
    [
        mixed(*[f"--{LONG}x"] * 50, *["--" + LONG + " y"] * 50, *[" --" + LONG] * 200_000),
        mixed("x" * 3_000_000 + " --" + LONG + "x" * 3_000_000),
        leaf("Content-Type: text/plain; " + "boundary=" * 800, "", *["--x"] * 300_000),
        leaf("Content-Type: text/plain" + "; boundary (c) " * 500, "", "x"),
        leaf("", *["begin 644 x"] * 300_000),
        leaf("Content-Transfer-Encoding: base64", "", "=" * 3_000_000),
        leaf("Content-Transfer-Encoding: quoted-printable", "", "=" * 3_000_000),
        leaf("", "= \t" * 1_000_000),
        leaf("", "AAAA" * 1_000_000 + "!"),
    ],
    ids=range(9),
)
def test_what_is_made_to_be_slow_is_examined_all_the_same(octets: bytes) -> None:
    assert len(defects(octets)) < 600
