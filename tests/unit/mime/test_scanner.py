from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.partmap import MESSAGE_TYPES, Part, PartMap
from gateway.mime.scanner import Scanner
from gateway.mime.structure import DefectKind, Limits, Structure
from tests.corpus.odd_mail import LARGE, MAILS, Parties
from tests.unit.mime.reference import Reference

SMALL = [name for name in MAILS if name != "attachment_of_25_mb"]
HEAD = b"From: a@b.example\r\nMIME-Version: 1.0\r\n"


def scan(octets: bytes, limits: Limits | None = None, *, smtputf8: bool = True) -> Structure:
    scanner = Scanner(limits, smtputf8=smtputf8)
    scanner.feed(octets)
    return scanner.finish()


def scan_in_blocks(octets: bytes, cuts: list[int], limits: Limits | None = None) -> Structure:
    scanner = Scanner(limits, smtputf8=True)
    at = 0
    for cut in [*sorted(cuts), len(octets)]:
        scanner.feed(octets[at:cut])
        at = cut
    return scanner.finish()


def mixed(*lines: str, boundary: str = "b") -> bytes:
    text = "\r\n".join([f"Content-Type: multipart/mixed; boundary={boundary}", "", *lines])
    return HEAD + text.encode("latin-1") + b"\r\n"


def kinds(structure: Structure) -> set[str]:
    return {str(defect.kind) for defect in structure.defects}


def rows(part_map: PartMap) -> list[tuple[str, str, int, int, int]]:
    return [(part.path, kind_of(part), part.header_offset, part.offset, part.length) for part in part_map.parts]


def kind_of(part: Part) -> str:
    if part.is_container:
        return "multipart"
    return "message" if part.media_type in MESSAGE_TYPES else "leaf"


SOUP = [
    b"Content-Type: multipart/mixed; boundary=a",
    b'Content-Type: multipart/alternative; boundary="ab"',
    b"Content-Type: multipart/digest; boundary=c",
    b"Content-Type: message/rfc822",
    b"Content-Type: text/html",
    b"Subject: x",
    b" folded",
    b"no field",
    b"",
    b"",
    b"",
    b"--a",
    b"--a",
    b"--a--",
    b"--ab",
    b"--ab--",
    b"--ab  ",
    b"--c",
    b"--c--",
    b"--d",
    b"--abc",
    b"--a-",
    b"-",
    b"text",
    b"From here",
    b"--",
    b"\t",
    b"a: b",
    b"--a--\t",
    b"x\r",
]


@st.composite
def soups(draw: st.DrawFn) -> bytes:
    """Messages of lines that mean something to a scanner, in any order; mostly CRLF, now and then LF."""
    lines = draw(st.lists(st.sampled_from(SOUP), max_size=40))
    opening = draw(st.sampled_from([[], [SOUP[0], b"", b"--a"], [SOUP[1], b""], [SOUP[0], b"", b"--a", SOUP[1], b""]]))
    end = draw(st.sampled_from([b"\r\n", b"\r\n", b"\n"]))
    body = end.join([*opening, *lines])
    return body + draw(st.sampled_from([b"", end, b"-", b"\r"]))


@settings(max_examples=500, deadline=None)
@given(soups(), st.data())
def test_any_blocks_give_the_structure_of_one_block_and_of_the_reference(octets: bytes, data: st.DataObject) -> None:
    agree(octets, data)


@pytest.mark.sweep
@pytest.mark.timeout(900)
@settings(max_examples=20_000, deadline=None)
@given(soups(), st.data())
def test_any_blocks_give_that_structure_at_length(octets: bytes, data: st.DataObject) -> None:
    agree(octets, data)


def agree(octets: bytes, data: st.DataObject) -> None:
    whole = scan(octets)
    assert rows(whole.part_map) == Reference(octets).rows()
    cuts = data.draw(st.lists(st.integers(0, len(octets)), max_size=12))
    assert scan_in_blocks(octets, cuts) == whole
    assert scan_in_blocks(octets, list(range(len(octets)))) == whole


