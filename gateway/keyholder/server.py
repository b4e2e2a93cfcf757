"""The keyholder: the program that opens.

What it does: for a live session that may, it enters the act in the record and gives the key to what was asked, and
nothing more; it signs rows that give power, for a local operator or a live session that may; it gives leaves their
positions. What it trusts: the authenticator's signature under a sign-in, its own under rows, the kernel's word who a
local operator is. What it holds: the vault key, the private keys of cases, the authority key. How it fails: it is
away, and nothing is opened; a deposit never waits for it. A row that is not genuine gives nothing and raises an alarm.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from gateway import maillog
from gateway.casework import administration, openings, proofs, sessions
from gateway.casework.act import Actor
from gateway.casework.openings import OPENING, Wrap
from gateway.clock import system_clock
from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.errors import KeyholderUnavailable, Malformed, NotAllowed, RateExceeded, Tampered
from gateway.domain.programme import Programme
from gateway.domain.proof import Binding, Ending, Linking
from gateway.domain.rights import Side
from gateway.domain.session import SessionStatement
from gateway.failpoints import failpoint
from gateway.frames import PEER_UID, decode, listen, text
from gateway.keyholder.authority import Authority
from gateway.keyholder.guard import GuardDesk
from gateway.keyholder.intake import Intake
from gateway.keyholder.keys import KeyholderKeys
from gateway.keyholder.papers import Papers
from gateway.keyholder.positions import keep_positions
from gateway.keyholder.protocol import MAX_LIST, OpenGrant, SummaryGrant
from gateway.keyholder.rates import Rates
from gateway.keyholder.tray import TrayDesk
from gateway.keyholder.unsealing import PrivateKey
from gateway.store.authority import WatchfulKey
from gateway.store.database import Database
from gateway.store.keystore import KeyStore
from gateway.store.places import employee_or_user
from gateway.store.sealing import body_key, part_key, summary_key
from gateway.store.sessions import LiveSession, live_session
from gateway.store.terms import has_agreed
from gateway.store.transaction import Transaction

P = ParamSpec("P")
T = TypeVar("T")
Request = Mapping[str, Any]

THREADS = 2
TEXT_PART = "1"
_FRESH = ("add_absence", "add_credential", "add_recipient_key")
"""Verbs that somebody does for themselves only when they have just signed in: each gives power that outlasts it."""
_PART = re.compile(r"[0-9A-Za-z.]{1,64}\Z")


class KeyholderServer:
    """The keyholder's sockets and what answers on them. `ready` is set when all can be asked.

    `operators` are uids, beside root and the keyholder's own user, that the operator socket answers; `programmes` say
    which paper gives which right; on `guard_socket` the program guard is answered, and nobody where there is none.
    The caller opens and closes the two stores.
    """

    def __init__(
        self,
        database: Database,
        keystore: KeyStore,
        keys: KeyholderKeys,
        *,
        socket: Path,
        operator_socket: Path,
        operators: Iterable[int] = (),
        programmes: Mapping[str, Programme] | None = None,
        rates: Rates | None = None,
        guard_socket: Path | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self.ready = asyncio.Event()
        self._database = database
        self._keystore = keystore
        self._keys = keys
        self._key = WatchfulKey(keys.authority.public_key(), keystore.floors)
        self._socket = socket
        self._operator_socket = operator_socket
        self._guard_socket = guard_socket
        self._operators = frozenset({0, os.geteuid(), *operators})
        self._programmes = programmes or {}
        self._clock = clock
        self._rates = rates or Rates()
        self._woken = asyncio.Event()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="unwrap")
        self._intake = Intake(database, keystore, self._key, clock, self._unwrap, self._sign, self._woken.set)
        blind = Authority(keys, keystore, self._key).blind
        self._papers = Papers(
            database, self._key, clock, self._unwrap, blind, self._programmes, self._woken.set, self._rates
        )
        self._tray = TrayDesk(database, self._key, clock, self._unwrap, self._woken.set, self._rates)
        guard = GuardDesk(database, self._key, clock, self._unwrap, blind, keys.suite, self._woken.set)
        self._guard = {"hello": self._hello, **guard.answers()}

    async def run(self, stop: asyncio.Event) -> None:
        """Answer until `stop`. Raises ConfigError when a socket cannot be made, StoreUnavailable at the start."""
        await self._database.read(self._rates.recall, self._now_us())
        tasks = [
            asyncio.create_task(keep_positions(self._database, self._woken, stop)),
            asyncio.create_task(self._intake.keep_keys()),
        ]
        away, own = KeyholderUnavailable, self._guard_socket
        guards = nullcontext() if own is None else listen(own, self._answer_guard, away=away)
        try:
            async with (
                listen(self._socket, self._answer, away=away),
                listen(self._operator_socket, self._answer_operator, away=away, users=self._operators),
                guards,
            ):
                self.ready.set()
                await stop.wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _answer(self, verb: str, request: Request) -> Request:
        answers: dict[str, Callable[[Request], Any]] = {
            "hello": self._hello,
            "admit": self._admit,
            "touch": self._touch,
            "end_session": self._end_session,
            "bind": self._bind,
            "link": self._link,
            "end_stated": self._end_stated,
            "list": self._list,
            "open": self._open,
            "file": self._file,
            "enact": self._enact,
            **self._papers.answers(self._person),
            **self._tray.answers(self._person),
        }
        return await _noted(verb, answers, request)

    async def _answer_guard(self, verb: str, request: Request) -> Request:
        return await _noted(verb, self._guard, request)

    async def _answer_operator(self, verb: str, request: Request) -> Request:
        own = {"hello": self._hello, "enact": self._enact_operator, "decide_identity": self._decide_identity}
        desk = {**self._papers.answers(self._operator), **self._tray.answers(self._operator)}
        answers = {**own, **self._intake.answers(), **desk}
        return await _noted(verb, answers, request)

    async def _hello(self, _request: Request) -> Request:
        return {"program": "keyholder", "writing": self._database.is_writing}

    async def _admit(self, request: Request) -> Request:
        fields = request.get("statement")
        statement = SessionStatement.from_json(fields if isinstance(fields, Mapping) else {})
        await self._sign(sessions.admit, self._keys.session_public, statement, decode(request.get("signature")))
        return {}

    async def _touch(self, request: Request) -> Request:
        session = await self._database.read(live_session, self._key, _token(request), self._now_us())
        if session.needs_touch(self._now_us()):
            await self._database.run(sessions.touch, session.id)
        return {}

    async def _end_session(self, request: Request) -> Request:
        await self._sign(sessions.end, _token(request))
        return {}

    async def _bind(self, request: Request) -> Request:
        stated = request.get("bindings")
        bindings = [
            (Binding.from_json(one.get("binding")), decode(one.get("signature")))
            for one in (stated if isinstance(stated, list) else [])
            if isinstance(one, Mapping)
        ]
        await self._sign(proofs.bind, self._keys.session_public, bindings)
        return {}

    async def _link(self, request: Request) -> Request:
        session = await self._database.read(live_session, self._key, _token(request), self._now_us())
        stated = Linking.from_json(request.get("linking")), decode(request.get("signature"))
        await self._sign(proofs.link, self._keys.session_public, session, stated, self._programmes)
        return {}

    async def _end_stated(self, request: Request) -> Request:
        ending = Ending.from_json(request.get("ending"))
        await self._sign(proofs.end_stated, self._keys.session_public, ending, decode(request.get("signature")))
        return {}

    async def _decide_identity(self, request: Request) -> Request:
        actor, review, accept = await self._operator(request), text(request, "review"), request.get("accept") is True
        return await self._sign(proofs.decide_identity, self._keys.session_public, actor, review, accept=accept)

    async def _list(self, request: Request) -> Request:
        case_id, before, limit = text(request, "case"), _cursor(request.get("before")), _limit(request.get("limit"))
        now_us = self._now_us()
        found = await self._database.read(
            openings.find_list, self._key, _token(request), case_id, before, limit, now_us
        )
        await self._require_terms(found.session)
        self._rates.spend(found.session.id, found.session.person_id, found.units, now_us)
        await self._database.run(openings.enter_list, found)
        self._woken.set()
        keys = await self._unwrap(found.wraps)
        maillog.listed(len(keys))
        grants = [
            SummaryGrant(one.message_id, summary_key(key, one.message_id))
            for one, key in zip(found.wraps, keys, strict=True)
        ]
        return {"grants": [grant.to_frame() for grant in grants]}

    async def _open(self, request: Request) -> Request:
        message_id, part, now_us = text(request, "message"), _part(request.get("part")), self._now_us()
        found = await self._database.read(openings.find_message, self._key, _token(request), message_id, now_us)
        await self._require_terms(found.session)
        self._rates.spend(found.session.id, found.session.person_id, OPENING, now_us)
        await self._database.run(openings.enter_opening, found, part)
        failpoint("keyholder.open.entry")
        self._woken.set()
        (content_key,) = await self._unwrap(found.wraps)
        key = body_key(content_key, message_id)
        if found.wraps[0].composed:
            key = part_key(content_key, message_id, part or TEXT_PART)
        maillog.opened(1)
        return OpenGrant(message_id, summary_key(content_key, message_id), key).to_frame()

    async def _require_terms(self, session: LiveSession) -> None:
        """Open nothing to who has still to agree to the terms, whatever the portal says. Raises NotAllowed."""
        rules = self._programmes.get(session.programme)
        if rules is None or session.side is not Side.CORRESPONDENT:
            return
        if not await self._database.read(has_agreed, self._key, session.person_id, rules):
            raise NotAllowed("There is no such message here.")

    async def _file(self, request: Request) -> Request:
        message_id, case_id, token = text(request, "message"), text(request, "case"), _token(request)
        session = await self._database.read(live_session, self._key, token, self._now_us())
        return await self._intake.file(message_id, case_id, session, self._rates)

    async def _enact(self, request: Request) -> Request:
        if request.get("enact") in _FRESH:
            session = await self._database.read(live_session, self._key, _token(request), self._now_us())
            if not session.is_fresh(self._now_us()):
                raise NotAllowed("Please sign in once more first.")
        return await self._enact_as(await self._person(request), request)

    async def _enact_operator(self, request: Request) -> Request:
        return await self._enact_as(await self._operator(request), request)

    async def _person(self, request: Request) -> Actor:
        session = await self._database.read(live_session, self._key, _token(request), self._now_us())
        asks = await self._database.read(employee_or_user, self._key, session.person_id, self._now_us())
        return Actor(session.person_id, session.programme, session.side, asks)

    async def _operator(self, _request: Request) -> Actor:
        return Actor(uid=PEER_UID.get())

    async def _enact_as(self, actor: Actor, request: Request) -> Request:
        arguments = request.get("arguments")
        if not isinstance(arguments, Mapping):
            raise Malformed("A request between programs cannot be read.")
        return await self._sign(administration.enact, actor, text(request, "enact"), arguments, self._programmes)

    async def _sign(
        self, verb: Callable[Concatenate[Transaction, Authority, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a verb that signs rows; what it replaced counts for nothing when this returns."""
        authority = Authority(self._keys, self._keystore, self._key)
        done = await self._database.run(lambda tx: verb(tx, authority, *args, **kwargs))
        await asyncio.to_thread(authority.settle)
        self._woken.set()
        return done

    async def _unwrap(self, wraps: tuple[Wrap, ...]) -> list[bytes]:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._unwrap_now, wraps)

    def _unwrap_now(self, wraps: tuple[Wrap, ...]) -> list[bytes]:
        """Return the content keys. Raises Tampered, with an alarm, when one does not open."""
        stored = self._keystore.wrapped({wrap.key_id for wrap in wraps})
        try:
            private = {key_id: PrivateKey(key_id, self._keys.vault, wrapped) for key_id, wrapped in stored.items()}
            return [private[one.key_id].unwrap(one.wrapped, one.suite, one.message_id) for one in wraps]
        except (Tampered, KeyError):
            maillog.alarm("unwrap", "message_wrap", wraps[0].message_id)
            raise Tampered("A sealed key does not open.") from None

    def _now_us(self) -> int:
        return to_microseconds(self._clock())


async def _noted(verb: str, answers: Mapping[str, Callable[[Request], Any]], request: Request) -> Request:
    answer = answers.get(verb)
    if answer is None:
        raise Malformed("There is no such verb.")
    try:
        given: Request = await answer(request)
    except (NotAllowed, RateExceeded) as problem:
        maillog.withheld(verb, type(problem).__name__)
        raise
    return given


def _token(request: Request) -> bytes:
    return decode(request.get("token"))


def _cursor(value: object) -> tuple[int, str] | None:
    if value is None:
        return None
    if isinstance(value, list) and len(value) == 2 and type(value[0]) is int and isinstance(value[1], str):
        return value[0], value[1]
    raise Malformed("A request between programs cannot be read.")


def _limit(value: object) -> int:
    if type(value) is not int or not 1 <= value <= MAX_LIST:
        raise Malformed(f"A list has 1 to {MAX_LIST} entries.")
    return value


def _part(value: object) -> str | None:
    if value is not None and not (isinstance(value, str) and _PART.match(value)):
        raise Malformed("There is no such part.")
    return value
