"""A real Postfix takes a notification, cannot deliver it, and returns it to a running gateway: what people then see.

The notifier hands its mail to Postfix, Postfix to a mailbox host that knows nobody, and the bounce comes back to the
public door, or to the listener of a trusted relay.
"""

from __future__ import annotations

import asyncio
import html
import os
import re
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select

from gateway.demo import office
from gateway.demo.site import DOMAIN, Plan
from gateway.demo.world import World
from gateway.domain.notice import NoticeKind
from gateway.store import tables
from gateway.store.outbox import OutboxState
from gateway.supervisor import read_status
from tests.dialogs.certificates import Pair, make_certificate
from tests.peers.test_relay import RELAY, is_open
from tests.ports import free_port
from tests.postfix import PATIENCE, hand_in, lines_of, postfix_folder, running_postfix
from tests.relay import Certificate, Sink, relay
from tests.worlds import FAST, log_lines, running_world, signed_in

MX = """
[mx]
listen = ["127.0.0.1:{port}"]
position = "first-hop"
"""
ROUTES = """\
smtp_tls_security_level = encrypt
smtp_tls_cert_file = {certificate}
smtp_tls_key_file = {key}
smtp_bind_address = {source}
transport_maps = inline:{{ {domain}=smtp:[127.0.0.1]:{door}, tour-agency.example=smtp:[127.0.0.1]:{mailboxes}, \
counsel.example=smtp:[127.0.0.1]:{world}, agency.example=smtp:[127.0.0.1]:{world} }}
"""
HEADING = "Notices that did not arrive"


@pytest.fixture
def folder() -> Iterator[Path]:
    with postfix_folder() as made:
        yield made


@asynccontextmanager
async def returning(folder: Path, mailboxes: int, door: str, ports: list[int] | None = None) -> AsyncIterator[World]:
    """A running gateway whose notifier sends by a Postfix (on a port told in `ports`) that brings what is returned to
    this door.
    """
    port, client = free_port(), make_certificate(folder / "client", "mta.example")
    more = MX.format(port=port) if door == "mx" else RELAY.format(door="starttls", port=port, listed=client[0])
    async with running_world(Plan(more=FAST + more)) as world:
        assert await asyncio.to_thread(is_open, port)
        with running_postfix(folder, routes(world, port, mailboxes, client, door)) as mta:
            if ports is not None:
                ports.append(mta)
            await send_by(world, mta)
            yield world


def routes(world: World, door: int, mailboxes: int, client: Pair, kind: str) -> str:
    return ROUTES.format(
        domain=DOMAIN, door=door, mailboxes=mailboxes, world=world.ports.mail, certificate=client[0], key=client[1],
        source="127.0.0.1" if kind == "mx" else "127.0.0.9",
    )  # fmt: skip


async def send_by(world: World, mta: int) -> None:
    """Let the notifier of the running gateway send by another relay: it reads the file when it starts again."""
    await until_nothing_waits(world)  # its people were invited
    lines = f'relay = "127.0.0.1"\nport = {mta}\ntls = "none"\n'
    text = world.config.read_text("utf-8")
    changed = re.sub(r'relay = "localhost"\nport = \d+\ntls = "starttls"\nca_file = [^\n]*\n', lines, text)
    assert changed != text
    world.config.write_text(changed, "utf-8")
    before = world.process_of("notifier")
    os.kill(before, signal.SIGTERM)
    async with asyncio.timeout(PATIENCE):
        while (now := read_status(world.settings.site.run)["notifier"])["pid"] == before or not now["ready"]:
            await asyncio.sleep(0.05)


async def until_nothing_waits(world: World) -> None:
    waiting = select(tables.outbox.c.id).where(tables.outbox.c.state == OutboxState.WAITING.value)
    async with asyncio.timeout(PATIENCE):
        while await office.rows(world.settings, waiting):
            await asyncio.sleep(0.1)


def letter(world: World) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = world.people["dana"].address, world.case_address, "Rehearsal"
    mail.set_content("It begins at seven.")
    return mail.as_bytes(policy=mail.policy.clone(linesep="\r\n"))


async def until(world: World, condition: Any) -> Any:
    """What a query says, as soon as it says something."""
    async with asyncio.timeout(PATIENCE):
        while not (found := await office.rows(world.settings, condition)):
            await asyncio.sleep(0.1)
    return found


