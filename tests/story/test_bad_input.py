"""What should not come, and what should not go away, at the real doors of a running gateway."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import smtplib
import sqlite3
from collections.abc import AsyncIterator
from email.message import EmailMessage
from email.policy import SMTP

import pytest
import pytest_asyncio

from gateway.demo.actors import Browser, Page, Reply
from gateway.demo.site import Plan
from gateway.demo.world import World
from gateway.store.ids import new_id
from tests.worlds import (
    FAST,
    Conversation,
    Traps,
    away,
    eventually,
    log_lines,
    part_links,
    reference_in,
    running_world,
    signed_in,
    stopped,
)

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def traps(tmp_path_factory: pytest.TempPathFactory) -> Traps:
    actions = {"submission.commit": "error", "blob.write.before": "enospc", "portal.reply_commit": "error"}
    return Traps(tmp_path_factory.mktemp("traps"), actions)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def troubled(traps: Traps) -> AsyncIterator[World]:
    """A world of its own: what is done to it is nobody else's trouble."""
    async with running_world(Plan(more=FAST), traps.environment) as world:
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def dana(troubled: World) -> AsyncIterator[Browser]:
    async with signed_in(troubled, "dana") as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ines(troubled: World) -> AsyncIterator[Browser]:
    async with signed_in(troubled, "ines") as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def letter_there(troubled: World) -> str:
    """A message that lies in the vault in any case."""
    reply = await send(troubled, letter(troubled, "There"))
    assert reply.code == 250
    return reference_in(reply.text)


def letter(world: World, subject: str, octets: bytes = b"") -> bytes:
    mail = EmailMessage(SMTP)
    mail["From"] = world.people["dana"].address
    mail["To"] = world.case_address
    mail["Subject"] = subject
    mail["Message-ID"] = f"<{subject}.{os.urandom(4).hex()}@agency.example>"
    mail.set_content(f"{subject}, in words.\n")
    if octets:
        mail.add_attachment(octets, maintype="application", subtype="octet-stream", filename="file.bin")
    return mail.as_bytes()


async def send(world: World, octets: bytes, name: str = "dana", *recipients: str) -> Reply:
    def talk() -> Reply:
        with Conversation(world, name) as conversation:
            return conversation.send(octets, recipients)

    return await asyncio.to_thread(talk)


async def is_taken(world: World) -> bool:
    try:
        return (await send(world, letter(world, "Again"))).code == 250
    except (OSError, smtplib.SMTPException):
        return False


# ---- octets


@pytest.mark.parametrize("bad", [b"one\ntwo", b"one\rtwo", b"one\0two", b"end\n.\nMAIL FROM:<x@y.z>"])
async def test_bare_line_ends_and_nul_are_refused(bad: bytes, troubled: World) -> None:
    octets = letter(troubled, "Smuggler") + bad + b"\r\n"

    def talk() -> list[Reply]:
        with Conversation(troubled) as conversation:
            sends = (conversation.send, conversation.send_in_chunks)
            return [*(each(octets) for each in sends), conversation.send(letter(troubled, "Honest"))]

    *refusals, honest = await asyncio.to_thread(talk)
    for reply in refusals:
        assert (reply.code, reply.text[:5]) == (550, "5.6.0")
    assert honest.code == 250, "the conversation goes on"


async def test_broken_mime_of_an_employee_is_kept_and_shown_with_a_note(
    troubled: World, dana: Browser, ines: Browser
) -> None:
    octets = letter(troubled, "Broken").partition(b"Content-Type")[0] + (
        b'Content-Type: multipart/mixed; boundary="cut"\r\nContent-Type: text/plain\r\nno colon here\r\n\r\n--cut\r\n'
        b"Content-Type: text/plain; charset=x-nowhere\r\nContent-Transfer-Encoding: base65\r\n\r\nBroken, in words.\r\n"
        b"--cut\r\nContent-Type: nonsense\r\n\r\nmore\r\n"
    )
    reply = await send(troubled, octets)
    assert reply.code == 250
    reference = reference_in(reply.text)
    for browser in (dana, ines):
        page = await browser.open(f"/messages/{reference}")
        assert page.status == 200
        assert "Shown as received" in page.html
        for link in part_links(page):
            assert await browser.download(link)
    assert await dana.download(f"/messages/{reference}/received.eml") == octets


