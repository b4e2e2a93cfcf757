"""A county's programme, other papers and no fax, run by a site of its own: written to and answered through real doors.

No page, mail or reply of it may speak of another agency's programme.
"""

from __future__ import annotations

import asyncio
import re
import smtplib
import socket
import ssl
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from gateway.demo.actors import Browser, Page
from gateway.demo.site import Plan
from gateway.demo.world import World
from tests.said import said
from tests.worlds import (
    COUNTY,
    FAST,
    Conversation,
    away,
    eventually,
    part_links,
    reference_in,
    running_world,
    signed_in,
)

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

FOREIGN = re.compile(r"\b(IRS|CWA|15410)\b|Central Withholding|Internal Revenue|13930|\b2848\b|\b8821\b", re.IGNORECASE)
FAX = re.compile(r"\bfax", re.IGNORECASE)
LINKS = re.compile(r'\b(?:href|src|action)="(/[^"#]*)', re.IGNORECASE)


def require_own_words(text: str, where: str) -> None:
    text = said(text)
    for pattern in (FOREIGN, FAX):
        found = pattern.search(text)
        assert found is None, f"{where}: {found and text[max(0, found.start() - 60) : found.end() + 60]}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def county() -> AsyncIterator[World]:
    plan = Plan("Lindgrove County Messages", str(COUNTY), key="lindgrove", series="LG", more=FAST)
    async with running_world(plan) as world:
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def clerk(county: World) -> AsyncIterator[Browser]:
    async with signed_in(county, "dana") as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def owner(county: World) -> AsyncIterator[Browser]:
    async with signed_in(county, "ines") as browser:
        yield browser


def letter(world: World, sender: str = "", subject: str = "Your appeal") -> bytes:
    mail = EmailMessage(policy.SMTP)
    mail["From"] = sender or world.people["dana"].address
    mail["To"] = world.case_address
    mail["Subject"] = subject
    mail["Message-ID"] = f"<{subject.replace(' ', '.')}@agency.example>"
    mail.set_content("The hearing is set for June. Please send the survey.\n")
    mail.add_attachment(b"parcel;value\n", maintype="text", subtype="csv", filename="assessment.csv")
    return mail.as_bytes()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def written(county: World) -> str:
    """A message that the clerk wrote in a mail tool."""

    def write() -> str:
        with Conversation(county) as conversation:
            reply = conversation.send(letter(county))
        assert reply.code == 250, reply
        return reference_in(reply.text)

    return await asyncio.to_thread(write)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def answered(county: World, owner: Browser, written: str) -> str:
    """The owner's answer to it in the portal, with a document."""
    page = await owner.open(f"/messages/{written}")
    fields = {"subject": "Re: Your appeal", "text": "Here is the survey."}
    sent = await owner.submit(page.form("/write"), fields, [("files", "survey.pdf", b"%PDF-1.7 invented")])
    assert sent.status == 200, sent.html
    return reference_in(sent.url + sent.html)


async def test_a_programme_that_is_only_data_is_written_to_and_answered(
    county: World, clerk: Browser, owner: Browser, written: str, answered: str
) -> None:
    assert written.startswith("T-LG-")
    (notice, *_) = await county.catcher.wait_for(county.people["ines"].address, 1, 60)
    assert written in notice.text
    assert county.portal in notice.text
    assert "Lindgrove County" in notice.octets.decode("ascii")
    page = await owner.open(f"/messages/{written}")
    assert "The hearing is set for June." in page.html
    assert [await owner.download(link) for link in part_links(page)] == [b"parcel;value\n"]

    async def dana_is_told() -> bool:
        return any(answered in mail.text for mail in county.catcher.mails_to(county.people["dana"].address))

    await eventually("the employee is told of the answer", dana_is_told)
    reply = await clerk.open(f"/messages/{answered}")
    assert "Here is the survey." in reply.html
    assert [await clerk.download(link) for link in part_links(reply)] == [b"%PDF-1.7 invented"]


async def crawl(browser: Browser, *starts: str) -> dict[str, Page]:
    """Follow every link of every page, from the front page on."""
    pages: dict[str, Page] = {}
    waiting = ["/", *starts]
    while waiting:
        path = waiting.pop()
        if path in pages:
            continue
        pages[path] = page = await browser.open(path)
        waiting += [link.replace("&amp;", "&") for link in LINKS.findall(page.html)]
        waiting += [urlsplit(link).path for link in page.links if link.startswith(str(browser._client.base_url))]
    return pages


async def test_every_page_of_every_side_speaks_of_the_programme_alone(
    county: World, clerk: Browser, owner: Browser, written: str, answered: str
) -> None:
    async with Browser(county.portal, county.tls) as stranger:
        seen = {"stranger": await crawl(stranger), "clerk": await crawl(clerk), "owner": await crawl(owner)}
    for who, pages in seen.items():
        for path, page in pages.items():
            require_own_words(page.html, f"{path} as {who} sees it")
    for who in ("clerk", "owner"):
        assert {f"/messages/{written}", f"/messages/{answered}"} <= seen[who].keys()
    assert any(path.endswith("/copy.eml") for path in seen["owner"])
    assert any("/received.eml" in path for path in seen["clerk"])
    assert any("Lindgrove County" in page.html for page in seen["stranger"].values())


