"""What the demo prints can be copied and run; it says why it cannot start; Ctrl-C at any moment ends all of it."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from gateway.demo.site import HOST
from tests.crash.story import ROOT, DemoFolder

STARTS = ("printf ", "cat ", "grep ")
SEED = int(os.environ.get("CRASH_SEED", "1"))


@contextmanager
def staying_up(demo: DemoFolder) -> Iterator[list[str]]:
    """Run the demo as a person would until it says what to try; yield its lines. At the end Ctrl-C must end it well."""
    child = demo.start()
    lines: list[str] = []
    told = threading.Event()

    def read() -> None:
        assert child.stdout is not None
        for line in child.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("Not there yet"):
                told.set()
        told.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert told.wait(300)
        assert child.poll() is None, "\n".join(lines)
        yield lines
        child.send_signal(signal.SIGINT)
        assert child.wait(120) == 0
        assert demo.left_behind() == {}
    finally:
        child.kill()
        child.wait()
        reader.join()
        assert child.stdout is not None
        child.stdout.close()


def run(line: str) -> str:
    """Do as a person does who copies the line into a shell."""
    ran = subprocess.run(line, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert ran.returncode == 0, f"{line}\n{ran}"
    return ran.stdout


@pytest.mark.timeout(900)
def test_each_line_of_the_demo_can_be_copied_and_run(short_path: Path) -> None:
    demo = DemoFolder(short_path / "demo")
    with staying_up(demo) as lines:
        assert not any("\x1b" in line or "\r" in line for line in lines), "colours or a spinner, with no terminal"
        proofs = [line.split("see: ", 1)[1] for line in lines if "see: " in line]
        tries = [line.strip() for line in lines[lines.index("") :] if line.startswith("  ") and "see: " not in line]
        commands = [line for line in (*proofs, *tries) if " -m gateway " in line or line.startswith(STARTS)]
        pages = [line for line in (*proofs, *tries) if line.startswith("http")]
        assert len(commands) + len(pages) == len(proofs) + len(tries)
        if shutil.which("curl") is None:
            pytest.skip("needs curl: make peers")
        outputs = [run(line) for line in commands]
        assert any("< 535 5.7.8 " in output for output in outputs)
        assert any("< 550 5.7.1 You have no open case" in output for output in outputs)
        assert any("< 250 2.6.0 T-" in output for output in outputs)
        for page in pages:
            see(page)
        again = demo.play(seconds=240)
        assert again.code == os.EX_UNAVAILABLE
        assert "already runs on this folder" in again.told


def see(page: str) -> None:
    """Look at a page that a line names; sign in nowhere: a code is taken once, and the story has signed in already."""
    address = page.split(maxsplit=1)[0]
    assert httpx2.get(address, verify=False, follow_redirects=True, timeout=60).status_code == 200
    for code in re.findall(r"http://\S+/code/\w+", page):
        assert re.search(r"\b\d{6}\b", httpx2.get(code, timeout=60).text)


@pytest.mark.timeout(200)
def test_a_taken_port_is_named_and_nothing_is_left_behind(short_path: Path) -> None:
    demo = DemoFolder(short_path / "demo")
    with socket.create_server((HOST, demo.base + 87)):
        ended = demo.play(seconds=120)
    assert ended.code == os.EX_UNAVAILABLE
    assert f"Port {demo.base + 87} (starttls) is taken" in ended.told
    assert "--ports" in ended.told
    assert demo.left_behind() == {}
    assert not (demo.folder / "site").exists()


def end_by_ctrl_c(folder: Path, seconds: float) -> None:
    """Press it so long after the demo has begun its folder: before that it may be the interpreter that ends."""
    demo = DemoFolder(folder / "demo")
    child = demo.start("--check")
    while not demo.folder.exists() and child.poll() is None:
        time.sleep(0.01)
    time.sleep(seconds)
    child.send_signal(signal.SIGINT)
    told, _ = child.communicate(timeout=120)
    assert child.returncode in {0, 1, -signal.SIGINT, 128 + signal.SIGINT}, told
    assert "Traceback" not in told
    assert demo.left_behind() == {}


@pytest.mark.timeout(200)
@pytest.mark.parametrize("seconds", [0.2, 5.0])
def test_ctrl_c_at_some_moment_ends_the_demo_and_all_its_programs(short_path: Path, seconds: float) -> None:
    end_by_ctrl_c(short_path, seconds)


@pytest.mark.sweep
@pytest.mark.timeout(200)
@pytest.mark.parametrize("nth", range(12))
def test_ctrl_c_at_any_moment_ends_the_demo_and_all_its_programs(short_path: Path, nth: int) -> None:
    end_by_ctrl_c(short_path, random.Random(f"{SEED} ctrl-c {nth}").uniform(0, 13))