async def caught(world: World, subject: str) -> list[str]:
    """Whom mails with this subject reached, when there is one."""
    async with asyncio.timeout(PATIENCE):
        while not (found := [one for one in world.catcher.mails() if one.mail["Subject"].endswith(subject)]):
            await asyncio.sleep(0.1)
    return [name for one in found for name in one.recipients]


@pytest.mark.parametrize("door", ["mx", "relay"])
async def test_a_bounce_sets_the_address_state_tells_the_employee_and_is_tried_again(door: str, folder: Path) -> None:
    sink = Sink()
    sink.rcpt_replies += ["550 5.1.1 nobody here by that name"]
    async with relay(sink, Certificate(folder)) as mailboxes, returning(folder, mailboxes, door) as world:
        said = await world.mail_tool("dana").send([world.case_address], letter(world))
        assert said.code == 250
        (state,) = await until(world, select(tables.address_state))
        assert (state.state, state.reason) == ("dead", "unknown_mailbox")
        assert await caught(world, "A notice could not be delivered") == [world.people["dana"].address]
        assert "status=sent (250 2.6.0 automatic mail ends here" in " ".join(await lines_of(folder, "ends here"))
        (lost,) = await until(world, select(tables.outbox).where(tables.outbox.c.state == OutboxState.FAILED.value))
        assert lost.person_id == world.people["ines"].id
        assert sum(line["event"] == "notice reported" for line in log_lines(world)) == 1
        async with signed_in(world, "dana") as window:
            page = await window.open(f"/cases/{world.case}")
            shown = html.unescape(page.html)
            assert HEADING in shown
            assert "Ines Carvalho" in shown
            assert "There is no mailbox of this name." in shown
            page = await window.submit(page.form("/retry"), {})
            assert page.status == 200
            assert HEADING not in page.html
        async with asyncio.timeout(PATIENCE):
            while not sink.mail:  # the mailbox is there now
                await asyncio.sleep(0.1)
        (mail,) = sink.mail
        assert mail.rcpt_tos == [world.people["ines"].address]
        assert mail.mail_from is not None
        assert re.fullmatch(rf"b-[0-9a-f]{{32}}-[a-z2-7]{{20}}@{re.escape(DOMAIN)}", mail.mail_from)
        assert await office.rows(world.settings, select(tables.address_state)) == []


class Away(Sink):
    """A mailbox whose owner is away, with a responder that has no manners: it answers everything, to the envelope
    sender, each time, and marks no answer as one.
    """

    def __init__(self, mta: list[int]) -> None:
        super().__init__()
        self.mta = mta

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        said = await super().handle_DATA(server, session, envelope)
        (me,) = envelope.rcpt_tos
        answer = f"From: {me}\r\nTo: {envelope.mail_from}\r\nSubject: Away until 5.1.1\r\n\r\nCall 550 Main Street.\r\n"
        for sender in ("", me):
            await asyncio.to_thread(hand_in, self.mta[0], sender, [str(envelope.mail_from)], answer)
        return said


async def test_a_responder_without_manners_makes_no_loop(folder: Path) -> None:
    ports: list[int] = []
    away = Away(ports)
    async with relay(away, Certificate(folder)) as mailboxes, returning(folder, mailboxes, "mx", ports) as world:
        assert (await world.mail_tool("dana").send([world.case_address], letter(world))).code == 250
        ended = select(tables.leaf.c.id).where(tables.leaf.c.kind == "mail_ended")
        async with asyncio.timeout(PATIENCE):
            while len(await office.rows(world.settings, ended)) < 2:
                await asyncio.sleep(0.1)
        assert len(away.mail) == 1
        others = (NoticeKind.MEETING, NoticeKind.INVITATION, NoticeKind.CASE_ASSIGNED, NoticeKind.CONFIRMATION)
        told = select(tables.outbox.c.person_id).where(tables.outbox.c.kind.not_in([one.value for one in others]))
        rows = await office.rows(world.settings, told)
        assert {row.person_id for row in rows} == {world.people["ines"].id, world.people["raul"].id}
        assert await office.rows(world.settings, select(tables.notice_report)) == []
        assert await office.rows(world.settings, select(tables.address_state)) == []