async def test_a_size_over_the_limit_is_refused_before_the_message(troubled: World) -> None:
    def talk() -> tuple[int, bytes]:
        with Conversation(troubled) as conversation:
            return conversation._client.mail(troubled.people["dana"].address, [f"SIZE={151 * MEGABYTE}"])

    code, text = await asyncio.to_thread(talk)
    assert (code, text[:5]) == (552, b"5.3.4")
    assert str(150 * MEGABYTE).encode() in text


async def test_a_structure_over_a_cap_is_refused_by_its_name_and_leaves_nothing(troubled: World) -> None:
    parts = b"".join(b"--many\r\n\r\npart\r\n" for _ in range(400))
    header = letter(troubled, "Many").partition(b"Content-Type")[0]
    octets = header + b'Content-Type: multipart/mixed; boundary="many"\r\n\r\n' + parts * 40 + b"--many--\r\n"
    before = sorted((troubled.vault / "blobs").rglob("*"))
    reply = await send(troubled, octets)
    assert (reply.code, reply.text[:5]) == (550, "5.6.0")
    assert "parts at most 200" in reply.text
    files = [path for path in (troubled.vault / "blobs").rglob("*") if path.is_file()]
    assert files == [path for path in before if path.is_file()]


# ---- what goes away


async def test_an_authenticator_that_hangs_defers_mail_and_sign_in(troubled: World, letter_there: str) -> None:
    with stopped(troubled, "authenticator"):
        code, page = await asyncio.gather(asyncio.to_thread(_code_at_auth, troubled), _sign_in_now(troubled))
    assert code in (451, 454)
    assert page.status == 503
    await eventually("mail is taken again", lambda: is_taken(troubled))


async def test_a_killed_authenticator_defers_and_comes_back_by_itself(troubled: World) -> None:
    with away(troubled, "authenticator"):
        assert await asyncio.to_thread(_code_at_auth, troubled) in (451, 454)
        page = await _sign_in_now(troubled)
    assert page.status == 503
    await eventually("mail is taken again", lambda: is_taken(troubled))


def _code_at_auth(world: World) -> int:
    dana = world.people["dana"]
    proof = base64.b64encode(f"\0{dana.address}\0{dana.app_password}".encode()).decode()
    with smtplib.SMTP_SSL("localhost", world.ports.tls, timeout=60, context=world.tls) as client:
        client.ehlo("desk.agency.example")
        return client.docmd("AUTH", f"PLAIN {proof}")[0]


async def _sign_in_now(world: World) -> Page:
    raul = world.people["raul"]
    async with Browser(world.portal, world.tls) as browser:
        return await browser.sign_in(raul.username, raul.password, raul.seed)


async def test_a_keyholder_that_is_away_stops_reading_and_never_a_deposit(
    troubled: World, dana: Browser, ines: Browser, letter_there: str
) -> None:
    with stopped(troubled, "keyholder"):
        reading = asyncio.create_task(ines.open(f"/messages/{letter_there}"))
        reply = await send(troubled, letter(troubled, "Meanwhile"))
        assert reply.code == 250
        assert not reading.done()
        with away(troubled, "keyholder"):
            assert (await reading).status == 503
    reply = await send(troubled, letter(troubled, "Still"))
    assert reply.code == 250

    async def reads() -> bool:
        return (await ines.open(f"/messages/{reference_in(reply.text)}")).status == 200

    await eventually("reading works again", reads)


