"""A real Postfix hands employees' mail to the LMTP socket of a whole running gateway."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.demo.world import World
from gateway.supervisor import read_status
from tests.postfix import PATIENCE, fates_of, hand_in, lines_of, postfix_folder, running_postfix
from tests.worlds import log_lines, running_world, signed_in


@pytest.fixture
def folder() -> Iterator[Path]:
    with postfix_folder() as made:
        yield made


async def test_postfix_relays_to_the_lmtp_socket_and_each_recipient_has_its_own_answer(folder: Path) -> None:
    async with running_world() as world:
        dana, ours = world.people["dana"].address, folder / "gw.sock"
        await open_socket(world, ours, ["postfix"])
        with running_postfix(folder, f"default_transport = lmtp:unix:{ours}") as port:
            mail = f"From: {dana}\r\nTo: {world.case_address}\r\nSubject: by LMTP\r\n\r\nwords by way of Postfix\r\n"
            nobody = "nobody@elsewhere.example"
            await asyncio.to_thread(hand_in, port, dana, [world.case_address, nobody], mail)
            fates = await fates_of(folder, 2)
            assert fates[world.case_address].startswith("sent (250 2.6.0 T-")
            assert fates[nobody].startswith("bounced")
            assert "550 5.7.1" in fates[nobody]
            reference = re.findall(r"T-[A-Z]{2,4}-\w{4}-\w{4}", fates[world.case_address])[0]
            async with signed_in(world, "dana") as office:
                received = await office.download(f"/messages/{reference}/received.eml")
            assert b"by mta.example (Postfix)" in received
            assert received.endswith(b"\r\n\r\nwords by way of Postfix\r\n")
            stranger = "stranger@elsewhere.example"
            await asyncio.to_thread(hand_in, port, stranger, [world.case_address], mail)
            lines = await lines_of(folder, "no employee's own address")
            assert "status=bounced" in lines[-1]
            assert sum(line["event"] == "deposited" for line in log_lines(world)) == 1


async def test_a_postfix_whose_user_is_not_on_the_list_keeps_its_mail(folder: Path) -> None:
    async with running_world() as world:
        ours = folder / "gw.sock"
        await open_socket(world, ours, ["root"])
        with running_postfix(folder, f"default_transport = lmtp:unix:{ours}") as port:
            dana = world.people["dana"].address
            await asyncio.to_thread(hand_in, port, dana, [world.case_address], f"From: {dana}\r\n\r\nx\r\n")
            (line, *_) = await lines_of(folder, "not for your user")
            assert "status=deferred" in line
            assert not [line for line in log_lines(world) if line["event"] == "deposited"]


async def open_socket(world: World, path: Path, users: list[str]) -> None:
    """Let the running gateway's submission program open its socket: it reads the file when it starts again."""
    text = world.config.read_text("utf-8")
    named = ", ".join(f'"{user}"' for user in users)
    text = text.replace("[submission]\n", f'[submission]\nlmtp = "{path}"\nlmtp_users = [{named}]\n', 1)
    world.config.write_text(text, "utf-8")
    os.kill(int(read_status(world.settings.site.run)["submission"]["pid"]), signal.SIGTERM)
    async with asyncio.timeout(PATIENCE):
        while not path.is_socket():
            await asyncio.sleep(0.05)
