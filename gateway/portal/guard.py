"""What stands around every request: the right host, our own forms, our headers, one table for what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Router
from starlette.types import Message, Receive, Scope, Send

from gateway import maillog
from gateway.portal.errors import Answer, CrossSite, Misdirected, answer_for
from gateway.portal.security import SECURITY_HEADERS, SESSION_COOKIE, drop_cookie, require_same_site

ErrorPage = Callable[[Request, Answer, str], Response]
_SAFE_METHODS = ("GET", "HEAD")
_HOSTLESS = "/health"


class Guard:
    """The ASGI application: a router with everything around it. `error_page` renders an answer for people."""

    def __init__(self, router: Router, host: str, error_page: ErrorPage) -> None:
        self._router = router
        self._host = host
        self._error_page = error_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. No exception leaves but cancellation."""
        if scope["type"] != "http":
            return
        scope["app"] = self._router  # the router then raises for what it does not know
        started = False

        async def guarded_send(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._check(scope)
            await self._router(scope, receive, guarded_send)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the peer gets an answer and no word of it
            response = self._answer(Request(scope, receive), problem)
            if not started:  # else the server closes the connection: what was sent is seen to be incomplete
                await response(scope, receive, guarded_send)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        if scope["path"] != _HOSTLESS and _host_name(headers.get("host", "")) != self._host:
            raise Misdirected("This is not the address of the portal.")
        if scope["method"] not in _SAFE_METHODS:
            require_same_site(headers)

    def _answer(self, request: Request, problem: Exception) -> Response:
        answer = answer_for(problem)
        incident = maillog.incident("portal", problem) if answer.is_incident else ""
        if not answer.is_incident:
            maillog.refused(answer.status, "", type(problem).__name__)
        headers = {"retry-after": str(answer.retry_after)} if answer.retry_after else {}
        if _wants_json(request):
            return _problem_document(answer, incident, headers)
        if answer.kind == "signed-out":
            return _to_sign_in(request)
        if answer.kind == "terms":
            return RedirectResponse("/terms", status_code=303)
        response = self._error_page(request, answer, incident)
        response.headers.update(headers)
        if isinstance(problem, CrossSite):
            response.headers["vary"] = "origin, sec-fetch-site"
        return response


def _to_sign_in(request: Request) -> Response:
    had_session = SESSION_COOKIE in request.cookies
    response = RedirectResponse("/sign-in?ended" if had_session else "/sign-in", status_code=303)
    if had_session:
        drop_cookie(response, SESSION_COOKIE)
    return response


def _problem_document(answer: Answer, incident: str, headers: dict[str, str]) -> Response:
    body: dict[str, str | int] = {"type": f"about:blank#{answer.kind}", "title": answer.title, "status": answer.status}
    if incident:
        body["incident"] = incident
    return Response(json.dumps(body), answer.status, headers, media_type="application/problem+json")


def _wants_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "json" in accepted and "text/html" not in accepted


def _host_name(host: str) -> str:
    name = host.rpartition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    return name.strip("[]").lower()
