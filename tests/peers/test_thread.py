"""A thread carried wholly from the mail tool: mutt, a tool like Thunderbird, and swaks write by the site's own Postfix,
answer what they are told, and each answer is in its thread; what fits two cases waits for its author's choice. At last
a reply comes home whole, is opened by gpg, and answered.
"""

from __future__ import annotations

import asyncio
import email
import json
import os
import re
import shutil
import smtplib
import subprocess
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from gateway.casework.automatic import lines_of
from gateway.demo import office
from gateway.demo.actors import Browser
from gateway.demo.catcher import Caught
from gateway.demo.site import Plan
from gateway.demo.world import World
from gateway.domain.address import parse_address
from gateway.domain.wkd import places_of
from gateway.store import tables
from tests.cli.conftest import run_gateway
from tests.dialogs.certificates import Pair, make_certificate
from tests.peers.test_relay import client_lines, open_relay
from tests.ports import free_port
from tests.postfix import PATIENCE, hand_in, postfix_folder, running_postfix
from tests.ring import Ring, open_ring
from tests.worlds import FAST, eventually, kill, running_world, signed_in

MX = """
[mx]
listen = ["127.0.0.1:{port}"]
position = "behind-relay"
tainted = "refuse"
"""
FULL_COPIES = """
[full_copies]
programmes = ["cwa"]
"""
MUTT = """
set realname="Dana Whitfield"
set from="{dana}"
set use_from=yes
set envelope_from_address="{dana}"
set use_envelope_from=yes
set hostname=desk.agency.example
set copy=no
set smtp_url="smtp://127.0.0.1:{mta}/"
set ssl_starttls=no
set ssl_force_tls=no
"""
QUEUES = ("maildrop", "incoming", "active", "deferred", "hold")
BUDGET = "The budget of the tour, at last."
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with postfix_folder() as made:
        yield made


@pytest.fixture(scope="module")
def public() -> int:
    return free_port()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(public: int) -> AsyncIterator[World]:
    async with running_world(Plan(more=FAST + MX.format(port=public) + FULL_COPIES)) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mta(world: World, folder: Path) -> AsyncIterator[int]:
    """The site's Postfix, for everything its employees send."""
    client: Pair = make_certificate(folder / "client", "mta.example")
    port = await open_relay(world, "starttls", client[0])
    with running_postfix(folder, client_lines(port, client)) as listening:
        yield listening


def run(command: list[str], octets: bytes = b"", code: int = 0, **environment: str) -> str:
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs {command[0]}: make peers")
    clean = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **environment}
    done = subprocess.run(command, input=octets, capture_output=True, timeout=90, env=clean, check=False)
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert done.returncode == code, said
    return said


def by_mutt(mta: int, dana: str, to: str, folder: Path, subject: str, words: str) -> None:
    (folder / "muttrc").write_text(MUTT.format(dana=dana, mta=mta))
    command = ["mutt", "-F", f"{folder}/muttrc", "-n", "-s", subject, "--", to]
    assert not run(command, words.encode(), HOME=str(folder), TERM="dumb").strip()


def by_thunderbird(mta: int, dana: str, notice: Caught, words: str) -> None:
    """As Thunderbird answers: to Reply-To, below the notice, which it quotes, in format=flowed."""
    told, mail = notice.mail, EmailMessage(SMTP)
    mail["Message-ID"] = make_msgid(domain="agency.example")
    mail["Date"] = formatdate(localtime=True)
    mail["User-Agent"] = "Mozilla Thunderbird"
    mail["Subject"] = f"Re: {told['Subject']}"
    mail["To"] = str(told["Reply-To"])
    mail["References"] = mail["In-Reply-To"] = str(told["Message-ID"])
    mail["From"] = f"Dana Whitfield <{dana}>"
    quoted = "\n".join(f"> {line}".rstrip() for line in notice.text.splitlines())
    mail.set_content(f"{words}\n\nAm {told['Date']} schrieb {told['From']}:\n{quoted}\n", cte="8bit")
    mail.set_param("format", "flowed")
    with smtplib.SMTP("127.0.0.1", mta, timeout=PATIENCE) as client:
        client.send_message(mail, dana, [str(told["Reply-To"])])


