"""The page on which an author, or who goes on for one who has left, says yes to a message that the wrong client guard
holds, or goes on to withdraw it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.casework.guard_answers import say_yes
from gateway.casework.guard_asking import authors_of
from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.errors import NotAllowed
from gateway.domain.guard import RUN_OUT_US, Guarded
from gateway.domain.notice import NoticeState
from gateway.domain.reference import Reference
from gateway.domain.rights import Verb
from gateway.portal.forms import read_form
from gateway.portal.pages import Pages
from gateway.portal.vault import Found, Vault
from gateway.portal.visitors import Visitor, Visitors
from gateway.store.cases import case_by_id, standing
from gateway.store.database import Database
from gateway.store.guard import wait_of

_PATH = "/messages/{reference}/release"
_FORM = "release"
_NOTHING = "There is nothing here for you."


@dataclass(frozen=True, slots=True)
class Asked:
    """What a message waits for: whether it is the visitor's word; until when; whether a number of another case is in
    it, and which that is, as far as the visitor stands in it.
    """

    is_theirs: bool
    until_us: int
    is_another_case: bool
    other: Reference | None


@dataclass(frozen=True, slots=True)
class ReleasePages:
    """The page `/messages/REFERENCE/release`, for employees of the message's case; the yes is its author's."""

    pages: Pages
    visitors: Visitors
    vault: Vault
    database: Database
    authority: Ed25519PublicKey
    clock: Clock
    wake_notifier: Callable[[], None]

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [Route(_PATH, self.ask, methods=["GET"]), Route(_PATH, self.release, methods=["POST"])]

    async def ask(self, request: Request) -> Response:
        """Say why the message waits. Nothing of it is opened here."""
        visitor = await self.visitors.require_employee(request)
        found = await self._found(visitor, request)
        return self.pages.page(
            request,
            "release.html",
            visitor,
            found=found,
            case=found.case,
            asked=await self.database.read(self._asked, visitor, found),
            form_token=visitor.form_token(_FORM),
        )

    async def release(self, request: Request) -> Response:
        """Say yes. Who sends the form twice is told the same. Raises NotAllowed where it is not theirs to say."""
        visitor = await self.visitors.require_employee(request)
        fields = await read_form(request)
        found = await self._found(visitor, request)
        visitor.require_form(_FORM, fields.get("form_token", ""))
        state = await self.database.run(say_yes, self.authority, visitor.person.id, found.row.id)
        if state is NoticeState.GUARD_NOT_RELEASED:
            raise NotAllowed(_NOTHING)
        self.wake_notifier()
        return RedirectResponse(f"/messages/{found.row.reference}", status_code=303)

    async def _found(self, visitor: Visitor, request: Request) -> Found:
        found = await self.vault.find(visitor, request.path_params["reference"])
        if not found.is_own_side or not found.standing.may(Verb.WITHDRAW, is_open=found.case.is_open):
            raise NotAllowed(_NOTHING)
        return found

    def _asked(self, connection: Connection, visitor: Visitor, found: Found) -> Asked | None:
        row = wait_of(connection, found.row.id)
        if row is None or row.answer is not None or found.row.guard in (None, Guarded.LOOK.value):
            return None
        other, now_us = row.other_case_id, to_microseconds(self.clock())
        is_theirs = visitor.person.id in authors_of(connection, self.authority, found.row, now_us)
        if other is not None and standing(connection, self.authority, other, visitor.person.id, now_us) is None:
            other = None
        named = None if other is None else case_by_id(connection, other)
        until_us = row.since_us + RUN_OUT_US
        return Asked(is_theirs, until_us, row.other_case_id is not None, None if named is None else named.reference)
