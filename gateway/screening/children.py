"""The program's side of the template: starts it, keeps locked children waiting, and starts it again when it dies."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from gateway import maillog
from gateway.domain.errors import ScreeningUnavailable
from gateway.screening.protocol import FORK, MAX_ANSWER, READY, BadAnswer, Locks, Orders, Request

COMMAND = (sys.executable, "-m", "gateway.screening.template")

_FIRST_PAUSE, _LONGEST_PAUSE, _SETTLED = 0.1, 30.0, 60.0
_LOAD_SECONDS = 60.0
_BIRTHS = max(1, (os.cpu_count() or 1) // 2)  # at a time
_PASSED_ON = ("LANG", "LC_ALL", "TESSDATA_PREFIX", "COVERAGE_PROCESS_START")
_ONE_THREAD = ("OMP_THREAD_LIMIT", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_DOWN = "Mail cannot be screened now. Please try again later."


class Child:
    """A locked child that waits for its one mail: `ask` once. `has_heir`: another one is being born for it."""

    def __init__(self, connection: socket.socket, handle: int) -> None:
        self.connection = connection
        self.locks = Locks(0, seccomp=False)
        self.has_heir = False
        self._handle = handle

    async def ask(self, request: Request, file: int) -> bytes:
        """Hand over a request with its sealed file, and wait for the answer. Raises BadAnswer when the child dies."""
        self.hand_over(request, file)
        return await self.answer()

    def hand_over(self, request: Request, file: int) -> None:
        """Give the child its request with the sealed file, which it then has to itself. Raises BadAnswer."""
        try:
            socket.send_fds(self.connection, [request.encode()], [file])
        except OSError:
            raise BadAnswer("died") from None

    async def answer(self) -> bytes:
        """Wait for the answer. Raises BadAnswer when the child dies."""
        try:
            answer = await asyncio.get_running_loop().sock_recv(self.connection, MAX_ANSWER + 1)
        except OSError:
            raise BadAnswer("died") from None
        if not answer:
            raise BadAnswer("died")
        return answer

    def end(self) -> None:
        """End the child, whatever it does, and let go of it."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        os.close(self._handle)
        self.connection.close()


class Children:
    """Keeps `ahead` children of one template waiting. `restarts` counts how often the template was started again."""

    def __init__(self, orders: Orders, ahead: int, command: Sequence[str] = COMMAND) -> None:
        self._orders = orders.encode()
        self._ahead = ahead
        self._command = command
        self._waiting: asyncio.Queue[Child] = asyncio.Queue()
        self._unlocked: set[Child] = set()
        self._owed = 0  # children that are wanted and not asked for yet
        self._being_born = 0
        self._process: asyncio.subprocess.Process | None = None
        self._control: socket.socket | None = None
        self._gone = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self.restarts = 0

    async def start(self) -> None:
        """Start the template and ask for the first children. Raises ScreeningUnavailable when it does not come up."""
        await self._launch()
        self._keeper = asyncio.create_task(self._keep())

    def start_soon(self) -> None:
        """Start the template while others go on; `take` waits for it."""
        self._keeper = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """End the template and every child that waits."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        await self._clear()

    @property
    def template(self) -> int:
        """The template's process id, 0 while none runs."""
        return self._process.pid if self._process is not None else 0

    @property
    def is_down(self) -> bool:
        """True while no template serves."""
        return self._gone.is_set()

    async def take(self, patience: float) -> Child:
        """Take a waiting child, to be ended by `end`. Raises ScreeningUnavailable after `patience` seconds."""
        try:
            async with asyncio.timeout(patience):
                child = await self._waiting.get()
        except TimeoutError:
            raise ScreeningUnavailable(_DOWN) from None
        child.has_heir = self._waiting.empty()
        if child.has_heir:
            self._want()
        return child

    def end(self, child: Child) -> None:
        """End a child that was taken. Its successor is born now, and not while it worked, unless it was the last."""
        child.end()
        if not child.has_heir:
            self._want()

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE
        if self._control is None:
            with suppress(ScreeningUnavailable):
                await self._launch()
        while True:
            since = loop.time()
            await self._gone.wait()
            if loop.time() - since > _SETTLED:
                pause = _FIRST_PAUSE
            code = await self._clear()
            self.restarts += 1
            maillog.program_died("screening", code, self.restarts)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            with suppress(ScreeningUnavailable):
                await self._launch()

    async def _launch(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        self._gone.clear()
        self._control = ours
        loop = asyncio.get_running_loop()
        try:
            with theirs:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=theirs.fileno(),
                    stdout=asyncio.subprocess.DEVNULL,
                    env=_environment(),
                    start_new_session=True,  # Ctrl-C is for its program, which ends it
                )
            async with asyncio.timeout(_LOAD_SECONDS):
                await loop.sock_sendall(ours, self._orders)
                ready = await loop.sock_recv(ours, len(READY))
        except (OSError, TimeoutError):
            ready = b""
        if ready != READY:
            self._gone.set()
            raise ScreeningUnavailable("The screening template does not start. The log says why.")
        loop.add_reader(ours, self._take_in, ours)
        self._want(self._ahead)

    def _want(self, number: int = 1) -> None:
        """Have more children born, few at a time: the mails at work want the processors, too."""
        self._owed += number
        while self._owed and self._being_born < _BIRTHS and self._control is not None and not self._gone.is_set():
            self._owed -= 1
            self._being_born += 1
            with suppress(OSError):  # the template has died, and is soon noticed
                self._control.send(FORK)

    def _take_in(self, control: socket.socket) -> None:
        """One packet from the template: a child's connection and handle, or its own end."""
        try:
            packet, files, _, _ = socket.recv_fds(control, len(FORK), 2)
        except BlockingIOError:
            return
        except OSError:
            packet, files = b"", []
        if not packet or len(files) != 2:
            asyncio.get_running_loop().remove_reader(control)
            self._gone.set()
            return
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, files[0])
        connection.setblocking(False)
        child = Child(connection, files[1])
        self._unlocked.add(child)
        asyncio.get_running_loop().add_reader(connection, self._take_locked, child)

    def _take_locked(self, child: Child) -> None:
        """A child says that it is locked up: it may be given a mail."""
        asyncio.get_running_loop().remove_reader(child.connection)
        self._unlocked.discard(child)
        self._being_born -= 1
        try:
            child.locks = Locks.decode(child.connection.recv(MAX_ANSWER))
        except (OSError, BadAnswer):
            child.end()
            maillog.screening_failed("unlocked")
            asyncio.get_running_loop().call_later(_FIRST_PAUSE, self._want)
            return
        self._waiting.put_nowait(child)
        self._want(0)

    async def _clear(self) -> int:
        """End everything that runs, and return the template's exit code."""
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()
            self._control = None
        for child in self._unlocked:
            asyncio.get_running_loop().remove_reader(child.connection)
            child.end()
        self._unlocked.clear()
        self._owed = self._being_born = 0
        while not self._waiting.empty():
            self._waiting.get_nowait().end()
        process, self._process = self._process, None
        if process is None:
            return 0
        with suppress(ProcessLookupError):
            process.kill()
        return await process.wait()


def _environment() -> dict[str, str]:
    """Nothing of the program's own environment but language, and one thread for each library."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    here = str(Path(__file__).resolve().parents[2])
    single = dict.fromkeys((*_ONE_THREAD, "MALLOC_ARENA_MAX"), "1")  # a thread takes no address space for its own heap
    return {**kept, **single, "PYTHONPATH": here, "PYTHONDONTWRITEBYTECODE": "1"}
