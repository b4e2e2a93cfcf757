"""The page on which an employee says who stands in for them, from which day to which, and sees for whom they do.

A deputy reads what the absent one does: to name one needs a fresh sign-in, and the keyholder holds to that.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Row, or_, select
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.errors import Malformed, NotAllowed
from gateway.keyholder.client import KeyholderClient
from gateway.portal.forms import read_form
from gateway.portal.pages import Pages
from gateway.portal.visitors import Visitor, Visitors
from gateway.store.authority import AuthorityKey, genuine
from gateway.store.database import Database
from gateway.store.delegations import members_of
from gateway.store.people import teams_of
from gateway.store.tables import absence, person

PATH = "/account/absence"
_PURPOSE = "absence"


@dataclass(frozen=True, slots=True)
class Absence:
    """One absence as both of its people see it: `name` is the other one's, `until_us` the first instant after it."""

    id: str
    is_own: bool
    name: str
    from_us: int
    until_us: int


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form, and what is wrong with it."""

    deputy: str = ""
    first: str = ""
    last: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class AbsencePage:
    """The page `/account/absence` and the forms on it; for employees."""

    pages: Pages
    visitors: Visitors
    database: Database
    keyholder: KeyholderClient
    authority: AuthorityKey
    clock: Clock

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [
            Route(PATH, self.show, methods=["GET"]),
            Route(PATH, self.add, methods=["POST"]),
            Route(f"{PATH}/{{id}}/end", self.end, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Both lists, and the form."""
        return await self._page(request, await self.visitors.require_employee(request), Typed())

    async def add(self, request: Request) -> Response:
        """Enter an absence; what cannot be is said beside the form."""
        visitor = await self.visitors.require_employee(request)
        fields = await read_form(request)
        visitor.require_form(_PURPOSE, fields.get("form_token", ""))
        if not self._is_fresh(visitor):
            return RedirectResponse("/sign-in?again=absence", status_code=303)
        deputy, first, last = (fields.get(name, "").strip() for name in ("deputy", "first", "last"))
        colleagues = await self.database.read(self._colleagues, visitor.person.id)
        try:
            if deputy not in colleagues:
                raise Malformed("Choose a colleague of a team of yours.")
            made = await self.keyholder.enact(
                visitor.token, "add_absence", person=visitor.person.id, deputy=deputy, from_day=first, until_day=last
            )
        except (Malformed, NotAllowed) as problem:
            return await self._page(request, visitor, Typed(deputy, first, last, problem.advice), status=422)
        return RedirectResponse(f"{PATH}?{'alone' if made['stands_in_for'] else 'saved'}", status_code=303)

    async def end(self, request: Request) -> Response:
        """End an absence of one's own, or take it back."""
        visitor = await self.visitors.require_employee(request)
        fields = await read_form(request)
        visitor.require_form(_PURPOSE, fields.get("form_token", ""))
        absent, known_as = visitor.person.id, request.path_params["id"]
        await self.keyholder.enact(visitor.token, "end_absence", person=absent, absence=known_as)
        return RedirectResponse(f"{PATH}?ended", status_code=303)

    async def _page(self, request: Request, visitor: Visitor, typed: Typed, status: int = 200) -> Response:
        found = await self.database.read(self._absences, visitor.person.id)
        return self.pages.page(
            request,
            "absence.html",
            visitor,
            status=status,
            own=[one for one in found if one.is_own],
            others=[one for one in found if not one.is_own],
            colleagues=await self.database.read(self._colleagues, visitor.person.id),
            typed=typed,
            is_fresh=self._is_fresh(visitor),
            said=next((word for word in ("saved", "alone", "ended") if word in request.query_params), ""),
            form_token=visitor.form_token(_PURPOSE),
        )

    def _absences(self, connection: Connection, person_id: str) -> list[Absence]:
        """Return the absences of a person, and those in which they stand in, that are not over; the next first."""
        mine = or_(absence.c.person_id == person_id, absence.c.deputy_id == person_id)
        statement = select(absence).where(
            mine, absence.c.until_us > self._now_us, absence.c.until_us > absence.c.from_us
        )
        rows = genuine(absence, connection.execute(statement.order_by(absence.c.from_us)), self.authority)
        names = _names(connection, {one for row in rows for one in (row.person_id, row.deputy_id)})
        return [_absence(row, person_id, names) for row in rows]

    def _colleagues(self, connection: Connection, person_id: str) -> dict[str, str]:
        """Return the names of those whom a person may choose, by id."""
        now_us, found = self._now_us, set[str]()
        for team_id in teams_of(connection, self.authority, person_id, now_us):
            found |= members_of(connection, self.authority, team_id, now_us)
        names = _names(connection, found - {person_id})
        return dict(sorted(names.items(), key=lambda one: one[1]))

    def _is_fresh(self, visitor: Visitor) -> bool:
        return visitor.session.is_fresh(self._now_us)

    @property
    def _now_us(self) -> int:
        return to_microseconds(self.clock())


def _absence(row: Row[tuple[object, ...]], person_id: str, names: dict[str, str]) -> Absence:
    is_own = row.person_id == person_id
    return Absence(row.id, is_own, names[row.deputy_id if is_own else row.person_id], row.from_us, row.until_us)


def _names(connection: Connection, people: set[str]) -> dict[str, str]:
    wanted = select(person.c.id, person.c.name).where(person.c.id.in_(sorted(people)))
    return {row.id: row.name for row in connection.execute(wanted)}
