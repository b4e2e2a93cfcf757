"""The desk's list of agreements, the search by a sealed value, and the page that opens an agreement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.domain.clock import from_microseconds
from gateway.domain.enrolment import AgreementState
from gateway.domain.errors import Malformed, NotAllowed
from gateway.domain.programme import Form, FormKind
from gateway.portal.desk.documents import WITH_PICTURE, Documents, Shown, wanted_of
from gateway.portal.desk.entry import PATH, Clerk, Desk, where
from gateway.portal.desk.typed import Problems, Typed, day_problem, inputs, read_fields
from gateway.store.enrolment_list import Wish, count_waiting, list_agreements
from gateway.store.ids import new_id

AGES: Final = (0, 2, 7, 14, 30)
"""Days for which nothing was moved, as the list can be narrowed."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The page that opens an agreement, as it is to be shown: what was typed, and what is wrong."""

    key: str = field(default_factory=new_id)
    typed: Typed | None = None
    received: str = ""
    cases: str = ""
    problems: Problems = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListingPages:
    """`/desk/agreements` and `/desk/agreements/new`."""

    desk: Desk
    documents: Documents

    def routes(self) -> list[Route]:
        """Return this topic's routes; `new` stands before any reference."""
        return [
            Route(PATH, self.show, methods=["GET"]),
            Route(f"{PATH}/find", self.find, methods=["POST"]),
            Route(f"{PATH}/new", self.new, methods=["GET"]),
            Route(f"{PATH}/new", self.open, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """The list, a page at a time."""
        return await self._list(request, await self.desk.clerk(request))

    async def find(self, request: Request) -> Response:
        """Agreements with a sealed value, a taxpayer's number say: entered without it, and in no address."""
        clerk, fields = await self.desk.sent(request)
        try:
            found = await self.desk.keyholder.paper_find(clerk.visitor.token, fields.get("value", ""))
        except Malformed as problem:
            return await self._list(request, clerk, problem=problem.advice, status=422)
        return await self._list(request, clerk, found=tuple(found))

    async def new(self, request: Request) -> Response:
        """What waits in the tray, and the form that opens an agreement beside the document that was chosen."""
        return await self._opening(request, await self.desk.clerk(request), Opening())

    async def open(self, request: Request) -> Response:
        """Open an agreement, and link the document to it."""
        clerk, fields = await self.desk.sent(request)
        consent = consent_of(clerk)
        typed = read_fields(consent, fields, clerk.today)
        problems = dict(typed.problems)
        received = fields.get("received", "").strip()
        if wrong := day_problem(received, clerk.today):
            problems["received"] = wrong
        key, cases = fields.get("key", ""), fields.get("cases", "")
        again = Opening(key, typed, received, cases, problems)
        if problems:
            return await self._opening(request, clerk, again, status=422)
        arguments = {
            "programme": clerk.programme.key,
            "received": received,
            "cases": list(dict.fromkeys(cases.upper().split())),
        }
        kept = {name: value for name, value in typed.values.items() if value}
        try:
            made = await self.desk.enact(clerk, "open_agreement", **arguments, fields=kept, key=key)
        except (Malformed, NotAllowed) as problem:
            at = "cases" if isinstance(problem, NotAllowed) else ""
            return await self._opening(request, clerk, replace_problems(again, {at: problem.advice}), status=422)
        return await self._linked(clerk, str(made["reference"]), fields.get("item", ""))

    async def _linked(self, clerk: Clerk, reference: str, item: str) -> Response:
        said = "opened"
        if item:
            try:
                await self.desk.keyholder.paper_link(clerk.visitor.token, reference, item)
            except (Malformed, NotAllowed):
                found = await self.desk.look(clerk, lambda rows: rows.agreement(reference))
                if not any(one["item"] == item for one in found["documents"]):
                    said = "opened-unlinked"
        return RedirectResponse(where(reference, "form", said=said), status_code=303)

    async def _list(
        self,
        request: Request,
        clerk: Clerk,
        *,
        found: tuple[str, ...] | None = None,
        problem: str = "",
        status: int = 200,
    ) -> Response:
        query = request.query_params
        wish = _wish(query, clerk)
        lines, following = await self.desk.database.read(
            list_agreements, self.desk.authority, clerk.programme, wish, clerk.now_us
        )
        return self.desk.pages.page(
            request,
            "desk_list.html",
            clerk.visitor,
            status=status,
            lines=lines,
            following=following,
            wish=wish,
            waits=await self.desk.database.read(count_waiting, clerk.programme, clerk.visitor.person.id, clerk.now_us),
            states=list(AgreementState),
            ages=AGES,
            now_us=clerk.now_us,
            found=found,
            problem=problem,
            form_token=clerk.form_token,
        )

    async def _opening(self, request: Request, clerk: Clerk, opening: Opening, status: int = 200) -> Response:
        wanted = wanted_of(request.query_params)
        shown: Shown | None = await self.documents.show(clerk, wanted) if wanted else None
        form = consent_of(clerk)
        values = Typed(shown.suggested.get(form.number, {})) if shown else None
        came = from_microseconds(shown.received_us if shown and shown.received_us else clerk.now_us)
        return self.desk.pages.page(
            request,
            "desk_new.html",
            clerk.visitor,
            status=status,
            headers=WITH_PICTURE,
            opening=opening,
            received=opening.received or came.astimezone(clerk.zone).date().isoformat(),
            form=form,
            inputs=inputs(form, {}, opening.typed or values),
            problems=opening.problems,
            shown=shown,
            items=[] if shown else await self.documents.waiting(clerk),
            by_hand="by-hand" in request.query_params or opening.typed is not None,
            form_token=clerk.form_token,
        )


def consent_of(clerk: Clerk) -> Form:
    """Return the programme's consent form. Raises NotAllowed where it has none: there is nothing to enrol by."""
    found = clerk.programme.form(FormKind.CONSENT)
    if found is None:
        raise NotAllowed("There is nothing here for you.")
    return found


def replace_problems(opening: Opening, problems: Problems) -> Opening:
    """Return the same page with what a verb refused."""
    return Opening(opening.key, opening.typed, opening.received, opening.cases, problems)


def _wish(query: Mapping[str, str], clerk: Clerk) -> Wish:
    state = query.get("state", "")
    days = query.get("days", "")
    return Wish(
        AgreementState(state) if state in set(AgreementState) else None,
        waits="waits" in query,
        days=int(days) if days in {str(one) for one in AGES} else 0,
        clerk=clerk.visitor.person.id,
        after=query.get("after", ""),
    )
