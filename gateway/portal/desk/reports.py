"""What the desk reports: whose access somebody has to look at, and how far people come who were invited."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.domain.enrolment import DAY_US, Stage
from gateway.portal.desk.entry import PATH, Clerk, Desk
from gateway.store.enrolment_list import count_before
from gateway.store.funnel import funnel
from gateway.store.recertification import recertify

DAYS: Final = (30, 60, 90, 365)
MOST: Final = 200
"""Lines of one kind of finding that a page shows."""


@dataclass(frozen=True, slots=True)
class ReportPages:
    """`/desk/report` and `/desk/funnel`."""

    desk: Desk

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [
            Route("/desk/report", self.report, methods=["GET"]),
            Route("/desk/funnel", self.funnel, methods=["GET"]),
        ]

    async def report(self, request: Request) -> Response:
        """Authorised against actual: renewals due and late, stale accounts, privileged roles."""
        clerk = await self.desk.clerk(request)
        due, stale = _days(request, "due", 60), _days(request, "stale", 90)
        found = await self.desk.database.read(
            recertify, self.desk.authority, due, stale, clerk.now_us, clerk.programme.key
        )
        kinds = {kind: list(those) for kind, those in groupby(found.findings, key=lambda one: one.kind)}
        return self.desk.pages.page(
            request,
            "desk_report.html",
            clerk.visitor,
            report=found,
            kinds={kind.value: (len(those), those[:MOST]) for kind, those in kinds.items()},
            due=due,
            stale=stale,
            days=DAYS,
            most=MOST,
        )

    async def funnel(self, request: Request) -> Response:
        """Invited, started, finished, and where people stop."""
        clerk = await self.desk.clerk(request)
        days = _days(request, "days", 90)
        figures = await self.desk.database.read(
            funnel, self.desk.authority, clerk.programme.key, clerk.now_us - days * DAY_US
        )
        return self.desk.pages.page(
            request,
            "desk_funnel.html",
            clerk.visitor,
            figures=figures,
            stages=list(Stage),
            before=await self._before(clerk),
            waiting=figures.waiting[:MOST],
            chosen_days=days,
            days=DAYS,
            path=PATH,
        )

    async def _before(self, clerk: Clerk) -> dict[str, int]:
        return await self.desk.database.read(count_before, clerk.programme, clerk.now_us)


def _days(request: Request, name: str, otherwise: int) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text in {str(one) for one in DAYS} else otherwise
