"""What anybody may see: the front page, style sheets, and a sign of life."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, literal, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.domain.errors import StoreUnavailable
from gateway.portal.pages import Pages
from gateway.store.database import Database


@dataclass(frozen=True, slots=True)
class PublicPages:
    """Pages without a session: the same for everyone, and shown also while the store is away."""

    pages: Pages
    database: Database

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [
            Route("/", self.front, methods=["GET"]),
            Route("/signed-out", self.signed_out, methods=["GET"]),
            Route("/health", self.health, methods=["GET"]),
            Route("/static/{name}", self.static, methods=["GET"]),
        ]

    async def front(self, request: Request) -> Response:
        """The address in every notification: what this is, and the way in."""
        return self.pages.page(request, "front.html")

    async def signed_out(self, request: Request) -> Response:
        """Confirms the end of a session."""
        way = self.pages.site.way(request.query_params.get("at", ""))
        return self.pages.page(request, "signed_out.html", way=way)

    async def health(self, _request: Request) -> Response:
        """200 while the portal answers and its database reads, else 503."""
        try:
            await self.database.read(_is_there)
        except StoreUnavailable:
            return JSONResponse({"status": "store unavailable"}, 503)
        return JSONResponse({"status": "ok"})

    async def static(self, request: Request) -> Response:
        """A style sheet or picture. It may be kept: its address changes with its content."""
        static = self.pages.statics.get(request.path_params["name"])
        if static is None:
            raise HTTPException(404)
        headers = {
            "cache-control": "public, max-age=86400",
            # The sandboxed frame that shows HTML mail has no origin of its own and still needs its style sheet.
            "cross-origin-resource-policy": "cross-origin",
        }
        return Response(static.octets, headers=headers, media_type=static.media_type)


def _is_there(connection: Connection) -> None:
    connection.execute(select(literal(1)))
