"""What an employee's mail tool is told of a submission: confirmation, reports, receipt; and WITHDRAW in an answer.

From the submission transaction through the outbox and a real relay into a mailbox, with the clock in the test's hand.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import make_msgid
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import func, select

from gateway.domain.credential import Principal
from gateway.domain.errors import NotAllowed
from gateway.domain.reply import SmtpReply
from gateway.domain.thread_address import ThreadAddresses
from gateway.inbound import replies
from gateway.inbound.asking import Asking
from gateway.inbound.listener.seam import MailParameters, Peer, RecipientParameters
from gateway.inbound.submission import SubmissionDoor
from gateway.outbound.notifier import Notifier
from gateway.store import tables
from gateway.store.blobs import BlobFolder
from gateway.store.confirmations import asked_key
from gateway.store.database import Database
from gateway.store.reminders import read_by
from tests.notifying import Time, notifier
from tests.relay import Certificate, Sink, relay
from tests.said import said_in
from tests.settled import DEPOSIT_KEY, Settled
from tests.tables import make_tables

PEER = Peer("127.0.0.1", 1, True, "tool", "starttls")
DOMAIN = "gateway.example"
DANA = "dana@agency.example"
SECRET = re.compile(r"Budget|Ines|Raul|Omar|tours\.example|the words of the message", re.IGNORECASE)
ALL = frozenset({"SUCCESS", "FAILURE", "DELAY"})


@dataclass
class Office:
    """A site with its door, its notifier, and the mailbox that all of its notifications come to."""

    site: Settled
    door: SubmissionDoor
    notifier: Notifier
    sink: Sink
    time: Time
    seen: int = field(default=0)

    @property
    def case(self) -> str:
        return f"{str(self.site.tour['reference']).lower()}@{DOMAIN}"

    def choose(self, person: str = "dana", **chosen: Any) -> None:
        self.site.enact("choose_notices", person=self.site.people[person], **chosen)

    async def submit(
        self,
        octets: bytes,
        *to: str,
        person: str = "dana",
        notify: frozenset[str] | None = None,
        envid: str | None = None,
    ) -> SmtpReply:
        envelope = MailParameters(f"{person}@agency.example", None, "8BITMIME", False, "FULL", envid, None)
        transaction = await self.door.begin(PEER, Principal(self.site.people[person], "credential"), envelope)
        for address in to or (self.case,):
            await transaction.add_recipient(
                RecipientParameters(address, notify, f"rfc822;{address}" if notify else None)
            )
        transaction.start()
        for start in range(0, len(octets), 1000):
            transaction.write(octets[start : start + 1000])
            await transaction.drain()
        return await transaction.commit()

    async def arrived(self, address: str = DANA) -> list[EmailMessage]:
        """Send all that is due; return what is new in a mailbox, after looking that no mail tells what it must not."""
        await self.notifier.send_due()
        new, self.seen = self.sink.mail[self.seen :], len(self.sink.mail)
        found = []
        for envelope in new:
            assert isinstance(envelope.content, bytes)
            mail = message_from_bytes(envelope.content, policy=default)
            assert isinstance(mail, EmailMessage)
            if envelope.rcpt_tos == [address]:
                words = said_in(envelope.content).replace(address, "")
                assert not SECRET.search(words), words
                assert mail["Auto-Submitted"] == "auto-generated"
                assert mail["X-Auto-Response-Suppress"] == "All"
                assert envelope.mail_from in {"", "<>"}
                found.append(mail)
        return found

    def open(self, name: str, reference: str) -> None:
        """Do what an opening in the keyholder does."""
        wanted = select(tables.message.c.id).where(tables.message.c.reference == reference)
        message_id = self.site.database.read_now(lambda c: c.execute(wanted).scalar_one())
        self.site.database.call(read_by, message_id, self.site.people[name], may_act=True)

    def messages(self) -> int:
        counted = select(func.count()).select_from(tables.message)
        return int(self.site.database.read_now(lambda c: c.execute(counted).scalar_one()))


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    url, time, sink = f"sqlite:///{tmp_path}/gateway.db", Time(), Sink()
    make_tables(url)
    database = Database(url, clock=time)
    site = Settled(database)
    room = replace(site.mailroom, domain=DOMAIN, threads=ThreadAddresses(DOMAIN, b"r" * 32))
    nobody: Any = None  # AUTH is tested with the authenticator
    door = SubmissionDoor(
        database, BlobFolder(tmp_path / "blobs", reserve_octets=0), nobody, {"cwa": room}, DEPOSIT_KEY,
        lambda: None, asking=Asking(asked_key(b"r" * 32), frozenset({"cwa"}), 30),
    )  # fmt: skip
    site.enact("choose_notices", person=site.people["dana"], delay_minutes=0)
    certificate = Certificate(tmp_path)
    async with relay(sink, certificate) as port:
        one = notifier(database, port, certificate.path, tmp_path, time, authority=site.authority.key)
        yield Office(site, door, one, sink, time)
    database.close()


def letter(text: str = "the words of the message", **fields: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"Dana <{DANA}>", f"case@{DOMAIN}", "Budget"
    for name, value in {"Message_ID": make_msgid(domain="agency.example"), **fields}.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes(policy=mail.policy.clone(linesep="\r\n"))


def reference_of(reply: SmtpReply) -> str:
    return reply.text.split()[0]


async def test_a_confirmation_stands_below_the_authors_own_message(office: Office) -> None:
    reply = await office.submit(letter(Message_ID="<one@agency.example>"))
    (mail,) = await office.arrived()
    assert mail["In-Reply-To"] == mail["References"] == "<one@agency.example>"
    assert mail["Subject"].endswith("Your message was filed")
    body = mail.get_body(("plain",))
    assert body is not None
    assert f"filed as {reference_of(reply)}" in body.get_content()
    assert "2 people notified" in body.get_content()
    assert await office.arrived() == []


async def test_who_chose_the_first_of_a_thread_hears_of_no_further_one_and_each_of_all(office: Office) -> None:
    await office.submit(letter(Message_ID="<one@agency.example>"))
    await office.submit(letter(Message_ID="<two@agency.example>", In_Reply_To="<one@agency.example>"))
    assert [mail["In-Reply-To"] for mail in await office.arrived()] == ["<one@agency.example>"]
    office.choose(confirm="each")
    await asyncio.sleep(2.1)  # as long as an answer of the store is remembered
    await office.submit(letter(Message_ID="<three@agency.example>", In_Reply_To="<one@agency.example>"))
    assert [mail["In-Reply-To"] for mail in await office.arrived()] == ["<three@agency.example>"]


async def test_a_repeat_of_a_submission_is_not_confirmed_again(office: Office) -> None:
    octets = letter()
    first, second = await office.submit(octets), await office.submit(octets)
    assert first == second
    assert len(await office.arrived()) == 1


async def test_a_message_without_an_id_is_confirmed_beside_any_thread(office: Office) -> None:
    octets = re.sub(rb"Message-ID: [^\r]*\r\n", b"", letter())
    await office.submit(octets)
    (mail,) = await office.arrived()
    assert (mail["In-Reply-To"], mail["References"]) == (None, None)


async def test_reading_is_told_in_the_thread_by_its_instant_and_a_count(office: Office) -> None:
    reference = reference_of(await office.submit(letter(Message_ID="<one@agency.example>")))
    await office.arrived()
    office.open("ines", reference)
    (mail,) = await office.arrived()
    body = mail.get_body(("plain",))
    assert body is not None
    assert (mail["In-Reply-To"], "1 of 2" in body.get_content()) == ("<one@agency.example>", True)


def reported(mail: EmailMessage) -> tuple[str, list[str], str]:
    """Return the type of a report, the lines of its second part, and its last part."""
    assert mail.get_content_type() == "multipart/report"
    parts = list(mail.iter_parts())
    lines = [line for block in parts[1].get_payload() for line in str(block).splitlines() if line]  # type: ignore[union-attr]
    return str(mail.get_param("report-type")), lines, str(parts[2].get_payload()).strip()


async def test_delivery_is_reported_as_it_was_asked_and_shows_nothing_but_ids(office: Office) -> None:
    case = office.case
    await office.submit(letter(Message_ID="<one@agency.example>"), notify=ALL, envid="QQ314159")
    mails = [*await office.arrived(), *await office.arrived()]
    (report,) = [mail for mail in mails if mail.get_content_type() == "multipart/report"]
    kind, lines, original = reported(report)
    assert (kind, report["In-Reply-To"]) == ("delivery-status", "<one@agency.example>")
    assert "Original-Envelope-Id: QQ314159" in lines
    assert f"Original-Recipient: rfc822; {case}" in lines
    assert "Action: delivered" in lines
    assert original == "Message-ID: <one@agency.example>"


async def test_a_receipt_is_a_disposition_notification_of_the_employees_own_id(office: Office) -> None:
    octets = letter(Message_ID="<one@agency.example>", Disposition_Notification_To=DANA)
    reference = reference_of(await office.submit(octets))
    await office.arrived()
    office.open("ines", reference)
    (receipt,) = [mail for mail in await office.arrived() if mail.get_content_type() == "multipart/report"]
    kind, lines, _ = reported(receipt)
    assert kind == "disposition-notification"
    assert "Original-Message-ID: <one@agency.example>" in lines
    assert "Disposition: manual-action/MDN-sent-automatically; displayed" in lines


@pytest.mark.parametrize("to", ["omar@agency.example", f"{DANA}, omar@agency.example", "somebody@elsewhere.example"])
async def test_a_receipt_for_somebody_else_is_not_sent(office: Office, to: str) -> None:
    reference = reference_of(await office.submit(letter(Disposition_Notification_To=to)))
    await office.arrived()
    office.open("ines", reference)
    assert {mail.get_content_type() for mail in await office.arrived()} == {"multipart/alternative"}


async def answer(office: Office, confirmation: EmailMessage, text: str, person: str = "dana") -> SmtpReply:
    octets = letter(text, In_Reply_To=str(confirmation["Message-ID"]))
    octets = octets.replace(f"Dana <{DANA}>".encode(), f"<{person}@agency.example>".encode())
    return await office.submit(octets, str(confirmation["Reply-To"]), person=person)


@pytest.mark.parametrize(
    "text", ["WITHDRAW", "withdraw\n\n> Your message was filed", "On Sunday x wrote:\n> Hi\n\nWithdraw."]
)
async def test_withdraw_in_an_answer_withdraws_and_is_never_a_message(office: Office, text: str) -> None:
    await office.submit(letter(Message_ID="<one@agency.example>"))
    (confirmation,) = await office.arrived()
    assert await answer(office, confirmation, text) == replies.WITHDRAWAL_ANSWERED
    assert office.messages() == 1
    (mail,) = await office.arrived()
    assert mail["In-Reply-To"] == "<one@agency.example>"
    body = mail.get_body(("plain",))
    assert body is not None
    assert "gone from their view" in " ".join(body.get_content().split())
    rows = office.site.database.read_now(lambda c: c.execute(select(tables.message.c.withdrawn_us)).scalars().all())
    assert all(rows)


async def test_any_other_answer_is_a_message_of_the_thread(office: Office) -> None:
    await office.submit(letter())
    (confirmation,) = await office.arrived()
    assert (await answer(office, confirmation, "One more thing")).text.endswith("sealed and filed")
    assert office.messages() == 2


@pytest.mark.parametrize("text", ["WITHDRAW please", "withdraw it", "*WITHDRAW* now", "Withdrawn!"])
async def test_what_nearly_says_withdraw_is_refused_in_place_of_being_sent(office: Office, text: str) -> None:
    await office.submit(letter())
    (confirmation,) = await office.arrived()
    with pytest.raises(NotAllowed, match="just the word WITHDRAW"):
        await answer(office, confirmation, text)
    assert office.messages() == 1


async def test_an_answer_that_cannot_be_read_is_refused(office: Office) -> None:
    await office.submit(letter())
    (confirmation,) = await office.arrived()
    octets = letter("AAAA", In_Reply_To=str(confirmation["Message-ID"]))
    octets = octets.replace(b"text/plain", b"application/pkcs7-mime; smime-type=signed-data")
    with pytest.raises(NotAllowed, match="cannot be read"):
        await office.submit(octets, str(confirmation["Reply-To"]))


async def test_a_colleague_is_told_that_it_is_not_theirs(office: Office) -> None:
    await office.submit(letter())
    (confirmation,) = await office.arrived()
    case = office.case
    octets = letter("WITHDRAW", In_Reply_To=str(confirmation["Message-ID"]))
    octets = octets.replace(f"Dana <{DANA}>".encode(), b"<omar@agency.example>")
    assert await office.submit(octets, case, person="omar") == replies.WITHDRAWAL_ANSWERED
    (mail,) = await office.arrived("omar@agency.example")
    body = mail.get_body(("plain",))
    assert body is not None
    assert "Nothing was withdrawn" in body.get_content()
    assert mail["In-Reply-To"] is None
    assert office.messages() == 1


async def test_a_message_that_waits_is_confirmed_with_the_time_and_gone_without_a_trace(office: Office) -> None:
    office.choose(delay_minutes=10)
    await asyncio.sleep(2.1)  # as long as an answer of the store is remembered
    await office.submit(letter())
    (confirmation,) = await office.arrived()
    assert not [one for one in office.sink.mail if one.rcpt_tos != [DANA]]
    assert (await answer(office, confirmation, "WITHDRAW")).code == 250
    (mail,) = await office.arrived()
    body = mail.get_body(("plain",))
    assert body is not None
    assert "never learns that there was one" in " ".join(body.get_content().split())
    assert not [one for one in office.sink.mail if one.rcpt_tos != [DANA]]


async def test_after_its_time_a_message_that_waited_is_told_of_to_all(office: Office) -> None:
    office.choose(delay_minutes=10)
    await asyncio.sleep(2.1)  # as long as an answer of the store is remembered
    await office.submit(letter())
    await office.arrived()
    office.time.now += timedelta(minutes=10)
    await office.arrived()
    others = [one.rcpt_tos[0] for one in office.sink.mail if one.rcpt_tos != [DANA]]
    assert sorted(others) == ["ines@tours.example", "raul@tours.example"]
