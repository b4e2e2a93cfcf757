"""The intake desk inside the keyholder: summaries of what waits, for whoever works the tray, and an act undone.

Asked by a local operator, or under a live session with that right. A list is entered before its answer, and counts at
the rate of its session.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from gateway import maillog
from gateway.casework import filing, handling
from gateway.casework.act import Actor
from gateway.casework.handling import Done, LastAct
from gateway.casework.openings import Wrap
from gateway.domain.clock import to_microseconds
from gateway.domain.errors import Malformed, NotAllowed
from gateway.domain.intake import month_of
from gateway.domain.rights import Thing, Verb
from gateway.domain.session import session_id
from gateway.failpoints import failpoint
from gateway.frames import decode, text
from gateway.keyholder.protocol import MAX_LIST, SummaryGrant
from gateway.keyholder.rates import Rates
from gateway.store.authority import AuthorityKey
from gateway.store.database import Database
from gateway.store.intake import intake_sealing_key
from gateway.store.sealing import summary_key
from gateway.store.transaction import Transaction

Request = Mapping[str, Any]
Unwrap = Callable[[tuple[Wrap, ...]], Awaitable[list[bytes]]]


class TrayDesk:
    """What the keyholder does for clerks of the tray beside its verbs; `done` wakes what gives positions."""

    def __init__(
        self,
        database: Database,
        key: AuthorityKey,
        clock: Callable[[], datetime],
        unwrap: Unwrap,
        done: Callable[[], None],
        rates: Rates,
    ) -> None:
        self._database = database
        self._key = key
        self._clock = clock
        self._unwrap = unwrap
        self._done = done
        self._rates = rates

    def answers(self, asks: Callable[[Request], Awaitable[Actor]]) -> dict[str, Callable[[Request], Any]]:
        """Return what may be asked, by verb."""
        return {
            "intake_list": lambda request: self._answer(asks, request, self._list),
            "intake_undo": lambda request: self._answer(asks, request, self._undo),
        }

    async def _answer(
        self,
        asks: Callable[[Request], Awaitable[Actor]],
        request: Request,
        answer: Callable[[Actor, Request], Awaitable[Request]],
    ) -> Request:
        actor = await asks(request)
        if not actor.may(Verb.WORK_TRAY, Thing(actor.programme), self._now_us()):
            raise NotAllowed("This is not yours to do.")
        given = await answer(actor, request)
        self._done()
        return given

    async def _list(self, actor: Actor, request: Request) -> Request:
        """Give the keys of summaries of items that the actor may work on; of the rest nothing is said."""
        ids = request.get("messages")
        if not isinstance(ids, list) or not 1 <= len(ids) <= MAX_LIST or not all(isinstance(one, str) for one in ids):
            raise Malformed(f"A list has 1 to {MAX_LIST} entries.")
        wraps = await self._database.read(filing.find_items, self._key, ids, actor, self._now_us())
        if actor.person_id is not None:
            session = session_id(decode(request.get("token")))
            self._rates.spend(session, actor.person_id, max(1, len(wraps)), self._now_us())
        await self._database.run(filing.enter_listing, wraps, actor.name)
        keys = await self._unwrap(wraps)
        maillog.listed(len(keys))
        grants = [
            SummaryGrant(one.message_id, summary_key(key, one.message_id)) for one, key in zip(wraps, keys, strict=True)
        ]
        return {"grants": [grant.to_frame() for grant in grants]}

    async def _undo(self, actor: Actor, request: Request) -> Request:
        """Take back the latest act on an item: it goes back to where it was."""
        last = await self._database.read(handling.find_last, actor, text(request, "item"), self._now_us())
        move, wrapped = None, b""
        if last.kind in {Done.FILED, Done.LINKED}:
            month, form_id = month_of(self._clock()), filing.form_of_act(last)
            to = await self._database.read(lambda connection: intake_sealing_key(connection, self._key, month))
            move = await self._database.read(filing.find_place_taken, self._key, last.item, form_id, to)
            if move is not None:
                (content_key,) = await self._unwrap((move.wrap,))
                wrapped = to.wrap(content_key, move.wrap.message_id)
        failpoint("keyholder.undo")
        await self._database.run(_undo, actor, last, move, wrapped)
        return {"item": last.item.reference, "act": last.kind.value}

    def _now_us(self) -> int:
        return to_microseconds(self._clock())


def _undo(tx: Transaction, actor: Actor, last: LastAct, move: filing.Move | None, wrapped: bytes) -> None:
    handling.enter_undo(tx, actor, last)
    if last.kind in {Done.FILED, Done.LINKED}:
        filing.enter_place_taken(tx, actor.name, last.item, filing.form_of_act(last), move, wrapped)
