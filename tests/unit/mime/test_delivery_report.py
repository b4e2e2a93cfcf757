"""What a returned mail says: in every form that mail systems have, and nothing when it is anything else."""

from __future__ import annotations

import random
from base64 import encodebytes

import pytest

from gateway.domain.reach import Reason, Report, ReportKind
from gateway.mime.delivery_report import MAX_NAMED, MAX_OCTETS, Reported, read_report
from tests.corpus import returned_mail as mails
from tests.corpus.returned_mail import ADDRESS, NOTICE, RETURNED

FAILED, DELAYED = ReportKind.FAILED, ReportKind.DELAYED


def read(mail: str | bytes, *, null_sender: bool = True) -> Reported:
    return read_report(mail.encode() if isinstance(mail, str) else mail, null_sender=null_sender)


def of(fields: str, **changes: str) -> tuple[Report, ...]:
    return read(mails.report(fields, **changes)).reports


RECIPIENT = f"Final-Recipient: rfc822; {ADDRESS}\r\n"


def test_a_delivery_report_says_what_became_of_whose_mail() -> None:
    assert read(mails.failure()) == Reported((Report(FAILED, "5.1.1", (ADDRESS,)),), NOTICE)


@pytest.mark.parametrize(
    ("fields", "kind", "enhanced"),
    [
        ("Action: failed\r\nStatus: 5.2.2\r\n", FAILED, "5.2.2"),
        ("Action: failed\r\nStatus: 4.4.7 (expired)\r\n", FAILED, "4.4.7"),
        ("Action: FAILED (permanently)\r\nStatus: 5.0.0\r\n", FAILED, "5.0.0"),
        ("Action: delayed\r\nStatus: 4.4.1\r\nWill-Retry-Until: tomorrow\r\n", DELAYED, "4.4.1"),
        ("Action: delivered\r\nStatus: 2.0.0\r\n", ReportKind.DELIVERED, "2.0.0"),
        ("Action: failed\r\nStatus: 5.0.0\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n", FAILED, "5.1.1"),
        ("Action: failed\r\nDiagnostic-Code: smtp;\r\n 550-5.1.1 folded\r\n", FAILED, "5.1.1"),
        ("Action: failed\r\nStatus: 5.0.0\r\nDiagnostic-Code: smtp; 451 4.7.1 later\r\n", FAILED, "5.0.0"),
        ("Action: failed\r\n", FAILED, ""),
        ("Action: failed\r\nStatus: nonsense\r\n", FAILED, ""),
        ("Status: 5.7.1\r\n", FAILED, "5.7.1"),
        ("Action: exploded\r\nStatus: 4.2.2\r\n", DELAYED, "4.2.2"),
        ("Diagnostic-Code: smtp; 554 refused\r\n", FAILED, ""),
    ],
)
def test_missing_and_odd_fields_are_read_as_far_as_they_go(fields: str, kind: ReportKind, enhanced: str) -> None:
    assert of(RECIPIENT + fields) == (Report(kind, enhanced, (ADDRESS,)),)


@pytest.mark.parametrize(
    "fields", ["", "Action: relayed\r\nStatus: 2.0.0\r\n", "Action: expanded\r\n", "Status: 2.1.5\r\n"]
)
def test_what_is_no_outcome_says_nothing(fields: str) -> None:
    assert of(RECIPIENT + fields) == ()


