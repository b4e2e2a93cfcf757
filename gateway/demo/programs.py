"""The demo's gateway as processes: started under a supervisor, seen to serve, stopped, outlived when it was killed."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from gateway.config import Settings, load
from gateway.demo.site import HOST, Ports
from gateway.domain.errors import Unavailable
from gateway.process import PARENT_VARIABLE, holder
from gateway.supervisor import STATUS, program_command, read_status

START_SECONDS = 180.0
ENDING_SECONDS = 25.0


class Programs:
    """The programs of one site. `environment` is theirs."""

    def __init__(self, site: Path, config: Path, ports: Ports, environment: Mapping[str, str]) -> None:
        self._site = site
        self._config = config
        self._ports = ports
        self._environment = environment
        self.supervisor: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> Path:
        """What they log."""
        return self._site / "logs" / "gateway.log"

    async def start(self) -> None:
        """Start them all; return when they serve. Raises Unavailable when they end, TimeoutError."""
        self.log.parent.mkdir(exist_ok=True, mode=0o700)
        (self._site / "run" / STATUS).unlink(missing_ok=True)  # of a supervisor that was killed
        with self.log.open("ab") as log:
            self.supervisor = await asyncio.create_subprocess_exec(
                *program_command(self._config),
                stdin=subprocess.DEVNULL,
                stderr=log,
                env={**self._environment, PARENT_VARIABLE: str(os.getpid())},  # killed, we leave nobody behind
                start_new_session=True,  # Ctrl-C is for the demo, which stops the programs in order
            )
        programs = self._settings.programs
        async with asyncio.timeout(START_SECONDS):
            while not all(self._is_ready(program) for program in programs):
                if self.supervisor.returncode is not None:
                    raise Unavailable(f"The gateway did not start. Its log says why: {self.log}")
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Stop them in order; nothing happens where none runs."""
        if self.supervisor is not None and self.supervisor.returncode is None:
            self.supervisor.terminate()
            await self.supervisor.wait()

    async def outlive_the_last(self) -> None:
        """Wait until the programs of a demo that was killed have ended, as they do by themselves."""
        async with asyncio.timeout(ENDING_SECONDS):
            while holder(self._site / "run", "supervisor") is not None:  # noqa: ASYNC110 - another process's state
                await asyncio.sleep(0.1)

    def process_of(self, program: str) -> int:
        """Return the process id of a program. Raises Unavailable when it does not run."""
        pid = read_status(self._settings.site.run).get(program, {}).get("pid")
        if not isinstance(pid, int):
            raise Unavailable(f"{program} is not running.")
        return pid

    async def serving(self, program: str) -> None:
        """Wait until a program that was killed serves again. Raises TimeoutError."""
        async with asyncio.timeout(START_SECONDS):
            while not await asyncio.to_thread(self._answers, program):  # noqa: ASYNC110 - another process's state
                await asyncio.sleep(0.1)

    @property
    def _settings(self) -> Settings:
        return load(self._config)

    def _is_ready(self, program: str) -> bool:
        found = read_status(self._settings.site.run).get(program, {})
        return found.get("ready") is True

    def _answers(self, program: str) -> bool:
        port = self._ports.starttls if program == "submission" else self._ports.portal
        with socket.socket() as probe:
            return self._is_ready(program) and probe.connect_ex((HOST, port)) == 0