async def test_a_full_disk_defers_and_reading_still_works(
    troubled: World, traps: Traps, dana: Browser, letter_there: str
) -> None:
    octets = letter(troubled, "Large", os.urandom(MEGABYTE))
    traps.set("blob.write.before")
    reply = await send(troubled, octets)
    assert traps.has_acted("blob.write.before")
    assert (reply.code, reply.text[:5]) == (452, "4.3.1")
    assert (await dana.open(f"/messages/{letter_there}")).status == 200
    reply = await send(troubled, octets)
    assert reply.code == 250
    assert await dana.download(f"/messages/{reference_in(reply.text)}/received.eml") == octets
    assert not list((troubled.vault / "blobs" / "tmp").iterdir())


# ---- what nobody foresaw


async def test_an_exception_is_an_incident_to_the_mail_tool_and_nothing_is_kept(troubled: World, traps: Traps) -> None:
    octets = letter(troubled, "Unforeseen")
    traps.set("submission.commit")
    reply = await send(troubled, octets)
    assert traps.has_acted("submission.commit")
    assert (reply.code, reply.text[:5]) == (451, "4.3.0")
    incident = re.search(r"incident ([0-9a-f]{8})\b", reply.text)
    assert incident is not None
    for words in ("FailpointError", "submission.commit", "Traceback", "Error"):
        assert words not in reply.text
    assert any(line.get("incident") == incident[1] for line in log_lines(troubled))
    assert (await send(troubled, octets)).code == 250


async def test_an_exception_is_an_incident_to_the_browser(troubled: World, traps: Traps, ines: Browser) -> None:
    page = await ines.open(f"/cases/{troubled.case}")
    form = (await ines.open(next(link for link in page.links if "/write" in link))).form("/write")
    fields = {"subject": "Unforeseen", "text": "Words of the correspondent."}
    traps.set("portal.reply_commit")
    files = [("files", "note.txt", b"a note")]
    failed = await ines.submit(form, fields, files)
    assert traps.has_acted("portal.reply_commit")
    assert failed.status == 500
    known = {str(line["incident"]) for line in log_lines(troubled) if "incident" in line}
    assert any(incident in failed.html for incident in known)
    assert "FailpointError" not in failed.html
    assert (await ines.submit(form, fields, files)).status == 200
    assert "Words of the correspondent" not in troubled.log.read_text("utf-8")


# ---- what nobody may


async def test_forged_rows_give_nothing_and_raise_alarms(troubled: World, letter_there: str) -> None:
    eve, ines, raul = (troubled.people[name] for name in ("eve", "ines", "raul"))
    database = sqlite3.connect(troubled.vault / "gateway.db", timeout=60)
    with database:
        forged = [
            _copy(database, "assignment", {"person_id": troubled.people["dana"].id}, {"person_id": eve.id}),
            _copy(database, "designated_user", {"person_id": ines.id}, {"person_id": raul.id, "right": "act"}),
        ]
    database.close()
    async with signed_in(troubled, "eve") as browser:
        assert (await browser.open(f"/messages/{letter_there}")).status == 404
        assert (await browser.open(f"/cases/{troubled.case}")).status == 404
        assert troubled.case not in (await browser.open("/cases")).html
    async with signed_in(troubled, "raul") as browser:
        page = await browser.open(f"/cases/{troubled.case}")
        assert page.status == 200
        assert not [link for link in page.links if "/write" in link]
    mail = letter(troubled, "Forged").replace(troubled.people["dana"].address.encode(), eve.address.encode())
    reply = await send(troubled, mail, "eve")
    assert (reply.code, reply.text[:5]) == (550, "5.7.1")
    alarms = {(line["table"], line["row_id"]) for line in log_lines(troubled) if line["event"] == "alarm"}
    assert set(forged) <= alarms


def _copy(database: sqlite3.Connection, table: str, of: dict[str, str], change: dict[str, str]) -> tuple[str, str]:
    """Copy a row, its signature too, under a new id and with changes; return table and id."""
    database.row_factory = sqlite3.Row
    ((name, value),) = of.items()
    row = dict(database.execute(f"SELECT * FROM {table} WHERE {name} = ?", (value,)).fetchone())
    row |= {"id": new_id(), **change}
    columns = ", ".join(f'"{column}"' for column in row)
    marks = ", ".join("?" * len(row))
    database.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(row.values()))
    return table, row["id"]
