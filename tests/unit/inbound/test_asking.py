"""What a submission asks to be told, and answers that withdraw."""

from __future__ import annotations

import pytest

from gateway.domain.errors import NotAllowed
from gateway.domain.notice import NoticeKind
from gateway.domain.rights import Side
from gateway.inbound import replies
from gateway.inbound.asking import Asking, answered_notice, says_release, says_withdraw
from gateway.mime.scanner import Scanner
from gateway.store.people import Person

KEY = b"k" * 32
ID = "0123456789abcdef0123456789abcdef"


def says(text: str, kind: NoticeKind = NoticeKind.CONFIRMATION) -> bool:
    octets = f"Subject: Re: Your message was filed\r\n\r\n{text}\r\n".encode()
    scanner = Scanner()
    scanner.feed(octets)
    return says_withdraw(kind, scanner.finish(), octets)


@pytest.mark.parametrize("text", ["WITHDRAW", "withdraw", "Withdraw.", "WITHDRAW!", "\r\n\r\nWithdraw  \r\n\r\nthanks"])
def test_a_line_that_is_just_the_word_withdraws(text: str) -> None:
    assert says(text)
    assert says(text, NoticeKind.NOT_READ)


@pytest.mark.parametrize("text", ["Please find the form attached", "", "> WITHDRAW", "Thanks\r\nWITHDRAW"])
def test_other_words_are_a_message(text: str) -> None:
    assert not says(text)


@pytest.mark.parametrize("text", ["withdraw it please", "Withdrawal", "- WITHDRAW now"])
def test_what_nearly_says_it_is_refused_where_a_confirmation_is_answered_and_nowhere_else(text: str) -> None:
    with pytest.raises(NotAllowed, match="one line that is just the word WITHDRAW"):
        says(text)
    assert not says(text, NoticeKind.REPLY_RECEIVED)


def releases(text: str, kind: NoticeKind = NoticeKind.GUARD_WAITS) -> bool:
    octets = f"Subject: Re: Your message waits for your yes\r\n\r\n{text}\r\n".encode()
    scanner = Scanner()
    scanner.feed(octets)
    return says_release(kind, scanner.finish(), octets)


@pytest.mark.parametrize("text", ["RELEASE", "release", "Release.", "\r\n\r\nRelease!  \r\n> quoted"])
def test_a_line_that_is_just_the_word_releases_what_the_guard_holds_and_nothing_else(text: str) -> None:
    assert releases(text)
    assert not releases(text, NoticeKind.CONFIRMATION)


@pytest.mark.parametrize("text", ["yes", "please release it", "", "> RELEASE", "Thanks\r\nRELEASE", "Here is the form"])
def test_no_other_answer_to_the_guard_becomes_a_message(text: str) -> None:
    with pytest.raises(NotAllowed, match="just the word RELEASE, or just WITHDRAW"):
        releases(text)


def test_a_long_sentence_that_begins_with_the_word_is_a_message() -> None:
    assert not says("Withdrawals from the account were listed in our letter of the third, and nothing was left out.")


def test_only_what_is_answered_first_names_the_notice() -> None:
    ours = f"<notice.{ID}@gateway.example>"
    assert answered_notice([ours, "<other@agency.example>"]) == ID
    assert answered_notice(["<other@agency.example>", ours]) is None
    assert answered_notice([]) is None


@pytest.mark.parametrize(("own", "minutes"), [(None, 10), (0, 0), (3, 3), (90, 10)])
def test_an_employee_may_wait_for_fewer_minutes_and_not_for_more(own: int | None, minutes: int) -> None:
    author = Person("p", "cwa", Side.OFFICE, "Dana", "en", delay_minutes=own)
    assert Asking(KEY, frozenset({"cwa"}), 10).delay_us(author) == minutes * 60_000_000


def test_the_reply_to_an_answer_says_that_it_is_no_message() -> None:
    said = "250 2.6.0 your answer is no message: what became of it comes by mail"
    assert str(replies.WITHDRAWAL_ANSWERED).strip() == said
