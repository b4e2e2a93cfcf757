"""What people acknowledge before they sign in, where the site wants that: a page in front of every way of signing in.

That it was acknowledged stands in a cookie, with which text, for half an hour: another text is shown anew, and so it is
before the next sign-in. The cookie proves nothing about a person and opens nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.portal.forms import read_form
from gateway.portal.pages import Pages

ACKNOWLEDGED_COOKIE = "__Host-use"
SECONDS = 30 * 60
AFTERWARDS = {"sign-in": "/sign-in", "first-sign-in": "/first-sign-in"}
"""Where people go on to, by the word that the form carries."""
_PATH = "/use"
_AT_A_PROVIDER = "/sign-in/at/{provider}/"
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class BannerPage:
    """The page `/use`, and the gate that leads there."""

    pages: Pages

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [Route(_PATH, self.show, methods=["GET"]), Route(_PATH, self.acknowledge, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        """The text, and the button."""
        to = request.query_params.get("to", "")
        if not self._text:
            return RedirectResponse("/sign-in", status_code=303)
        return self.pages.page(request, "use.html", text=self._text, to=to if to in AFTERWARDS else "sign-in")

    async def acknowledge(self, request: Request) -> Response:
        """Note it in the browser, and go on."""
        fields = await read_form(request)
        response = RedirectResponse(AFTERWARDS.get(fields.get("to", ""), "/sign-in"), status_code=303)
        response.set_cookie(
            ACKNOWLEDGED_COOKIE, self._tag, path="/", secure=True, httponly=True, samesite="strict", max_age=SECONDS
        )
        return response

    def before(self, route: Route) -> Route:
        """Return the route, behind the page where it is one of signing in."""
        if not self._text or not _signs_in(route.path):
            return route
        return Route(route.path, self._gate(route.endpoint), methods=list(route.methods or ()))

    def _gate(self, endpoint: Endpoint) -> Endpoint:
        async def gate(request: Request) -> Response:
            if request.cookies.get(ACKNOWLEDGED_COOKIE) == self._tag:
                return await endpoint(request)
            to = "first-sign-in" if request.url.path.startswith("/first-sign-in") else "sign-in"
            return RedirectResponse(f"{_PATH}?to={to}", status_code=303)

        return gate

    @property
    def _text(self) -> str:
        return self.pages.site.banner

    @property
    def _tag(self) -> str:
        return hashlib.sha256(self._text.encode()).hexdigest()[:32]


def _signs_in(path: str) -> bool:
    """Tell whether a page is one where a sign-in begins; a provider's own messages, and the way back, are not."""
    return path.startswith(("/sign-in", "/first-sign-in")) and not path.startswith(_AT_A_PROVIDER)