@pytest.mark.parametrize("name", SMALL)
def test_odd_mail_scans_alike_in_any_blocks_and_as_the_reference_has_it(name: str) -> None:
    octets = MAILS[name](Parties())
    whole = scan(octets)
    if name != "boundary_with_all_characters":  # the reference does not unquote
        assert rows(whole.part_map) == Reference(octets).rows()
    chance = random.Random(name)
    for _ in range(40):
        cuts = [chance.randrange(len(octets) + 1) for _ in range(chance.choice([1, 5, 60]))]
        assert scan_in_blocks(octets, cuts) == whole
    assert scan_in_blocks(octets, list(range(len(octets)))) == whole


@settings(max_examples=200, deadline=None)
@given(soups(), st.data())
def test_over_a_cap_any_blocks_still_give_the_same(octets: bytes, data: st.DataObject) -> None:
    limits = Limits(header_block=60, structured_header=30, headers=3, parts=4, depth=2, near_boundaries=1)
    whole = scan(octets, limits)
    cuts = data.draw(st.lists(st.integers(0, len(octets)), max_size=12))
    assert scan_in_blocks(octets, cuts, limits) == whole
    assert scan_in_blocks(octets, list(range(len(octets))), limits) == whole


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_octets_of_any_kind_are_scanned(octets: bytes) -> None:
    structure = scan(octets)
    assert structure.size == len(octets)
    assert all(part.end <= len(octets) for part in structure.part_map.parts)


@settings(max_examples=200, deadline=None)
@given(soups())
def test_parts_lie_within_their_parents_and_siblings_do_not_overlap(octets: bytes) -> None:
    part_map = scan(octets).part_map
    for part in part_map.parts:
        for around in part_map.ancestors(part):
            assert around.offset <= part.header_offset <= part.offset <= part.end <= max(around.end, part.offset)
    leaves = [part for part in part_map.leaves if part.media_type not in MESSAGE_TYPES]
    for one, next_one in itertools.pairwise(leaves):
        assert one.end <= next_one.header_offset


def test_an_attachment_of_25_mb_is_found_where_it_lies() -> None:
    octets = MAILS["attachment_of_25_mb"](Parties())
    scanner = Scanner()
    held = []
    for at in range(0, len(octets), 65_536):
        scanner.feed(octets[at : at + 65_536])
        held.append(len(scanner._window.octets))
    structure = scanner.finish()
    part = structure.part_map.attachments()[0]
    assert octets[part.end :] == b"\r\n\r\n--=_large--\r\n"[-len(octets) + part.end :]
    assert part.length > LARGE
    assert structure.defects == ()
    assert max(held) < 4_096


