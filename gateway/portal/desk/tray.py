"""The intake desk's queue: what waits, how it does, who has taken what, and what can still be undone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.casework.handling import UNDO_US
from gateway.domain.errors import Malformed, Moved, NotAllowed
from gateway.domain.fax import Outcome, Review
from gateway.domain.recognition import Recognition, Sort
from gateway.domain.rights import Verb
from gateway.portal.desk.entry import Clerk, Desk
from gateway.portal.desk.items import Items
from gateway.store.cases import cases_of
from gateway.store.fax import SourceCount, rhythm, source_counts
from gateway.store.handling import Recent, Waits, queue, recent_acts
from gateway.store.intake import item

PATH: Final = "/desk/intake"
AT_ONCE: Final = 25


@dataclass(frozen=True, slots=True)
class Line:
    """An item of the queue as a page has it: `kinds` are what its pages are taken for, with how sure that is."""

    waits: Waits
    is_overdue: bool
    is_mine: bool
    review: tuple[str, ...]
    kinds: tuple[tuple[str, str, int], ...] = ()
    is_recognised: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """How a source of faxes does."""

    count: SourceCount
    is_silent: bool


@dataclass(frozen=True, slots=True)
class TrayPages:
    """`/desk/intake`: the queue, claims, and what is undone from it."""

    desk: Desk
    items: Items

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [
            Route(PATH, self.show, methods=["GET"]),
            Route(f"{PATH}/{{item}}/claim", self.claim, methods=["POST"]),
            Route(f"{PATH}/{{item}}/undo", self.undo, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """The queue, the oldest first."""
        return await self._page(request, await self.desk.worker(request))

    async def claim(self, request: Request) -> Response:
        """Claim an item and look at it; take a claim over on purpose, or give it back."""
        clerk, fields = await self.desk.sent_by_worker(request)
        known_as, do = request.path_params["item"], fields.get("do", "")
        try:
            if do == "release":
                await self.desk.enact(clerk, "release_item", item=known_as)
                return RedirectResponse(f"{PATH}?said=released", status_code=303)
            minutes = self.desk.pages.site.claim_minutes
            await self.desk.enact(clerk, "claim_item", item=known_as, minutes=minutes, take_over=do == "take-over")
        except Moved:
            return await self._page(request, clerk, problem="claimed", status=409)
        except Malformed:
            return await self._page(request, clerk, problem="gone", status=409)
        said = "?said=taken-over" if do == "take-over" else ""
        return RedirectResponse(where(known_as) + said, status_code=303)

    async def undo(self, request: Request) -> Response:
        """Take back the latest act on an item."""
        clerk, _ = await self.desk.sent_by_worker(request)
        known_as = request.path_params["item"]
        try:
            await self.desk.keyholder.intake_undo(clerk.visitor.token, known_as)
        except Malformed:
            return await self._page(request, clerk, problem="over", status=409)
        return RedirectResponse(f"{where(known_as)}?said=undone", status_code=303)

    async def _page(self, request: Request, clerk: Clerk, *, problem: str = "", status: int = 200) -> Response:
        after = await self.desk.database.read(_after, request.query_params.get("after", ""))
        found = await self.desk.database.read(queue, clerk.programme.key, clerk.now_us, AT_ONCE + 1, after)
        following = found[AT_ONCE - 1].row.reference if len(found) > AT_ONCE else ""
        recognised = await self.items.summaries(clerk, found[:AT_ONCE])
        lines = [self._line(clerk, one, (recognised or {}).get(one.row.id)) for one in found[:AT_ONCE]]
        recent: list[Recent] = await self.desk.database.read(recent_acts, clerk.programme.key, clerk.now_us - UNDO_US)
        return self.desk.pages.page(
            request,
            "desk_tray.html",
            clerk.visitor,
            status=status,
            lines=lines,
            is_away=recognised is None,
            following=following,
            is_first=after is None,
            sources=await self.desk.database.read(_sources, clerk.now_us),
            outcomes=Outcome,
            recent=recent,
            writable=await self.desk.database.read(self._writable, clerk) if any(one.case for one in recent) else set(),
            now_us=clerk.now_us,
            problem=problem,
            said=request.query_params.get("said", ""),
            about=_reference(request.query_params.get("item", "")),
            form_token=clerk.form_token,
        )

    def _writable(self, connection: Connection, clerk: Clerk) -> set[str]:
        """Return the cases in which the clerk may write, to ask for what is missing."""
        places = cases_of(connection, self.desk.authority, clerk.visitor.person.id, clerk.now_us)
        return {str(case.reference) for case, place in places if place.may(Verb.WRITE, is_open=case.is_open)}

    def _line(self, clerk: Clerk, one: Waits, recognition: Recognition | None) -> Line:
        is_overdue = one.row.received_us < clerk.now_us - self.desk.pages.site.overdue_us
        is_mine = one.claim is not None and one.claim.person_id == clerk.visitor.person.id
        review = tuple(word for word in (one.fax.review if one.fax else "").split(",") if word in set(Review))
        kinds = tuple(
            (section.sort.value, section.form, section.confidence)
            for section in (recognition.sections if recognition else ())
            if section.sort is not Sort.UNKNOWN
        )
        return Line(one, is_overdue, is_mine, review, kinds, recognition is not None)


def where(known_as: str) -> str:
    """Return the address of an item. Raises NotAllowed for what is no reference of one."""
    reference = _reference(known_as)
    if not reference:
        raise NotAllowed("There is nothing here for you.")
    return f"{PATH}/{reference}"


def _reference(text: str) -> str:
    known_as = text.strip().upper()
    return known_as if known_as.replace("-", "").isalnum() and known_as.isascii() and len(known_as) < 33 else ""


def _after(connection: Connection, known_as: str) -> tuple[int, str] | None:
    row = item(connection, known_as) if known_as else None
    return None if row is None else (row.received_us, row.id)


def _sources(connection: Connection, now_us: int) -> list[Source]:
    found = []
    for one in source_counts(connection, ()):
        known = rhythm(connection, one.source, now_us)
        found.append(Source(one, known is not None and known.is_silent(now_us)))
    return found
