"""The intake tray inside the keyholder: the months' keys, and what operators may have opened, filed and put back.

A key is made a month ahead of need. It is destroyed when its month has been over for a week and no message is sealed to
it any more: first its row is retired, then its private half deleted, so that a kill between the two is made good by the
next look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from gateway import maillog
from gateway.casework import administration, filing
from gateway.casework.act import OPERATOR, Actor
from gateway.casework.openings import OPENING, Wrap
from gateway.domain.clock import to_microseconds
from gateway.domain.errors import GatewayError
from gateway.domain.intake import month_of
from gateway.failpoints import failpoint
from gateway.frames import text
from gateway.keyholder.protocol import OpenGrant
from gateway.keyholder.rates import Rates
from gateway.store.authority import AuthorityKey
from gateway.store.database import Database
from gateway.store.intake import intake_sealing_key
from gateway.store.keystore import KeyStore
from gateway.store.sealing import body_key, summary_key
from gateway.store.sessions import LiveSession

Request = Mapping[str, Any]
Unwrap = Callable[[tuple[Wrap, ...]], Awaitable[list[bytes]]]
Sign = Callable[..., Awaitable[Any]]
T = TypeVar("T")

LOOK_SECONDS = 6 * 3600.0


class Intake:
    """What the keyholder does for the tray. `unwrap` and `sign` are its server's; `done` wakes what gives positions."""

    def __init__(
        self,
        database: Database,
        keystore: KeyStore,
        key: AuthorityKey,
        clock: Callable[[], datetime],
        unwrap: Unwrap,
        sign: Sign,
        done: Callable[[], None],
    ) -> None:
        self._database = database
        self._keystore = keystore
        self._key = key
        self._clock = clock
        self._unwrap = unwrap
        self._sign = sign
        self._done = done

    def answers(self) -> dict[str, Callable[[Request], Any]]:
        """Return what an operator may ask, by verb."""
        return {
            "intake_open": self._open,
            "intake_file": self._file,
            "intake_put_back": self._put_back,
            "intake_discard": self._discard,
        }

    async def file(self, known_as: str, case: str, session: LiveSession | None, rates: Rates | None) -> Request:
        """Move an item into a case, for an operator or a session; a repeat changes nothing and is told the same."""
        now_us = to_microseconds(self._clock())
        found = await self._database.read(filing.find_filing, self._key, known_as, case, session, now_us)
        if session is not None and rates is not None:
            rates.spend(session.id, session.person_id, OPENING, now_us)
        if isinstance(found, filing.Move):
            (content_key,) = await self._unwrap((found.wrap,))
            wrapped = found.to.wrap(content_key, found.wrap.message_id)
            by = OPERATOR if session is None else session.person_id
            failpoint("keyholder.file.before")
            found = await self._run(filing.enter_filing, self._key, by, known_as, case, found, wrapped)
            failpoint("keyholder.file.after")
        return {"reference": found.reference, "told": found.told, "repeated": found.repeated}

    async def keep_keys(self) -> None:
        """See that this month's and next month's keys are there, and spent ones gone, now and every few hours."""
        while True:
            now = self._clock()
            try:
                for day in (now, now.replace(day=28) + timedelta(days=4)):
                    await self._enact("add_intake_key", month=month_of(day))
                retired = await self._enact("retire_intake_keys")
                if spent := retired["retired"]:
                    await self._destroy(spent)
            except GatewayError as problem:
                maillog.incident("intake-keys", problem)
            await asyncio.sleep(LOOK_SECONDS)

    async def _destroy(self, spent: list[str]) -> None:
        """Delete the private halves of retired keys, of which most are gone already."""
        failpoint("keyholder.intake.retired")
        if gone := await asyncio.to_thread(self._keystore.remove, spent):
            maillog.intake_keys_destroyed(gone)

    async def _enact(self, verb: str, **arguments: str) -> Request:
        done: Request = await self._sign(administration.enact, Actor(), verb, arguments)
        return done

    async def _open(self, request: Request) -> Request:
        wrap = await self._database.read(filing.find_item, self._key, text(request, "item"))
        message_id = wrap.message_id
        await self._run(filing.enter_look, message_id)
        (content_key,) = await self._unwrap((wrap,))
        maillog.opened(1)
        return OpenGrant(message_id, summary_key(content_key, message_id), body_key(content_key, message_id)).to_frame()

    async def _file(self, request: Request) -> Request:
        return await self.file(text(request, "item"), text(request, "case"), None, None)

    async def _put_back(self, request: Request) -> Request:
        known_as = text(request, "item")
        month = month_of(self._clock())
        to = await self._database.read(lambda connection: intake_sealing_key(connection, self._key, month))
        move = await self._database.read(filing.find_filed, self._key, known_as, to)
        wrapped = b""
        if move is not None:
            (content_key,) = await self._unwrap((move.wrap,))
            wrapped = to.wrap(content_key, move.wrap.message_id)
        return {"done": await self._run(filing.enter_put_back, known_as, move, wrapped)}

    async def _discard(self, request: Request) -> Request:
        return {"done": await self._run(filing.discard, text(request, "item"))}

    async def _run(self, verb: Callable[..., T], *arguments: Any) -> T:
        """Run a verb that signs nothing, and have its entry positioned."""
        done = await self._database.run(verb, *arguments)
        self._done()
        return done
