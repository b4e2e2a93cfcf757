"""Makes mails in a thread beside the event loop, several at a time, as handing over one costs half of making it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from gateway.domain.address import Address

Made = tuple[bytes, Address]
"""A mail, and the return path it goes by."""
Make = Callable[[], Made]

THREADS: Final = 1
"""A second one is no faster, and costs a tenth more: only an RSA signature goes without the interpreter."""
CHUNK: Final = 8


class Signing:
    """The thread, and what waits for it."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="signing")
        self._waiting: list[tuple[Make, asyncio.Future[Made]]] = []
        self._busy = 0

    async def made(self, make: Make) -> Made:
        """Return what `make` returns, in a thread. Raises what it raises."""
        future: asyncio.Future[Made] = asyncio.get_running_loop().create_future()
        self._waiting.append((make, future))
        if self._busy < THREADS:
            asyncio.get_running_loop().call_soon(self._begin)
        return await future

    def close(self) -> None:
        """End the thread."""
        self._pool.shutdown(wait=False)

    def _begin(self) -> None:
        while self._waiting and self._busy < THREADS:
            chunk, self._waiting = self._waiting[:CHUNK], self._waiting[CHUNK:]
            self._busy += 1
            running = asyncio.get_running_loop().run_in_executor(self._pool, _make_all, [make for make, _ in chunk])
            running.add_done_callback(partial(self._done, [future for _, future in chunk]))

    def _done(self, futures: Sequence[asyncio.Future[Made]], running: asyncio.Future[list[Made | Exception]]) -> None:
        self._busy -= 1
        for future, made in zip(futures, running.result(), strict=True):
            if future.done():
                continue
            if isinstance(made, Exception):
                future.set_exception(made)
            else:
                future.set_result(made)
        self._begin()


def _make_all(wanted: Sequence[Make]) -> list[Made | Exception]:
    return [_made(make) for make in wanted]


def _made(make: Make) -> Made | Exception:
    try:
        return make()
    except Exception as problem:  # noqa: BLE001 - it is the caller's
        return problem
