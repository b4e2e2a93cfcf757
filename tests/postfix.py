"""A private Postfix for tests: its own folder, queue and configuration; whoever runs it must be root."""

from __future__ import annotations

import asyncio
import os
import pwd
import re
import shutil
import signal
import smtplib
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.ports import free_port

DAEMONS = Path("/usr/lib/postfix/sbin")
PATIENCE = 120.0
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
minimal_backoff_time = 1s
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
{more}
"""
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
lmtp unix - - n - - lmtp
smtp unix - - n - - smtp
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@contextmanager
def postfix_folder() -> Iterator[Path]:
    """A folder that Postfix's own user may enter. Skips the test where there is no Postfix to run."""
    if not (DAEMONS / "master").exists():
        pytest.skip("needs Postfix: make peers")
    if os.getuid() != 0:
        pytest.skip("needs root, as Postfix does")
    path = Path(tempfile.mkdtemp(prefix="postfix-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def running_postfix(folder: Path, more: str, prepare: Callable[[Path], None] = lambda _: None) -> Iterator[int]:
    """Run a private Postfix with `more` lines of main.cf; gives the port it listens on.

    `prepare` is handed the folder of its configuration before it starts.
    """
    port = free_port()
    for name in ("conf", "data", "queue/pid"):
        (folder / name).mkdir(parents=True)
    owner = pwd.getpwnam("postfix").pw_uid
    os.chown(folder / "data", owner, -1)
    for name in "active bounce corrupt defer deferred flush hold incoming private public saved trace".split():
        (folder / "queue" / name).mkdir()
        os.chown(folder / "queue" / name, owner, -1)
    (folder / "conf" / "main.cf").write_text(MAIN.format(folder=folder, daemons=DAEMONS, more=more))
    (folder / "conf" / "master.cf").write_text(MASTER.format(port=port))
    prepare(folder / "conf")
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
        master.wait(PATIENCE)


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
            whole = log.read_text().rpartition("\n")[0] if log.exists() else ""  # a line may be half written now
            found = [line for line in whole.splitlines() if words in line]
            if found:
                return found
            await asyncio.sleep(0.1)