def by_swaks(port: int, sender: str, to: str, *more: str, code: int = 0) -> str:
    """As tools that drop In-Reply-To and mark what came from outside."""
    return run(["swaks", "--server", "127.0.0.1", "--port", str(port), "--from", sender, "--to", to,
                "--header", "Subject: RE: [EXTERNAL] A reply has arrived", *more], code=code)  # fmt: skip


async def messages(world: World) -> list[Any]:
    """The case's messages, oldest first."""
    table = tables.message
    wanted = select(table.c.id, table.c.reference, table.c.parent_id, table.c.side, table.c.case_id)
    return list(await office.rows(world.settings, wanted.order_by(table.c.received_us, table.c.id)))


async def next_message(world: World, known: int) -> Any:
    async def is_there() -> bool:
        return len(await messages(world)) > known

    await eventually(f"message {known + 1} is in the vault", is_there)
    found = await messages(world)
    assert len(found) == known + 1
    return found[-1]


async def notices_for(world: World, name: str) -> set[str]:
    """The ids of all that somebody is told, or will be."""
    mine = select(tables.outbox.c.id).where(tables.outbox.c.person_id == world.people[name].id)
    return {row.id for row in await office.rows(world.settings, mine)}


async def notice_of(world: World, address: str, reference: str, subject: str) -> Caught:
    def found() -> list[Caught]:
        mails = world.catcher.mails_to(address)
        return [mail for mail in mails if reference in mail.text and mail.mail["Subject"].endswith(subject)]

    async def is_there() -> bool:
        return bool(found())

    await eventually(f"{address} is told of {reference}", is_there, 120)
    return found()[0]


async def answer_in_portal(browser: Browser, reference: str, words: str) -> None:
    form = (await browser.open(f"/messages/{reference}")).form("/write")
    sent = await browser.submit(form, {"subject": "Re: Budget", "text": words}, [("files", "plan.txt", b"x")])
    assert sent.status == 200


async def test_five_messages_of_one_thread_wholly_from_the_mail_tool(world: World, mta: int, tmp_path: Path) -> None:
    dana = world.people["dana"].address
    known = len(await messages(world))
    await asyncio.to_thread(
        hand_in, mta, dana, [world.case_address], "Subject: nothing\r\nPrecedence: bulk\r\n\r\nx\r\n"
    )
    await asyncio.to_thread(by_mutt, mta, dana, world.case_address, tmp_path, "Budget", f"{BUDGET}\n")
    thread = [await next_message(world, known)]
    async with signed_in(world, "ines") as ines:
        await notice_of(world, world.people["ines"].address, thread[0].reference, "message is waiting for you")
        assert BUDGET in (await ines.open(f"/messages/{thread[0].reference}")).html

        await answer_in_portal(ines, thread[0].reference, "Which hotel?")
        thread.append(await next_message(world, known + 1))
        told = await notice_of(world, dana, thread[1].reference, "A reply has arrived")
        await asyncio.to_thread(by_thunderbird, mta, dana, told, "The one of last year.")
        thread.append(await next_message(world, known + 2))

        await answer_in_portal(ines, thread[2].reference, "And the second week?")
        thread.append(await next_message(world, known + 3))
        told = await notice_of(world, dana, thread[3].reference, "A reply has arrived")
        local, _, domain = str(told.mail["Reply-To"]).partition("@")
        await asyncio.to_thread(by_swaks, mta, dana, f"{local.upper()}@{domain}", "--body", "The same one.")
        thread.append(await next_message(world, known + 4))
        page = await ines.open(f"/messages/{thread[4].reference}")
        assert "The same one." in page.html
        assert local.lower() not in page.html.lower()

    assert [row.side for row in thread] == ["office", "correspondent", "office", "correspondent", "office"]
    assert [row.parent_id for row in thread] == [None, *(row.id for row in thread[:-1])]
    assert {row.case_id for row in thread} == {thread[0].case_id}