def test_of_several_recipients_the_one_whose_address_is_wrong_speaks() -> None:
    one = "Final-Recipient: rfc822; a@firm.example\r\nAction: failed\r\nStatus: 5.7.1\r\n"
    two = "Final-Recipient: rfc822; b@firm.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    late = "Final-Recipient: rfc822; c@firm.example\r\nAction: delayed\r\nStatus: 4.4.1\r\n"
    assert of(f"{one}\r\n{two}\r\n{late}") == (
        Report(FAILED, "5.1.1", ("b@firm.example",)),
        Report(DELAYED, "4.4.1", ("c@firm.example",)),
    )


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("rfc822; agent@firm.example", ("agent@firm.example",)),
        ("RFC822;<agent@firm.example>", ("agent@firm.example",)),
        ("agent@firm.example", ("agent@firm.example",)),
        ("rfc822; agent+2Btag@firm.example", ("agent+tag@firm.example",)),
        ("utf-8; jos\\x{E9}@firm.example", ("josé@firm.example",)),
        ("utf-8; josé@firm.example", ("josé@firm.example",)),
        ("utf-8; a\\x{D800}\\x{FFFFFF}@firm.example", ("a??@firm.example",)),
        ("rfc822; nobody", ()),
        ("rfc822; " + "x" * 400 + "@firm.example", ()),
        ("rfc822; a\x00b@firm.example", ()),
        ("", ()),
    ],
)
def test_recipients_are_read_in_each_notation(written: str, read_as: tuple[str, ...]) -> None:
    assert of(f"Final-Recipient: {written}\r\nAction: failed\r\nStatus: 5.1.1\r\n")[0].named == read_as


def test_of_a_shared_mailbox_the_one_who_is_gone_is_named() -> None:
    original = f"Original-Recipient: rfc822;{ADDRESS}\r\nAction: failed\r\n"
    assert of(f"Final-Recipient: rfc822;gone@firm.example\r\n{original}")[0].named == ("gone@firm.example",)
    assert of(original)[0].named == (ADDRESS,)


def test_internationalised_reports_are_read_coded_or_not() -> None:
    fields = "Final-Recipient: utf-8; josé@firm.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    kinds = {"status_type": "message/global-delivery-status", "returned_type": "message/global-headers"}
    assert of(fields, **kinds) == (Report(FAILED, "5.1.1", ("josé@firm.example",)),)
    coded = encodebytes(f"Reporting-MTA: dns; x\r\n\r\n{fields}".encode()).decode().replace("\n", "\r\n")
    whole = mails.report("", encoding="base64", **kinds).replace(
        "Reporting-MTA: dns; mx.firm.example\r\nArrival-Date: Sun, 22 Nov 2026 11:00:00 +0000\r\n\r\n", coded
    )
    assert read(whole) == Reported((Report(FAILED, "5.1.1", ("josé@firm.example",)),), NOTICE)


@pytest.mark.parametrize("kind", ["message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"])
def test_the_returned_mail_is_known_by_its_id(kind: str) -> None:
    returned = RETURNED + ("\r\nwords\r\n" if "headers" not in kind else "")
    assert (
        read(mails.report(RECIPIENT + "Action: failed\r\n", returned=returned, returned_type=kind)).outbox_id == NOTICE
    )


def test_an_id_that_microsoft_moved_is_found_and_no_other_one_counts() -> None:
    moved = f"Message-ID: <x@outlook.example>\r\nX-Microsoft-Original-Message-ID: {mails.OWN_ID}\r\n"
    assert read(mails.report(RECIPIENT + "Action: failed\r\n", returned=moved)).outbox_id == NOTICE
    other = f"Message-ID: <x@y.example>\r\nReferences: {mails.OWN_ID}\r\n"
    assert read(mails.report(RECIPIENT + "Action: failed\r\n", returned=other)).outbox_id is None


def test_a_report_inside_of_a_mail_that_is_passed_on_is_not_one() -> None:
    inner = mails.failure()
    outer = (
        "From: agent@firm.example\r\nSubject: Fwd\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=o\r\n\r\n"
        "--o\r\nContent-Type: text/plain\r\n\r\nSee 5.1.1 below\r\n"
        f"--o\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--o--\r\n"
    )
    assert read(outer, null_sender=False).reports == ()


def test_a_complaint_says_so_and_by_which_path_the_mail_went() -> None:
    path = "b-x-y@gateway.example"
    assert read(mails.complaint(path=path)) == Reported(
        (Report(ReportKind.COMPLAINT, "", (ADDRESS,)),), NOTICE, (path,)
    )
    assert read(mails.complaint()).reports[0].reason is Reason.COMPLAINED
    assert read(mails.complaint("not-spam")).reports == ()
    assert read(mails.complaint("auth-failure")).reports == ()


