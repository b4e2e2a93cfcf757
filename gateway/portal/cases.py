"""The list of cases, and one case with its messages."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.domain.rights import Verb
from gateway.portal.pages import Pages
from gateway.portal.vault import Vault
from gateway.portal.visitors import Visitors


@dataclass(frozen=True, slots=True)
class CasePages:
    """The pages `/cases` (needs no keyholder) and `/cases/REFERENCE`."""

    pages: Pages
    visitors: Visitors
    vault: Vault

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [
            Route("/cases", self.cases, methods=["GET"]),
            Route("/cases/{reference}", self.case, methods=["GET"]),
        ]

    async def cases(self, request: Request) -> Response:
        """Where one lands after signing in."""
        visitor = await self.visitors.require(request)
        return self.pages.page(request, "cases.html", visitor, lines=await self.vault.cases(visitor))

    async def case(self, request: Request) -> Response:
        """The messages of a case, newest first, a page at a time."""
        visitor = await self.visitors.require(request)
        case, place = await self.vault.case(visitor, request.path_params["reference"])
        before = request.query_params.get("before")
        lines, following = await self.vault.listing(visitor, case, place, before)
        return self.pages.page(
            request,
            "case.html",
            visitor,
            case=case,
            may_write=place.may(Verb.WRITE, is_open=case.is_open),
            lines=lines,
            before=before,
            following=following,
        )