# Defects


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (mixed("--b", "", "one"), DefectKind.MISSING_CLOSE),
        (mixed("--b", "", "one", "--b--", "--b", "", "hidden"), DefectKind.EARLY_CLOSE),
        (
            mixed(
                "--b", "Content-Type: multipart/mixed; boundary=c", "", "--c", "", "x", "--b", "", "y", "--c--", "--b--"
            ),
            DefectKind.LATE_CLOSE,
        ),
        (mixed("preamble", "--b", "", "one", "--b--"), DefectKind.PREAMBLE_TEXT),
        (mixed("--b", "", "one", "--b--", "after"), DefectKind.EPILOGUE_TEXT),
        (mixed("--b", "", "one", "--bc", "--b--"), DefectKind.NEAR_BOUNDARY),
        (mixed("text and no delimiter"), DefectKind.MISSING_PARTS),
        (HEAD + b"Content-Type: multipart/mixed\r\n\r\n--b\r\n", DefectKind.MISSING_BOUNDARY),
        (HEAD + b'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n', DefectKind.MISSING_BOUNDARY),
        (
            mixed("--b", "Content-Type: multipart/mixed; boundary=b", "", "--b", "", "x", "--b--"),
            DefectKind.BOUNDARY_REUSED,
        ),
        (mixed("--" + "x" * 71, boundary="x" * 71), DefectKind.ODD_BOUNDARY),
        (
            HEAD + b"Content-Type: multipart/mixed; boundary*=us-ascii''b\r\n\r\n--b\r\n\r\n--b--",
            DefectKind.ODD_BOUNDARY,
        ),
        (HEAD + b"From: c@d.example\r\n\r\n", DefectKind.DUPLICATE_HEADER),
        (HEAD + b"content-type: text/html\r\nContent-Type: text/plain\r\n\r\n", DefectKind.DUPLICATE_HEADER),
        (HEAD + b"no colon here\r\nSubject: x\r\n\r\n", DefectKind.HEADER_WITHOUT_COLON),
        (mixed("--b", "Content-Type: text/plain", "--b--"), DefectKind.HEADER_CUT),
        (HEAD + b"Subject : x\r\n\r\n", DefectKind.ODD_HEADER_NAME),
        (HEAD + b"Subject: x\r\n \t\r\n y\r\n\r\n", DefectKind.FOLDED_EMPTY),
        (HEAD + b"Subject: a\0b\r\n\r\n", DefectKind.NUL),
        (HEAD + b"Subject: a\rb\r\n\r\n", DefectKind.BARE_CR),
        (HEAD + b"Subject: a\n b\r\n\r\n", DefectKind.BARE_LF),
        (b"From someone Tue Mar 3 10:15:00 2026\r\n" + HEAD + b"\r\n", DefectKind.ENVELOPE_LINE),
        (HEAD + b"Subject: \xff\r\n\r\n", DefectKind.EIGHT_BIT_HEADER),
        (HEAD + b"Content-Type: text\r\n\r\n", DefectKind.BAD_CONTENT_TYPE),
        (HEAD + b"Content-Type: text/plain; charset=a; charset=b\r\n\r\n", DefectKind.ODD_CONTENT_TYPE),
        (HEAD + b"Content-Disposition: attachment; filename=a; filename*=utf-8''b\r\n\r\n", DefectKind.ODD_DISPOSITION),
        (HEAD + b"Content-Type: multipart-mixed; boundary=b\r\n\r\n", DefectKind.MISSPELT_MULTIPART),
        (HEAD + b"Content-Type: mulitpart/mixed\r\n\r\n", DefectKind.MISSPELT_MULTIPART),
        (HEAD + b"Content-Type: text/plain; boundary=b\r\n\r\n", DefectKind.MISSPELT_MULTIPART),
        (HEAD + b"Content-Transfer-Encoding: base-64\r\n\r\n", DefectKind.UNKNOWN_ENCODING),
        (HEAD + b"Content-Transfer-Encoding: base64 (x)\r\n\r\n", DefectKind.ODD_ENCODING),
        (
            mixed("--b", "Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "", "YQ==", "--b--"),
            DefectKind.ENCODED_COMPOSITE,
        ),
        (HEAD + b"Content-Type: text/plain; charset=utf-7\r\n\r\n", DefectKind.UNKNOWN_CHARSET),
        (
            HEAD + b"Content-Type: a/b; name=x\r\nContent-Disposition: inline; filename=y\r\n\r\n",
            DefectKind.FILENAME_DISAGREES,
        ),
        (HEAD + b"Subject: =?utf-8?b?YQ=?=\r\n\r\n", DefectKind.ODD_ENCODED_WORD),
        (
            HEAD
            + b"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\n"
            + bytes.fromhex("308006092a864886f70d010703a080"),
            DefectKind.PROTECTION_DISAGREES,
        ),
    ],
)
def test_a_defect_is_named(octets: bytes, kind: DefectKind) -> None:
    assert scan(octets).has(kind)


