"""Signing in and out: what a person types goes to the authenticator, its signed answer to the keyholder.

Every failure of a sign-in has one answer. The form carries a token bound to a cookie of its own, so that nobody can be
signed in as somebody else by another site's page.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.authenticator.client import AuthenticatorClient
from gateway.domain.errors import AuthenticatorUnavailable, Malformed, NotAllowed, NotAuthenticated, RateExceeded
from gateway.keyholder.client import KeyholderClient
from gateway.portal.errors import CrossSite
from gateway.portal.forms import read_form
from gateway.portal.pages import Pages
from gateway.portal.security import (
    FORM_COOKIE,
    SESSION_COOKIE,
    WAY_COOKIE,
    cookie_secret,
    drop_cookie,
    form_token,
    new_nonce,
    new_secret,
    require_form_token,
    set_cookie,
    with_script,
)
from gateway.portal.visitors import Visitors, address_of

MAX_USERNAME = 254
MAX_PASSWORD = 1_024
MAX_CODE = 16
AGAIN = {
    "absence": "/account/absence",
    "app-passwords": "/account/app-passwords",
    "full-copy": "/account/full-copy",
    "sign-in": "/account/sign-in",
    "link": "/account/sign-in/link",
}
"""Pages that ask to sign in once more before something is added, by the word that they are called by there."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """The pages `/sign-in` and `/sign-out`."""

    pages: Pages
    visitors: Visitors
    authenticator: AuthenticatorClient
    keyholder: KeyholderClient

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [
            Route("/sign-in", self.show, methods=["GET"]),
            Route("/sign-in", self.sign_in, methods=["POST"]),
            Route("/sign-in/code", self.send_code, methods=["POST"]),
            Route("/sign-out", self.sign_out, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """The form; who is signed in already goes on to the cases, unless a page asks to sign in once more."""
        again = request.query_params.get("again", "")
        if again not in AGAIN and await self.visitors.recognise(request, before_terms=True):
            return RedirectResponse("/cases", status_code=303)
        return await self.form(request, "ended" if "ended" in request.query_params else "", again=again)

    async def sign_in(self, request: Request) -> Response:
        """Prove and admit; the answer to every wrong proof is the same page."""
        fields = await read_form(request)
        try:
            require_form_token(cookie_secret(request.cookies, FORM_COOKIE), "sign-in", fields.get("form_token", ""))
        except CrossSite:
            return await self.form(request, "stale", status=403)
        username = fields.get("username", "").strip()[:MAX_USERNAME]
        password = fields.get("password", "")[:MAX_PASSWORD]
        code = "".join(fields.get("code", "").split())[:MAX_CODE]
        passkey, question = fields.get("passkey", ""), fields.get("question", "")
        again = fields.get("again", "")
        try:
            signed_in = await self.authenticator.sign_in(
                username,
                password,
                code,
                address_of(request),
                passkey=passkey,
                question=question,
                sent=fields.get("sent", ""),
            )
            await self.keyholder.admit(signed_in.statement, signed_in.signature)
        except (NotAuthenticated, NotAllowed, Malformed):
            return await self.form(request, "wrong", username, status=422, again=again)
        except RateExceeded:
            return await self.form(request, "too-fast", username, status=429, again=again)
        if before := cookie_secret(request.cookies, SESSION_COOKIE):
            await self.keyholder.end_session(before)
        response = RedirectResponse(AGAIN.get(again, "/cases"), status_code=303)
        set_cookie(response, SESSION_COOKIE, signed_in.token)
        drop_cookie(response, FORM_COOKIE)
        return response

    async def send_code(self, request: Request) -> Response:
        """Have a code sent to a telephone, and show the form for it; the page is the same whatever was typed."""
        fields = await read_form(request)
        try:
            require_form_token(cookie_secret(request.cookies, FORM_COOKIE), "sign-in", fields.get("form_token", ""))
        except CrossSite:
            return await self.form(request, "stale", status=403)
        username, again = fields.get("username", "").strip()[:MAX_USERNAME], fields.get("again", "")
        password = fields.get("password", "")[:MAX_PASSWORD]
        try:
            sent = await self.authenticator.send_code(username, password, address_of(request))
        except RateExceeded:
            return await self.form(request, "too-fast", username, status=429, again=again)
        return self.pages.page(
            request,
            "sign_in_code.html",
            form_token=fields["form_token"],
            username=username,
            sent=sent,
            again=again if again in AGAIN else "",
        )

    async def sign_out(self, request: Request) -> Response:
        """End the session, here and in the keyholder."""
        visitor = await self.visitors.require(request, before_terms=True)
        fields = await read_form(request)
        visitor.require_form("sign-out", fields.get("form_token", ""))
        await self.keyholder.end_session(visitor.token)
        way = self.pages.site.way(request.cookies.get(WAY_COOKIE, ""))
        response = RedirectResponse(f"/signed-out?at={way.key}" if way else "/signed-out", status_code=303)
        drop_cookie(response, SESSION_COOKIE)
        drop_cookie(response, WAY_COOKIE)
        return response

    async def form(
        self,
        request: Request,
        problem: str,
        username: str = "",
        *,
        status: int = 200,
        provider: str = "",
        again: str = "",
    ) -> Response:
        """The page with every way of signing in, and what was wrong.

        `provider` is the title of one that is away; `again` the word of a page that asks to sign in once more.
        """
        secret, nonce = cookie_secret(request.cookies, FORM_COOKIE) or new_secret(), new_nonce()
        passkey = None
        with contextlib.suppress(AuthenticatorUnavailable):
            passkey = await self.authenticator.passkey_question()
        response = self.pages.page(
            request,
            "sign_in.html",
            status=status,
            headers=with_script(nonce),
            form_token=form_token(secret, "sign-in"),
            problem=problem,
            username=username,
            provider=provider,
            again=again if again in AGAIN else "",
            passkey=passkey,
            nonce=nonce,
        )
        set_cookie(response, FORM_COOKIE, secret)
        return response