async def test_a_responder_a_calendar_and_outlook_s_recall_end_at_the_thread(world: World, mta: int) -> None:
    dana = world.people["dana"].address
    known, case_id = await messages(world), (await messages(world))[-1].case_id
    (told, *_) = [mail for mail in world.catcher.mails_to(dana) if mail.mail["Subject"].endswith("A reply has arrived")]
    thread, before = str(told.mail["Reply-To"]), await notices_for(world, "ines")
    away = ("--header", f"From: {dana}", "--header", "Subject: Automatic reply: A reply has arrived",
            "--header", "X-Auto-Response-Suppress: All", "--body", "I am away.")  # fmt: skip
    for _ in range(5):
        await asyncio.to_thread(by_swaks, mta, "<>", thread, *away)
    calendar = ("--header", "Content-Type: text/calendar; method=REPLY", "--body", "BEGIN:VCALENDAR")
    await asyncio.to_thread(by_swaks, mta, dana, thread, *calendar)
    recall = ("--header", "Content-Class: urn:content-classes:recallmessage", "--body", "would like to recall")
    await asyncio.to_thread(by_swaks, mta, dana, thread, *recall)

    async def are_there() -> bool:
        lines = await office.read(world.settings, lambda connection: lines_of(connection, case_id))
        found = {(line.kind.value, line.employee, line.count) for line in lines}
        name = world.people["dana"].name
        return {("out-of-office", name, 5), ("calendar-reply", name, 1), ("recall", name, 1)} <= found

    await eventually("a line for each kind", are_there)
    assert [row.id for row in await messages(world)] == [row.id for row in known]
    assert await notices_for(world, "ines") == before
    async with signed_in(world, "dana") as browser:
        page = (await browser.open(f"/cases/{case_of(thread)}")).html
        assert "I am away" not in page
        assert re.search(r'href="/messages/[^"]+/withdraw"', page) is not None


async def test_at_the_public_door_no_answer_to_a_thread_transmits_data(world: World, mta: int, public: int) -> None:
    dana = world.people["dana"].address
    (told, *_) = [mail for mail in world.catcher.mails_to(dana) if mail.mail["Subject"].endswith("A reply has arrived")]
    thread = str(told.mail["Reply-To"])
    for sender in (dana, "someone@elsewhere.example", "<>"):
        said = await asyncio.to_thread(by_swaks, public, sender, thread, "--body", "SECRET", code=24)
        assert "<** 550 5.7.1 This " in said
        assert " -> DATA" not in said
        assert "SECRET" not in said


async def test_a_colleague_without_rights_is_told_the_address_of_the_case(world: World, mta: int, folder: Path) -> None:
    dana, eve = world.people["dana"].address, world.people["eve"].address
    (told, *_) = [mail for mail in world.catcher.mails_to(dana) if mail.mail["Subject"].endswith("A reply has arrived")]
    thread, known = str(told.mail["Reply-To"]), len(await messages(world))
    await asyncio.to_thread(by_swaks, mta, eve, thread, "--body", "x")

    async def is_refused() -> bool:
        log = (folder / "mail.log").read_text()
        return f"write to {world.case_address}, the address on its card" in log

    await eventually("the refusal names the case's address", is_refused)
    assert len(await messages(world)) == known


