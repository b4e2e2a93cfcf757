"""What every page of the enrolment desk begins with: a clerk who may enrol, the form's own token, what is looked at.

Who may not sees what one sees who asks for nothing that is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from starlette.requests import Request

from gateway.domain.clock import Clock, from_microseconds, to_microseconds
from gateway.domain.errors import NotAllowed, NotAuthenticated
from gateway.domain.programme import Programme
from gateway.keyholder.client import KeyholderClient
from gateway.portal.forms import read_form
from gateway.portal.pages import Pages
from gateway.portal.rights import enrols, works_tray
from gateway.portal.visitors import Visitor, Visitors
from gateway.store.authority import AuthorityKey
from gateway.store.database import Database
from gateway.store.enrolments import Enrolments, Listed

PATH: Final = "/desk/agreements"
PURPOSE: Final = "desk"
MOST_OCTETS: Final = 256 * 1024
MOST_FIELDS: Final = 160
_NOTHING = "There is nothing here for you."


@dataclass(frozen=True, slots=True)
class Clerk:
    """Who enrols, for which programme, at which instant."""

    visitor: Visitor
    programme: Programme
    now_us: int

    @property
    def zone(self) -> ZoneInfo:
        """The zone of dates and times on the desk."""
        return self.programme.zone

    @property
    def today(self) -> date:
        """The day it is there."""
        return from_microseconds(self.now_us).astimezone(self.zone).date()

    @property
    def form_token(self) -> str:
        """The token that each form of the desk carries."""
        return self.visitor.form_token(PURPOSE)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the desk's pages work with."""

    pages: Pages
    visitors: Visitors
    database: Database
    keyholder: KeyholderClient
    authority: AuthorityKey
    clock: Clock

    async def clerk(self, request: Request) -> Clerk:
        """Return who is asking. Raises NotAuthenticated, NotAllowed for whoever does not enrol."""
        return await self._clerk(request, enrols)

    async def may_still_enrol(self, request: Request) -> bool:
        """Tell whether session and right hold this instant: what a running download asks again and again."""
        try:
            visitor = await self.visitors.look(request)
        except NotAuthenticated:
            return False
        return visitor.enrols

    async def worker(self, request: Request) -> Clerk:
        """Return who is asking. Raises NotAuthenticated, NotAllowed for whoever does not work the intake tray."""
        return await self._clerk(request, works_tray)

    async def sent(self, request: Request) -> tuple[Clerk, dict[str, str]]:
        """Return who has sent a form of the desk, and its fields. Raises CrossSite for another form."""
        return await self._fields(request, await self.clerk(request))

    async def sent_by_worker(self, request: Request) -> tuple[Clerk, dict[str, str]]:
        """Return who of the intake tray has sent a form of the desk, and its fields. Raises CrossSite."""
        return await self._fields(request, await self.worker(request))

    async def _clerk(self, request: Request, judge: Callable[..., bool]) -> Clerk:
        visitor = await self.visitors.require_employee(request)
        programme = self.pages.programme_of(visitor)
        now_us = to_microseconds(self.clock())
        if programme is None or not await self.database.read(judge, self.authority, visitor.person, now_us):
            raise NotAllowed(_NOTHING)
        return Clerk(visitor, programme, now_us)

    async def _fields(self, request: Request, clerk: Clerk) -> tuple[Clerk, dict[str, str]]:
        fields = await read_form(request, most_octets=MOST_OCTETS, most_fields=MOST_FIELDS)
        clerk.visitor.require_form(PURPOSE, fields.get("form_token", ""))
        return clerk, fields

    async def agreement(self, clerk: Clerk, request: Request) -> Listed:
        """Return the agreement that the address names. Raises NotAllowed for an absent one and another's alike."""
        found = await self.look(clerk, lambda rows: rows.agreement(request.path_params["reference"]))
        return self.mine(clerk, found)

    async def user(self, clerk: Clerk, request: Request) -> tuple[Listed, Listed]:
        """Return the agreement and the designated user that the address names. Raises NotAllowed."""
        agreement = await self.agreement(clerk, request)
        number = request.path_params["number"]
        for user in agreement["designated_users"]:
            if str(user["number"]) == number:
                return agreement, user
        raise NotAllowed(_NOTHING)

    async def look(self, clerk: Clerk, question: Callable[[Enrolments], Any]) -> Any:
        """Return what the lists of enrolment say."""

        def ask(connection: Connection) -> Any:
            return question(Enrolments(connection, self.authority, clerk.now_us, self.pages.programmes))

        return await self.database.read(ask)

    async def enact(self, clerk: Clerk, verb: str, **arguments: Any) -> dict[str, Any]:
        """Do a verb of enrolment under the clerk's session. Raises Malformed, Moved, NotAllowed."""
        return await self.keyholder.enact(clerk.visitor.token, verb, **arguments)

    def mine(self, clerk: Clerk, found: Listed | None) -> Listed:
        """Return an agreement of the clerk's programme. Raises NotAllowed."""
        if found is None or found["programme"] != clerk.programme.key:
            raise NotAllowed(_NOTHING)
        return found


def version_of(fields: Mapping[str, str]) -> int:
    """Return the version that a form says its clerk saw; what is none is never the present one."""
    number = fields.get("version", "")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else -1


def where(reference: str, *rest: str, said: str = "") -> str:
    """Return the address of a page about an agreement; `said` is the word for what was just done."""
    path = "/".join((PATH, reference, *rest))
    return f"{path}?said={said}" if said else path
