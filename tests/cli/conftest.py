"""A site of its own for a test, worked on by the real command in processes of its own."""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gateway.process import holder
from gateway.supervisor import read_status
from tests import warm
from tests.ports import free_ports

PROGRAMS = ("keyholder", "authenticator", "submission", "notifier", "portal")


@dataclass(slots=True)
class Site:
    """A folder with a site, and the supervisor that runs it."""

    folder: Path
    started: subprocess.Popen[bytes] | None = None
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.folder.parent / f"{self.folder.name}.log"

    @property
    def config(self) -> Path:
        return self.folder / "gateway.toml"

    def gateway(self, *arguments: object, given: str = "", code: int = 0) -> str:
        """Run a command; return its standard output. It must exit so, and never show a traceback."""
        done = run_gateway(*arguments, config=self.config, given=given)
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout if code == 0 else done.stderr

    def asked(self, *arguments: object, given: str = "") -> Any:
        return json.loads(self.gateway(*arguments, "--json", given=given))

    def start(self) -> None:
        command = [sys.executable, "-m", "gateway", "run", "--config", str(self.config)]
        with self.log.open("ab") as log:
            self.started = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        wait_for(self.is_ready, self.log)

    def is_ready(self) -> bool:
        assert self.started is not None
        assert self.started.poll() is None, self.log.read_text()
        status = read_status(self.folder / "run")
        return len(status) == len(PROGRAMS) and all(one["ready"] for one in status.values())

    def kill(self) -> None:
        assert self.started is not None
        self.started.kill()
        self.started.wait()

    def stop(self) -> int:
        assert self.started is not None
        self.started.send_signal(signal.SIGTERM)
        return self.started.wait(60)

    def runs(self, program: str) -> int | None:
        return holder(self.folder / "run", program)


def run_gateway(*arguments: object, config: Path | None = None, given: str = "") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "GATEWAY_CONFIG"}
    if config is not None:
        environment["GATEWAY_CONFIG"] = str(config)
    done = warm.run([*map(str, arguments)], environment, given)
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    return done


def wait_for(true: Callable[[], object], log: Path | None = None) -> None:
    deadline = time.monotonic() + 90
    while not true():
        assert time.monotonic() < deadline, log.read_text() if log else "nothing came"
        time.sleep(0.02)


@functools.cache
def pattern() -> Path:
    """A site as `gateway init` makes it, made once for all tests of a process. It is copied, never run."""
    folder = Path(tempfile.mkdtemp(prefix="gw-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    done = run_gateway("init", folder / "site")
    assert done.returncode == 0, done.stderr
    return folder / "site"


def founded(folder: Path) -> Site:
    """A site in a new folder, on ports of its own."""
    shutil.copytree(pattern(), folder)
    site = Site(folder)
    text = site.config.read_text("utf-8")
    for usual, port in zip((":1587", ":1465", ":8443"), free_ports(3), strict=True):
        text = text.replace(usual, f":{port}")
    site.config.write_text(text, "utf-8")
    return site


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder whose path leaves room for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="gw-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """One running site for the tests of a module."""
    above = Path(tempfile.mkdtemp(prefix="gw-"))
    made = founded(above / "site")
    made.start()
    yield made
    made.kill()
    wait_for(lambda: not any(map(made.runs, PROGRAMS)))
    shutil.rmtree(above, ignore_errors=True)
