"""Authorisations on the desk: a form that gives a designated user a right, and what attaching or revoking it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.domain.errors import Malformed, NotAllowed
from gateway.domain.programme import Form
from gateway.portal.desk.documents import WITH_PICTURE, Documents, wanted_of
from gateway.portal.desk.entry import PATH, Clerk, Desk, where
from gateway.portal.desk.typed import Problems, Typed, chosen, day_problem, inputs, read_fields
from gateway.store.enrolments import Listed
from gateway.store.ids import new_id

_USER = f"{PATH}/{{reference}}/users/{{number}}"
_AUTHORISING = "authorisation"


@dataclass(frozen=True, slots=True)
class Attaching:
    """The page that enters an authorisation: what was typed, and what is wrong."""

    key: str = field(default_factory=new_id)
    typed: Typed | None = None
    days: Mapping[str, str] = field(default_factory=dict)
    ticked: frozenset[str] = frozenset()
    problems: Problems = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuthorisingPages:
    """`/desk/agreements/REFERENCE/users/NUMBER/authorisations/…`."""

    desk: Desk
    documents: Documents

    def routes(self) -> list[Route]:
        """Return this topic's routes; `new` stands before any id."""
        return [
            Route(f"{_USER}/authorisations/new", self.new, methods=["GET"]),
            Route(f"{_USER}/authorisations/new", self.add, methods=["POST"]),
            Route(f"{_USER}/authorisations/{{id}}", self.show, methods=["GET"]),
            Route(f"{_USER}/authorisations/{{id}}", self.open, methods=["POST"]),
            Route(f"{_USER}/authorisations/{{id}}/revoke", self.ask, methods=["GET"]),
            Route(f"{_USER}/authorisations/{{id}}/revoke", self.revoke, methods=["POST"]),
        ]

    async def new(self, request: Request) -> Response:
        """The form's fields, what it would give, and which earlier ones it would revoke."""
        clerk = await self.desk.clerk(request)
        agreement, user = await self.desk.user(clerk, request)
        return await self._page(request, clerk, agreement, user, Attaching())

    async def add(self, request: Request) -> Response:
        """Enter it; then link the document that shows it, where one was chosen."""
        clerk, sent = await self.desk.sent(request)
        agreement, user = await self.desk.user(clerk, request)
        form = _form(clerk, request, user)
        typed = read_fields(form, sent, clerk.today, all_of_them=True)
        days = {name: sent.get(name, "").strip() for name in ("received", "last-day")}
        cases = chosen(sent, "case-", agreement["cases"])
        ticked = frozenset({*(f"case-{one}" for one in cases), *(one for one in _BOXES if sent.get(one))})
        problems = dict(typed.problems)
        for name, text in days.items():
            if (text or name == "received") and (
                wrong := day_problem(text, clerk.today if name == "received" else None)
            ):
                problems[name] = wrong
        again = Attaching(sent.get("key", ""), typed, days, ticked, problems)
        if problems:
            return await self._page(request, clerk, agreement, user, again, 422)
        try:
            await self.desk.enact(
                clerk,
                "add_authorisation",
                designated_user=user["id"],
                kind=form.kind.value,
                received=days["received"],
                last_day=days["last-day"],
                fields={key: value for key, value in typed.values.items() if value},
                cases=[] if len(cases) == len(agreement["cases"]) else cases,
                specific_use="specific-use" in ticked,
                keeps_earlier="keeps-earlier" in ticked,
                key=again.key,
            )
        except (Malformed, NotAllowed) as problem:
            told = Attaching(again.key, typed, days, ticked, {"": problem.advice})
            return await self._page(request, clerk, agreement, user, told, 422)
        said = await self._linked(clerk, again.key, sent.get("item", ""))
        number = str(user["number"])
        return RedirectResponse(where(agreement["reference"], "users", number, said=said), status_code=303)

    async def show(self, request: Request) -> Response:
        """What its paper says, beside the document that shows it."""
        return await self._paper(request, await self.desk.clerk(request))

    async def open(self, request: Request) -> Response:
        """The same with what is sealed, on record."""
        clerk, _ = await self.desk.sent(request)
        return await self._paper(request, clerk, is_opened=True)

    async def ask(self, request: Request) -> Response:
        """What revoking would take, before it is done."""
        clerk = await self.desk.clerk(request)
        agreement, user = await self.desk.user(clerk, request)
        return self.desk.pages.page(
            request,
            "desk_revoke.html",
            clerk.visitor,
            agreement=agreement,
            user=user,
            one=_authorisation(request, user),
            forms={form.kind.value: form for form in clerk.programme.forms},
            others=[
                other
                for other in user["authorisations"]
                if other["id"] != request.path_params["id"] and _holds(other, clerk.now_us)
            ],
            form_token=clerk.form_token,
        )

    async def revoke(self, request: Request) -> Response:
        """Revoke it, in open pages too. One that is revoked stays so."""
        clerk, _ = await self.desk.sent(request)
        agreement, user = await self.desk.user(clerk, request)
        one = _authorisation(request, user)
        if one["revoked_us"] is None:
            await self.desk.enact(clerk, "revoke_authorisation", authorisation=one["id"])
        address = where(agreement["reference"], "users", str(user["number"]), said="authorisation-revoked")
        return RedirectResponse(address, status_code=303)

    async def _paper(self, request: Request, clerk: Clerk, *, is_opened: bool = False) -> Response:
        agreement, user = await self.desk.user(clerk, request)
        one = _authorisation(request, user)
        form = next((form for form in _forms(clerk) if form.kind.value == one["kind"]), None)
        if form is None:
            raise NotAllowed("There is nothing here for you.")
        stored = await self.desk.look(clerk, lambda rows: rows.paper(one["paper"]))
        opened = await self.desk.keyholder.paper_open(clerk.visitor.token, one["paper"]) if is_opened else None
        shows = [document["item"] for document in agreement["documents"] if document["paper"] == one["paper"]]
        wanted = wanted_of(request.query_params, next(iter(shows), ""))
        if wanted is not None and wanted.item not in shows:
            raise NotAllowed("There is nothing here for you.")
        return self.desk.pages.page(
            request,
            "desk_paper.html",
            clerk.visitor,
            headers=WITH_PICTURE,
            agreement=agreement,
            user=user,
            one=one,
            form=form,
            inputs=inputs(form, stored, None, opened),
            is_opened=is_opened,
            shown=await self.documents.show(clerk, wanted) if wanted else None,
            form_token=clerk.form_token,
        )

    async def _linked(self, clerk: Clerk, paper: str, item: str) -> str:
        if not item:
            return "authorised"
        try:
            await self.desk.keyholder.paper_link(clerk.visitor.token, paper, item)
        except (Malformed, NotAllowed):
            return "authorised-unlinked"
        return "authorised"

    async def _page(
        self, request: Request, clerk: Clerk, agreement: Listed, user: Listed, attaching: Attaching, status: int = 200
    ) -> Response:
        form = _form(clerk, request, user)
        wanted = wanted_of(request.query_params)
        shown = await self.documents.show(clerk, wanted) if wanted else None
        values = Typed(shown.suggested.get(form.number, {})) if shown else None
        return self.desk.pages.page(
            request,
            "desk_authorise.html",
            clerk.visitor,
            status=status,
            headers=WITH_PICTURE,
            agreement=agreement,
            user=user,
            form=form,
            kinds=_forms(clerk),
            inputs=inputs(form, {}, attaching.typed or values),
            attaching=attaching,
            received=attaching.days.get("received", clerk.today.isoformat()),
            earlier=_earlier(agreement, form, clerk.now_us) if form.revokes_earlier else [],
            problems=attaching.problems,
            shown=shown,
            items=[] if wanted else await self.documents.waiting(clerk),
            form_token=clerk.form_token,
        )