def test_ordinary_mail_has_no_defects() -> None:
    assert (
        scan(mixed("--b", "Content-Type: text/plain; charset=utf-8", "", "one", "--b", "", "two", "--b--")).defects
        == ()
    )


def test_eight_bit_headers_are_a_defect_unless_the_mail_came_under_smtputf8() -> None:
    octets = HEAD + "Subject: Grüße\r\n\r\n".encode()
    assert scan(octets, smtputf8=True).defects == ()
    assert scan(octets, smtputf8=False).has(DefectKind.EIGHT_BIT_HEADER)


def test_text_outside_of_parts_is_told_with_its_place() -> None:
    octets = mixed("before", "--b", "", "one", "--b--", "after")
    places = {str(d.kind): octets[d.offset : d.offset + d.length].strip() for d in scan(octets).defects}
    assert places == {"preamble_text": b"before", "epilogue_text": b"after"}


def test_a_multipart_without_parts_is_read_as_text_so_that_nothing_is_hidden() -> None:
    part = scan(mixed("text and no delimiter")).part_map.root
    assert (part.path, part.media_type, part.is_container) == ("1", "text/plain", False)


def test_junk_among_fields_does_not_push_a_bcc_into_the_body() -> None:
    octets = HEAD + b"junk line\r\nBcc: hidden@b.example\r\n\r\nbody\r\n"
    structure = scan(octets)
    assert octets[structure.body_offset :] == b"body\r\n"
    assert structure.field("bcc") is not None


def test_text_without_a_blank_line_before_it_is_body() -> None:
    octets = HEAD + b"Subject: x\r\nHello Kim,\r\nplease note.\r\n\r\nBye\r\n"
    assert octets[scan(octets).body_offset :].startswith(b"Hello Kim,")


def test_notes_name_what_a_reader_must_know_and_no_more() -> None:
    structure = scan(mixed("Usual preamble.", "--b", "", "one"))
    assert structure.part_map.notes == ("missing_close",)


def test_headers_are_kept_as_received() -> None:
    octets = b"Subject:  a\r\n\tb \r\nTO: c\r\n\r\n"
    first, second = scan(octets).headers
    assert (first.name, first.value) == ("Subject", b"  a\r\n\tb ")
    assert octets[first.offset : first.offset + first.length] == b"Subject:  a\r\n\tb \r\n"
    assert octets[second.offset : second.offset + second.length] == b"TO: c\r\n"
    assert scan(octets).field("to") == second


# Caps: a mail made to be slow ends flat, with the cap named, long before the time limit of a test.


@pytest.mark.parametrize(
    ("octets", "cap"),
    [
        (HEAD + b"X: " + b"y" * 200_000 + b"\r\n\r\nbody", "header_block"),
        (HEAD + b"a:\n" * 1_200 + b"\r\nbody", "headers"),
        (b"From: " + b"." * 30_000 + b"\r\n\r\nbody", "structured_header"),
        (b"To: " + b"a@b.example, " * 3_000 + b"\r\n\r\nbody", "address_list"),
        (b"Subject: " + b"=?utf-8?q?a?= " * 6_000 + b"\r\n\r\nbody", "encoded_words"),
        (HEAD + b"Content-Type: a/b" + b"".join(b"; a%d*=utf-8''x" % i for i in range(60)) + b"\r\n\r\n", "parameters"),
        (mixed(*["--b", "", "x"] * 100_000, "--b--"), "parts"),
        (mixed("--b", "", *["--bb"] * 300_000, "--b--"), "near_boundaries"),
        (mixed("--b", "", "--b--", *["--b"] * 300_000), "near_boundaries"),
        (HEAD + b"no field\r\n" * 9_000 + b"Subject: x\r\n\r\n", None),
        (HEAD + b"no field\r\n" * 9_000 + b"\r\n", None),
        (HEAD + b"Subject: x\r\n" * 900 + b"\r\n", None),
        (mixed(*["--b", "A: b", "x" * 100_000, "", "y"] * 60, "--b--"), None),
        (mixed(*["--b", "a:" * 50_000] * 150, "--b--"), None),
        (HEAD + b"a:" * 50_000, None),
    ],
)
def test_a_mail_over_a_cap_ends_flat_and_names_the_cap(octets: bytes, cap: str | None) -> None:
    structure = scan(octets)
    caps = {defect.detail for defect in structure.defects if defect.kind is DefectKind.OVER_CAP}
    assert caps == ({cap} if cap else set())
    assert structure.is_over_cap == bool(cap)
    assert len(structure.defects) <= 510
    assert len(structure.part_map.parts) <= 202


