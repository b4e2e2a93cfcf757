"""The real submission program, with two things beside it that only a benchmark may have.

Its implicit-TLS listener speaks plainly here (with AUTH), so that rows without TLS are without TLS on both sides. And
on SIGUSR1 each process that serves begins to watch its event loop, on the next it writes the longest stall, in seconds,
to a file that ends in its process id.

    python -m benchmarks.door gateway.toml STALL_FILE
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from gateway import config, roles
from gateway.inbound import listener as listeners
from gateway.inbound.listener.conversation import Conversation
from gateway.inbound.listener.server import Listener, start
from gateway.inbound.listener.state import ListenerSettings, ListenerState

_STEP = 0.002


class StallWatch:
    """How late the event loop comes, at most, to what was due."""

    def __init__(self, result: Path) -> None:
        self._result = result
        self._longest = 0.0
        self._due: float | None = None

    def toggle(self) -> None:
        """Begin, or end and write down."""
        if self._due is None:
            self._longest = 0.0
            self._due = time.monotonic() + _STEP
            asyncio.get_running_loop().call_later(_STEP, self._look)
        else:
            self._due = None
            Path(f"{self._result}.{os.getpid()}").write_text(str(self._longest))

    def _look(self) -> None:
        now = time.monotonic()
        if self._due is not None:
            self._longest = max(self._longest, now - self._due)
            self._due = now + _STEP
            asyncio.get_running_loop().call_later(_STEP, self._look)


async def _open(door: Any, watch: StallWatch, **wanted: Any) -> Listener:
    if not wanted["implicit_tls"]:
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, watch.toggle)
        return await _open_listener(door, **wanted)
    limits = dataclasses.replace(wanted["limits"], connections_per_address=1000)
    settings = ListenerSettings("plain", wanted["hostname"], None, False, True, limits)
    handed = wanted["handed"]
    state = ListenerState(listeners.Occupancy(limits, handed.peers.column if handed is not None else None))
    where = wanted["host"], wanted["port"]
    return await start("plain", *where, lambda: Conversation(door, settings, state), state, handed)


_open_listener = listeners.open_listener


def main() -> None:
    settings = config.load(Path(sys.argv[1]))
    watch = StallWatch(Path(sys.argv[2]))
    setattr(listeners, "open_listener", lambda door, **wanted: _open(door, watch, **wanted))  # noqa: B010
    roles.run_program("submission", settings)


if __name__ == "__main__":
    main()