async def test_every_error_page_speaks_of_the_programme_alone(county: World, owner: Browser, written: str) -> None:
    client = owner._client
    origin = owner._same_origin()
    async with Browser(county.portal, county.tls) as stranger:
        wrong = await stranger.submit(
            (await stranger.open("/sign-in")).form("/sign-in"), {"username": "ines", "password": "x", "code": "1"}
        )
        signed_out = await stranger.open(f"/messages/{written}")
    answers = {
        404: await client.get("/nothing/here"),
        405: await client.delete("/cases", headers=origin),
        416: await client.get(f"/messages/{written}/parts/2", headers={"Range": "bytes=900000-"}),
        403: await client.post("/sign-out", data={"form_token": "old"}, headers=origin),
        421: await client.get("/", headers={"Host": "elsewhere.example"}),
        400: await client.post("/sign-in", content=b"--", headers={**origin, "Content-Type": "multipart/form-data"}),
    }
    with away(county, "keyholder"):
        answers[503] = await client.get(f"/messages/{written}")
    assert {status: answer.status_code for status, answer in answers.items()} == {status: status for status in answers}
    for status, answer in answers.items():
        require_own_words(answer.text, str(status))
    for page in (wrong, signed_out):
        require_own_words(page.html, page.url)
    problem = await client.get("/nothing", headers={"Accept": "application/problem+json"})
    require_own_words(problem.text, "problem document")


async def test_every_mail_speaks_of_the_programme_alone(county: World, written: str, answered: str) -> None:
    for name in ("dana", "ines", "raul"):
        await county.catcher.wait_for(county.people[name].address, 1, 60)
    mails = county.catcher.mails()
    assert len(mails) >= 3
    for caught in mails:
        mail = message_from_bytes(caught.octets, policy=policy.default)
        assert "Lindgrove County" in str(mail["From"])
        require_own_words("\n".join(f"{name}: {value}" for name, value in mail.items()), f"{caught.name} header")
        for part in mail.walk():
            if part.get_content_maintype() == "text":
                require_own_words(part.get_content(), f"{caught.name} {part.get_content_type()}")


async def test_every_reply_of_the_door_speaks_of_the_programme_alone(county: World) -> None:
    said = await asyncio.to_thread(_provoke, county)
    assert any("Lindgrove County appeals desk" in line for line in said), said
    assert {line[:3] for line in said} >= {"220", "250", "334", "500", "501", "503", "530", "535", "550", "552", "553"}
    for line in said:
        require_own_words(line, "reply")


def _provoke(county: World) -> list[str]:
    """Do all that the door refuses, and return what it said."""
    dana, eve, ines = (county.people[name] for name in ("dana", "eve", "ines"))
    said: list[str] = []

    def note(code: int, text: bytes | str) -> None:
        said.append(f"{code} {text.decode('ascii') if isinstance(text, bytes) else text}")

    with socket.create_connection(("localhost", county.ports.starttls)) as raw:
        said.append(raw.recv(1000).decode("ascii"))
    for who in (dana, eve):
        with smtplib.SMTP("localhost", county.ports.starttls, timeout=60) as client:
            note(*client.docmd("MAIL FROM:<a@b.example>"))
            note(*client.ehlo("desk.agency.example"))
            note(*client.docmd("MAIL FROM:<a@b.example>"))
            client.starttls(context=ssl.create_default_context(cafile=county.settings.tls.certificate))
            for command in ("HELP", "VRFY x", "NOPE", "EHLO", "AUTH X", "MAIL FROM:<a@b.example>", "RCPT TO:<x@y.z>"):
                note(*client.docmd(command))
            client.ehlo("desk.agency.example")
            note(*client.docmd("AUTH", "LOGIN"))
            note(*client.docmd("*"))
            note(*client.docmd("AUTH", "PLAIN AGEAYg=="))
            client.login(who.address, who.app_password)
            for sender, recipient in (
                (ines.address, county.case_address),
                ("", county.case_address),
                (who.address, ines.address),
                (who.address, county.case_address),
                (who.address, "stranger@elsewhere.example"),
                (who.address, f"t-lg-2222@{county.case_address.partition('@')[2]}"),
                (who.address, "no address"),
                (who.address, who.address),
            ):
                note(*client.docmd(f"MAIL FROM:<{sender}>"))
                note(*client.docmd(f"RCPT TO:<{recipient}>"))
                note(*client.docmd("RSET"))
            note(*client.docmd(f"MAIL FROM:<{who.address}> SIZE=999999999999"))
            for octets in (
                b"bare\nlf\r\n",
                letter(county, "boss@agency.example"),
                letter(county, subject="SM-2222-2222"),
            ):
                client.mail(who.address)
                code, _ = client.rcpt(county.case_address)
                if code < 400:
                    note(*client.data(octets))
                client.rset()
    return said