async def test_what_fits_two_cases_leaves_postfix_and_is_sent_where_its_author_chooses(
    world: World, mta: int, folder: Path, tmp_path: Path
) -> None:
    dana, ines = world.people["dana"].address, world.people["ines"].address
    second = json.loads(await operate(world, "case", "open", "--person", "dana", "--json"))["reference"]
    await operate(world, "designated-user", "add", world.people["ines"].username, "--known", "--case", second)
    await asyncio.to_thread(by_mutt, mta, dana, ines, tmp_path, "Two matters", "By mutt, for the second.\n")
    (by_page,) = await drafts_in(folder, 1)
    await asyncio.to_thread(by_swaks, mta, dana, ines, "--body", "By swaks, for the first.")
    (by_verb,) = set(await drafts_in(folder, 2)) - {by_page}
    await eventually("Postfix has nothing left", partial(is_queue_empty, folder))
    drafts = tables.outbox.join(tables.draft, tables.draft.c.message_id == tables.outbox.c.message_id)
    told_of = await office.rows(world.settings, select(tables.outbox.c.person_id).select_from(drafts))
    assert [row.person_id for row in told_of] == [world.people["dana"].id] * 2

    told = await notice_of(world, dana, by_page, "Choose the matter that your message is for")
    await notice_of(world, dana, by_verb, "Choose the matter that your message is for")
    assert f"message-id={told.mail['In-Reply-To']}" in (folder / "mail.log").read_text()
    assert "By mutt" not in told.text
    async with signed_in(world, "dana") as browser:
        page = await browser.open(f"/drafts/{by_page}")
        sent = await browser.submit(page.form(f"/drafts/{by_page}"), {"case": second})
    assert sent.url.partition("/messages/")[2].startswith(second)
    first = sent.url.rpartition("/")[2]
    await notice_of(world, ines, first, "message is waiting for you")  # together they were told without references
    chosen = await operate(world, "draft", "choose", by_verb, world.case, "--json")
    references = [first, json.loads(chosen)["reference"]]
    async with signed_in(world, "ines") as browser:
        for reference, words in zip(references, ["By mutt, for the second.", "By swaks, for the first."], strict=True):
            await notice_of(world, ines, reference, "message is waiting for you")
            assert words in (await browser.open(f"/messages/{reference}")).html


async def operate(world: World, *arguments: str) -> str:
    done = await asyncio.to_thread(run_gateway, *arguments, config=world.config)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def is_queue_empty(folder: Path) -> bool:
    return not any(file.is_file() for name in QUEUES for file in (folder / "queue" / name).rglob("*"))


async def test_a_reply_comes_whole_to_gpg_which_verifies_it_and_its_answer_is_in_the_thread(
    world: World, mta: int, tmp_path: Path
) -> None:
    """From the key on: handed in by command, proven by the code in a mail, of use from then on."""
    if shutil.which("gpg") is None:
        pytest.skip("needs gpg: make peers")
    dana = world.people["dana"].address
    with open_ring(tmp_path / "ring") as ring:
        own = await published_key(world, ring)
        await prove_key(world, ring, tmp_path / "dana.asc")
        known = len(await messages(world))
        await asyncio.to_thread(hand_in, mta, dana, [world.case_address], "Subject: Halls\r\n\r\nWhich halls?\r\n")
        asked = await next_message(world, known)
        plain = len(told_of_replies(world, dana))
        async with signed_in(world, "ines") as ines:
            await answer_in_portal(ines, asked.reference, "The hall in Coventry.")
            reply = await next_message(world, known + 1)
            copy = await whole_copy(world, dana, 2)
            shown, signature = opened(ring, copy)
            mail = email.message_from_bytes(shown, policy=SMTP)
            text, plan = mail.iter_parts()
            assert mail["Subject"] == f"[{world.case}] Re: Budget"
            assert "The hall in Coventry." in text.get_content()
            assert (plan.get_filename(), plan.get_content()) == ("plan.txt", b"x")
            assert f"VALIDSIG {own}" in ring.verified(shown, signature)
            await asyncio.to_thread(by_thunderbird, mta, dana, copy, "Take it.")
            answer = await next_message(world, known + 2)
            assert "Take it." in (await ines.open(f"/messages/{answer.reference}")).html
    assert (answer.parent_id, answer.case_id, answer.side) == (reply.id, reply.case_id, "office")
    await eventually("nothing waits", partial(is_nothing_left, world))
    assert len(told_of_replies(world, dana)) == plain + 1
    assert len(copies_to(world, dana)) == 2


