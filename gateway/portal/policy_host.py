"""The portal's other name, mta-sts.DOMAIN: one text for other sites' mail servers (RFC 8461), and nothing else."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.domain.mta_sts import PATH
from gateway.portal.security import SECURITY_HEADERS


class PolicyHost:
    """Stands before the guard: what asks for `host` gets the policy or 404, all else goes on to the portal."""

    def __init__(self, portal: ASGIApp, host: str, policy: str) -> None:
        self._portal = portal
        self._host = host
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or _asked_for(scope) != self._host:
            await self._portal(scope, receive, send)
            return
        is_policy = scope["path"] == PATH and scope["method"] in ("GET", "HEAD")
        text, status = (self._policy, 200) if is_policy else ("There is nothing here.\r\n", 404)
        await PlainTextResponse(text, status, SECURITY_HEADERS)(scope, receive, send)


def _asked_for(scope: Scope) -> str:
    return Headers(scope=scope).get("host", "").partition(":")[0].lower()
