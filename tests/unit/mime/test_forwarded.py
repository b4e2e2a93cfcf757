"""What was forwarded, told from what somebody wrote."""

from __future__ import annotations

import pytest

from gateway.mime.forwarded import is_forwarded, is_rewritten
from gateway.mime.scanner import Scanner


@pytest.mark.parametrize(
    "local",
    ["SRS0=HHH=TT=elsewhere.example=ann", "srs1=HHH=a.example==x", "SRS0+h=t=d=u", "ann+SRS=abc=XY=d.example=bob",
     "bounces+SRS=abc=XY"],
)  # fmt: skip
def test_a_rewritten_sender_is_known(local: str) -> None:
    assert is_rewritten(local)


@pytest.mark.parametrize("local", ["ann", "ann+srs-project", "srs", "srs0", "ann+srs", "mrs0=x", "ann.srs0=x"])
def test_a_name_that_looks_a_little_like_one_is_a_name(local: str) -> None:
    assert not is_rewritten(local)


def forwarded(head: str) -> bool:
    scanner = Scanner()
    scanner.feed(f"From: ann@agency.example\r\n{head}\r\n\r\nwords\r\n".encode())
    return is_forwarded(scanner.finish())


@pytest.mark.parametrize("head", ["Delivered-To: x", "resent-from: a@b.example", "AUTO-SUBMITTED: Auto-Forwarded; why"])
def test_a_mark_of_forwarding_is_known_in_any_letter_case(head: str) -> None:
    assert forwarded(head)


@pytest.mark.parametrize(
    "head",
    ["X-Forwarded-Message-Id: <a@b>", "Auto-Submitted: no", "Auto-Submitted: auto-replied\r\nDelivered-To: x",
     "X-MS-Exchange-Organization-AuthAs: Internal", "Subject: Delivered-To: x"],
)  # fmt: skip
def test_what_somebody_wrote_and_other_automatic_mail_is_not(head: str) -> None:
    assert not forwarded(head)