async def published_key(world: World, ring: Ring) -> str:
    """Make the gateway's own key, and take it in as gpg does; return its fingerprint."""
    made = await command(world, "openpgp", "make", "--json")
    before = world.process_of("portal")
    kill(world, "portal")  # it signs and publishes from its next start on

    async def is_anew() -> bool:
        return world.process_of("portal") != before

    await eventually("the portal is started anew", is_anew)
    await world.serving("portal")
    for _, path in places_of(parse_address(world.settings.notifier.sender)):
        async with Browser(world.portal, world.tls) as anyone:
            ring.gpg("--import", octets=await anyone.download(path))
    assert made["fingerprint"] in ring.gpg("--with-colons", "-k").stdout.decode()
    return str(made["fingerprint"])


async def prove_key(world: World, ring: Ring, file: Path) -> None:
    """Let Dana's key be handed in for her, enter the code that comes to her, and choose full copies."""
    dana = world.people["dana"]
    file.write_bytes(ring.public(ring.key(f"Dana Whitfield <{dana.address}>", "cv25519 encr 1y")))
    added = await command(world, "employee", "key", "add", dana.username, str(file), "--json")
    chosen = await command(world, "employee", "full-copies", dana.username, "--on", "--json")
    assert (chosen["permitted"], chosen["in_force"]) == (True, False)
    shown, _ = opened(ring, await whole_copy(world, dana.address, 1))
    words = email.message_from_bytes(shown, policy=SMTP).get_content()
    assert added["fingerprint"] in words.replace(" ", "")
    async with signed_in(world, "dana") as browser:
        form = (await browser.open("/account/full-copy")).form("/account/full-copy/code")
        code = re.search(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}", words)
        assert code is not None
        assert "The key is in use" in (await browser.submit(form, {"code": code[0]})).html
    (kept,) = await command(world, "employee", "key", "show", dana.username, "--json")
    assert (kept["fingerprint"], kept["state"]) == (added["fingerprint"], "in use")


async def command(world: World, *arguments: str) -> Any:
    done = await asyncio.to_thread(run_gateway, *arguments, config=world.config)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def copies_to(world: World, address: str) -> list[Caught]:
    return [one for one in world.catcher.mails_to(address) if one.mail.get_content_type() == "multipart/encrypted"]


async def whole_copy(world: World, address: str, count: int) -> Caught:
    """The last of so many mails that are encrypted to somebody, once they have come."""

    async def has_come() -> bool:
        return len(copies_to(world, address)) >= count

    await eventually(f"encrypted mail {count}", has_come, 120)
    return copies_to(world, address)[-1]


def opened(ring: Ring, copy: Caught) -> tuple[bytes, bytes]:
    """What gpg finds in an encrypted mail: the content that is signed, and the signature."""
    _, sealed = copy.mail.iter_parts()
    clear = ring.gpg("--decrypt", octets=sealed.get_content()).stdout
    mail = email.message_from_bytes(clear, policy=SMTP)
    mark = f"\r\n--{mail.get_boundary()}".encode()
    _, content, signature, _ = (b"\r\n" + clear).split(mark)
    return content.removeprefix(b"\r\n"), signature.partition(b"\r\n\r\n")[2]


def told_of_replies(world: World, address: str) -> list[Caught]:
    mails = world.catcher.mails_to(address)
    return [one for one in mails if one.mail["Subject"].endswith("A reply has arrived")]


async def is_nothing_left(world: World) -> bool:
    """No notice waits, and no parcel."""
    parcels = await office.rows(world.settings, select(tables.parcel.c.id))
    return not parcels and await world.queue() == 0


async def drafts_in(folder: Path, count: int) -> list[str]:
    """What the gateway has told Postfix that it holds, when there are so many."""
    found: list[str] = []

    async def are_there() -> bool:
        found[:] = re.findall(r"status=sent \(250 2\.6\.0 (\S+) sealed and held", (folder / "mail.log").read_text())
        return len(found) == count

    await eventually(f"{count} drafts", are_there)
    return found


def case_of(thread: str) -> str:
    """The case's reference in a thread address."""
    return "-".join(thread.upper().split("-")[:3])
