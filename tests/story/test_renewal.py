"""A new certificate is taken up by a running gateway at SIGHUP, and nobody's session ends."""

from __future__ import annotations

import asyncio
import os
import signal
import smtplib
import ssl

import pytest

from gateway.demo.world import World
from gateway.inbound.doors import processes_of
from gateway.supervisor import read_status
from tests.dialogs.certificates import make_certificate
from tests.worlds import Conversation, log_lines, running_world

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]


async def test_a_hangup_renews_the_certificate_of_both_doors_and_ends_no_session() -> None:
    async with running_world() as world:
        settings, before = world.settings, read_status(world.settings.site.run)
        with Conversation(world, implicit=True) as conversation:
            mail = f"From: {world.people['dana'].address}\r\nSubject: before\r\n\r\nx\r\n".encode()
            assert (await asyncio.to_thread(conversation.send, mail)).code == 250
            chain, key = make_certificate(world.folder / "new")
            settings.tls.certificate.write_bytes(chain.read_bytes())
            settings.tls.key.write_bytes(key.read_bytes())
            await hang_up(world, "certificate renewed")
            shown = {await asyncio.to_thread(certificate_at, port) for port in (world.ports.portal, world.ports.tls)}
            assert shown == {ssl.PEM_cert_to_DER_cert(chain.read_text("ascii"))}
            again = await asyncio.to_thread(conversation.send, mail.replace(b"before", b"after"))
            assert again.code == 250
        with smtplib.SMTP("127.0.0.1", world.ports.starttls) as client:
            client.starttls(context=ssl._create_unverified_context())
            assert client.noop()[0] == 250
        settings.tls.key.write_bytes(b"no key")
        await hang_up(world, "certificate kept")
        assert await asyncio.to_thread(certificate_at, world.ports.tls) in shown
        assert read_status(settings.site.run) == before


async def hang_up(world: World, event: str) -> None:
    assert world.programs.supervisor is not None
    os.kill(world.programs.supervisor.pid, signal.SIGHUP)
    awaited = processes_of(world.settings.submission) + 1  # and the portal
    async with asyncio.timeout(60):
        while sum(line["event"] == event for line in log_lines(world)) < awaited:
            await asyncio.sleep(0.05)


def certificate_at(port: int) -> bytes:
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", port)))
