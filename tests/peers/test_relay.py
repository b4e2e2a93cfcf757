"""A real Postfix relays employees' mail to the listener of a trusted relay of a whole running gateway."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.demo import office
from gateway.demo.world import World
from gateway.store import tables
from gateway.supervisor import read_status
from tests.dialogs.certificates import Pair, make_certificate
from tests.ports import free_port
from tests.postfix import PATIENCE, fates_of, hand_in, lines_of, postfix_folder, running_postfix
from tests.worlds import log_lines, reference_in, running_world, signed_in

RELAY = """
[relay.mta]
kind = "own-mta"
authenticates_senders = true
{door} = ["127.0.0.1:{port}"]
networks = ["127.0.0.8/31"]
client_ca = "{listed}"
xclient = ["127.0.0.9"]
"""
CLIENT = """\
default_transport = smtp:[127.0.0.1]:{port}
smtp_bind_address = {source}
smtp_tls_security_level = encrypt
smtp_tls_wrappermode = {wrapped}
smtp_tls_cert_file = {certificate}
smtp_tls_key_file = {key}
smtp_send_xforward_command = yes
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with postfix_folder() as made:
        yield made


@pytest.fixture
def client(folder: Path) -> Pair:
    """Postfix's certificate, signed by itself."""
    return make_certificate(folder / "client", "mta.example")


@pytest.mark.parametrize("door", ["starttls", "tls"])
async def test_postfix_relays_over_a_client_certificate_and_its_reports_end_here(
    door: str, folder: Path, client: Pair
) -> None:
    async with running_world() as world:
        dana, port = world.people["dana"].address, await open_relay(world, door, client[0])
        with running_postfix(folder, client_lines(port, client, door=door)) as mta:
            mail = f"From: {dana}\r\nTo: {world.case_address}\r\nSubject: by relay\r\n\r\nwords by way of Postfix\r\n"
            await asyncio.to_thread(hand_in, mta, dana, [world.case_address], mail)
            fates = await fates_of(folder, 1)
            assert fates[world.case_address].startswith("sent (250 2.6.0 T-")
            async with signed_in(world, "dana") as office:
                received = await office.download(f"/messages/{reference_in(fates[world.case_address])}/received.eml")
            assert b"by mta.example (Postfix)" in received
            assert received.endswith(b"\r\n\r\nwords by way of Postfix\r\n")
            deposited = next(line for line in log_lines(world) if line["event"] == "deposited")
            (taken, *_) = await lines_of(folder, f"from=<{dana}>")
            assert f": {deposited['upstream']}: " in taken  # by XFORWARD: the id under which Postfix has it

            # A case's address as a sender is nobody's own: Postfix reports that to it, from the null sender.
            await asyncio.to_thread(hand_in, mta, world.case_address, [world.case_address], mail)
            assert "550 5.7.1" in (await lines_of(folder, "no employee's own address"))[-1]
            (ended, *_) = await lines_of(folder, "automatic mail ends here")
            assert "status=sent (250 2.6.0" in ended
            away = mail.replace("Subject", "Auto-Submitted: auto-replied\r\nSubject")
            await asyncio.to_thread(hand_in, mta, dana, [world.case_address], away)
            async with asyncio.timeout(PATIENCE):
                while len(entries := await ended_mail(world)) < 2:
                    await asyncio.sleep(0.1)
            assert [line["kind"] for line in entries] == ["delivery-report", "out-of-office"]
            assert {line["relay"] for line in entries} == {"mta"}
            assert sum(line["event"] == "deposited" for line in log_lines(world)) == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("network", "421 4.7.0 this port is for the site's own mail system, your address is not"),
        ("no certificate", "421 4.7.0 show the client certificate that this relay is known by"),
        ("certificate", "status=deferred"),
    ],
)
async def test_a_postfix_without_a_proof_is_told_which_and_keeps_its_mail(
    wrong: str, words: str, folder: Path, client: Pair
) -> None:
    async with running_world() as world:
        dana, port = world.people["dana"].address, await open_relay(world, "starttls", client[0])
        shown = make_certificate(folder / "other", "mta.example") if wrong == "certificate" else client
        lines = client_lines(port, shown, source="127.0.0.1" if wrong == "network" else "127.0.0.9")
        if wrong == "no certificate":
            lines = "\n".join(line for line in lines.splitlines() if "_file" not in line)
        with running_postfix(folder, lines) as mta:
            await asyncio.to_thread(hand_in, mta, dana, [world.case_address], f"From: {dana}\r\n\r\nx\r\n")
            fates = await fates_of(folder, 1)
            assert fates[world.case_address].startswith("deferred")
            assert words in "\n".join(await lines_of(folder, words))
            told = [
                line for line in log_lines(world) if line["event"] in {"relay refused", "client certificate refused"}
            ]
            assert told
            assert not [line for line in log_lines(world) if line["event"] == "deposited"]


async def test_a_new_client_certificate_is_taken_at_sighup(folder: Path, client: Pair) -> None:
    async with running_world() as world:
        dana, listed = world.people["dana"].address, folder / "listed.pem"
        listed.write_bytes(client[0].read_bytes())
        port = await open_relay(world, "tls", listed)
        second = make_certificate(folder / "second", "mta.example")
        listed.write_bytes(second[0].read_bytes())
        os.kill(process_of(world), signal.SIGHUP)
        async with asyncio.timeout(PATIENCE):
            while sum(line["event"] == "certificate renewed" for line in log_lines(world)) < 2:
                await asyncio.sleep(0.05)
        with running_postfix(folder, client_lines(port, second, door="tls")) as mta:
            await asyncio.to_thread(hand_in, mta, dana, [world.case_address], f"From: {dana}\r\n\r\nx\r\n")
            assert (await fates_of(folder, 1))[world.case_address].startswith("sent (250 2.6.0 T-")


def client_lines(port: int, client: Pair, *, door: str = "starttls", source: str = "127.0.0.9") -> str:
    wrapped = "yes" if door == "tls" else "no"
    return CLIENT.format(port=port, source=source, wrapped=wrapped, certificate=client[0], key=client[1])


async def open_relay(world: World, door: str, listed: Path) -> int:
    """Let the running gateway's submission program open a relay's listener: it reads the file when it starts again."""
    port = free_port()
    world.config.write_text(
        world.config.read_text("utf-8") + RELAY.format(door=door, port=port, listed=listed), "utf-8"
    )
    os.kill(process_of(world), signal.SIGTERM)
    async with asyncio.timeout(PATIENCE):
        while not await asyncio.to_thread(is_open, port):
            await asyncio.sleep(0.05)
    return port


def process_of(world: World) -> int:
    return int(read_status(world.settings.site.run)["submission"]["pid"])


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def ended_mail(world: World) -> list[dict[str, Any]]:
    """The log's lines on ended mail, when the record has as many entries."""
    wanted = select(tables.leaf.c.id).where(tables.leaf.c.kind == "mail_ended")
    entered = await office.rows(world.settings, wanted)
    lines = [line for line in log_lines(world) if line["event"] == "ended"]
    return lines if len(entered) == len(lines) else []
