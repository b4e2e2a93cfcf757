"""The demo's whole story, killed with SIGKILL at each failpoint it passes, at chosen moments, and by Ctrl-C; started
again on the same folder it ends well: nothing acknowledged is lost, nothing is doubled, everybody is told.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.demo.provider import package
from tests.crash.story import SECONDS, DemoFolder, Ended

SEED = int(os.environ.get("CRASH_SEED", "1"))
PASSED = (
    "authenticator.sign_up", "authenticator.statement", "blob.folder_fsync", "blob.fsync", "blob.rename",
    "blob.write.after", "blob.write.before", "confirmations.plan", "courier.final_dot", "endings.tell", "fax.commit",
    "fax.enter", "fax.tried", "keyholder.authority",
    "keyholder.bind", "keyholder.file", "keyholder.link", "keyholder.open.entry", "keyholder.position",
    "keyholder.session", "mx.take", "mx.taken", "outbox.claim", "outbox.settle", "portal.reply_commit",
    "portal.reply_committed", "portal.upload_part", "reminders.plan", "smtp.replied", "smtp.reply",
    "store.commit.after", "store.commit.before", "submission.commit", "submission.committed", "sunsets.tell", "sweep",
    "waiting.tell", "workshop.made",
    *(["authenticator.identity"] if package().is_dir() else []),
    *(["workers.forked", "workers.handed"] if len(os.sched_getaffinity(0)) > 1 else []),
)  # fmt: skip
"""The failpoints of the story; a test below holds them to what it passes."""
SOMETIMES_PASSED = {"screening.ask", "fax.recognition", "fax.recognised"}
"""Those of recognition, at which the story may end before its fax is done; `tests/crash/test_fax.py` kills at them."""

AFTER_THE_DOT = {"courier.final_dot", "outbox.settle", "store.commit.before", "store.commit.after"}
"""Killed there, the notifier may have handed a notification over and not have noted it."""

SOME = random.Random(SEED).sample(PASSED, 2)


def judge(demo: DemoFolder, again: Ended, may_repeat: int) -> None:
    assert again.code == 0, again.told
    assert demo.is_whole() == []
    repeated = {mail: count for mail, count in demo.copies().items() if count > 1}
    assert all(count == 2 for count in repeated.values())
    assert len(repeated) <= may_repeat
    assert demo.left_behind() == {}


def kill_at(folder: Path, name: str, nth: int, patience: float = SECONDS) -> None:
    """Kill a program of the first run; `patience` seconds later that run is ended by Ctrl-C, and started again."""
    demo, once = DemoFolder(folder / "demo"), folder / "once"
    once.mkdir()
    child = demo.start(
        "--check", environment={"GATEWAY_FAILPOINTS": f"{name}=kill@{nth}", "GATEWAY_FAILPOINT_ONCE": str(once)}
    )
    ends = time.monotonic() + SECONDS
    while child.poll() is None and not (once / name).exists() and time.monotonic() < ends:
        time.sleep(0.1)
    with suppress(subprocess.TimeoutExpired):
        child.wait(patience)
    is_cut = patience < SECONDS and child.poll() is None
    if is_cut:
        child.send_signal(signal.SIGINT)
    first = demo.end(child)
    assert first.code is not None, f"the first run hung:\n{first.told}"
    assert (once / name).exists() or nth > 1, f"the first run did not come to {name}:\n{first.told}"
    # A person of the other side has one notification at a time under way after the dot, a burst of mails several.
    judge(demo, demo.play(), 16 if is_cut or name in AFTER_THE_DOT else 0)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", SOME)
def test_killed_at_a_failpoint_and_started_again_the_story_ends_the_same(short_path: Path, name: str) -> None:
    kill_at(short_path, name, 1, patience=15)  # a notification that was under way comes due again in five minutes


@pytest.mark.sweep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("nth", [1, 5])
@pytest.mark.parametrize("name", PASSED)
def test_killed_at_each_failpoint_and_started_again_the_story_ends_the_same(
    short_path: Path, name: str, nth: int
) -> None:
    kill_at(short_path, name, nth)


@pytest.mark.sweep
@pytest.mark.timeout(600)
def test_the_story_passes_the_failpoints_that_are_swept(short_path: Path) -> None:
    log = short_path / "passed"
    ended = DemoFolder(short_path / "demo").play({"GATEWAY_FAILPOINT_LOG": str(log)})
    assert ended.code == 0, ended.told
    assert set(log.read_text("ascii").split()) - SOMETIMES_PASSED == set(PASSED)


def kill_after(folder: Path, seconds: float, *, supervisor_too: bool) -> None:
    demo = DemoFolder(folder / "demo")
    child = demo.start("--check")
    time.sleep(seconds)
    if supervisor_too:
        for pid in demo.programs():
            with suppress(ProcessLookupError):  # the first to go takes others with it
                os.kill(pid, signal.SIGKILL)
    child.kill()
    child.communicate()
    judge(demo, demo.play(), 16)


@pytest.mark.timeout(600)
def test_killed_at_some_moment_with_all_its_programs_the_demo_goes_on_where_it_was(short_path: Path) -> None:
    kill_after(short_path, random.Random(f"{SEED} all").uniform(1, 15), supervisor_too=True)


@pytest.mark.sweep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("supervisor_too", [False, True])
@pytest.mark.parametrize("nth", range(8))
def test_killed_at_any_moment_the_demo_goes_on_where_it_was(short_path: Path, nth: int, supervisor_too: bool) -> None:
    kill_after(short_path, random.Random(f"{SEED} {nth}").uniform(0.2, 16), supervisor_too=supervisor_too)
