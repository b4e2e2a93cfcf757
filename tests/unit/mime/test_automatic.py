from __future__ import annotations

import pytest

from gateway.mime.automatic import AutomaticKind, kind_of
from gateway.mime.scanner import Scanner


def kind(header: str) -> AutomaticKind | None:
    scanner = Scanner()
    scanner.feed(f"Subject: a\r\n{header}\r\n\r\nwords\r\n".encode())
    return kind_of(scanner.finish())


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Auto-Submitted: auto-generated", "auto-submitted"),
        ("Auto-Submitted: auto-replied (I am away)", "auto-submitted"),
        ("AUTO-SUBMITTED:\r\n auto-notified; owner-email=x", "auto-submitted"),
        ("Auto-Submitted: no\r\nAuto-Submitted: auto-replied", "auto-submitted"),
        ("Precedence: bulk", "bulk"),
        ("Precedence: JUNK", "bulk"),
        ("Precedence: list", "bulk"),
        ("Precedence: auto_reply", "bulk"),
        ("List-Id: Staff <staff.example>", "list"),
        ("List-Id:", "list"),
        ("Content-Type: multipart/report; report-type=delivery-status; boundary=b", "delivery-report"),
        ('Content-Type: Multipart/Report; boundary=b;\r\n report-type="Disposition-Notification"', "read-receipt"),
        ("Content-Type: multipart/report; boundary=b", "report"),
        ("Content-Type: multipart/report; report-type=feedback-report; boundary=b", "abuse-report"),
        ("Content-Type: multipart/report; report-type=tlsrpt; boundary=b", "tls-report"),
        ("TLS-Report-Domain: agency.example", "tls-report"),
        ("Subject: Report Domain: a.example\r\n Submitter: b.example Report-ID: <1>", "dmarc-report"),
        ("Subject: [Preview] Report domain: a.example Submitter: b.example Report-ID: 1", "dmarc-report"),
        ("Content-Type: text/plain\r\nContent-Type: multipart/report; report-type=delivery-status", "delivery-report"),
        ("Auto-Submitted: auto-replied\r\nContent-Type: multipart/report; boundary=b", "report"),
    ],
)
def test_automatic_mail_is_known_by_what_it_says(header: str, expected: str) -> None:
    assert kind(header) == expected


@pytest.mark.parametrize(
    "header",
    [
        "X: y",
        "Auto-Submitted: no",
        "Auto-Submitted: No (a person wrote this)",
        "Auto-Submitted:",
        "Auto-Submitted: (auto-replied)",
        "Precedence: first-class",
        "Precedence: bulky",
        "X-Auto-Response-Suppress: All",
        "List-Unsubscribe: <mailto:x@example>",
        "Content-Type: multipart/mixed; report-type=delivery-status; boundary=b",
        "Content-Type: text/plain; charset=utf-8",
        "Subject: FW: Report domain: a.example Submitter: b.example Report-ID: 1",
        "Subject: Report domain: what is it?",
    ],
)
def test_what_a_person_wrote_is_none(header: str) -> None:
    assert kind(header) is None


def test_a_report_that_is_enclosed_is_a_persons_mail() -> None:
    scanner = Scanner()
    scanner.feed(
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n"
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b--\r\n--a--\r\n"
    )
    assert kind_of(scanner.finish()) is None
