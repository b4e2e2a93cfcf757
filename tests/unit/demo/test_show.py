"""What the demo says while it is up."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from gateway.demo import show
from gateway.demo.site import Ports


class Busy:
    """A world that is being made when Ctrl-C is pressed, twice."""

    def __init__(self, folder: Path, _ports: Ports, _plan: object) -> None:
        self.folder = folder

    async def start(self, *, with_provider: bool) -> None:
        assert with_provider
        for _ in range(2):
            signal.raise_signal(signal.SIGINT)
        await asyncio.Event().wait()

    async def close(self) -> None:
        print("closed")


async def test_ctrl_c_is_answered_once_before_the_programs_have_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(show, "World", Busy)
    assert await show.show(tmp_path, Ports.above(9400), check=False) == 128 + signal.SIGINT
    told = capsys.readouterr().out
    assert told.count("The demo stops.") == 1
    assert told.index("The demo stops.") < told.index("closed")