@pytest.mark.parametrize(
    ("habit", "enhanced"),
    [("qmail", "5.1.1"), ("exim", "5.2.2"), ("exchange", "5.1.1"), ("provider", ""), ("postfix", "")],
)
@pytest.mark.parametrize("null_sender", [True, False])
def test_bounces_of_old_habit_are_known_by_their_structure(habit: str, enhanced: str, null_sender: bool) -> None:
    reported = read(mails.HABITS[habit], null_sender=null_sender)
    assert reported.reports == (Report(FAILED, enhanced, (ADDRESS,)),)
    assert reported.outbox_id == (None if habit == "exchange" else NOTICE)


def test_a_bounce_in_html_alone_is_read() -> None:
    mail = mails.EXCHANGE.replace("Subject:", "MIME-Version: 1.0\r\nContent-Type: text/html\r\nSubject:")
    mail = mail.replace("<mx.firm", "<p class='x'>&lt;mx.firm")
    assert read(mail).reports[0].enhanced == "5.1.1"


@pytest.mark.parametrize("mail", [mails.VACATION, mails.OLD_VACATION])
@pytest.mark.parametrize("null_sender", [True, False])
def test_who_is_away_is_no_bounce(mail: str, null_sender: bool) -> None:
    assert read(mail, null_sender=null_sender).reports == ()


def test_what_a_person_writes_of_codes_is_no_bounce() -> None:
    words = mails.plain(f"I got 550 5.1.1 again.\r\n{RETURNED}", sender=ADDRESS)
    assert read(words, null_sender=False).reports == ()


def test_a_warning_of_old_habit_without_a_code_says_nothing() -> None:
    words = f"Your message was delayed; it is tried for three more days. Nothing to do.\r\n\r\n{RETURNED}"
    assert read(mails.plain(words)).reports == ()


@pytest.mark.parametrize(
    "text", ["4.94.2 is my version", "host 5.1.1.7 here", "15.1.1", "v5.1.1", "5.1.1234", "tel 555 1234"]
)
def test_numbers_that_are_no_status_codes_are_none(text: str) -> None:
    assert read(mails.plain(text)).reports == ()


# Bad input


def test_ten_mebibytes_cost_no_more_than_one() -> None:
    mail = mails.failure().encode()
    assert read(mail + b"x" * 10 * 1024 * 1024) == read(mail)
    assert read(b"x" * MAX_OCTETS + mail) == Reported()


@pytest.mark.parametrize(
    "part",
    [
        "Final-Recipient: rfc822; a@b.example\r\n\r\n" * 20_000,
        "Final-Recipient:" + " \r\n x" * 20_000,
        "<" * 60_000,
        "a@" * 30_000,
        "<a" * 30_000,
        "5.1." * 15_000,
        "+4" * 30_000,
        "\\x{" * 20_000,
        "\r\n \t" * 15_000,
        ("Message-ID: <notice." + "a" * 60) * 800,
    ],
)
def test_hostile_parts_are_read_in_bounds(part: str) -> None:
    for mail in (mails.report(part), mails.report(RECIPIENT, returned=part), mails.plain(part), mails.complaint(part)):
        for report in read(mail).reports:
            assert len(report.named) <= MAX_NAMED
            assert all(len(named) <= 320 for named in report.named)


@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "x" * 5000, "\x00", "unknown-8bit", "idna", "rot13"])
def test_hostile_charsets_are_read_as_something(charset: str) -> None:
    mail = mails.QMAIL.replace(
        "Subject:", f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset={charset}\r\nSubject:"
    )
    assert len(read(mail).reports) <= 1


def test_any_octets_are_read_as_something() -> None:
    chance = random.Random(6)
    mail = bytearray(mails.failure().encode())
    for _ in range(2000):
        broken = bytearray(mail)
        for _ in range(chance.randint(1, 12)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        cut = bytes(broken[: chance.randrange(len(broken))])
        for one in (bytes(broken), cut):
            assert isinstance(read(one), Reported)
