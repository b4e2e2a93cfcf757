"""One agreement on the desk: where it stands, what is next, its form beside the document, cases, approvals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.casework.agreements import REASONS
from gateway.domain.enrolment import AgreementState
from gateway.domain.errors import Malformed, Moved, NotAllowed
from gateway.portal.desk.documents import WITH_PICTURE, Documents, wanted_of
from gateway.portal.desk.entry import PATH, Clerk, Desk, version_of, where
from gateway.portal.desk.listing import consent_of
from gateway.portal.desk.steps import AGREEMENT_VERBS, offered_for_agreement
from gateway.portal.desk.typed import PREFIX, Problems, Typed, inputs, own_fields, read_fields
from gateway.store.enrolments import Listed

OPEN_STATES: Final = frozenset({AgreementState.RECEIVED.value, AgreementState.ASKED.value})
_ONE = f"{PATH}/{{reference}}"


@dataclass(frozen=True, slots=True)
class EnrolmentPages:
    """`/desk/agreements/REFERENCE`, its form, and what is sent from them."""

    desk: Desk
    documents: Documents

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [
            Route(_ONE, self.show, methods=["GET"]),
            Route(f"{_ONE}/steps", self.step, methods=["POST"]),
            Route(f"{_ONE}/cases", self.cases, methods=["POST"]),
            Route(f"{_ONE}/documents", self.link, methods=["POST"]),
            Route(f"{_ONE}/form", self.form, methods=["GET"]),
            Route(f"{_ONE}/form", self.write, methods=["POST"]),
            Route("/desk/approvals/{id}", self.decide, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Where it stands."""
        clerk = await self.desk.clerk(request)
        return await self._page(request, clerk, await self.desk.agreement(clerk, request))

    async def step(self, request: Request) -> Response:
        """Move it, where it still stands as the clerk saw it."""
        clerk, fields = await self.desk.sent(request)
        agreement = await self.desk.agreement(clerk, request)
        step = fields.get("step", "")
        verb = AGREEMENT_VERBS.get(step)
        if verb is None:
            raise Malformed("There is no such step.")
        more = {"reason": fields.get("reason", "")} if step == "refuse" else {}
        try:
            done = await self.desk.enact(
                clerk, verb, agreement=agreement["reference"], version=version_of(fields), **more
            )
        except Malformed as problem:
            return await self._refused(request, clerk, problem)
        said = "waits" if "waits_for_second_person" in done else f"agreement-{step}"
        return RedirectResponse(where(agreement["reference"], said=said), status_code=303)

    async def cases(self, request: Request) -> Response:
        """Let it cover a case, or take one out."""
        clerk, fields = await self.desk.sent(request)
        agreement = await self.desk.agreement(clerk, request)
        case, is_out = fields.get("case", "").strip().upper(), "remove" in fields
        if is_out or case not in agreement["cases"]:  # a form that was sent twice has done it
            verb = "uncover_case" if is_out else "cover_case"
            try:
                await self.desk.enact(clerk, verb, agreement=agreement["reference"], case=case)
            except (Malformed, NotAllowed) as problem:
                return await self._page(
                    request, clerk, agreement, problems={"case": problem.advice}, typed_case=case, status=422
                )
        said = "uncovered" if is_out else "covered"
        return RedirectResponse(where(agreement["reference"], said=said), status_code=303)

    async def link(self, request: Request) -> Response:
        """Link a document to its form, or put one back into the tray."""
        clerk, fields = await self.desk.sent(request)
        agreement = await self.desk.agreement(clerk, request)
        known_as, is_out = fields.get("item", "").strip().upper(), "remove" in fields
        linked = {one["item"] for one in agreement["documents"]}
        if is_out and (agreement["state"] not in OPEN_STATES or known_as not in linked):
            problem = "What was accepted keeps its documents." if known_as in linked else ""
            return await self._page(
                request, clerk, agreement, problems={"item": problem} if problem else {}, status=422
            )
        token = clerk.visitor.token
        try:
            if is_out:
                await self.desk.keyholder.paper_unlink(token, known_as, fields.get("paper", ""))
            elif known_as not in linked:
                await self.desk.keyholder.paper_link(token, agreement["reference"], known_as)
        except (Malformed, NotAllowed) as problem:
            return await self._page(
                request, clerk, agreement, problems={"item": problem.advice}, typed_item=known_as, status=422
            )
        said = "unlinked" if is_out else "linked"
        return RedirectResponse(where(agreement["reference"], said=said), status_code=303)

    async def form(self, request: Request) -> Response:
        """The fields beside the document that shows them: opened through the keyholder, on record."""
        clerk = await self.desk.clerk(request)
        return await self._form(request, clerk, await self.desk.agreement(clerk, request))

    async def write(self, request: Request) -> Response:
        """Keep what was typed, or show what is sealed beside it. Where somebody else was quicker, nothing is lost."""
        clerk, fields = await self.desk.sent(request)
        agreement = await self.desk.agreement(clerk, request)
        form = consent_of(clerk)
        typed = read_fields(form, fields, clerk.today)
        if fields.get("do") == "show-sealed":
            opened = await self.desk.keyholder.paper_open(clerk.visitor.token, agreement["reference"])
            return await self._form(request, clerk, agreement, typed=typed, opened=opened)
        if typed.problems:
            return await self._form(request, clerk, agreement, typed=typed, status=422)
        if changed := typed.changed:
            open_keys = {one.key for one in own_fields(form) if not one.sealed}
            before = {key: typed.before.get(key, "") for key in changed if key in open_keys}
            try:
                await self.desk.enact(
                    clerk, "set_fields", agreement=agreement["reference"], fields=changed, before=before
                )
            except Malformed as problem:
                now = await self.desk.agreement(clerk, request)
                if _stand(now, changed, {one.key for one in own_fields(form)} - open_keys):
                    return RedirectResponse(where(agreement["reference"], "form", said="kept"), status_code=303)
                told = Typed(typed.values, typed.before, {"": problem.advice})
                status = 409 if isinstance(problem, Moved) else 422
                return await self._form(request, clerk, now, typed=told, status=status)
        said = where(agreement["reference"], "form", said="kept")
        return RedirectResponse(said, status_code=303)

    async def decide(self, request: Request) -> Response:
        """Approve what somebody else has asked for, or let it lapse."""
        clerk, fields = await self.desk.sent(request)
        reference = fields.get("agreement", "")
        found = await self.desk.look(clerk, lambda rows: rows.agreement(reference))
        agreement = self.desk.mine(clerk, found)
        is_declined = fields.get("do") == "decline"
        verb = "decline" if is_declined else "approve"
        try:
            await self.desk.enact(clerk, verb, approval=request.path_params["id"])
        except NotAllowed:  # it was decided before, or has lapsed
            return await self._page(request, clerk, agreement, problems={"": "decided"}, status=409)
        except Malformed as problem:
            return await self._page(request, clerk, agreement, problems={"": problem.advice}, status=422)
        said = "declined" if is_declined else "approved"
        return RedirectResponse(where(agreement["reference"], said=said), status_code=303)

    async def _refused(self, request: Request, clerk: Clerk, problem: Malformed) -> Response:
        agreement = await self.desk.agreement(clerk, request)
        is_moved = isinstance(problem, Moved)
        problems = {"": "moved" if is_moved else problem.advice}
        return await self._page(request, clerk, agreement, problems=problems, status=409 if is_moved else 422)

    async def _page(
        self,
        request: Request,
        clerk: Clerk,
        agreement: Listed,
        *,
        problems: Problems | None = None,
        typed_case: str = "",
        typed_item: str = "",
        status: int = 200,
    ) -> Response:
        form = consent_of(clerk)
        labels = {one.key: one.label for one in own_fields(form)}
        return self.desk.pages.page(
            request,
            "desk_agreement.html",
            clerk.visitor,
            status=status,
            agreement=agreement,
            form=form,
            labels=labels,
            missing=missing_words(agreement, labels),
            offered=offered_for_agreement(agreement, clerk.now_us),
            is_open=agreement["state"] in OPEN_STATES,
            roles={one.key: one.title for one in clerk.programme.roles},
            reasons=sorted(REASONS),
            notice_days=clerk.programme.limits.notice_days,
            most_users=clerk.programme.limits.designated_users,
            problems=problems or {},
            typed_case=typed_case,
            typed_item=typed_item,
            said=request.query_params.get("said", ""),
            form_token=clerk.form_token,
        )

    async def _form(
        self,
        request: Request,
        clerk: Clerk,
        agreement: Listed,
        *,
        typed: Typed | None = None,
        opened: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        form = consent_of(clerk)
        first = next((one["item"] for one in agreement["documents"] if one["item"]), "")
        wanted = wanted_of(request.query_params, first)
        linked = {one["item"] for one in agreement["documents"]}
        if wanted is not None and wanted.item not in linked:
            raise NotAllowed("There is nothing here for you.")
        labels = {one.key: one.label for one in own_fields(form)}
        return self.desk.pages.page(
            request,
            "desk_form.html",
            clerk.visitor,
            status=status,
            headers=WITH_PICTURE,
            agreement=agreement,
            form=form,
            inputs=inputs(form, agreement["fields"], typed, opened),
            has_sealed=any(one.sealed and one.key in agreement["fields"] for one in own_fields(form)),
            is_opened=opened is not None,
            problems=typed.problems if typed else {},
            missing=missing_words(agreement, labels),
            is_open=agreement["state"] in OPEN_STATES,
            offered=offered_for_agreement(agreement, clerk.now_us),
            shown=await self.documents.show(clerk, wanted) if wanted else None,
            said=request.query_params.get("said", ""),
            form_token=clerk.form_token,
        )


def missing_words(agreement: Listed, labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what an agreement lacks before it can be accepted: the input to go to, and its label."""
    found = [(PREFIX + key, labels.get(key, key)) for key in agreement["missing"]]
    if not agreement["cases"]:
        found.append(("case", ""))
    if not any(user["state"] not in {"revoked", "ended"} for user in agreement["designated_users"]):
        found.append(("user", ""))
    return found


def _stand(agreement: Listed, changed: Mapping[str, Any], sealed: set[str]) -> bool:
    """Tell whether what was sent stands there already: the same form sent twice. What is sealed cannot be compared."""
    stored = agreement["fields"]
    return all(key not in sealed and stored.get(key, "") == value for key, value in changed.items())
