"""Designated users on the desk: named as the paper names them, met, invited with a code that is shown once, and out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.authenticator.client import AuthenticatorClient
from gateway.domain.address import parse_address
from gateway.domain.calendar import Appointment, invitation
from gateway.domain.clock import from_microseconds, to_microseconds
from gateway.domain.enrolment import Outcome
from gateway.domain.errors import Malformed, Moved, NotAllowed
from gateway.domain.paper import check_telephone
from gateway.portal.desk.agreement import OPEN_STATES
from gateway.portal.desk.entry import PATH, Clerk, Desk, version_of, where
from gateway.portal.desk.steps import USER_VERBS, offered_for_agreement, offered_for_user
from gateway.portal.desk.typed import MISSING, Problems, chosen, without_label
from gateway.store.enrolments import Listed
from gateway.store.matches import Match, people_like

MINUTES: Final = (15, 30, 45, 60)
HOURS: Final = (24, 48, 72)
_USERS = f"{PATH}/{{reference}}/users"
_ONE = f"{_USERS}/{{number}}"
_NEW = "new"


@dataclass(frozen=True, slots=True)
class Naming:
    """The page that names a user: what was typed, what is wrong, and who is known here that it may be."""

    typed: Mapping[str, str] = field(default_factory=dict)
    problems: Problems = field(default_factory=dict)
    matches: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class UserPages:
    """`/desk/agreements/REFERENCE/users/NUMBER` and what is sent from it."""

    desk: Desk
    authenticator: AuthenticatorClient

    def routes(self) -> list[Route]:
        """Return this topic's routes; `new` stands before any number."""
        return [
            Route(f"{_USERS}/new", self.new, methods=["GET"]),
            Route(f"{_USERS}/new", self.name, methods=["POST"]),
            Route(_ONE, self.show, methods=["GET"]),
            Route(f"{_ONE}/steps", self.step, methods=["POST"]),
            Route(f"{_ONE}/meeting", self.meet, methods=["POST"]),
            Route(f"{_ONE}/meeting.ics", self.calendar, methods=["GET"]),
            Route(f"{_ONE}/outcome", self.hold, methods=["POST"]),
            Route(f"{_ONE}/code", self.invite, methods=["POST"]),
            Route(f"{_ONE}/address", self.address, methods=["POST"]),
        ]

    async def new(self, request: Request) -> Response:
        """The form that names a user."""
        clerk = await self.desk.clerk(request)
        return self._naming(request, clerk, await self.desk.agreement(clerk, request), Naming())

    async def name(self, request: Request) -> Response:
        """Name one. Where somebody is known here by that name or address, the clerk says first who it is."""
        clerk, sent = await self.desk.sent(request)
        agreement = await self.desk.agreement(clerk, request)
        typed = {key: sent.get(key, "").strip() for key in ("name", "address", "telephone", "role", "person")}
        if problems := naming_problems(typed, clerk):
            return self._naming(request, clerk, agreement, Naming(typed, problems), 422)
        matches = await self.desk.database.read(
            people_like, clerk.programme.key, typed["name"], parse_address(typed["address"]).key, clerk.now_us
        )
        if matches and typed["person"] not in {_NEW, *(one.person_id for one in matches)}:
            told = Naming(typed, {"person": "Please say whether this is somebody known here."}, tuple(matches))
            return self._naming(request, clerk, agreement, told, 422)
        person = {} if typed["person"] in {"", _NEW} else {"person": typed["person"]}
        said = {key: typed[key] for key in ("name", "address", "telephone", "role")}
        try:
            await self.desk.enact(clerk, "name_user", agreement=agreement["reference"], **said, **person)
        except (Malformed, NotAllowed) as problem:
            told = Naming(typed, {"": problem.advice}, tuple(matches))
            return self._naming(request, clerk, agreement, told, 422)
        return RedirectResponse(where(agreement["reference"], said="named"), status_code=303)

    async def show(self, request: Request) -> Response:
        """Where a user stands, and what is next."""
        clerk = await self.desk.clerk(request)
        agreement, user = await self.desk.user(clerk, request)
        return self._page(request, clerk, agreement, user)

    async def step(self, request: Request) -> Response:
        """Move a user by one of the steps that need nothing but a button."""
        clerk, sent = await self.desk.sent(request)
        agreement, user = await self.desk.user(clerk, request)
        step = sent.get("step", "")
        if step not in USER_VERBS:
            raise Malformed("There is no such step.")
        arguments = {"designated_user": user["id"], "version": version_of(sent)}
        return await self._do(request, clerk, USER_VERBS[step], f"user-{step}", agreement, user, arguments)

    async def meet(self, request: Request) -> Response:
        """Arrange the meeting; one that was set before is cancelled."""
        clerk, sent = await self.desk.sent(request)
        agreement, user = await self.desk.user(clerk, request)
        typed = {key: sent.get(key, "").strip() for key in ("at", "minutes", "link")}
        starts_us = _instant(typed["at"], clerk)
        if starts_us is None or starts_us <= clerk.now_us:
            problems = {"at": "Please give a day and a time to come." if typed["at"] else MISSING}
            return self._page(request, clerk, agreement, user, problems=problems, typed=typed, status=422)
        minutes = int(typed["minutes"]) if typed["minutes"] in {str(one) for one in MINUTES} else 30
        arguments = {
            "designated_user": user["id"],
            "starts_us": starts_us,
            "minutes": minutes,
            "link": typed["link"],
            "version": version_of(sent),
        }
        return await self._do(
            request, clerk, "schedule_meeting", "meeting-set", agreement, user, arguments, typed, at="link"
        )

    async def calendar(self, request: Request) -> Response:
        """The meeting for a calendar: no name, no case, no taxpayer."""
        clerk = await self.desk.clerk(request)
        _, user = await self.desk.user(clerk, request)
        meeting = meeting_of(user)
        if meeting is None:
            raise NotAllowed("There is nothing here for you.")
        words = clerk.programme.words(user["language"])
        octets = invitation(
            Appointment(
                meeting["id"],
                self.desk.pages.site.host,
                from_microseconds(meeting["starts_us"]),
                from_microseconds(meeting["ends_us"]),
                self.desk.clock(),
                words.meeting or words.sender,
                words.ask,
                meeting["link"] or "",
            )
        )
        headers = {"content-disposition": 'attachment; filename="meeting.ics"'}
        return Response(octets, headers=headers, media_type="text/calendar; charset=utf-8")

    async def hold(self, request: Request) -> Response:
        """Note what the meeting came to. Nothing of it is recorded or copied."""
        clerk, sent = await self.desk.sent(request)
        agreement, user = await self.desk.user(clerk, request)
        rules = clerk.programme.enrolment
        outcome, document = sent.get("outcome", ""), sent.get("document", "")
        checks = chosen(sent, "check-", rules.checklist)
        typed = {"outcome": outcome, "document": document, **{f"check-{one}": "yes" for one in checks}}
        problems = _outcome_problems(outcome, document, checks, clerk)
        if problems:
            return self._page(request, clerk, agreement, user, problems=problems, typed=typed, status=422)
        identified = outcome == Outcome.IDENTIFIED
        arguments = {
            "designated_user": user["id"],
            "outcome": outcome,
            "document": document if identified else "",
            "checks": checks,
            "version": version_of(sent),
        }
        return await self._do(request, clerk, "hold_meeting", "meeting-held", agreement, user, arguments, typed)

    async def invite(self, request: Request) -> Response:
        """Invite a user: shows a new code, this once, or says that the person confirms after signing in."""
        clerk, sent = await self.desk.sent(request)
        agreement, user = await self.desk.user(clerk, request)
        arguments = {"designated_user": user["id"], "version": version_of(sent)}
        if user["confirms_after_signing_in"]:
            return await self._do(request, clerk, "invite_user", "invited-known", agreement, user, arguments)
        hours = sent.get("hours", "")
        lasts = int(hours) if hours in {str(one) for one in HOURS} else clerk.programme.enrolment.code_hours
        expires_us = clerk.now_us + timedelta(hours=lasts) // timedelta(microseconds=1)
        made = await self.authenticator.make_first_code(clerk.visitor.token)
        try:
            await self.desk.enact(clerk, "invite_user", **arguments, lookup=made.lookup, expires_us=expires_us)
        except Malformed as problem:
            return await self._refused(request, clerk, problem)
        return self.desk.pages.page(
            request,
            "desk_code.html",
            clerk.visitor,
            agreement=agreement,
            user=user,
            code=made.clear,
            expires_us=expires_us,
            form_token=clerk.form_token,
        )

    async def address(self, request: Request) -> Response:
        """Change where a user is written to, on written request."""
        clerk, sent = await self.desk.sent(request)
        agreement, user = await self.desk.user(clerk, request)
        typed = {"address": sent.get("address", "").strip()}
        problem = _address_problem(typed["address"])
        if not problem and not sent.get("in-writing"):
            problem = "Please confirm that the request came in writing."
        if problem:
            return self._page(request, clerk, agreement, user, problems={"address": problem}, typed=typed, status=422)
        if typed["address"] == user["address"]:
            return RedirectResponse(_page_of(agreement, user, "address-changed"), status_code=303)
        arguments = {"designated_user": user["id"], "address": typed["address"], "version": version_of(sent)}
        return await self._do(
            request, clerk, "change_address", "address-changed", agreement, user, arguments, typed, at="address"
        )

    async def _do(
        self,
        request: Request,
        clerk: Clerk,
        verb: str,
        said: str,
        agreement: Listed,
        user: Listed,
        arguments: Mapping[str, object],
        typed: Mapping[str, str] | None = None,
        *,
        at: str = "",
    ) -> Response:
        """Do a verb and go back to the user's page; what it refuses is said there, at a field where one is named."""
        try:
            done = await self.desk.enact(clerk, verb, **arguments)
        except Malformed as problem:
            return await self._refused(request, clerk, problem, typed, at)
        waits = "waits_for_second_person" in done
        return RedirectResponse(_page_of(agreement, user, "waits" if waits else said), status_code=303)

    async def _refused(
        self, request: Request, clerk: Clerk, problem: Malformed, typed: Mapping[str, str] | None = None, at: str = ""
    ) -> Response:
        agreement, user = await self.desk.user(clerk, request)
        is_moved = isinstance(problem, Moved)
        problems = {"": "moved"} if is_moved else {at: problem.advice}
        status = 409 if is_moved else 422
        return self._page(request, clerk, agreement, user, problems=problems, typed=typed, status=status)

    def _page(
        self,
        request: Request,
        clerk: Clerk,
        agreement: Listed,
        user: Listed,
        *,
        problems: Problems | None = None,
        typed: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        rules = clerk.programme.enrolment
        return self.desk.pages.page(
            request,
            "desk_user.html",
            clerk.visitor,
            status=status,
            agreement=agreement,
            user=user,
            role=clerk.programme.role(user["role"]),
            forms={form.kind.value: form for form in clerk.programme.forms if form.right is not None},
            offered=offered_for_user(user, clerk.now_us),
            gives_rights="suspend" in offered_for_agreement(agreement, clerk.now_us),
            meeting=meeting_of(user),
            now_us=clerk.now_us,
            documents=rules.documents,
            checklist=rules.checklist,
            minutes=MINUTES,
            hours=HOURS,
            code_hours=rules.code_hours,
            typed=typed or {},
            problems=problems or {},
            said=request.query_params.get("said", ""),
            form_token=clerk.form_token,
        )

    def _naming(self, request: Request, clerk: Clerk, agreement: Listed, naming: Naming, status: int = 200) -> Response:
        return self.desk.pages.page(
            request,
            "desk_user_new.html",
            clerk.visitor,
            status=status,
            agreement=agreement,
            is_open=agreement["state"] in OPEN_STATES,
            naming=naming,
            roles=clerk.programme.roles,
            most_users=clerk.programme.limits.designated_users,
            problems=naming.problems,
            form_token=clerk.form_token,
        )


def meeting_of(user: Listed) -> Listed | None:
    """Return the meeting of a user that is set and has come to nothing so far."""
    return next((one for one in user["meetings"] if one["outcome"] == "waits"), None)


def _page_of(agreement: Listed, user: Listed, said: str) -> str:
    return where(agreement["reference"], "users", str(user["number"]), said=said)


def _instant(text: str, clerk: Clerk) -> int | None:
    try:
        at = datetime.fromisoformat(text)
        return to_microseconds(at if at.tzinfo else at.replace(tzinfo=clerk.zone))
    except (ValueError, OverflowError):
        return None


def naming_problems(typed: Mapping[str, str], clerk: Clerk) -> Problems:
    """Return what is wrong with a name, address, telephone and role as they were typed."""
    problems: Problems = {key: MISSING for key in ("name", "address", "telephone") if not typed[key]}
    if clerk.programme.role(typed["role"]) is None:
        problems["role"] = MISSING
    if typed["address"] and (problem := _address_problem(typed["address"])):
        problems["address"] = problem
    if typed["telephone"]:
        try:
            check_telephone(typed["telephone"], "Telephone")
        except Malformed as refused:
            problems["telephone"] = without_label(refused.advice, "Telephone")
    return problems


def _address_problem(text: str) -> str:
    try:
        parse_address(text)
    except Malformed as problem:
        return problem.advice
    return ""


def _outcome_problems(outcome: str, document: str, checks: list[str], clerk: Clerk) -> Problems:
    rules = clerk.programme.enrolment
    if outcome not in {one.value for one in Outcome}:
        return {"outcome": "Please say what the meeting came to."}
    if outcome != Outcome.IDENTIFIED:
        return {}
    problems: Problems = {}
    if document not in rules.documents:
        problems["document"] = "Please say which kind of document was shown."
    if set(checks) != set(rules.checklist):
        problems["checks"] = "Somebody is identified when all of this was looked at."
    return problems