def nested(depth: int, kind: str) -> bytes:
    opened = HEAD
    for level in range(depth):
        if kind == "multipart":
            opened += b'Content-Type: multipart/mixed; boundary="n%04d"\r\n\r\n--n%04d\r\n' % (level, level)
        else:
            opened += b"Content-Type: message/rfc822\r\n\r\n"
    return opened + b"\r\ndeep"


@pytest.mark.parametrize("kind", ["multipart", "message"])
def test_a_thousand_nested_parts_end_at_the_depth_cap(kind: str) -> None:
    structure = scan(nested(1_000, kind))
    assert {d.detail for d in structure.defects if d.kind is DefectKind.OVER_CAP} == {"depth"}
    assert len(structure.part_map.parts) == 21
    assert structure.part_map.parts[-1].end == structure.size


def test_a_part_too_deep_is_opaque_and_the_next_part_is_read() -> None:
    octets = mixed(
        "--b", "Content-Type: multipart/mixed; boundary=c", "", "--c", "", "x", "--c--", "--b", "", "y", "--b--"
    )
    structure = scan(octets, Limits(depth=1))
    assert [(p.path, p.media_type) for p in structure.part_map.parts] == [
        ("TEXT", "multipart/mixed"),
        ("1", "application/octet-stream"),
        ("2", "text/plain"),
    ]


def test_of_a_message_whose_header_is_over_a_cap_no_octet_is_called_body() -> None:
    structure = scan(HEAD + b"Bcc: x@y.example\r\nX: " + b"y" * 200_000 + b"\r\n\r\nbody")
    assert structure.body_offset == structure.size
    assert [(part.offset, part.length) for part in structure.part_map.parts] == [(structure.size, 0)]


def test_after_going_flat_the_scanner_holds_nothing() -> None:
    scanner = Scanner(Limits(parts=1))
    scanner.feed(mixed("--b", "", "x"))
    for _ in range(100):
        scanner.feed(b"x" * 10_000)
        assert len(scanner._window.octets) == 0
    assert scanner.finish().size > 1_000_000


class CountingScanner(Scanner):
    """Counts the steps that the scan takes: its measure of work besides searching octets."""

    steps = 0

    def _read_body(self, is_last: bool) -> bool:
        self.steps += 1
        return super()._read_body(is_last)

    def _read_header(self, is_last: bool) -> bool:
        self.steps += 1
        return super()._read_header(is_last)


def test_steps_grow_with_blocks_and_delimiters_and_not_with_lines() -> None:
    def steps(lines: int) -> int:
        scanner = CountingScanner()
        octets = mixed("--b", "", *["-- a line that begins like one"] * lines, "--b--")
        for at in range(0, len(octets), 65_536):
            scanner.feed(octets[at : at + 65_536])
        scanner.finish()
        return scanner.steps - len(octets) // 65_536

    assert abs(steps(200_000) - steps(1_000)) <= 1


def test_defects_beyond_the_listed_ones_count_as_over_a_cap() -> None:
    structure = scan(HEAD + b"From: x\r\nTo: a\r\nTo: b\r\nCc: a\r\nCc: b\r\n\r\n", Limits(defects=2))
    assert structure.is_over_cap
    assert len(structure.defects) == 3
