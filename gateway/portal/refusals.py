"""Why mail was refused, in plain words, for anybody: the page whose address every refusal of outside mail carries.

A reference that is typed shows the instant and the kinds. Every other one has the same answer, whatever is wrong with
it, after the same look; and only so many can be tried.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.casework.turning_away import TurnedAway, find_refusal
from gateway.domain.errors import RateExceeded
from gateway.domain.refusal import EXPLANATION, KINDS, MAX_TYPED, REASONS, reference_meant
from gateway.portal.forms import read_form
from gateway.portal.pages import Pages
from gateway.portal.tries import Tries
from gateway.portal.visitors import address_of
from gateway.store.database import Database


@dataclass(frozen=True, slots=True)
class RefusalPage:
    """The page `/refused`. It needs no session and no cookie; the database only when a reference is looked up."""

    pages: Pages
    database: Database
    tries: Tries

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [
            Route(f"/{EXPLANATION}", self.show, methods=["GET"]),
            Route(f"/{EXPLANATION}", self.look_up, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Explain."""
        return self._page(request)

    async def look_up(self, request: Request) -> Response:
        """Tell the instant and the kinds of a reference."""
        reference = reference_meant((await read_form(request)).get("reference", ""))
        try:
            self.tries.count(address_of(request))
        except RateExceeded:
            return self._page(request, problem="too-fast", status=429)
        found = await self.database.read(find_refusal, reference)
        if found is None:
            return self._page(request, problem="unknown", status=422)
        return self._page(request, reference, found)

    def _page(
        self,
        request: Request,
        reference: str = "",
        found: TurnedAway | None = None,
        *,
        problem: str = "",
        status: int = 200,
    ) -> Response:
        return self.pages.page(
            request,
            "refused.html",
            status=status,
            problem=problem,
            found=found,
            reference=reference,
            kinds=_words([KINDS[one] for one in found.kinds] if found else []),
            reasons=_words([REASONS[one] for one in found.reasons] if found else []),
            longest=MAX_TYPED,
        )


def _words(told: list[str]) -> list[str]:
    return list(dict.fromkeys(told))
