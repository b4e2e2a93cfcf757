"""How long a sign-in lasts, as a small frame beside a form: it warns before the end, and loads nothing but itself.

The frame comes again by itself, without a script, when there is something else to say. Looking at it is no use of the
session; its button is.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.errors import NotAuthenticated
from gateway.portal.forms import read_form
from gateway.portal.pages import Pages
from gateway.portal.security import CONTENT_SECURITY_POLICY
from gateway.portal.visitors import Visitors
from gateway.store.sessions import LiveSession

PATH = "/account/time-left"
WARN_US = 5 * 60_000_000
"""So long before the end it warns: WCAG 2.2.1 asks for twenty seconds."""
_PURPOSE = "time-left"
_SECOND_US = 1_000_000
_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY.replace("frame-ancestors 'none'", "frame-ancestors 'self'"),
    "x-frame-options": "SAMEORIGIN",
}


@dataclass(frozen=True, slots=True)
class Left:
    """What the frame says. `again_seconds`: when there is more to say; `can_stay`: whether using it moves the end."""

    ends_us: int
    warns: bool
    can_stay: bool
    again_seconds: int


@dataclass(frozen=True, slots=True)
class TimeLeftFrame:
    """The frame `/account/time-left` and its button."""

    pages: Pages
    visitors: Visitors
    clock: Clock

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [Route(PATH, self.show, methods=["GET"]), Route(PATH, self.stay, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        """Until when one is signed in; or that one is not, any more."""
        try:
            visitor = await self.visitors.look(request)
        except NotAuthenticated:
            return self.pages.page(request, "time_left.html", headers=_HEADERS, left=None, form_token="")
        left = time_left(visitor.session, to_microseconds(self.clock()))
        token = visitor.form_token(_PURPOSE)
        return self.pages.page(request, "time_left.html", visitor, headers=_HEADERS, left=left, form_token=token)

    async def stay(self, request: Request) -> Response:
        """Use the session, and do nothing else with it."""
        try:
            visitor = await self.visitors.require(request, before_terms=True)
        except NotAuthenticated:
            return RedirectResponse(PATH, status_code=303)
        visitor.require_form(_PURPOSE, (await read_form(request)).get("form_token", ""))
        return RedirectResponse(PATH, status_code=303)


def time_left(session: LiveSession, now_us: int) -> Left:
    """Return what is to be said of a session now."""
    ends_us = min(session.absolute_us, session.seen_us + session.idle_us)
    left_us = ends_us - now_us
    warns = left_us <= WARN_US
    can_stay = ends_us < session.absolute_us and session.needs_touch(now_us)
    again_us = left_us if warns else left_us - WARN_US
    return Left(ends_us, warns, can_stay, max(1, again_us // _SECOND_US + 1))
