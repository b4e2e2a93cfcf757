"""Starts, watches and stops the programs on one machine.

Does: starts each program by exec, the back ones first, and waits for each one's sign that it serves; starts one again
    that dies, after a growing pause; stops them in the opposite order, with a grace, then by force.
Trusts: the programs' exit codes and ready signs.
Holds: nothing: no key, no socket of a program, no database.
Fails: killed itself, it leaves nobody behind: the system ends each child with its parent. A program that cannot start
    at all ends the whole start, and its own complaint says why.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway import maillog
from gateway.domain.errors import Unavailable
from gateway.process import PARENT_VARIABLE, READY_VARIABLE, ProgramLock, tell_systemd

STAGES: tuple[tuple[str, ...], ...] = (
    ("keyholder", "authenticator"),
    ("submission", "mx", "fax", "guard", "notifier", "portal"),
)
"""What is started together, in this order, and stopped in the opposite one."""

STATUS = "supervisor.json"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the supervisor waits, in seconds."""

    ready: float = 60.0
    grace: float = 15.0
    first_pause: float = 0.5
    longest_pause: float = 30.0
    settled: float = 60.0


@dataclass(slots=True)
class _Child:
    name: str
    process: asyncio.subprocess.Process | None = None
    restarts: int = 0
    ready: bool = False


class StartFailed(Unavailable):
    """A program ended before it served. `code` is its exit code."""

    def __init__(self, name: str, code: int) -> None:
        super().__init__(f"{name} did not start (exit code {code}). Its own message above says why.")
        self.code = code


class Supervisor:
    """Runs programs as child processes of this one. `command` is what starts one, its name to be appended."""

    def __init__(
        self,
        run: Path,
        command: Sequence[str],
        *,
        environment: str,
        stages: Iterable[Iterable[str]] = STAGES,
        patience: Patience | None = None,
    ) -> None:
        self._run = run
        self._command = tuple(command)
        self._environment = environment
        self._patience = patience or Patience()
        self._stages = [[_Child(name) for name in stage] for stage in stages]
        self._stop = asyncio.Event()

    async def serve(self) -> None:
        """Start all programs and watch them until `stop`. Raises Overloaded when another supervisor is there, and
        StartFailed, with everything stopped again, when a program does not come up.
        """
        lock = await asyncio.to_thread(ProgramLock, self._run, "supervisor")
        watchers: list[asyncio.Task[None]] = []
        try:
            for stage in self._stages:
                await self._start_stage(stage)
                watchers += [asyncio.create_task(self._watch(child)) for child in stage]
                if self._stop.is_set():
                    return
            tell_systemd("READY=1")
            maillog.program_started(self._environment, len(watchers))
            await self._stop.wait()
        finally:
            self._stop.set()
            tell_systemd("STOPPING=1")
            await asyncio.shield(self._stop_all(watchers))
            (self._run / STATUS).unlink(missing_ok=True)
            lock.release()

    def stop(self) -> None:
        """Ask `serve` to stop every program and return."""
        self._stop.set()

    def renew(self) -> None:
        """Tell every program that runs to read its certificates anew."""
        for child in (child for stage in self._stages for child in stage):
            if child.ready and child.process is not None and child.process.returncode is None:
                _send(child.process, signal.SIGHUP)

    async def _start_stage(self, stage: list[_Child]) -> None:
        starts = [asyncio.create_task(self._start(child)) for child in stage]
        stopped = asyncio.create_task(self._stop.wait())
        everyone: asyncio.Future[Any] = asyncio.gather(*starts)
        try:
            await asyncio.wait({everyone, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if everyone.done():
                everyone.result()
        finally:
            for task in (everyone, *starts, stopped):
                task.cancel()
            await asyncio.gather(everyone, *starts, stopped, return_exceptions=True)

    async def _start(self, child: _Child) -> None:
        readable, writable = os.pipe()
        environment = {**os.environ, READY_VARIABLE: str(writable), PARENT_VARIABLE: str(os.getpid())}
        environment.pop("NOTIFY_SOCKET", None)
        child.ready = False
        try:
            child.process = await asyncio.create_subprocess_exec(
                *self._command,
                child.name,
                env=environment,
                pass_fds=(writable,),
                stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C stops us, and we stop them in order
            )
        except BaseException:
            os.close(readable)
            raise
        finally:
            os.close(writable)
        self._write_status()
        if not await _says_ready(readable, self._patience.ready):
            code = await self._end(child)
            raise StartFailed(child.name, code)
        child.ready = True
        self._write_status()

    async def _watch(self, child: _Child) -> None:
        pause = self._patience.first_pause
        while not self._stop.is_set():
            since = time.monotonic()
            if child.process is not None:
                await child.process.wait()
            if self._stop.is_set():
                return
            if time.monotonic() - since > self._patience.settled:
                pause = self._patience.first_pause
            maillog.program_died(child.name, _code(child), child.restarts)
            await self._sleep(pause)
            pause = min(pause * 2, self._patience.longest_pause)
            child.restarts += 1
            if not self._stop.is_set():
                with suppress(StartFailed):  # its next end is noticed above like any other
                    await self._start(child)

    async def _stop_all(self, watchers: list[asyncio.Task[None]]) -> None:
        for task in watchers:
            task.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
        for stage in reversed(self._stages):
            await asyncio.gather(*(self._end(child) for child in stage))

    async def _end(self, child: _Child) -> int:
        process = child.process
        if process is None:
            return 0
        child.ready = False
        if process.returncode is None:
            _send(process, signal.SIGTERM)
            try:
                async with asyncio.timeout(self._patience.grace):
                    await process.wait()
            except TimeoutError:
                _send(process, signal.SIGKILL)
                await process.wait()
        return _code(child)

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()

    def _write_status(self) -> None:
        programs = {
            child.name: {
                "pid": child.process.pid if child.process else None,
                "ready": child.ready,
                "restarts": child.restarts,
            }
            for stage in self._stages
            for child in stage
        }
        path = self._run / STATUS
        path.with_suffix(".new").write_text(json.dumps(programs), "ascii")
        path.with_suffix(".new").rename(path)


def stages_of(programs: Iterable[str]) -> list[list[str]]:
    """Return the stages with these programs alone."""
    wanted = frozenset(programs)
    return [[name for name in stage if name in wanted] for stage in STAGES]


def read_status(run: Path) -> Mapping[str, Mapping[str, Any]]:
    """Return what the supervisor last wrote of each program; empty when none has run."""
    try:
        found = json.loads((run / STATUS).read_text("ascii"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def program_command(config: Path) -> tuple[str, ...]:
    """Return the command that starts one program of this configuration; the program's name is to be appended."""
    return (sys.executable, "-m", "gateway", "run", "--config", str(config))


async def _says_ready(descriptor: int, seconds: float) -> bool:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        async with asyncio.timeout(seconds):
            await readable.wait()
        return os.read(descriptor, 64).startswith(b"READY=1")
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _send(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Signal a child. The process object's own way polls it first, which would take its exit code from who waits."""
    with suppress(ProcessLookupError):
        os.kill(process.pid, number)


def _code(child: _Child) -> int:
    return child.process.returncode or 0 if child.process else 0
