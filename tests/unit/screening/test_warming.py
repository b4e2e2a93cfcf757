from __future__ import annotations

from gateway.domain.verdict import Outcome
from gateway.screening import warming
from gateway.screening.policy import Policy
from gateway.screening.screen import screen


def test_every_mail_that_warms_a_template_is_read_to_its_end() -> None:
    faults: list[str] = []
    verdicts = [screen(octets, Policy.default(), on_fault=faults.append) for octets in warming.mails()]
    assert faults == []
    assert not any(verdict.unreadable for verdict in verdicts)
    assert len(verdicts) > 50


def test_the_letter_of_a_child_holds_a_number_that_is_found() -> None:
    assert screen(warming.letter(), Policy.default()).outcome is Outcome.TAINTED
