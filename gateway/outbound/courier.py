"""Carries notifications to where their addresses say, and tells of each what became of it.

How a place is found and what TLS it must come to is the way's affair (`relay`, `direct`); here mails take turns, and
conversations are kept for a short time. On any error one is dropped, never repaired. What went wrong before a host
spoke about the recipient (no connection, no TLS, a greeting or a sender refused) only delays; a 5yz for the recipient
or the data is final. A mail whose final dot was not answered is in doubt, and never sent again by the same attempt.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from gateway.clock import system_clock
from gateway.domain.address import Address
from gateway.domain.clock import Clock
from gateway.domain.delivery import Delivery, DeliveryState
from gateway.outbound.backoff import Schedule
from gateway.outbound.conversation import SHUTTING_DOWN, Conversation, Hurdle, NoWay
from gateway.outbound.destination import Bearing, Destination

QUEUE_SECONDS: Final = 60.0
MOST_PLACES: Final = 10_000
NO_ANSWER: Final = Delivery(DeliveryState.DELAYED, text="the host did not answer in time")


class Way(Protocol):
    """Where mail goes. `seconds` are those for the commands before a mail."""

    bears: Bearing
    seconds: float

    def place(self, to: Address) -> str:
        """Return the place that an address's mail goes to."""
        ...

    async def open(self, place: str) -> Conversation:
        """Open a conversation. Raises Hurdle, NoWay."""
        ...


@dataclass(frozen=True, slots=True)
class AllowList:
    """Addresses and domains that mail may go to outside production; everything else is refused."""

    entries: frozenset[str]

    @classmethod
    def of(cls, entries: Iterable[str]) -> AllowList:
        """Make a list of `name@domain` and `@domain` entries, any letter case."""
        return cls(frozenset(entry.strip().lower() for entry in entries))

    def permits(self, address: Address) -> bool:
        """Tell whether the address or its whole domain is listed."""
        return address.key in self.entries or f"@{address.domain}" in self.entries


class Courier:
    """Delivers notifications by one way."""

    def __init__(
        self,
        way: Way,
        allow_list: AllowList | None,
        *,
        clock: Clock = system_clock,
        schedule: Schedule | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`allow_list` is None in production only. `schedule` is for places that cannot be spoken to."""
        self._way = way
        self._allow_list = allow_list
        self._clock = clock
        self._schedule = schedule or Schedule()
        self._jitter = jitter
        self._places: dict[str, Destination] = {}

    def admit(self, to: Address) -> timedelta | None:
        """Take a mail under way, and return None; or say how long it must wait for its turn.

        What was admitted must be given back by `release`.
        """
        destination = self._at(to)
        pause = destination.pause(self._clock())
        if pause is None:
            destination.under_way += 1
        return pause

    def release(self, to: Address) -> None:
        """A mail that was admitted is under way no more."""
        self._at(to).under_way -= 1

    def last(self, to: Address) -> Delivery:
        """Return what stood in the way of the place that an address's mail goes to."""
        return self._at(to).last or NO_ANSWER

    async def deliver(self, mail: bytes, to: Address, return_path: Address | None) -> Delivery:
        """Hand over one signed mail (CRLF line ends) for one recipient and tell what became of it. Never raises for
        what a remote host or the network does. `return_path` is the envelope sender, None where nobody is to be told
        of what becomes of it (RFC 5321 section 4.5.5).
        """
        if self._allow_list is not None and not self._allow_list.permits(to):
            return Delivery(DeliveryState.FAILED, text="not on the allow-list of this environment")
        destination = self._at(to)
        if destination.slots.locked():
            try:
                async with asyncio.timeout(QUEUE_SECONDS):
                    await destination.slots.acquire()
            except TimeoutError:
                return Delivery(DeliveryState.DELAYED, text="the host is busy with other mail of ours")
        else:
            await destination.slots.acquire()
        try:
            return await self._carry(destination, mail, to, "" if return_path is None else str(return_path))
        finally:
            destination.slots.release()

    async def close(self) -> None:
        """End the conversations that are kept."""
        await asyncio.gather(*(destination.close() for destination in self._places.values()))

    async def _carry(self, destination: Destination, mail: bytes, to: Address, sender: str) -> Delivery:
        begun = time.monotonic()
        try:
            delivery = await self._converse(destination, mail, to, sender)
        except NoWay as end:
            return end.delivery
        except (Hurdle, TimeoutError) as problem:
            met = problem.delivery if isinstance(problem, Hurdle) else NO_ANSWER
            destination.failed(met, self._clock())
            return met
        if delivery.code == SHUTTING_DOWN:
            destination.failed(delivery, self._clock())
        else:
            destination.went(time.monotonic() - begun)
        return delivery

    async def _converse(self, destination: Destination, mail: bytes, to: Address, sender: str) -> Delivery:
        """Hand over by a conversation that was kept, where the host still honours it, else by a new one."""
        while (kept := destination.take()) is not None:
            try:
                return await self._hand_over(kept, destination, mail, to, sender)
            except (Hurdle, TimeoutError):
                if kept.is_in_doubt:
                    raise
        opened = await self._way.open(self._way.place(to))
        return await self._hand_over(opened, destination, mail, to, sender)

    async def _hand_over(
        self, conversation: Conversation, destination: Destination, mail: bytes, to: Address, sender: str
    ) -> Delivery:
        try:
            delivery = await conversation.hand_over(mail, sender, to, self._way.seconds)
        except BaseException:
            conversation.drop()
            raise
        destination.keep(conversation)
        return delivery

    def _at(self, to: Address) -> Destination:
        place = self._way.place(to)
        known = self._places.get(place)
        if known is None:
            if len(self._places) >= MOST_PLACES:
                self._places = {name: one for name, one in self._places.items() if not one.is_idle}
            known = self._places[place] = Destination(self._way.bears, self._schedule, self._jitter)
        return known
