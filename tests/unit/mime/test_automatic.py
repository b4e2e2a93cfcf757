from __future__ import annotations

from base64 import b64encode

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
        ("Auto-Submitted: auto-replied (I am away)", "out-of-office"),
        ("AUTO-SUBMITTED:\r\n auto-notified; owner-email=x", "auto-submitted"),
        ("Auto-Submitted: no\r\nAuto-Submitted: auto-replied", "out-of-office"),
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


def tnef(message_class: bytes, *, before: bytes = b"") -> bytes:
    """The beginning of a winmail.dat: signature, key, version, code page, class ([MS-OXTNEF] section 2.1.3)."""

    def attribute(level: int, tag: int, data: bytes) -> bytes:
        head = bytes([level]) + tag.to_bytes(4, "little") + len(data).to_bytes(4, "little")
        return head + data + (sum(data) & 0xFFFF).to_bytes(2, "little")

    return (
        b"\x78\x9f\x3e\x22\x01\x00"
        + attribute(1, 0x00089006, b"\x00\x00\x01\x00")
        + attribute(1, 0x00069007, b"\xe4\x04\x00\x00\x00\x00\x00\x00")
        + before
        + attribute(1, 0x00078008, message_class + b"\x00")
    )


def enclosed(part: bytes, *, outer: str = "mixed", more: str = "") -> AutomaticKind | None:
    scanner = Scanner()
    scanner.feed(
        f"Subject: a\r\n{more}Content-Type: multipart/{outer}; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nwords\r\n--b\r\n".encode()
    )
    scanner.feed(part + b"\r\n--b--\r\n")
    return kind_of(scanner.finish())


WINMAIL = b"Content-Type: %s; name=%s\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment\r\n\r\n"


@pytest.mark.parametrize(
    ("message_class", "expected"),
    [
        (b"IPM.Outlook.Recall", "recall"),
        (b"ipm.outlook.recall", "recall"),
        (b"IPM.Recall.Report.Success", "report"),
        (b"IPM.Schedule.Meeting.Resp.Pos", "calendar-reply"),
        (b"IPM.Schedule.Meeting.Canceled", "calendar-reply"),
        (b"IPM.Note.Rules.OofTemplate.Microsoft", "out-of-office"),
        (b"REPORT.IPM.Note.IPNRN", "report"),
        (b"IPM.Note", None),
        (b"IPM.Schedule.Meeting.Request", None),
        (b"IPM.Microsoft Mail.Note", None),
        (b"", None),
    ],
)
@pytest.mark.parametrize(
    ("media_type", "name"), [(b"application/ms-tnef", b"x"), (b"application/octet-stream", b"WinMail.dat")]
)
def test_outlooks_classes_in_tnef_are_known(
    message_class: bytes, expected: str, media_type: bytes, name: bytes
) -> None:
    assert enclosed(WINMAIL % (media_type, name) + b64encode(tnef(message_class))) == expected


@pytest.mark.parametrize("octets", [b"", b"\x78\x9f\x3e\x22", tnef(b"IPM.Outlook.Recall")[1:], b"\x00" * 3000])
def test_broken_tnef_tells_nothing(octets: bytes) -> None:
    assert enclosed(WINMAIL % (b"application/ms-tnef", b"winmail.dat") + b64encode(octets)) is None


CALENDAR = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nMETHOD:%s\r\nBEGIN:VEVENT\r\n"


@pytest.mark.parametrize("method", ["REPLY", "reply", "COUNTER", "CANCEL", "REFRESH", "DECLINECOUNTER"])
def test_a_calendars_answer_is_automatic_by_its_type_or_its_content(method: str) -> None:
    typed = f"Content-Type: text/calendar; charset=utf-8; method={method}\r\n\r\n".encode()
    assert enclosed(typed + CALENDAR % b"", outer="alternative") == "calendar-reply"
    assert enclosed(b"Content-Type: text/calendar\r\n\r\n" + CALENDAR % method.encode()) == "calendar-reply"
    encoded = b"Content-Type: text/calendar\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    assert enclosed(encoded + b64encode(CALENDAR % method.encode())) == "calendar-reply"
    assert kind(f"Content-Type: text/calendar; method={method}") == "calendar-reply"


@pytest.mark.parametrize("method", ["REQUEST", "PUBLISH", "ADD", ""])
def test_a_meeting_request_is_a_message(method: str) -> None:
    typed = f"Content-Type: text/calendar; charset=utf-8; method={method}\r\n\r\n".encode()
    assert enclosed(typed + CALENDAR % method.encode(), outer="alternative") is None
    assert enclosed(b"Content-Type: text/calendar\r\n\r\n" + CALENDAR % method.encode()) is None


def test_a_calendars_answer_that_is_passed_on_is_a_persons_mail() -> None:
    kept = b"Content-Type: text/calendar; method=REPLY\r\nContent-Disposition: attachment\r\n\r\n"
    assert enclosed(kept + CALENDAR % b"REPLY") is None
    inside = b"Content-Type: message/rfc822\r\n\r\nContent-Type: text/calendar; method=REPLY\r\n\r\n"
    assert enclosed(inside + CALENDAR % b"REPLY") is None
    recalled = WINMAIL % (b"application/ms-tnef", b"winmail.dat") + b64encode(tnef(b"IPM.Outlook.Recall"))
    assert enclosed(b"Content-Type: message/rfc822\r\n\r\n" + recalled) is None


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("X-Auto-Response-Suppress: All\r\nSubject: Automatic reply: Budget", "out-of-office"),
        ("Subject: Out of Office: Budget\r\nX-Auto-Response-Suppress: OOF, AutoReply", "out-of-office"),
        ("Subject: =?utf-8?Q?R=C3=A9ponse_automatique_:?= Budget\r\nX-Auto-Response-Suppress: All", "out-of-office"),
        ("X-Autoreply: yes", "out-of-office"),
        ("X-Autorespond: Budget", "out-of-office"),
        ("Content-Class: urn:content-classes:recallmessage", "recall"),
        ("Content-Class: urn:content-classes:mdn", "read-receipt"),
        ("Content-Class: urn:content-classes:dsn", "delivery-report"),
        ("Subject: Recall: Budget 2026\r\nThread-Topic: Budget 2026", "recall"),
        ("Thread-Topic: Budget 2026\r\nSubject: =?utf-8?Q?R=C3=BCckruf:_Budget_2026?=", "recall"),
    ],
)
def test_exchanges_own_ways_are_known(header: str, expected: str) -> None:
    assert kind_of_header(header) == expected


@pytest.mark.parametrize(
    "header",
    [
        "Subject: Automatic reply: how we set it up",
        "Subject: Re: Automatic reply: Budget\r\nX-Auto-Response-Suppress: All",
        "Subject: Recall: the hearing of May\r\nThread-Topic: Recall: the hearing of May",
        "Subject: Recall: the hearing of May",
        "Subject: RE: Recall: Budget\r\nThread-Topic: Budget",
        "Subject: Recall:\r\nThread-Topic:",
        "Content-Class: urn:content-classes:message",
        "Content-Class: urn:content-classes:calendarmessage",
        "X-Autoreply: no",
    ],
)
def test_a_person_may_begin_a_subject_so(header: str) -> None:
    assert kind_of_header(header) is None


def kind_of_header(header: str) -> AutomaticKind | None:
    scanner = Scanner()
    scanner.feed(f"From: a@b.example\r\n{header}\r\n\r\nwords\r\n".encode())
    return kind_of(scanner.finish())
