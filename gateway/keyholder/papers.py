"""Papers inside the keyholder: sealed fields for whoever enrols, the search for a value, documents that show a paper.

Asked by a local operator, or under a live session with that role. Each look is entered before its answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from gateway import maillog
from gateway.casework import filing, looking
from gateway.casework.act import Actor
from gateway.casework.openings import OPENING, Wrap
from gateway.domain.clock import to_microseconds
from gateway.domain.errors import Malformed, NotAllowed
from gateway.domain.intake import month_of
from gateway.domain.paper import searchable
from gateway.domain.programme import Programme
from gateway.domain.rights import Thing, Verb
from gateway.domain.session import session_id
from gateway.failpoints import failpoint
from gateway.frames import decode, text
from gateway.keyholder.protocol import OpenGrant
from gateway.keyholder.rates import Rates
from gateway.store.authority import AuthorityKey
from gateway.store.database import Database
from gateway.store.intake import intake_sealing_key
from gateway.store.sealing import body_key, open_box, summary_key

Request = Mapping[str, Any]
Unwrap = Callable[[tuple[Wrap, ...]], Awaitable[list[bytes]]]
MIN_SEARCH = 4


class Papers:
    """What the keyholder does for enrolment beside its verbs. `asks` tells who makes a request, and raises."""

    def __init__(
        self,
        database: Database,
        key: AuthorityKey,
        clock: Callable[[], datetime],
        unwrap: Unwrap,
        blind: Callable[[str, str], str],
        programmes: Mapping[str, Programme],
        done: Callable[[], None],
        rates: Rates,
    ) -> None:
        self._database = database
        self._key = key
        self._clock = clock
        self._unwrap = unwrap
        self._blind = blind
        self._programmes = programmes
        self._done = done
        self._rates = rates

    def answers(self, asks: Callable[[Request], Awaitable[Actor]]) -> dict[str, Callable[[Request], Any]]:
        """Return what may be asked, by verb."""
        return {
            "paper_open": lambda request: self._answer(asks, request, self._open),
            "paper_find": lambda request: self._answer(asks, request, self._find),
            "paper_link": lambda request: self._answer(asks, request, self._link),
            "paper_look": lambda request: self._answer(asks, request, self._look),
            "paper_unlink": lambda request: self._answer(asks, request, self._unlink),
        }

    async def _answer(
        self,
        asks: Callable[[Request], Awaitable[Actor]],
        request: Request,
        answer: Callable[[Actor, Request], Awaitable[Request]],
    ) -> Request:
        given = await answer(await asks(request), request)
        self._done()
        return given

    async def _open(self, actor: Actor, request: Request) -> Request:
        paper = await self._paper(actor, text(request, "paper"))
        self._spend(actor, request)
        await self._database.run(looking.enter_look, actor.name, paper)
        keys = await self._unwrap(tuple(wrap for _, wrap, _ in paper.sealed))
        maillog.opened(len(keys))
        fields = {
            name: open_box(key, box, f"form field {wrap.message_id}").decode()
            for (name, wrap, box), key in zip(paper.sealed, keys, strict=True)
        }
        return {"form": paper.form_id, "fields": fields}

    async def _find(self, actor: Actor, request: Request) -> Request:
        wanted = searchable(text(request, "value"))
        if len(wanted) < MIN_SEARCH:
            raise Malformed(f"A search needs {MIN_SEARCH} letters and digits at least.")
        now_us = to_microseconds(self._clock())
        mine = [key for key in self._programmes if actor.may(Verb.ENROL, Thing(key), now_us)]
        if not mine:
            raise NotAllowed("This is not yours to do.")
        blind = await asyncio.to_thread(lambda: {key: self._blind(key, wanted) for key in mine})
        found = await self._database.read(looking.find_blind, blind)
        await self._database.run(looking.enter_search, actor.name, found)
        return {"agreements": found}

    async def _link(self, actor: Actor, request: Request) -> Request:
        paper, item = await self._paper(actor, text(request, "paper")), text(request, "item")
        await self._document(actor, item)
        move = await self._database.read(filing.find_linking, self._key, item, paper.to)
        (content_key,) = await self._unwrap((move.wrap,))
        wrapped = move.to.wrap(content_key, move.wrap.message_id)
        failpoint("keyholder.link")
        await self._database.run(filing.enter_linking, actor.name, item, paper.form_id, move, wrapped)
        return {"form": paper.form_id, "message": move.wrap.message_id}

    async def _look(self, actor: Actor, request: Request) -> Request:
        """Give the keys of a document: one that waits in the tray, or one that shows a paper."""
        document = await self._document(actor, text(request, "item"))
        self._spend(actor, request)
        await self._database.run(looking.enter_document, actor.name, document)
        (content_key,) = await self._unwrap((document.wrap,))
        maillog.opened(1)
        one = document.wrap.message_id
        return OpenGrant(one, summary_key(content_key, one), body_key(content_key, one)).to_frame()

    async def _unlink(self, actor: Actor, request: Request) -> Request:
        """Take a document from one paper; it goes back into the tray where it shows no other."""
        document = await self._document(actor, text(request, "item"), str(request.get("paper", "")))
        if document.form_id is None:
            raise Malformed("It is linked to no paper.")
        month, form_id = month_of(self._clock()), document.form_id
        to = await self._database.read(lambda connection: intake_sealing_key(connection, self._key, month))
        move = await self._database.read(filing.find_place_taken, self._key, document.row, form_id, to)
        wrapped = b""
        if move is not None:
            (content_key,) = await self._unwrap((move.wrap,))
            wrapped = to.wrap(content_key, move.wrap.message_id)
        await self._database.run(filing.enter_place_taken, actor.name, document.row, form_id, move, wrapped)
        return {"done": True}

    def _spend(self, actor: Actor, request: Request) -> None:
        """Count an opening at the rate of a session; an operator has none. Raises RateExceeded."""
        if actor.person_id is not None:
            token = decode(request.get("token"))
            self._rates.spend(session_id(token), actor.person_id, OPENING, to_microseconds(self._clock()))

    async def _document(self, actor: Actor, known_as: str, paper: str = "") -> looking.Document:
        now_us = to_microseconds(self._clock())
        return await self._database.read(looking.find_document, self._key, actor, known_as, now_us, paper)

    async def _paper(self, actor: Actor, known_as: str) -> looking.Paper:
        now_us = to_microseconds(self._clock())
        return await self._database.read(looking.find_paper, self._key, actor, known_as, now_us)
