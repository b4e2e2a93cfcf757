"""A real Postfix hands employees' mail to the LMTP socket of a whole running gateway."""

from __future__ import annotations

import asyncio
import os
import pwd
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from gateway.demo.world import World
from gateway.supervisor import read_status
from tests.worlds import log_lines, running_world, signed_in

DAEMONS = Path("/usr/lib/postfix/sbin")
PATIENCE = 60.0
MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
myhostname = mta.example
mydestination =
inet_protocols = ipv4
inet_interfaces = 127.0.0.1
mynetworks = 127.0.0.0/8
local_recipient_maps =
alias_maps =
alias_database =
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
default_transport = lmtp:unix:{socket}
minimal_backoff_time = 1s
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
"""
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
lmtp unix - - n - - lmtp
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that Postfix's own user may enter."""
    if not (DAEMONS / "master").exists():
        pytest.skip("needs Postfix: make peers")
    if os.getuid() != 0:
        pytest.skip("needs root, as Postfix does")
    path = Path(tempfile.mkdtemp(prefix="lmtp-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


async def test_postfix_relays_to_the_lmtp_socket_and_each_recipient_has_its_own_answer(folder: Path) -> None:
    async with running_world() as world:
        dana, ours = world.people["dana"].address, folder / "gw.sock"
        await open_socket(world, ours, ["postfix"])
        with postfix(folder, ours) as port:
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
        with postfix(folder, ours) as port:
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


@contextmanager
def postfix(folder: Path, socket_path: Path) -> Iterator[int]:
    """Run a private Postfix that hands all it takes to a socket; gives the port it listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    for name in ("conf", "data", "queue/pid"):
        (folder / name).mkdir(parents=True)
    owner = pwd.getpwnam("postfix").pw_uid
    os.chown(folder / "data", owner, -1)
    for name in "active bounce corrupt defer deferred flush hold incoming private public saved trace".split():
        (folder / "queue" / name).mkdir()
        os.chown(folder / "queue" / name, owner, -1)
    (folder / "conf" / "main.cf").write_text(MAIN.format(folder=folder, daemons=DAEMONS, socket=socket_path))
    (folder / "conf" / "master.cf").write_text(MASTER.format(port=port))
    master = subprocess.Popen(
        [DAEMONS / "master", "-c", folder / "conf", "-d"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield port
    finally:
        with suppress(ProcessLookupError):
            os.killpg(master.pid, signal.SIGTERM)
        master.wait(10)


def hand_in(port: int, sender: str, recipients: list[str], mail: str) -> None:
    """Give Postfix one mail, as soon as it listens."""
    for _ in range(int(PATIENCE / 0.1)):
        with suppress(ConnectionRefusedError), smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
            client.sendmail(sender, recipients, mail)
            return
        time.sleep(0.1)
    raise TimeoutError("Postfix does not listen")


async def fates_of(folder: Path, count: int) -> dict[str, str]:
    """What Postfix's log says became of each recipient, when so many have a fate."""
    async with asyncio.timeout(PATIENCE):
        while True:
            lines = await lines_of(folder, "status=")
            found = dict(re.findall(r"to=<([^>]*)>.* status=(.*)", "\n".join(lines)))
            if len(found) >= count:
                return found
            await asyncio.sleep(0.1)


async def lines_of(folder: Path, words: str) -> list[str]:
    """Postfix's log lines with these words, as soon as there is one."""
    async with asyncio.timeout(PATIENCE):
        while True:
            log = folder / "mail.log"
            found = [line for line in log.read_text().splitlines() if words in line] if log.exists() else []
            if found:
                return found
            await asyncio.sleep(0.1)