_BOXES = ("specific-use", "keeps-earlier")


def _forms(clerk: Clerk) -> list[Form]:
    return [form for form in clerk.programme.forms if form.kind.value.startswith(_AUTHORISING)]


def _form(clerk: Clerk, request: Request, user: Listed) -> Form:
    """Return the form that is entered: what the address asks for, or what the user's role needs, or the first."""
    forms = _forms(clerk)
    for wanted in (request.query_params.get("kind", ""), user["needs"]):
        for form in forms:
            if form.kind.value == wanted:
                return form
    if not forms:
        raise NotAllowed("There is nothing here for you.")
    return forms[0]


def _authorisation(request: Request, user: Listed) -> Listed:
    for one in user["authorisations"]:
        if one["id"] == request.path_params["id"]:
            return dict(one)
    raise NotAllowed("There is nothing here for you.")


def _earlier(agreement: Listed, form: Form, now_us: int) -> list[tuple[Listed, Listed]]:
    """Return whose earlier forms of this kind stand: the users, each with one of theirs."""
    return [
        (user, one)
        for user in agreement["designated_users"]
        for one in user["authorisations"]
        if one["kind"] == form.kind.value and _holds(one, now_us)
    ]


def _holds(one: Listed, now_us: int) -> bool:
    return one["revoked_us"] is None and (one["until_us"] is None or now_us < one["until_us"])
