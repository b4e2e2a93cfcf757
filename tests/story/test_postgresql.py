"""The same gateway over PostgreSQL: written to and read, and what happens while the server is away."""

from __future__ import annotations

import asyncio
import os
import smtplib
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage
from email.policy import SMTP

import pytest
import pytest_asyncio

from gateway.demo.actors import Reply
from gateway.demo.site import Plan
from gateway.demo.world import World
from tests.postgres import Postgres, PostgresMissingError
from tests.worlds import Conversation, eventually, part_links, reference_in, running_world, signed_in

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    try:
        server = Postgres()
        server.start()
    except PostgresMissingError as problem:
        pytest.skip(str(problem))
    yield server
    server.delete()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stored(server: Postgres) -> AsyncIterator[World]:
    vault, keys = (server.url(server.new_database()) for _ in range(2))
    more = f'\n[store]\nurl = "{vault}"\n\n[keyholder]\nstore_url = "{keys}"\n'
    async with running_world(Plan(more=more)) as world:
        yield world


def letter(world: World) -> bytes:
    mail = EmailMessage(SMTP)
    mail["From"] = world.people["dana"].address
    mail["To"] = world.case_address
    mail["Subject"] = "Over PostgreSQL"
    mail["Message-ID"] = f"<{os.urandom(8).hex()}@agency.example>"
    mail.set_content("Words.\n")
    mail.add_attachment(os.urandom(200_000), maintype="application", subtype="octet-stream", filename="file.bin")
    return mail.as_bytes()


async def send(world: World, octets: bytes) -> Reply:
    def talk() -> Reply:
        with Conversation(world) as conversation:
            return conversation.send(octets)

    return await asyncio.to_thread(talk)


async def test_a_database_that_is_away_defers_mail_and_pages_and_all_comes_back(
    stored: World, server: Postgres
) -> None:
    octets = letter(stored)
    first = await send(stored, octets)
    assert first.code == 250
    path = f"/messages/{reference_in(first.text)}"
    assert await stored.catcher.wait_for(stored.people["ines"].address, 1, 60)
    async with signed_in(stored, "ines") as ines, signed_in(stored, "dana") as dana:
        page = await ines.open(path)
        assert [len(await ines.download(link)) for link in part_links(page)] == [200_000]
        assert await dana.download(f"{path}/received.eml") == octets

        def while_away() -> Reply:
            with Conversation(stored) as conversation:
                server.stop()
                return conversation.send(letter(stored))

        reply = await asyncio.to_thread(while_away)
        assert (reply.code, reply.text[:5]) == (451, "4.3.0")
        assert "psycopg" not in reply.text
        for where in (path, "/cases", f"/cases/{stored.case}"):
            assert (await ines.open(where)).status == 503
        assert (await ines.open("/")).status == 200, "public pages need no database"
        with pytest.raises(smtplib.SMTPResponseException) as refused:
            await send(stored, octets)
        assert refused.value.smtp_code in (451, 454)
        await asyncio.to_thread(server.start)

        async def works() -> bool:
            try:
                taken = (await send(stored, letter(stored))).code == 250
            except (OSError, smtplib.SMTPException):
                return False
            return taken and (await ines.open(path)).status == 200

        await eventually("mail is taken and pages are read again", works)
