"""Calls of the writer: a verb on its way to it, who waits for the outcome, and how those are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gateway.store.transaction import Transaction


@dataclass(slots=True, eq=False)
class Call:
    """A verb and who waits for it: in a thread by `future`, in an event loop by `waiter`.

    `prepare` makes the verb, and `settle`, which makes durable what its rows will name when all of a group are
    prepared. Neither may hold the call: a circle would keep the whole message until the next look for garbage. The
    waiters of a group are woken together.
    """

    verb: Callable[[Transaction], Any]
    future: Future[Any] | None = None
    waiter: asyncio.Future[Any] | None = None
    value: Any = None
    problem: BaseException | None = None
    prepare: Callable[[], tuple[Callable[[Transaction], Any], Callable[[], None] | None]] | None = None
    settle: Callable[[], None] | None = None
    is_prepared: bool = False

    def claim(self) -> bool:
        """Take the call up; False where who waits in a thread has cancelled it, which from now on nobody can."""
        return self.future is None or self.future.set_running_or_notify_cancel()

    def finish(self) -> None:
        """Tell who waits in a thread of the value."""
        if self.future is not None:
            self.future.set_result(self.value)


def fail(call: Call, problem: BaseException) -> None:
    """End a call that is not over with this error."""
    if call.problem is None:
        call.problem = problem
        if call.future is not None and not call.future.done():
            call.future.set_exception(problem)
        wake([call])


def wake(calls: Iterable[Call]) -> None:
    """Tell the event loops in which calls are awaited that these are over."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Call]] = {}
    for call in calls:
        if call.waiter is not None:
            by_loop.setdefault(call.waiter.get_loop(), []).append(call)
    for loop, over in by_loop.items():
        with suppress(RuntimeError):  # the loop has ended: nobody waits
            loop.call_soon_threadsafe(_tell, over)


def _tell(calls: Iterable[Call]) -> None:
    for call in calls:
        if call.waiter is None or call.waiter.done():
            continue
        if call.problem is None:
            call.waiter.set_result(call.value)
        else:
            call.waiter.set_exception(call.problem)
