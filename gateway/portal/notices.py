"""What a person is told by plain mail: how they want it, and what was sent to them, when, and what became of it."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import available_timezones

from babel import Locale
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.confirmation import Wish
from gateway.domain.errors import Malformed
from gateway.domain.notice import is_zone
from gateway.domain.specimen import Specimens
from gateway.keyholder.client import KeyholderClient
from gateway.portal.forms import read_form
from gateway.portal.pages import Pages
from gateway.portal.rights import administers
from gateway.portal.visitors import Visitor, Visitors
from gateway.store.authority import AuthorityKey
from gateway.store.database import Database
from gateway.store.people import Wishes, addresses_of, wishes_of
from gateway.store.recipient_keys import recipient_key_of
from gateway.store.told import Told, told

PATH = "/account/notices"
PAGE = 25
_PURPOSE = "notices"
_MINUTES = re.compile(r"[0-9]{0,4}\Z")
_ROW = re.compile(r"[0-9a-z]{8,64}\Z")
_AREAS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


@dataclass(frozen=True, slots=True)
class Line:
    """One notification as the page lists it: the subject it had, and its address without what others need not read."""

    told: Told
    subject: str
    address: str


@dataclass(frozen=True, slots=True)
class NoticePages:
    """The page `/account/notices`: its form, and the list; `?before=` shows older ones."""

    pages: Pages
    visitors: Visitors
    database: Database
    keyholder: KeyholderClient
    authority: AuthorityKey
    specimens: Specimens
    clock: Clock

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [Route(PATH, self.show, methods=["GET"]), Route(PATH, self.choose, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        """The form and the list."""
        visitor = await self.visitors.require(request)
        before = request.query_params.get("before", "")
        before = before if _ROW.match(before) else ""
        found = await self.database.read(told, visitor.person.id, PAGE + 1, before)
        now_us = to_microseconds(self.clock())
        person = visitor.person
        wishes = await self.database.read(wishes_of, person.id)
        addresses = (await self.database.read(addresses_of, [person.id], now_us)).get(person.id, [])
        programme = self.pages.programme_of(visitor)
        return self.pages.page(
            request,
            "notices.html",
            visitor,
            lines=self.lines(visitor, found[:PAGE]),
            older=found[PAGE - 1].id if len(found) > PAGE else "",
            is_older=bool(before),
            wishes=wishes,
            language_names=language_names(programme.languages if programme else [person.language]),
            zones=_zones(),
            programme_zone=programme.time_zone if programme else "UTC",
            addresses=[masked(one) for one in addresses],
            confirms=list(Wish) if visitor.is_employee else [],
            delay_minutes=self.pages.site.delay_minutes if visitor.is_employee else 0,
            may_have_copies=self._may_have_copies(visitor),
            has_copy_key=await self._has_key(visitor),
            is_saved="saved" in request.query_params,
            is_administrator=await self.database.read(administers, self.authority, person, now_us),
            form_token=visitor.form_token(_PURPOSE),
        )

    async def choose(self, request: Request) -> Response:
        """Keep what the form says."""
        visitor = await self.visitors.require(request)
        fields = await read_form(request)
        visitor.require_form(_PURPOSE, fields.get("form_token", ""))
        wishes = self._wished(visitor, fields)
        await self.keyholder.enact(
            visitor.token,
            "choose_notices",
            person=visitor.person.id,
            language=wishes.language,
            wants_link=wishes.wants_link,
            time_zone=wishes.time_zone,
            **self._of_employee(visitor, fields),
        )
        return RedirectResponse(f"{PATH}?saved", status_code=303)

    def lines(self, visitor: Visitor, found: Sequence[Told]) -> list[Line]:
        """Return notifications as they are listed."""
        person = visitor.person
        known = self.pages.programme_of(visitor) is not None
        return [
            Line(
                one,
                self.specimens.subject(person.programme, one.kind, person.language) if known else one.kind.value,
                masked(one.address or ""),
            )
            for one in found
        ]

    def _of_employee(self, visitor: Visitor, fields: dict[str, str]) -> dict[str, str | int | bool]:
        """Return what employees alone choose, of what their form has."""
        if not visitor.is_employee:
            return {}
        confirm, delay = fields.get("confirm", ""), fields.get("delay", "")
        if confirm not in {*Wish} or not _MINUTES.match(delay):
            raise Malformed("The form could not be read.")
        chosen: dict[str, str | int | bool] = {"confirm": confirm}
        if self._may_have_copies(visitor):
            chosen["full_copies"] = fields.get("copies", "") == "yes"
        if self.pages.site.delay_minutes:
            chosen["delay_minutes"] = min(int(delay), self.pages.site.delay_minutes) if delay else -1
        return chosen

    def _may_have_copies(self, visitor: Visitor) -> bool:
        return visitor.is_employee and visitor.person.programme in self.pages.site.full_copies

    async def _has_key(self, visitor: Visitor) -> bool:
        """Tell whether full copies can be encrypted to this person."""
        if not self._may_have_copies(visitor):
            return False
        found = await self.database.read(recipient_key_of, self.authority, visitor.person.id, self.clock())
        return found is not None

    def _wished(self, visitor: Visitor, fields: dict[str, str]) -> Wishes:
        programme = self.pages.programme_of(visitor)
        language, zone, link = (fields.get(name, "") for name in ("language", "time_zone", "link"))
        spoken = programme.languages if programme else (visitor.person.language,)
        if language not in spoken or (zone and not is_zone(zone)) or link not in {"yes", "no"}:
            raise Malformed("The form could not be read.")
        return Wishes(language, link == "yes", zone)


def masked(address: str) -> str:
    """Return an address so that its owner knows it and nobody looking on does: `a•••@firm.example`."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}•••{at}{domain}" if at else ""


def language_names(languages: Sequence[str]) -> dict[str, str]:
    """Return each language's name in itself."""
    return {one: (Locale.parse(one).get_display_name(one) or one).capitalize() for one in languages}


@functools.cache
def _zones() -> tuple[str, ...]:
    return tuple(sorted(name for name in available_timezones() if name.partition("/")[0] in _AREAS and "/" in name))
