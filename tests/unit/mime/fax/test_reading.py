"""Fax mail of every known system becomes one neutral model."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.domain.clock import to_microseconds
from gateway.domain.fax import DocumentKind, Fax, Review
from gateway.domain.fax_profile import Field, Rule, profile_of
from gateway.mime.fax.profiles import PROFILES
from gateway.mime.fax.reading import BY_DATE, conclude, page_digests, read_fax
from tests.faxes import SYSTEMS, Draw, failure, hylafax, mail, part, rightfax, sample, tiff, words
from tests.signing import card, der, detached, header, opaque, signed_data, signer

TWO = tiff(("one", "two"))
HEADERS = [
    "From: fax@office.example",
    "To: intake@gateway.example",
    "Subject: Fax",
    "Date: Mon, 2 Mar 2026 09:00:00 -0500",
]


def concluded(octets: bytes) -> Fax:
    read = read_fax(octets)
    return conclude(read, read.files)


@pytest.mark.parametrize("number", range(3 * len(SYSTEMS)))
def test_every_system_is_known_and_read(number: int) -> None:
    made = sample(number)
    fax = concluded(made.mail)
    assert fax.profile == made.profile
    assert (fax.calling, fax.called, fax.station, fax.job) == (made.calling, made.called, made.station, made.job)
    assert fax.pages_claimed in (made.pages, None)
    if made.profile not in ("efax", "hylafax"):  # a PDF's pages are counted elsewhere
        assert (fax.pages_counted, fax.review) == (made.pages, ())


@pytest.mark.parametrize("number", range(len(SYSTEMS)))
def test_the_document_is_the_very_octets_that_were_sent(number: int) -> None:
    made = sample(number)
    assert made.document in [file.octets for file in read_fax(made.mail).files]


def test_copies_of_one_fax_in_one_mail_count_once() -> None:
    made = hylafax(Draw(1, 4))
    read = read_fax(made.mail)
    files = [
        type(file)(type(file.document)(file.document.path, file.document.kind, made.pages), file.octets, file.digests)
        if file.document.kind is DocumentKind.PDF
        else file
        for file in read.files
    ]
    fax = conclude(read, files)
    assert fax.pages_counted == made.pages
    assert [(one.kind, bool(one.copy_of)) for one in fax.documents] == [
        (DocumentKind.POSTSCRIPT, True), (DocumentKind.TIFF, False), (DocumentKind.PDF, True)
    ]  # fmt: skip


def test_two_documents_that_add_up_to_what_is_claimed_are_no_copies() -> None:
    parts = [words("Pages: 4\n"), part('image/tiff; name="a.tif"', TWO), part('image/tiff; name="b.tif"', TWO)]
    assert concluded(mail(HEADERS, parts)).pages_counted == 4


def test_the_time_is_the_servers_and_its_zone_that_of_the_mail() -> None:
    text = "Sender: A\nReceived: 2026:03:02 08:59:30\nCommID: 7\nPages: 2\n"
    read = read_fax(mail(HEADERS, [words(text), part("image/tiff", TWO)]))
    assert read.told_us == to_microseconds(datetime(2026, 3, 2, 13, 59, 30, tzinfo=UTC))
    told = read_fax(mail(HEADERS, [words(text), part("image/tiff", TWO)]), zone=ZoneInfo("Europe/Berlin"))
    assert told.told_us == to_microseconds(datetime(2026, 3, 2, 7, 59, 30, tzinfo=UTC))


def test_without_a_time_in_the_text_the_mails_date_counts() -> None:
    read = read_fax(sample(0).mail)
    assert read.found[Field.RECEIVED].rule == BY_DATE
    assert read.told_us == to_microseconds(Draw(1, 0).at)


def test_afternoons_of_american_clocks_are_afternoons() -> None:
    assert read_fax(rightfax(Draw(1, 4)).mail).told_us == to_microseconds(Draw(1, 4).at)


def test_fewer_pages_than_claimed_are_for_review() -> None:
    octets = mail([*HEADERS[:2], "Subject: Fax (3 pages)"], [part("image/tiff; name=Cisco_fax.tif", TWO)])
    assert concluded(octets).review == (Review.FEWER_PAGES,)


def test_a_fax_received_with_errors_is_a_fax_and_for_review() -> None:
    text = "Sender: A\nPages: 2\nCommID: 7\nErrors were received: lost carrier\n"
    fax = concluded(mail(HEADERS, [words(text), part("image/tiff", TWO)]))
    assert (fax.pages_counted, fax.review) == (2, (Review.ERRORS,))


def test_a_notice_of_failure_is_no_fax() -> None:
    read = read_fax(failure(1))
    assert read.failure
    assert not read.files


def test_a_mail_without_a_document_that_says_nothing_of_failure_is_kept_for_review() -> None:
    read = read_fax(mail(HEADERS, [words("Please see the fax.\n")]))
    assert not read.failure
    assert conclude(read, read.files).review == (Review.NO_DOCUMENT,)


def test_a_word_of_failure_beside_a_document_loses_nothing() -> None:
    octets = mail([*HEADERS[:2], "Subject: Fax reception error"], [part("image/tiff", TWO)])
    assert not read_fax(octets).failure


def test_a_program_named_tif_is_for_review() -> None:
    fax = concluded(mail(HEADERS, [part('image/tiff; name="fax.tif"', b"MZ\x90\0" + bytes(500))]))
    assert fax.review == (Review.UNREADABLE,)
    assert fax.documents[0].kind is DocumentKind.UNKNOWN


@pytest.mark.parametrize("octets", [TWO[:-60], b"II*\0\x08\0\0\0\0\0"])
def test_a_broken_picture_is_for_review(octets: bytes) -> None:
    assert Review.UNREADABLE in concluded(mail(HEADERS, [part("image/tiff", octets)])).review


def test_a_document_is_found_by_its_octets_alone() -> None:
    fax = concluded(mail(HEADERS, [words("x"), part("application/octet-stream", TWO)]))
    assert fax.pages_counted == 2


def test_signed_fax_mail_is_read_in_both_forms() -> None:
    who, inner = card("Fax", "fax@office.example"), part('image/tiff; name="fax.tif"', TWO)
    by, certificate = signer(who, inner), who.octets
    beside = detached(signed_data([by], [certificate]), inner)
    around = opaque(signed_data([by], [certificate], der(0x04, inner)))
    for entity in (beside, around):
        fax = concluded(header("fax@office.example", "Fax") + entity)
        assert (fax.pages_counted, fax.review) == (2, ())


def test_pages_are_known_again_in_another_mail() -> None:
    first, second = (read_fax(mail(HEADERS, [part("image/tiff", TWO)], boundary=word)) for word in ("one", "two"))
    known = [page_digests(one.files, conclude(one, one.files)) for one in (first, second)]
    assert known[0] == known[1] != ()


def test_a_sites_own_profile_is_asked_first() -> None:
    acme = profile_of("acme", when=["subject: ^Fax$"], calling=["header-x-caller: (.+)"])
    octets = mail([*HEADERS, "X-Caller: +1 202 555 0100"], [part("image/tiff", TWO)])
    read = read_fax(octets, [acme])
    assert (read.profile.name, read.found[Field.CALLING].value) == ("acme", "+1 202 555 0100")


def test_a_source_may_say_which_profile_it_is() -> None:
    assert read_fax(sample(0).mail, profile="ricoh").profile.name == "ricoh"


def test_what_a_sender_wrote_is_short_and_of_one_line() -> None:
    text = "Sender: " + "A\u202e" * 100 + "\nPages: 2\nCommID: 7\n"
    octets = mail(
        HEADERS, [b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + text.encode(), part("image/tiff", TWO)]
    )
    station = concluded(octets).station
    assert len(station) <= 64
    assert station.isprintable()


def test_the_model_is_sealed_and_read_again() -> None:
    fax = concluded(sample(4).mail)
    assert Fax.from_value(fax.to_value()) == fax


def test_a_profile_prints_lines_that_make_it_again() -> None:
    import tomllib

    for profile in PROFILES:
        told = tomllib.loads("\n".join(profile.lines()))["fax"]["profiles"][profile.name]
        assert profile_of(profile.name, **told) == profile


@pytest.mark.parametrize(
    "text", ["subject", "subject:", "nowhere: x", "subject: (", "subject: " + "x" * 501, "header-: x"]
)
def test_a_rule_that_cannot_be_read_says_so(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Rule.parse(text)
