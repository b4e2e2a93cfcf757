"""A whole running gateway for tests: the demo's world, every program a real process, on ports of its own."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
import shutil
import signal
import smtplib
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import pytest_asyncio

from gateway.demo.actors import Browser, Page, Reply
from gateway.demo.site import Plan
from gateway.demo.world import World
from tests.ports import demo_ports

COUNTY = Path(__file__).parent / "programmes" / "county"
FAST = """
[keyholder]
session_per_minute = 100000
person_per_day = 1000000

[submission.limits]
soft_errors = 1000
hard_errors = 1000
"""
"""Tests read more in a minute than any person may, and err more often in one conversation."""

_REFERENCE = re.compile(r"T-[A-Z]{2,4}-\w{4}-\w{4}")


@asynccontextmanager
async def running_world(plan: Plan | None = None, environment: Mapping[str, str] | None = None) -> AsyncIterator[World]:
    """Make a site in a folder of its own, start every program, and end and delete it all."""
    folder = Path(tempfile.mkdtemp(prefix="world-"))  # short: addresses of sockets may not be long
    world = World(folder, demo_ports(), plan or Plan(more=FAST), environment)
    try:
        await world.open()
        yield world
    finally:
        await world.close()
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def signed_in(world: World, name: str) -> AsyncIterator[Browser]:
    """A browser in which a person has signed in."""
    async with Browser(world.portal, world.tls) as browser:
        page = await world.sign_in(browser, name)
        assert page.status == 200, page.html
        assert page.url.endswith("/cases")
        yield browser


def reference_in(text: str) -> str:
    """Return the message's reference that a text names."""
    found = _REFERENCE.search(text)
    assert found is not None, f"no reference in: {text}"
    return found[0]


def part_links(page: Page) -> list[str]:
    """Return where the attachments of a message page are."""
    return [link for link in page.links if "/parts/" in link]


def log_lines(world: World) -> list[dict[str, Any]]:
    """Return what the programs have logged, without a line that is being written."""
    whole = world.log.read_text("utf-8").rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]


class Conversation:
    """A person's mail tool that stays connected, signed in to the submission door."""

    def __init__(self, world: World, name: str = "dana", *, implicit: bool = False) -> None:
        self._tool = world.mail_tool(name, implicit=implicit)
        self._recipient = world.case_address
        self._client: smtplib.SMTP

    def __enter__(self) -> Self:
        self._client = self._tool._connect()
        try:
            self._client.login(self._tool.address, self._tool.password)
        except BaseException:
            self._client.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def begin(self, octets: bytes, recipients: Sequence[str] = ()) -> Reply:
        """Say MAIL and RCPT; return the first refusal, or the last reply."""
        extensions = ["BODY=8BITMIME", f"SIZE={len(octets)}"] + ([] if octets.isascii() else ["SMTPUTF8"])
        code, text = self._client.mail(self._tool.address, extensions)
        for recipient in recipients or [self._recipient]:
            if code < 400:
                code, text = self._client.rcpt(recipient)
        if code >= 400:
            self._client.rset()
        return Reply(code, text.decode("ascii"))

    def send(self, octets: bytes, recipients: Sequence[str] = ()) -> Reply:
        """Send by DATA, which ends each message with CRLF."""
        begun = self.begin(octets, recipients)
        return begun if begun.code >= 400 else _reply(self._client.data(octets))

    def send_in_chunks(self, octets: bytes, recipients: Sequence[str] = ()) -> Reply:
        """Send by BDAT (RFC 3030), octet for octet, in two chunks."""
        begun = self.begin(octets, recipients)
        if begun.code >= 400:
            return begun
        self._client.putcmd(f"BDAT {len(octets) // 2}")
        self._client.send(octets[: len(octets) // 2])
        first = self._client.getreply()
        if first[0] >= 400:
            return _reply(first)
        self._client.putcmd(f"BDAT {len(octets) - len(octets) // 2} LAST")
        self._client.send(octets[len(octets) // 2 :])
        return _reply(self._client.getreply())


def _reply(answer: tuple[int, bytes]) -> Reply:
    return Reply(answer[0], answer[1].decode("ascii"))


class Traps:
    """Failpoints of a running world that act once each time they are set."""

    def __init__(self, folder: Path, actions: Mapping[str, str]) -> None:
        """Know what each failpoint does; none of them is set."""
        self._folder = folder
        self._actions = actions
        for name in actions:
            (folder / name).touch()

    @property
    def environment(self) -> dict[str, str]:
        """What the programs must be started with."""
        armed = ",".join(f"{name}={action}" for name, action in self._actions.items())
        return {"GATEWAY_FAILPOINTS": armed, "GATEWAY_FAILPOINT_ONCE": str(self._folder)}

    def set(self, name: str) -> None:
        """Let a failpoint act when it is passed next."""
        assert name in self._actions
        (self._folder / name).unlink()

    @property
    def names(self) -> Iterable[str]:
        """Every failpoint of these."""
        return self._actions.keys()

    def set_all(self) -> None:
        """Let each failpoint act when it is passed next."""
        for name in self.names:
            self.set(name)

    def has_acted(self, name: str) -> bool:
        """Tell whether a failpoint that was set has been passed."""
        return (self._folder / name).exists()


def children_of(process: int) -> list[int]:
    """Return the ids of the processes that a process has started; of one that is gone, none."""
    try:
        listed = Path(f"/proc/{process}/task/{process}/children").read_text("ascii")
    except OSError:
        return []
    return [int(child) for child in listed.split()]


def kill(world: World, program: str) -> None:
    """Kill a program; its supervisor starts it again after a moment."""
    os.kill(world.process_of(program), signal.SIGKILL)


@contextmanager
def away(world: World, program: str) -> Iterator[None]:
    """Kill a program that is started again only after this: its supervisor does not notice before."""
    supervisor = world.programs.supervisor
    assert supervisor is not None
    process = world.process_of(program)
    os.kill(supervisor.pid, signal.SIGSTOP)
    try:
        os.kill(process, signal.SIGKILL)
        yield
    finally:
        os.kill(supervisor.pid, signal.SIGCONT)


@contextmanager
def stopped(world: World, *programs: str) -> Iterator[None]:
    """Stop programs as a debugger does: there, but silent. Never in the middle of writing to the database."""
    pids = [pid for program in map(world.process_of, programs) for pid in (program, *children_of(program))]
    with group_lock(world):
        for pid in pids:
            with suppress(ProcessLookupError):  # a child may have ended since
                os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@contextmanager
def group_lock(world: World) -> Iterator[None]:
    """Hold the lock under which programs write to SQLite in turn."""
    with open(world.vault / "gateway.db.lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


async def eventually(what: str, holds: Any, seconds: float = 120.0) -> None:
    """Wait until `holds()` is true. Raises AssertionError that names it."""
    deadline = time.monotonic() + seconds
    while not await holds():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        await asyncio.sleep(0.1)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world() -> AsyncIterator[World]:
    async with running_world() as world:
        yield world


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def office(world: World) -> AsyncIterator[Browser]:
    """The browser of the employee who writes."""
    async with signed_in(world, "dana") as browser:
        yield browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def outside(world: World) -> AsyncIterator[Browser]:
    """The browser of the designated user who reads."""
    async with signed_in(world, "ines") as browser:
        yield browser
