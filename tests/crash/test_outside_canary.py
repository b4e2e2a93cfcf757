"""Numbers in mail whose child runs out of time or crashes, with core files allowed: nowhere to be found after it."""

from __future__ import annotations

import asyncio
import os
import re
import resource
import secrets
import signal
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.demo import office
from gateway.demo import search as engine
from gateway.demo.site import DOMAIN, Plan
from gateway.demo.world import World
from gateway.store import tables
from gateway.supervisor import read_status
from tests.ports import free_port
from tests.worlds import FAST, running_world

SHORT = '\n[screening.limits]\ntime = "1 s"\n'
WORDS = 24_000_000
SENDER, TO = "ines@tours.example", f"office@{DOMAIN}"
KEEPER = "import os, sys; word = sys.stdin.readline(); os.abort()"


@pytest.fixture
def cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which a program that crashes leaves its memory, as far as it may. Skips where none would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    folder = tmp_path / "cores"
    folder.mkdir()
    monkeypatch.chdir(folder)
    try:
        number = invented()
        subprocess.run([sys.executable, "-c", KEEPER], input=number, text=True, check=False, stderr=subprocess.DEVNULL)
        left = list(folder.iterdir())
        if not left:
            pytest.skip(
                "needs core files in the folder of a program: core_pattern sends them elsewhere, or none may be"
            )
        assert list(engine.search(forms(number), [folder]).hits), "the search does not find a number in a core"
        for one in left:
            one.unlink()
        yield folder
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


@pytest.mark.timeout(300)
async def test_a_child_out_of_time_and_a_child_that_crashes_leave_nothing(cores: Path, tmp_path: Path) -> None:
    port, temporary = free_port(), tmp_path / "temp"
    temporary.mkdir()
    door = f'\n[mx]\nlisten = ["127.0.0.1:{port}"]\nposition = "first-hop"\n'
    numbers = [invented() for _ in range(4)]
    taken_in = select(tables.leaf.c.id).where(tables.leaf.c.kind == "taken_in")
    async with running_world(Plan(more=FAST + door + SHORT), {"TMPDIR": str(temporary)}) as world:
        entered = len(await office.rows(world.settings, taken_in))
        for number in numbers[:2]:
            said = await asyncio.to_thread(send, port, long_mail(number))
            assert re.match(r"(550 5\.7\.1 Not accepted, nothing stored|451 4\.3\.0 )", said), said
        for number, how in zip(numbers[2:], (signal.SIGSEGV, signal.SIGABRT), strict=True):
            while not await crashes(world, port, number, how):
                pass  # its time was over before it was seen at work: the next one
        assert [line for line in world.log.read_text("utf-8").splitlines() if "screening failed" in line]
        wanted = {form: word for number in numbers for form, word in forms(number).items()}
        looked = engine.search(wanted, [world.folder, temporary, cores])
        assert looked.files > 20
        assert list(looked.hits) == []
        assert list(cores.iterdir()) == []
        assert len(await office.rows(world.settings, taken_in)) == entered


def invented() -> str:
    """A number that could be somebody's, and of which nothing else here knows."""
    return f"{secrets.randbelow(500) + 101:03}-{secrets.randbelow(98) + 1:02}-{secrets.randbelow(9998) + 1:04}"


def long_mail(number: str) -> str:
    """A mail that takes a child longer than it may: the number stands behind all else."""
    line = "Rehearsal {} begins at seven, and after it we meet 12 musicians from 7 towns.\r\n"
    words = "".join(line.format(number) for number in range(WORDS // len(line)))
    return f"From: {SENDER}\r\nSubject: Concert\r\n\r\n{words}\r\nMy social security number (SSN) is {number}.\r\n"


def send(port: int, mail: str) -> str:
    """Send a mail and return what was said to it."""
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=120) as client:
            client.sendmail(SENDER, [TO], mail)
    except smtplib.SMTPDataError as problem:
        return f"{problem.smtp_code} {bytes(problem.smtp_error).decode()}"
    raise AssertionError("mail from outside was taken")


async def crashes(world: World, port: int, number: str, how: signal.Signals) -> bool:
    """Send a mail and let the child that works on it crash; False where it ended before that."""
    sending = asyncio.create_task(asyncio.to_thread(send, port, long_mail(number)))
    crashed = False
    while not crashed and not sending.done():
        for child in filter(works, children_of(world)):
            with suppress(ProcessLookupError):
                os.kill(child, how)
                crashed = True
        await asyncio.sleep(0.01)
    assert (await sending)[:3] in {"451", "550"}
    return crashed


def children_of(world: World) -> list[int]:
    """The process ids of screening children: those below a template of the mx."""
    parents = dict(map(_parent, Path("/proc").glob("[0-9]*")))
    mx = int(read_status(world.settings.site.run)["mx"]["pid"])
    return [pid for pid, parent in parents.items() if parents.get(parent) == mx]


def works(process: int) -> bool:
    """Tell whether a process is at work, and has been for a tenth of a second: one that waits for a mail does not."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[0] == "R" and int(fields[11]) + int(fields[12]) > 10


def _parent(process: Path) -> tuple[int, int]:
    try:
        return int(process.name), int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0, 0


def forms(number: str) -> engine.Forms:
    """Every form of a number, with its hyphens and without."""
    texts = (number, number.replace("-", ""))
    return {f"{text} {name}": form for text in texts for name, form in engine.words(text).items()}
