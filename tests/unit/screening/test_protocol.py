from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.domain.verdict import Finding, Kind, Strength, Unread, Unreadable, Verdict
from gateway.screening.chunk import Limits
from gateway.screening.policy import Policy
from gateway.screening.protocol import MAX_ANSWER, Answer, BadAnswer, Locks, Orders, Request, fit_place, lacks_pages

FOUND = Finding(Kind.SSN, "attachment 2, sheet 1", Strength.STRONG, 3)
LOST = Unreadable("attachment 1", Unread.ENCRYPTED, "zip")


def told(**changes: Any) -> bytes:
    return json.dumps({"findings": [], "unreadable": [], "fault": "", **changes}).encode()


def test_an_answer_comes_over_whole() -> None:
    answer = Answer(Verdict((FOUND,), (LOST,)), "extraction/pdf.py:12 KeyError")
    assert Answer.decode(answer.encode()) == answer


def test_the_largest_answer_fits() -> None:
    place = "attachment 1, " * 11 + "body"
    verdict = Verdict(
        (Finding(Kind.RETURN_INFORMATION, place, Strength.STRONG, 999_999),) * 5000,
        (Unreadable(place, Unread.UNKNOWN_TYPE, "x" * 60),) * 5000,
    )
    packet = Answer(verdict).encode()
    assert len(packet) <= MAX_ANSWER
    assert Answer.decode(packet).verdict.outcome == verdict.outcome


def test_of_very_many_findings_the_surest_are_told() -> None:
    weak = Finding(Kind.EIN, "body", Strength.WEAK)
    proof = Finding(Kind.IBAN, "attachment 9", Strength.PROOF)
    assert proof in Answer.decode(Answer(Verdict((weak,) * 500 + (proof,))).encode()).verdict.findings


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"clean",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 60_000,
        b" " * (MAX_ANSWER + 1),
        told(more=1),
        told(findings=None),
        told(findings=[["ssn", "body", "strong"]]),
        told(findings=[["salary", "body", "strong", 1]]),
        told(findings=[[["ssn"], "body", "strong", 1]]),
        told(findings=[["ssn", "body", "certain", 1]]),
        told(findings=[["ssn", "body", "strong", 0]]),
        told(findings=[["ssn", "body", "strong", True]]),
        told(findings=[["ssn", "body", "strong", 1e3]]),
        told(findings=[["ssn", "body", "strong", 10**9]]),
        told(findings=[["ssn", 5, "strong", 1]]),
        told(findings=[["ssn", "body", "strong", 1]] * 200),
        told(unreadable=[["body", "bored", ""]]),
        told(unreadable=[["body", "corrupt", "Ada Lovelace"]]),
        told(fault="my words"),
        told(fault=["extraction/pdf.py:12 KeyError"]),
    ],
)
def test_what_no_child_of_ours_says_is_no_answer(packet: bytes) -> None:
    with pytest.raises(BadAnswer):
        Answer.decode(packet)


@pytest.mark.parametrize(
    "place",
    ["", "Body", "body\r\nQUIT", "550 no", "536-41-2879", "body 536412879", "x" * 161, "<b>", "body,", "é", "body\n"],
)
def test_a_place_that_is_none_is_no_answer(place: str) -> None:
    with pytest.raises(BadAnswer):
        Answer.decode(told(findings=[["ssn", place, "strong", 1]]))


@pytest.mark.parametrize(
    ("place", "fit"),
    [
        ("attachment 2, sheet 1", "attachment 2, sheet 1"),
        ("Attachment 2, page 3", "attachment 2, page 3"),
        ("attachment 1, Ada's file", "attachment 1"),
        ("header X-Ssn: 536-41-2879", "message"),
        ("", "message"),
    ],
)
def test_an_honest_child_says_places_that_pass(place: str, fit: str) -> None:
    assert fit_place(place) == fit
    said = Answer(Verdict((Finding(Kind.SSN, place, Strength.WEAK),))).encode()
    assert Answer.decode(said).verdict.findings[0].place == fit


def test_an_answer_never_becomes_clean_on_its_way() -> None:
    for verdict in (Verdict((Finding(Kind.SSN, "Ünfit", Strength.WEAK, 0),)), Verdict((), (Unreadable("Ünfit", Unread.CORRUPT, "Ü"),))):  # fmt: skip # noqa: E501
        assert Answer.decode(Answer(verdict).encode()).verdict.outcome == verdict.outcome


def test_orders_come_over_whole() -> None:
    orders = Orders(Policy(frozenset({Kind.SSN, Kind.EIN}), 0.7, frozenset({"123456789"})), Limits(pages=3))
    assert Orders.decode(orders.encode()) == orders


def test_orders_too_long_for_a_packet_are_refused() -> None:
    numbers = frozenset(f"{number:039}" for number in range(5001))
    with pytest.raises(ValueError, match="public numbers"):
        Orders(Policy(frozenset(Kind), 0.5, numbers)).encode()


def test_a_request_and_locks_come_over_whole() -> None:
    request = Request("screen", 123_456_789, first=True)
    assert Request.decode(request.encode()) == request
    assert Locks.decode(Locks(7, seccomp=True).encode()) == Locks(7, seccomp=True)


def test_a_look_without_pages_says_what_it_lacks() -> None:
    assert lacks_pages(Verdict((), (Unreadable("attachment 1", Unread.OVER_LIMIT, "ocr_pages"),)))
    assert not lacks_pages(Verdict((FOUND,), (LOST,)))
