from __future__ import annotations

import datetime as dt
import email
import email.policy
import hashlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.summary import Mailbox
from gateway.mime.composing import Attachment, Fields, compose, correspondents_copy
from gateway.mime.decoding import Decoder, text
from gateway.mime.scanner import Scanner
from gateway.mime.structure import Structure
from gateway.mime.summary import read_facts
from tests.corpus.odd_mail import MAILS, Parties

BOUNDARY = "=_0123456789abcdef01234567"
WHEN = dt.datetime(2026, 3, 3, 15, 15, tzinfo=dt.UTC)
FIELDS = Fields(
    from_=Mailbox("Avery Example", "avery@agency.example"),
    to=(Mailbox("", "kim@artists.example"),),
    cc=(),
    date=WHEN,
    subject="About the agreement",
    message_id="<SM-7K2Q-9F4T@gateway.example>",
)
TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=200)


def scan(octets: bytes) -> Structure:
    scanner = Scanner(smtputf8=True)
    scanner.feed(octets)
    return scanner.finish()


def copy_of(octets: bytes) -> bytes:
    structure = scan(octets)
    return correspondents_copy(structure, FIELDS) + octets[structure.body_offset :]


def decoded(octets: bytes, structure: Structure, path: str) -> bytes:
    part = structure.part_map.part(path)
    decoder = Decoder(part.encoding)
    return decoder.feed(octets[part.offset : part.end]) + decoder.finish()


# The correspondent's copy


@pytest.mark.parametrize("name", [name for name in MAILS if name != "attachment_of_25_mb"])
def test_a_copy_has_the_same_parts_with_the_same_octets(name: str) -> None:
    octets = MAILS[name](Parties())
    copy = copy_of(octets)
    before, after = scan(octets), scan(copy)
    assert [
        (part.path, part.media_type, part.filename, part.parameters, part.length) for part in before.part_map.parts
    ] == [(part.path, part.media_type, part.filename, part.parameters, part.length) for part in after.part_map.parts]
    assert octets[before.body_offset :] == copy[after.body_offset :]


def test_a_copy_has_our_fields_and_what_says_how_to_read_the_body_and_nothing_else() -> None:
    for name in (
        "trace_fields_and_internal_hosts",
        "bcc_in_the_octets",
        "smime_clear_signed",
        "tnef_like",
        "plain_text",
    ):
        names = [header.name.lower() for header in scan(copy_of(MAILS[name](Parties()))).headers]
        assert names[:6] == ["from", "to", "subject", "date", "message-id", "mime-version"]
        assert set(names[6:]) <= {"content-type", "content-transfer-encoding", "content-disposition"}


def test_a_copy_shows_no_bcc_no_trace_and_no_internal_host() -> None:
    copy = copy_of(MAILS["bcc_in_the_octets"](Parties())) + copy_of(MAILS["trace_fields_and_internal_hosts"](Parties()))
    for secret in (b"hidden", b"internal.agency", b"10.9.8.7", b"Bcc", b"Received", b"DKIM", b"Invented Mail"):
        assert secret not in copy


@pytest.mark.parametrize(
    "name", ["alternative", "smime_clear_signed", "plain_text", "message_as_whole_body", "no_body"]
)
def test_the_header_block_alone_is_enough_for_a_copy(name: str) -> None:
    octets = MAILS[name](Parties())
    whole = scan(octets)
    head_only = scan(octets[: whole.part_map.root.offset])
    assert correspondents_copy(head_only, FIELDS) == correspondents_copy(whole, FIELDS)
    assert head_only.body_offset == whole.body_offset


def test_an_attached_message_keeps_its_own_header_in_the_copy() -> None:
    copy = copy_of(MAILS["forwarded_message"](Parties()))
    assert b"Received: from inner.example" in copy
    assert b"Bcc: kept@agency.example" in copy


def test_a_copy_of_mail_whose_header_was_over_a_cap_shows_nothing_of_it() -> None:
    copy = copy_of(b"Bcc: hidden@agency.example\r\nX: " + b"y" * 200_000 + b"\r\n\r\nbody")
    assert b"hidden" not in copy
    assert copy.endswith(b"\r\n\r\n")


def test_of_a_duplicate_content_type_the_copy_keeps_the_one_that_was_read() -> None:
    copy = copy_of(b"Content-Type: text/html\r\nContent-Type: text/plain\r\n\r\n<p>x</p>")
    assert copy.count(b"Content-Type") == 1
    assert b"text/html" in copy


def test_a_kept_field_cannot_end_the_header_early() -> None:
    copy = copy_of(b"Content-Type: text/plain;\n \n charset=utf-8\r\n\r\nbody")
    header, _, body = copy.partition(b"\r\n\r\n")
    assert body == b"body"
    assert re.search(rb"(?<!\r)\n", header) is None


# Composed messages


