"""What the sender of refused outside mail reads, and what the entry tells of the sender."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.errors import TaxpayerData, Unscreenable
from gateway.domain.refusal import KINDS, REASONS
from gateway.domain.reply import MAX_LINE, SmtpReply
from gateway.domain.verdict import Finding, Kind, Strength, Unread, Unreadable, Verdict
from gateway.inbound.mx import NO_PLAIN_MAIL, SenderHashes
from gateway.inbound.refusals import explain
from gateway.inbound.replies import reply_for

PORTAL = "https://messages.example.gov/"
REFERENCE = "R-4F7K-2M9P"


def refusal(*items: Finding | Unreadable, portal: str = PORTAL) -> SmtpReply:
    findings = tuple(one for one in items if isinstance(one, Finding))
    unreadable = tuple(one for one in items if isinstance(one, Unreadable))
    kind = TaxpayerData if findings else Unscreenable
    return reply_for(kind(explain(Verdict(findings, unreadable), REFERENCE, portal)))


def found(kind: Kind, place: str = "attachment 1") -> Finding:
    return Finding(kind, place, Strength.PROOF)


@pytest.mark.parametrize("item", [*map(found, Kind), *(Unreadable("attachment 2", why) for why in Unread)], ids=str)
def test_a_refusal_is_one_line_that_says_first_what_happened_and_what_to_do(item: Finding | Unreadable) -> None:
    line = str(refusal(item))
    assert line.isascii()
    assert len(line) <= MAX_LINE
    assert line.startswith("550 5.7.1 Not accepted, nothing stored: ")
    assert f"Please send it at {PORTAL}" in line[:120]
    assert f"{PORTAL}refused Ref " in line
    assert REFERENCE in line
    assert (KINDS[item.kind] if isinstance(item, Finding) else REASONS[item.why]) in line
    assert line.endswith(item.place)


def test_several_places_are_told_once_each_and_the_rest_is_counted() -> None:
    same = refusal(found(Kind.SSN), found(Kind.ITIN), found(Kind.CARD, "subject"))
    assert str(same).endswith(": a U.S. taxpayer number, in attachment 1; a payment card, in subject")
    many = refusal(*(found(Kind.SSN, f"attachment {number}") for number in range(1, 7)))
    assert str(many).endswith("in attachment 2; a U.S. taxpayer number, in attachment 3; and 3 more")


def test_places_give_way_to_what_to_do() -> None:
    deep = ", ".join(["member 3"] * 12)
    long = refusal(*(found(Kind.IP_PIN, f"attachment {number}, {deep}") for number in range(5)))
    assert len(str(long)) <= MAX_LINE
    assert REFERENCE in str(long)
    assert f"Please send it at {PORTAL}" in str(long)


def test_a_place_with_octets_that_no_line_has_does_no_harm() -> None:
    line = str(refusal(found(Kind.SSN, "attachment\r\n250 ok é")))
    assert line.isascii()
    assert "\n" not in line


def test_clean_mail_is_told_what_to_do_in_its_first_words_as_well() -> None:
    assert f"write at {PORTAL}" in f"550 5.7.1 {NO_PLAIN_MAIL.format(portal_url=PORTAL)}"[:120]


def test_hashes_tell_senders_apart_for_a_day_and_no_longer() -> None:
    now = [datetime(2026, 1, 5, 10, 0, tzinfo=UTC)]
    hashes = SenderHashes(lambda: now[0])
    first = hashes.of("Ines@tours.example")
    assert hashes.of("ines@TOURS.example") == first
    assert hashes.of("ada@tours.example") != first
    assert SenderHashes(lambda: now[0]).of("ines@tours.example") != first
    now[0] += timedelta(hours=13)
    assert hashes.of("ines@tours.example") == first
    now[0] += timedelta(hours=1)
    assert hashes.of("ines@tours.example") != first
    now[0] -= timedelta(hours=1)
    assert hashes.of("ines@tours.example") != first
