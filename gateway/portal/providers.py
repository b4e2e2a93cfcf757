"""Signing in at identity providers: the portal sends the browser there, and carries what it brings back.

Nothing is judged here. What ties a browser to its sign-in stands sealed in a cookie that this program cannot read; the
provider's answer goes to the authenticator, and what that has signed to the keyholder. A provider's own messages (back-
channel logout, security events by RFC 8935) are carried the same way.

Who comes back comes from another site, whose navigation carries no strict cookie: so the way into the portal is one
more step, from a page of ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import segno
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from gateway.authenticator.client import AuthenticatorClient
from gateway.authenticator.protocol import ComeBack, Outcome, SignedEnding, SigningUp
from gateway.domain.errors import Malformed, NotAllowed, NotAuthenticated, RateExceeded, TooLarge
from gateway.keyholder.client import KeyholderClient
from gateway.portal.errors import CrossSite
from gateway.portal.forms import chunks, read_form
from gateway.portal.linking import confirmation
from gateway.portal.pages import Pages
from gateway.portal.security import (
    FORM_COOKIE,
    SESSION_COOKIE,
    WAY_COOKIE,
    attempt_cookie,
    cookie_octets,
    cookie_secret,
    drop_cookie,
    form_token,
    new_nonce,
    new_secret,
    require_form_token,
    set_cookie,
    set_returning,
    with_script,
)
from gateway.portal.sign_in import MAX_PASSWORD, SignIn
from gateway.portal.site import Way
from gateway.portal.tries import Tries
from gateway.portal.visitors import address_of

MAX_CODE = 40
MAX_ANSWER = 4_096
MAX_SHOWN = 2_000
MAX_EVENT = 64 * 1024
_BROUGHT = ("code", "state", "iss", "error")
_FIRST = "first-sign-in"
_STATUS = {Outcome.AWAY: 503, Outcome.SIGNED_IN: 200}


@dataclass(frozen=True, slots=True)
class ProviderPages:
    """The pages below `/sign-in/at/PROVIDER`, and `/first-sign-in` for those who were given a code."""

    pages: Pages
    sign_in: SignIn
    authenticator: AuthenticatorClient
    keyholder: KeyholderClient
    notices: Tries

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        at = "/sign-in/at/{provider}"
        return [
            Route("/first-sign-in", self.first, methods=["GET"]),
            Route("/first-sign-in", self.begin_first, methods=["POST"]),
            Route("/first-sign-in/password", self.sign_up, methods=["POST"]),
            Route(at, self.begin, methods=["POST"]),
            Route(f"{at}/return", self.come_back, methods=["GET"]),
            Route(f"{at}/leave", self.leave, methods=["GET"]),
            Route(f"{at}/logout", self.logout_notice, methods=["POST"]),
            Route(f"{at}/events", self.security_event, methods=["POST"]),
        ]

    async def first(self, request: Request) -> Response:
        """The form for the code that a person was given."""
        return self._first_form(request, "")

    async def begin_first(self, request: Request) -> Response:
        """Take the code, and go on to the provider that was chosen."""
        fields = await read_form(request)
        try:
            _require_ours(request, fields, _FIRST)
        except CrossSite:
            return self._first_form(request, "stale", 403)
        code = fields.get("first_code", "").strip()[:MAX_CODE]
        way = self._way(fields["provider"]) if fields.get("provider") else None
        if not code:
            return self._first_form(request, "missing", 422)
        try:
            if way is not None:
                return await self._go_on(request, way, code)
            begun = await self.authenticator.begin_sign_up(code, address_of(request))
        except RateExceeded:
            return self._first_form(request, "too-fast", 429)
        if begun is None or isinstance(begun, Outcome):
            return self._first_form(request, begun.value if begun else "code-over", 422)
        return self._password_form(request, begun, "")

    async def sign_up(self, request: Request) -> Response:
        """Take the password and the second factor that were chosen, and sign in with them."""
        fields = await read_form(request)
        try:
            _require_ours(request, fields, _FIRST)
        except CrossSite:
            return self._first_form(request, "stale", 403)
        shown = SigningUp(*(fields.get(name, "")[:MAX_SHOWN] for name in ("username", "uri", "options", "ticket")))
        password, code = fields.get("password", "")[:MAX_PASSWORD], "".join(fields.get("code", "").split())[:MAX_CODE]
        try:
            signed_in, bindings = await self.authenticator.finish_sign_up(
                shown.ticket, password, code, fields.get("passkey", "")
            )
            await self.keyholder.bind([(one.binding, one.signature) for one in bindings])
            await self.keyholder.admit(signed_in.statement, signed_in.signature)
        except Malformed as problem:
            kind = "password" if "password" in problem.advice.lower() else "factor"
            return self._password_form(request, shown, kind, 422)
        except (NotAuthenticated, NotAllowed):
            return self._first_form(request, "code-over", 422)
        response = RedirectResponse("/cases", status_code=303)
        set_cookie(response, SESSION_COOKIE, signed_in.token)
        drop_cookie(response, FORM_COOKIE)
        return response

    async def begin(self, request: Request) -> Response:
        """Go on to a provider."""
        fields, way = await read_form(request), self._way(request.path_params["provider"])
        try:
            _require_ours(request, fields, "sign-in")
        except CrossSite:
            return await self.sign_in.form(request, "stale", status=403)
        return await self._go_on(request, way, "")

    async def come_back(self, request: Request) -> Response:
        """Carry what the browser brought, and say what it came to."""
        way = self._way(request.path_params["provider"])
        brought = {name: request.query_params.get(name, "")[:MAX_ANSWER] for name in _BROUGHT}
        attempt = cookie_octets(request.cookies, attempt_cookie(way.key))
        found = await self.authenticator.finish(way.key, attempt, brought) if attempt else ComeBack(Outcome.FAILED)
        outcome = found.outcome
        if found.linking is not None:
            response = confirmation(self.pages, request, way, found.linking)
            drop_cookie(response, attempt_cookie(way.key))
            return response
        if found.signed_in is not None:
            outcome = await self._admit(found)
        response = self.pages.page(
            request, "provider_outcome.html", status=_STATUS.get(outcome, 422), outcome=outcome.value, way=way
        )
        drop_cookie(response, attempt_cookie(way.key))
        if outcome is Outcome.SIGNED_IN and found.signed_in is not None:
            set_cookie(response, SESSION_COOKIE, found.signed_in.token)
            response.set_cookie(WAY_COOKIE, way.key, path="/", secure=True, httponly=True, samesite="strict")
            drop_cookie(response, FORM_COOKIE)
        return response

    async def leave(self, request: Request) -> Response:
        """Send the browser to where it signs out at the provider, too."""
        way = self._way(request.path_params["provider"])
        address = await self.authenticator.leaving(way.key)
        return RedirectResponse(address or "/signed-out", status_code=303)

    async def logout_notice(self, request: Request) -> Response:
        """Take a provider's logout token (OpenID Connect Back-Channel Logout 1.0 section 2.5)."""
        way = self._way(request.path_params["provider"])
        try:
            self.notices.count(address_of(request))
            fields = await read_form(request)
            endings = await self.authenticator.logout_notice(way.key, fields.get("logout_token", ""))
            await self._end(endings)
        except (Malformed, TooLarge, NotAuthenticated):
            return JSONResponse({"error": "invalid_request"}, 400)
        return Response(status_code=200)

    async def security_event(self, request: Request) -> Response:
        """Take a provider's security event token (RFC 8935)."""
        way = self._way(request.path_params["provider"])
        self.notices.count(address_of(request))
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind != "application/secevent+jwt":
            return JSONResponse({"err": "invalid_request", "description": "not a security event token"}, 400)
        try:
            endings = await self.authenticator.security_event(way.key, await _read(request))
            await self._end(endings)
        except (Malformed, TooLarge, NotAuthenticated):
            return JSONResponse({"err": "invalid_request", "description": "not taken"}, 400)
        return Response(status_code=202)

    async def _go_on(self, request: Request, way: Way, first_code: str) -> Response:
        begun = await self.authenticator.begin(way.key, first_code, address_of(request))
        if begun is Outcome.AWAY:
            return await self.sign_in.form(request, "provider-away", status=503, provider=way.title)
        if isinstance(begun, Outcome):
            return self._first_form(request, begun.value, 422)
        response = self.pages.page(request, "going_on.html", way=way, address=begun.address)
        set_returning(response, attempt_cookie(way.key), begun.attempt)
        return response

    async def _admit(self, found: ComeBack) -> Outcome:
        """Have the first credential made, where this is a first sign-in, and then the session."""
        assert found.signed_in is not None
        try:
            if found.bindings:
                await self.keyholder.bind([(one.binding, one.signature) for one in found.bindings])
            await self.keyholder.admit(found.signed_in.statement, found.signed_in.signature)
        except (NotAuthenticated, NotAllowed, Malformed):
            return Outcome.CODE_OVER if found.bindings else Outcome.FAILED
        return Outcome.SIGNED_IN

    async def _end(self, endings: list[SignedEnding]) -> None:
        for one in endings:
            await self.keyholder.end_stated(one.ending, one.signature)

    def _first_form(self, request: Request, problem: str, status: int = 200) -> Response:
        secret = cookie_secret(request.cookies, FORM_COOKIE) or new_secret()
        response = self.pages.page(
            request, "first_sign_in.html", status=status, form_token=form_token(secret, _FIRST), problem=problem
        )
        set_cookie(response, FORM_COOKIE, secret)
        return response

    def _password_form(self, request: Request, shown: SigningUp, problem: str, status: int = 200) -> Response:
        secret, nonce = cookie_secret(request.cookies, FORM_COOKIE) or new_secret(), new_nonce()
        response = self.pages.page(
            request,
            "first_password.html",
            status=status,
            headers=with_script(nonce),
            form_token=form_token(secret, _FIRST),
            shown=shown,
            picture=Markup(segno.make(shown.uri).svg_inline(scale=4)),  # noqa: S704 - our own drawing
            problem=problem,
            nonce=nonce,
        )
        set_cookie(response, FORM_COOKIE, secret)
        return response

    def _way(self, key: str) -> Way:
        way = self.pages.site.way(key)
        if way is None:
            raise NotAllowed("There is no such way of signing in here.")
        return way


def _require_ours(request: Request, fields: dict[str, str], purpose: str) -> None:
    require_form_token(cookie_secret(request.cookies, FORM_COOKIE), purpose, fields.get("form_token", ""))


async def _read(request: Request) -> str:
    body = bytearray()
    async for octets in chunks(request):
        body += octets
        if len(body) > MAX_EVENT:
            raise TooLarge("The event is too long.")
    return body.decode("ascii", "replace").strip()
