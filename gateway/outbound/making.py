"""Notices become mails: rendered, made once more from their fields and compared, signed. Several at a time, beside the
event loop: handing one over costs half of making it, and a signature keeps a core busy for a quarter of a millisecond.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from gateway import maillog
from gateway.domain.programme import Programme
from gateway.outbound.dkim import Signer, sign
from gateway.outbound.notification import Draft, Renderer

Order = tuple[Draft, str]
"""What is to be made, and the key of its programme."""
Made = bytes | str
"""A mail, or the number of the incident that kept it from being made."""

AT_ONCE: Final = 16
_Waiting = tuple[Order, asyncio.Future[bytes]]


class NotMade(Exception):
    """One notification cannot be made; the log has the incident with that number."""

    def __init__(self, incident: str) -> None:
        super().__init__(incident)
        self.incident = incident


class Maker:
    """Makes mails: what needs the templates and the keys that sign."""

    def __init__(self, programmes: Mapping[str, Programme], renderer: Renderer, signers: Iterable[Signer]) -> None:
        self.programmes = programmes
        self._renderer = renderer
        self._signers = signers

    def make_all(self, orders: Sequence[Order]) -> list[Made]:
        """Return what became of each order."""
        return [self._made(*order) for order in orders]

    def _made(self, draft: Draft, programme: str) -> Made:
        try:
            return self._make(draft, self.programmes[programme])
        except Exception as problem:  # noqa: BLE001 - one that cannot be made must not stop the others
            return maillog.incident("notifier.make", problem)

    def _make(self, draft: Draft, programme: Programme) -> bytes:
        mail = self._renderer.render(draft, programme)
        self._renderer.verify(draft, programme, mail)
        return sign(self._renderer.signed(draft, mail), self._signers, draft.notice.at)


class Workshop(Protocol):
    """Where mails are made. It has `lots` under way at once."""

    lots: int

    async def make_all(self, orders: Sequence[Order]) -> Sequence[Made]:
        """Return what became of each order. Raises Unavailable."""
        ...

    def require_life(self) -> None:
        """Raise Unavailable where nothing is made any more."""
        ...

    async def close(self) -> None:
        """End it."""
        ...


class Thread:
    """A thread of this process."""

    lots = 1

    def __init__(self, maker: Maker) -> None:
        self._maker = maker
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="making")

    async def make_all(self, orders: Sequence[Order]) -> Sequence[Made]:
        """Make them beside the loop."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._maker.make_all, orders)

    def require_life(self) -> None:
        """It lives as long as the process."""

    async def close(self) -> None:
        """End the thread."""
        self._pool.shutdown(wait=False)


class Making:
    """Gathers what is to be made into lots for a workshop."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._waiting: list[_Waiting] = []
        self._lots: set[asyncio.Future[None]] = set()

    async def made(self, draft: Draft, programme: str) -> bytes:
        """Return the mail of a draft for a programme. Raises NotMade, Unavailable."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bytes] = loop.create_future()
        self._waiting.append(((draft, programme), future))
        if len(self._waiting) == 1:
            loop.call_soon(self._begin)
        return await future

    def require_life(self) -> None:
        """Raise Unavailable where nothing is made any more."""
        self._workshop.require_life()

    async def close(self) -> None:
        """End the workshop."""
        await self._workshop.close()

    def _begin(self) -> None:
        while self._waiting and len(self._lots) < self._workshop.lots:
            taken, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            lot = asyncio.ensure_future(self._make(taken))
            self._lots.add(lot)
            lot.add_done_callback(self._over)

    def _over(self, lot: asyncio.Future[None]) -> None:
        self._lots.discard(lot)
        self._begin()

    async def _make(self, taken: Sequence[_Waiting]) -> None:
        futures = [future for _, future in taken]
        try:
            made = await self._workshop.make_all([order for order, _ in taken])
        except Exception as problem:  # noqa: BLE001 - it is theirs who wait
            _settle(futures, [problem] * len(futures))
        else:
            _settle(futures, [NotMade(one) if isinstance(one, str) else one for one in made])


def _settle(futures: Iterable[asyncio.Future[bytes]], results: Iterable[bytes | Exception]) -> None:
    for future, result in zip(futures, results, strict=True):
        if future.done():
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