def test_a_composed_message_is_read_by_the_library_as_it_was_meant() -> None:
    octets = b"".join(
        compose(
            FIELDS,
            "Grüße,\n\n.\nFrom here on\ntrailing blank \n" + "long " * 60,
            [
                Attachment("Einkünfte.pdf", "application/pdf", [b"%PDF", b"-1.7"]),
                Attachment("a b.txt", "text/plain", []),
            ],
            boundary=BOUNDARY,
        )
    )
    message = email.message_from_bytes(octets, policy=email.policy.default)
    body, pdf, empty = message.iter_parts()
    assert message["Subject"] == FIELDS.subject
    assert str(message["From"]) == "Avery Example <avery@agency.example>"
    assert (
        body.get_content().replace("\r\n", "\n") == "Grüße,\n\n.\nFrom here on\ntrailing blank \n" + "long " * 60 + "\n"
    )
    assert (pdf.get_filename(), pdf.get_content()) == ("Einkünfte.pdf", b"%PDF-1.7")
    assert (empty.get_filename(), empty.get_content()) == ("a b.txt", "")
    assert message.defects == []
    assert max(map(len, octets.split(b"\r\n"))) <= 78


@settings(max_examples=150, deadline=None)
@given(TEXT, TEXT, TEXT, TEXT, st.binary(max_size=400))
def test_whatever_is_composed_is_read_back_without_a_defect(
    subject: str, name: str, filename: str, body: str, octets: bytes
) -> None:
    fields = Fields(Mailbox(name, "a@b.example"), (Mailbox(name, "c@d.example"),), (), WHEN, subject, "<x@y.example>")
    chunks = [octets[at : at + 7] for at in range(0, len(octets), 7)]
    message = b"".join(compose(fields, body, [Attachment(filename, "application/pdf", chunks)], boundary=BOUNDARY))
    structure = scan(message)
    facts = read_facts(structure)
    assert structure.defects == ()
    assert facts.subject.split() == shown(subject).split()
    assert facts.from_[0].name == " ".join(shown(name).split())
    assert (structure.part_map.part("2").filename or "") == shown(filename).strip()
    assert decoded(message, structure, "2") == octets
    lines = body.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
    assert text(structure.part_map.part("1"), decoded(message, structure, "1")).removesuffix("\n").split("\n") == (
        lines.removeprefix("\ufeff").split("\n")
    )
    assert max(map(len, message.split(b"\r\n"))) <= 998
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", message) is None


def shown(value: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", value).strip()


def test_no_field_can_be_smuggled_into_a_header() -> None:
    evil = "x\r\nBcc: victim@example.org\r\n\r\nbody"
    fields = Fields(
        Mailbox(evil, "a@b.example"),
        (Mailbox("", "c@d.example\r\nBcc: v@e.example"), Mailbox(evil, "e@f.example")),
        (),
        WHEN,
        evil,
        "<x@y.example>",
    )
    message = b"".join(compose(fields, "t", [Attachment(evil, "a/b", [])], boundary=BOUNDARY))
    structure = scan(message)
    assert structure.field("bcc") is None
    assert [mailbox.address for mailbox in read_facts(structure).to] == ["e@f.example"]


def test_attachments_are_taken_as_they_are_written() -> None:
    taken = []

    def chunks() -> object:
        for number in range(50):
            taken.append(number)
            yield bytes(57_000)

    made = compose(FIELDS, "t", [Attachment("a", "a/b", chunks())], boundary=BOUNDARY)  # type: ignore[arg-type]
    next(made)
    next(made)
    assert taken == []
    sizes = [len(chunk) for chunk in made]
    assert len(taken) == 50
    assert max(sizes) < 90_000


@pytest.mark.parametrize(
    "boundary", ["", "short", "0123456789abcdef", "=_0123456789abcde", "=_" + "x" * 61, "=_0123456789abcdef\r\n"]
)
def test_a_boundary_of_another_form_is_refused(boundary: str) -> None:
    with pytest.raises(ValueError):
        next(compose(FIELDS, "", [], boundary=boundary))


def test_impossible_fields_and_attachments_are_refused() -> None:
    with pytest.raises(ValueError):
        Fields(FIELDS.from_, (), (), WHEN, "s", "<a@b>\r\nBcc: x")
    with pytest.raises(ValueError):
        Fields(FIELDS.from_, (), (), WHEN.replace(tzinfo=None), "s", "<a@b>")
    with pytest.raises(ValueError):
        Attachment("x", "multipart/mixed", [])
    with pytest.raises(ValueError):
        Attachment("x", "text/plain\r\nBcc: x", [])


def test_a_boundary_never_stands_in_an_encoded_body() -> None:
    hostile = f"--{BOUNDARY}--\n--{BOUNDARY}\n"
    octets = b"".join(compose(FIELDS, hostile, [], boundary=BOUNDARY))
    structure = scan(octets)
    assert len(structure.part_map.leaves) == 1
    assert hashlib.sha256(decoded(octets, structure, "1").replace(b"\r\n", b"\n")).digest() == (
        hashlib.sha256(hostile.encode()).digest()
    )
