"""The main job, played through the real doors: each step says what happened and gives a proof a stranger can repeat.

A step fails by raising `NotSo`; the story ends at the first thing that is not so. The people's mail tools and browsers
do what real ones do when the gateway is away for a moment: they send the same again. The proofs are lines for a shell,
or a page and who signs in there; they work while the demo stays up.
"""

from __future__ import annotations

import asyncio
import email
import hashlib
import os
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid

from gateway.demo.actors import PATIENCE_SECONDS, Browser, MailTool, Page, Reply, patiently
from gateway.demo.catcher import Caught
from gateway.demo.faxing import FaxLine
from gateway.demo.proof import Proof
from gateway.demo.telling import NotSo, Told, require
from gateway.demo.way_in import WayIn
from gateway.demo.world import WORDS, World

NOTICE_SECONDS = 60.0
MOST_COPIES = 2  # the same notification, when the notifier was killed between its final dot and the note of it
LARGE_OCTETS = 30 * 1024 * 1024
BATCH = 200
LINES = 8
KILL_AFTER = 40
SECRETS = (WORDS, "violinist", "Carvalho", "Whitfield", "budget", "tour", "itinerary")
_REFERENCE = re.compile(r"T-[A-Z]{2,4}-\w{4}-\w{4}")


@dataclass(slots=True)
class Story:
    """The steps share what the earlier ones found."""

    world: World
    reference: str = ""
    answered: str = ""
    sent: bytes = b""
    marker: str = ""
    notices: dict[str, int] = field(default_factory=dict)

    async def play(self) -> AsyncIterator[Told]:
        """Play the steps in order; yield what each tells. Raises NotSo."""
        way_in = WayIn(self.world)
        steps: tuple[Callable[[], Awaitable[Told]], ...] = (
            way_in.papers_come,
            way_in.papers_are_checked,
            way_in.people_are_met,
            way_in.they_sign_in,
            FaxLine(self.world).fax_arrives,
            self.employee_sends,
            self.wrong_password,
            self.not_entitled,
            self.outside_is_notified,
            self.reads_and_answers,
            self.employee_is_told,
            self.answers_in_the_mail_tool,
            self.colleague_without_rights,
            self.killed_in_the_middle,
            self.revoked_with_an_open_page,
            self.disk_is_searched,
            self.nothing_is_lost,
        )
        for step in steps:
            yield await step()

    async def employee_sends(self) -> Told:
        """The employee's mail tool submits a message with an attachment; the vault has it before the 250."""
        people = self.world.people
        self.notices = {name: len(self.world.catcher.mails_to(people[name].address)) for name in people}
        self.marker = os.urandom(4).hex()
        self.sent = _budget_mail(self.world, self.marker)
        reply = await self._deposit(self.sent)
        self.reference = _reference(reply)
        return Told(
            f"The employee's mail tool sends a message with an attachment. The gateway seals it, then says: {reply}",
            self.proof.case(),
        )

    async def wrong_password(self) -> Told:
        """A wrong password opens nothing."""
        wrong = "-".join(["aaaa"] * 8)
        reply = await patiently(lambda: self._tool("dana", wrong).send([self.world.case_address], self.sent))
        require(reply.code == 535, f"a wrong password got {reply}")
        return Told(f"A wrong password: {reply}", self.proof.mail("dana", self.world.case_address, wrong))

    async def not_entitled(self) -> Told:
        """An employee without the case reaches nobody of it."""
        eve = self._tool("eve")
        ines = self.world.people["ines"].address
        hello = _mail(eve.address, ines, "Hello", "hello")
        reply = await patiently(lambda: eve.send([ines], hello))
        require(reply.code == 550, f"a recipient not entitled got {reply}")
        return Told(f"A recipient the author has no case with: {reply}", self.proof.mail("eve", ines))

    async def outside_is_notified(self) -> Told:
        """The outside mailbox gets fixed wording and a link, nothing of the message."""
        notice = await self._notice("ines", self.reference)
        text = notice.octets.decode("ascii")
        for secret in (*SECRETS, self.marker):
            require(secret.lower() not in notice.text.lower(), f"the notification holds “{secret}”")
        require(self.world.portal in text, "the notification has no link to the portal")
        return Told(
            f"The outside mailbox has a notification: “{notice.mail['Subject']}”, with {self.reference} and a link, "
            "not a word of the message.",
            f"cat {self.proof.path(self.world.folder / 'outside-world' / notice.name)}.eml",
        )

    async def reads_and_answers(self) -> Told:
        """The designated user signs in, reads, downloads the very octets, answers with a 30 MB document."""
        async with Browser(self.world.portal, self.world.tls) as browser:
            page = await self.world.sign_in(browser, "ines")
            require(page.status == 200, f"the sign-in ended with {page.status}")
            message = await browser.open(f"/messages/{self.reference}")
            require(message.status == 200, f"the message answered {message.status}")
            require(WORDS in message.html and self.marker in message.html, "the page does not show the message")
            require("Bcc" not in message.html, "the page shows a Bcc")
            part = next((link for link in message.links if "/parts/" in link), "")
            file = await browser.download(part)
            require(file == self.world.attachment, "the downloaded attachment is not what was sent")
            self.answered = await self._answer(browser, message)
        return Told(
            "The designated user signs in with password and code, reads, saves the attachment (the same octets), and "
            f"answers with a 30 MB document: {self.answered}",
            self.proof.page(f"messages/{self.reference}", "ines"),
        )

    async def _answer(self, browser: Browser, message: Page) -> str:
        document = hashlib.shake_128(self.marker.encode()).digest(LARGE_OCTETS)
        form = message.form("/write")
        fields = {"subject": "Re: Budget", "text": f"Please find the itinerary. {self.marker}"}
        files = [("files", "itinerary.pdf", document)]
        key = form.hidden["submission_key"]
        self.world.ledger.begin(key)
        async with asyncio.timeout(PATIENCE_SECONDS):
            sent = await browser.submit_patiently(form, fields, files)
        again = await browser.submit(form, fields, files)
        found = _REFERENCE.search(sent.url + sent.html)
        if sent.status != 200 or found is None:
            raise NotSo(f"the answer got {sent.status}")
        require(again.url == sent.url, "the form sent twice became two messages")
        self.world.ledger.keep(key, found[0])
        return found[0]

    async def employee_is_told(self) -> Told:
        """The employee gets a notice in the mailbox, and reads the answer in the portal, the document included."""
        notice = await self._notice("dana", self.answered)
        thread = str(notice.mail["Reply-To"]).partition("@")[0]
        require(thread.startswith(f"{self.answered.lower()}-"), "the notice does not lead back to the thread")
        async with Browser(self.world.portal, self.world.tls) as browser:
            await self.world.sign_in(browser, "dana")
            page = await browser.open(f"/messages/{self.answered}")
            part = next((link for link in page.links if "/parts/" in link), "")
            document = await browser.download(part)
            require(len(document) == LARGE_OCTETS, "the document did not come whole")
            received = await browser.download(f"/messages/{self.reference}/received.eml")
            require(received == self.sent, "the octets as received are not the octets sent")
        return Told(
            "The employee is told in the own mailbox, reads the answer and saves the 30 MB document; the octets as "
            "received equal the octets sent.",
            self.proof.page(f"messages/{self.answered}", "dana"),
        )

    async def answers_in_the_mail_tool(self) -> Told:
        """The employee answers the notice as any mail, in a tool that drops In-Reply-To: it lands in the case."""
        notice = await self._notice("dana", self.answered)
        tool, thread = self._tool("dana"), str(notice.mail["Reply-To"])
        octets = _mail(tool.address, thread, f"Re: {notice.mail['Subject']}", "Thank you, received.")
        reply = await self._deposit(octets, thread)
        return Told(
            f"The employee answers the notice in the mail tool: {reply}",
            self.proof.page(f"messages/{_reference(reply)}", "ines"),
        )

    async def colleague_without_rights(self) -> Told:
        """A second employee without rights sees nothing, and cannot tell absent from forbidden."""
        async with Browser(self.world.portal, self.world.tls) as browser:
            await self.world.sign_in(browser, "eve")
            forbidden = await browser.open(f"/messages/{self.reference}")
            absent = await browser.open(f"/messages/{self.reference[:-4]}2222")
        require(forbidden.status == absent.status == 404, f"a stranger got {forbidden.status}")
        same = forbidden.html.replace(self.reference, "") == absent.html.replace(f"{self.reference[:-4]}2222", "")
        require(same, "absent and forbidden look different")
        return Told(
            "A colleague without rights gets 404, the same as for a message that is not there.",
            self.proof.page(f"messages/{self.reference}", "eve"),
        )

    async def killed_in_the_middle(self) -> Told:
        """`kill -9` of the submission program while messages come in: what was acknowledged is there."""
        before, after = await self._send_until_killed()
        await self.world.serving("submission")
        references = await self.world.references()
        present = sum(reference in references for reference in before)
        require(present == len(before), f"acknowledged {len(before)}, present {present}")
        once = sum(references.count(reference) for reference in after)
        require(once == len(set(after)) == len(after), f"of {len(after)} sent again, {once} are present")
        return Told(
            f"kill -9 of the submission program in the middle: acknowledged {len(before)}, present {present}. "
            f"{len(after)} under way were sent again by the mail tool: present, once each.",
            self.proof.case(),
        )

    async def _send_until_killed(self) -> tuple[list[str], list[str]]:
        """Return what was acknowledged before the kill, and what was on its way and acknowledged after it."""
        before: list[str] = []
        after: list[str] = []
        pending = list(range(BATCH))
        killed = asyncio.Event()

        async def line() -> None:
            while pending and not killed.is_set():
                tool = self._tool("dana")
                octets = _mail(tool.address, self.world.case_address, f"Page {pending.pop()}", "x" * 20_000)
                reference = _reference(await self._deposit(octets))
                (after if killed.is_set() else before).append(reference)
                if len(before) >= KILL_AFTER and not killed.is_set():
                    killed.set()
                    os.kill(self.world.process_of("submission"), signal.SIGKILL)

        await asyncio.gather(*(line() for _ in range(LINES)))
        return before, after

    async def revoked_with_an_open_page(self) -> Told:
        """A revocation ends an open page: the next click finds nothing."""
        async with Browser(self.world.portal, self.world.tls) as browser:
            await self.world.sign_in(browser, "raul")
            before = await browser.open(f"/messages/{self.reference}")
            require(before.status == 200, f"before the revocation the page answered {before.status}")
            await self.world.revoke("raul")
            after = await browser.open(f"/messages/{self.reference}")
            require(after.status == 404, f"after the revocation the page answered {after.status}")
            await self.world.undo_revocation("raul")
            again = await browser.open(f"/messages/{self.reference}")
            require(again.status == 200, f"after the undo the page answered {again.status}")
        number = 1 + [who.key for who in self.world.enrolling.users].index("raul")
        return Told(
            "A designated user is taken out of the agreement while a page is open: the next click gets 404. A slip can "
            "be undone for a day.",
            self.proof.gateway("enrolment", "revoke", f"{self.world.agreement}.{number}"),
        )

    async def disk_is_searched(self) -> Told:
        """The vault's disk holds none of the words; with sealing off the same search finds them."""
        await asyncio.to_thread(self.world.deposit_unsealed, self.sent)
        result = await asyncio.to_thread(self.world.search, WORDS)
        require(result.sealed == 0, f"{result.sealed} hits in the vault")
        require(result.unsealed > 0, "the search finds nothing even without sealing: it proves nothing")
        return Told(
            f"Searching the vault's disk ({result.files} files) for “{WORDS}”: {result.sealed} hits; with sealing "
            f"switched off: {result.unsealed}.",
            self.proof.search(WORDS),
        )

    async def nothing_is_lost(self) -> Told:
        """All that was ever acknowledged in this folder is there, once, and everybody was told, nobody twice."""
        ledger = self.world.ledger
        references = await self.world.references()
        lost = set(ledger.kept.values()) - set(references)
        require(not lost, f"acknowledged and not present: {', '.join(sorted(lost))}")
        require(len(references) <= len(ledger.begun), f"{len(references)} messages, {len(ledger.begun)} were sent")
        async with asyncio.timeout(NOTICE_SECONDS):
            while await self.world.queue():  # noqa: ASYNC110 - another process's state
                await asyncio.sleep(0.2)
        notices = Counter(str(mail.mail["Message-ID"]) for mail in self.world.catcher.mails())
        require(max(notices.values()) <= MOST_COPIES, "a notification came more than twice")
        return Told(
            f"Acknowledged in this folder so far: {len(ledger.kept)} messages. None is missing, none is there twice; "
            f"{len(notices)} notifications are out, none waits.",
            self.proof.gateway("queue", "list"),
        )

    @property
    def proof(self) -> Proof:
        """How to tell a stranger what to do."""
        return Proof(self.world)

    async def _deposit(self, octets: bytes, recipient: str = "") -> Reply:
        """Send a message of the employee to the case or a thread, as often as it takes, and note it in the ledger."""
        key = str(email.message_from_bytes(octets)["Message-ID"])
        self.world.ledger.begin(key)
        reply = await patiently(lambda: self._tool("dana").send([recipient or self.world.case_address], octets))
        self.world.ledger.keep(key, _reference(reply))
        return reply

    def _tool(self, name: str, password: str = "") -> MailTool:
        return self.world.mail_tool(name, password)

    async def _notice(self, name: str, reference: str) -> Caught:
        """Return the mail to a person that tells of a message: one of an earlier run may come late, between."""
        mailbox, seen = self.world.people[name].address, self.notices[name]
        with suppress(TimeoutError):
            async with asyncio.timeout(NOTICE_SECONDS):
                while True:
                    mails = await self.world.catcher.wait_for(mailbox, seen + 1, NOTICE_SECONDS)
                    for mail in mails[seen:]:
                        if reference in mail.text:
                            return mail
                    seen = len(mails)
        raise NotSo(f"no notification of {reference} came to {name} within {NOTICE_SECONDS:.0f} s")


def _reference(reply: Reply) -> str:
    found = _REFERENCE.search(reply.text)
    if reply.code != 250 or found is None:
        raise NotSo(f"the submission got {reply}")
    return found[0]


def _budget_mail(world: World, marker: str) -> bytes:
    mail = EmailMessage(SMTP)
    mail["From"] = f"Dana Whitfield <{world.people['dana'].address}>"
    mail["To"] = world.case_address
    mail["Subject"] = f"Budget for the June tour {marker}"
    mail["Message-ID"] = make_msgid(domain="agency.example")
    mail.set_content(f"Dear Ms. Carvalho,\n\n{WORDS}\nOur number for this is {marker}.\n")
    mail.add_attachment(world.attachment, maintype="application", subtype="octet-stream", filename="budget.xlsx")
    return mail.as_bytes()


def _mail(sender: str, recipient: str, subject: str, text: str) -> bytes:
    mail = EmailMessage(SMTP)
    mail["From"] = sender
    mail["To"] = recipient
    mail["Subject"] = subject
    mail["Message-ID"] = make_msgid(domain="agency.example")
    mail.set_content(text)
    return mail.as_bytes()
