"""The pool: mails to verdicts through sandboxed children, in two ways, so that text never waits for pages.

A mail has a quick look first, without reading images. Where that leaves images unread, and the verdict open, a child of
the page pool looks at all of it. What a child does not answer in time and in our words is never clean: the first time
the peer is asked to come back, the second time the mail is unscreenable.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

from gateway import maillog
from gateway.domain.errors import ScreeningUnavailable
from gateway.domain.guard import NumbersKey
from gateway.domain.layout import Layouts
from gateway.domain.recognition import Recognition
from gateway.domain.verdict import Outcome, Unread, Unreadable, Verdict
from gateway.failpoints import failpoint
from gateway.screening import known
from gateway.screening.children import COMMAND, Child, Children
from gateway.screening.memory import FailureMemory
from gateway.screening.protocol import (
    MAIL,
    PAGES,
    Answer,
    BadAnswer,
    Locks,
    Orders,
    PageCount,
    Request,
    Role,
    Task,
    lacks_pages,
)
from gateway.screening.recognition.asking import read_fax
from gateway.screening.wanted import SealedNumbers, Wanted

T = TypeVar("T")

_IN_A_THREAD = 256 * 1024  # from so many octets on copying and hashing would be felt by the event loop
_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
_NEWS_SECONDS = 0.05  # the end of the template may be heard of after that of its child
_AGAIN = "This mail could not be looked into in time. Please try again later."


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many children look at once, in either pool; as many again wait in the text pool, one in the other."""

    text: int
    pages: int

    @classmethod
    def by_cores(cls, text: int = 0, pages: int = 0) -> Sizes:
        """Fill in what is 0 by the number of this machine's cores."""
        cores = len(os.sched_getaffinity(0))
        return cls(text or max(2, cores), pages or max(1, cores // 2))


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: a mail waits for a child, a child for processor time until its answer, a fax until it is its turn."""

    child: float = 20.0
    answer: float = 60.0
    reader: float = 600.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, and the seconds that children worked on it, without any wait for one."""

    verdict: Verdict
    seconds: float


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What holds the children, what they could do and should not, and the known documents in which nothing was seen."""

    locks: Locks
    reached: tuple[str, ...]
    missed: tuple[str, ...]


class Pool:
    """Judges mails. `start` before, `close` after; one event loop."""

    def __init__(
        self,
        orders: Orders | None = None,
        sizes: Sizes | None = None,
        patience: Patience | None = None,
        *,
        command: Sequence[str] = COMMAND,
    ) -> None:
        sizes = sizes or Sizes.by_cores()
        self._patience = patience or Patience()
        self._busy = {Role.TEXT: asyncio.Semaphore(sizes.text), Role.PAGES: asyncio.Semaphore(sizes.pages)}
        orders = orders or Orders()
        self._children = {
            Role.TEXT: Children(replace(orders, role=Role.TEXT), sizes.text, command),
            Role.PAGES: Children(replace(orders, role=Role.PAGES), 1, command),
        }
        self._memory = FailureMemory()
        self.sizes = sizes

    async def start(self, *, tested: bool = False) -> None:
        """Start the templates, and wait for that of the text pool; `tested` adds the self-test, and tells the log.

        Raises ScreeningUnavailable when the template does not come up, or the self-test fails.
        """
        self._children[Role.PAGES].start_soon()
        await self._children[Role.TEXT].start()
        if tested:
            found = await self.test()
            if found.missed or (found.reached and found.locks.seccomp):
                raise ScreeningUnavailable("Screening fails its self-test. Run: gateway doctor")
            maillog.screening_started(found.locks.landlock, found.locks.seccomp, self.sizes.text, self.sizes.pages)

    def start_soon(self, *, pages: bool = False) -> None:
        """Let children of the text pool be born while others go on, and with `pages` those that read images as well."""
        self._children[Role.TEXT].start_soon()
        if pages:
            self._children[Role.PAGES].start_soon()

    async def close(self) -> None:
        """End the templates and their children."""
        await asyncio.gather(*(children.close() for children in self._children.values()))

    def template(self, role: Role) -> int:
        """Return the process id of a pool's template, 0 while none runs."""
        return self._children[role].template

    @property
    def _restarts(self) -> tuple[tuple[bool, int], ...]:
        return tuple((children.is_down, children.restarts) for children in self._children.values())

    async def judge(self, octets: bytes, *, first: bool = False) -> Verdict:
        """Look into a mail and return the verdict; `first` ends at the first certain finding.

        Raises ScreeningUnavailable when no child was to be had, or one failed over this mail for the first time.
        """
        return (await self.look(octets, first=first)).verdict

    async def look(self, octets: bytes, *, first: bool = False, last: bool = False) -> Judgement:
        """As `judge`, with the time it took. `last`: nobody comes back, so that a failure makes it unscreenable now."""
        failures = await _off_loop(octets, self._memory.failures)
        if failures > 1:
            return Judgement(_not_in_time(), 0.0)
        restarts = self._restarts
        try:
            return await self._look(octets, first=first)
        except BadAnswer as problem:
            maillog.screening_failed(problem.reason)
            await asyncio.sleep(_NEWS_SECONDS)
            if self._restarts != restarts:  # it was not this mail's doing
                raise ScreeningUnavailable(_AGAIN) from None
            failures = await _off_loop(octets, self._memory.note)
        if last or failures > 1:
            return Judgement(_not_in_time(), self._patience.answer)
        raise ScreeningUnavailable(_AGAIN)

    async def count_pages(self, octets: bytes) -> int | None:
        """Return how many pages a PDF has, None where no child could tell. Raises ScreeningUnavailable without one."""
        try:
            async with self._child(Role.TEXT) as child:
                answer = await self._ask(child, Request(Task.COUNT, len(octets)), octets)
            return PageCount.decode(answer).pages
        except BadAnswer as problem:
            maillog.screening_failed(problem.reason)
            return None

    async def recognise(self, documents: Sequence[tuple[str, bytes]], layouts: Layouts) -> Recognition:
        """Say what the pages of one fax are taken for; `documents` are paths of its parts with their octets, in order.

        The pages of a long fax are read by several children, one after the other, each when its turn comes: this may
        take minutes. What no child could read is told as such. Raises ScreeningUnavailable when there are no children.
        """
        return await read_fax(self._ask_reader, documents, layouts)

    async def find_numbers(self, octets: bytes, message_id: str, to: NumbersKey) -> SealedNumbers:
        """Find the taxpayers' numbers of a mail, sealed where they are found; for a pool of `numbers.COMMAND`.

        Raises ScreeningUnavailable without children, BadAnswer where one failed over this mail.
        """
        asked = Wanted(message_id, to, octets).encode()
        found = await self._find_numbers(Role.TEXT, asked)
        return await self._find_numbers(Role.PAGES, asked) if found.lacks_pages else found

    async def _find_numbers(self, role: Role, asked: bytes) -> SealedNumbers:
        restarts = self._restarts
        try:
            async with self._child(role, self._patience.reader) as child:
                return SealedNumbers.decode(await self._ask(child, Request(Task.NUMBERS, len(asked)), asked))
        except BadAnswer:
            await asyncio.sleep(_NEWS_SECONDS)
            if self._restarts != restarts:  # it was not this mail's doing
                raise ScreeningUnavailable(_AGAIN) from None
            raise

    async def _ask_reader(self, octets: bytes) -> bytes:
        restarts = self._restarts
        try:
            async with self._child(Role.PAGES, self._patience.reader) as child:
                return await self._ask(child, Request(Task.RECOGNISE, len(octets)), octets)
        except BadAnswer:
            await asyncio.sleep(_NEWS_SECONDS)
            if self._restarts != restarts:  # it was not this fax's doing
                raise ScreeningUnavailable(_AGAIN) from None
            raise

    async def test(self, *, pages: bool = True) -> SelfTest:
        """Let a child look into each known document, and try what it must not. Raises ScreeningUnavailable."""
        missed: list[str] = []
        try:
            async with self._child(Role.TEXT) as child:
                reached = json.loads(await self._ask(child, Request(Task.PROBE, 0), b""))
                locks = child.locks
            for name in known.MAILS:
                role = Role.PAGES if name == known.PAGE else Role.TEXT
                if role is Role.PAGES and not pages:
                    continue
                answer = await self._answer(role, name.encode("ascii"), Task.CHECK, first=False)
                if answer.verdict.outcome is not Outcome.TAINTED:
                    missed.append(name)
        except (BadAnswer, ValueError):
            raise ScreeningUnavailable("Screening fails its self-test: a child does not answer.") from None
        return SelfTest(locks, tuple(map(str, reached)), tuple(missed))

    async def _look(self, octets: bytes, *, first: bool) -> Judgement:
        began = time.perf_counter()
        waited = [0.0]
        answer = await self._answer(Role.TEXT, octets, Task.SCREEN, first=first, waited=waited)
        verdict = answer.verdict
        if lacks_pages(verdict):
            others = tuple(one for one in verdict.unreadable if one.detail != PAGES)
            if first and (verdict.findings or others):
                verdict = replace(verdict, unreadable=others or verdict.unreadable)
            else:
                answer = await self._answer(Role.PAGES, octets, Task.SCREEN, first=first, waited=waited)
                verdict = answer.verdict
        if answer.fault:
            maillog.screening_fault(*answer.fault.split(" ", 1))
        return Judgement(verdict, time.perf_counter() - began - waited[0])

    async def _answer(
        self, role: Role, octets: bytes, task: Task, *, first: bool, waited: list[float] | None = None
    ) -> Answer:
        began = time.perf_counter()
        async with self._child(role) as child:
            if waited is not None:
                waited[0] += time.perf_counter() - began
            return Answer.decode(await self._ask(child, Request(task, len(octets), first), octets))

    @asynccontextmanager
    async def _child(self, role: Role, patience: float = 0.0) -> AsyncIterator[Child]:
        """Have a child for one task, and end it afterwards, however the task ends."""
        try:
            async with asyncio.timeout(patience or self._patience.child):
                await self._busy[role].acquire()
        except TimeoutError:
            raise ScreeningUnavailable("Too many mails wait to be screened. Please try again later.") from None
        try:
            children = self._children[role]
            child = await children.take(self._patience.child)
            try:
                yield child
            finally:
                children.end(child)
        finally:
            self._busy[role].release()

    async def _ask(self, child: Child, request: Request, octets: bytes) -> bytes:
        """Hand the mail over and wait for the answer. Raises BadAnswer when none comes in time."""
        file = await _off_loop(octets, sealed_file)
        try:
            failpoint("screening.ask")
            child.hand_over(request, file)
        finally:
            os.close(file)  # now, so that its memory is given back by the child: that would hold up the event loop
        try:
            async with asyncio.timeout(self._patience.answer):
                return await child.answer()
        except TimeoutError:
            raise BadAnswer("time") from None


def sealed_file(octets: bytes) -> int:
    """Return the descriptor of a memory file with these octets, which nobody can change any more."""
    file = os.memfd_create("mail", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    view = memoryview(octets)
    while view:
        view = view[os.write(file, view) :]
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, _SEALS)
    return file


def _not_in_time() -> Verdict:
    return Verdict(unreadable=(Unreadable(MAIL, Unread.OVER_LIMIT, "time"),))


async def _off_loop(octets: bytes, work: Callable[[bytes], T]) -> T:
    """Do what takes as long as the mail is long, in a thread where that would be felt."""
    return work(octets) if len(octets) < _IN_A_THREAD else await asyncio.to_thread(work, octets)
