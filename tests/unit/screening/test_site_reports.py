"""Reports of other sites are full of numbers, and none of them is anybody's; what is in them beside still counts."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from gateway.domain.verdict import Outcome
from gateway.mime.automatic import AutomaticKind, kind_of
from gateway.mime.scanner import Scanner
from gateway.screening.policy import Policy
from gateway.screening.screen import screen
from tests.corpus.site_reports import abuse_report, dmarc_report, tls_report

Report = Callable[[random.Random, str], bytes]
REPORTS = [
    (dmarc_report, AutomaticKind.DMARC_REPORT),
    (tls_report, AutomaticKind.TLS_REPORT),
    (abuse_report, AutomaticKind.ABUSE_REPORT),
]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("report", "kind"), REPORTS, ids=[kind.value for _, kind in REPORTS])
def test_a_report_is_known_and_clean(report: Report, kind: AutomaticKind, seed: int) -> None:
    mail = report(random.Random(seed), "")
    scanner = Scanner()
    scanner.feed(mail)
    found = kind_of(scanner.finish())
    assert found is kind
    assert found.is_for_operators
    assert screen(mail, Policy.default()).outcome is Outcome.CLEAN


@pytest.mark.parametrize("report", [report for report, _ in REPORTS])
def test_taxpayer_data_in_a_report_is_still_found(report: Report) -> None:
    mail = report(random.Random(1), "<note>My social security number (SSN) is 536-41-2879.</note>")
    assert screen(mail, Policy.default()).outcome is Outcome.TAINTED
