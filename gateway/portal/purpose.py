"""A look into a case that is not one's own: an employee says why, and sees it for an hour. It is entered and told.

A case that does not exist, one of another programme and one that may not be looked into get one answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.domain.enrolment import Purpose
from gateway.domain.errors import Malformed, NotAllowed
from gateway.domain.reference import parse
from gateway.keyholder.client import KeyholderClient
from gateway.portal.forms import read_form
from gateway.portal.pages import Pages
from gateway.portal.vault import Vault
from gateway.portal.visitors import Visitor, Visitors

PATH = "/desk/look"
MAX_REFERENCE = 40
_PURPOSE = "look"


@dataclass(frozen=True, slots=True)
class PurposePage:
    """The page `/desk/look`."""

    pages: Pages
    visitors: Visitors
    vault: Vault
    keyholder: KeyholderClient

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [Route(PATH, self.show, methods=["GET"]), Route(PATH, self.state, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        """The form: which case, and why."""
        visitor = await self.visitors.require_employee(request)
        return self._page(request, visitor, request.query_params.get("case", "")[:MAX_REFERENCE], "")

    async def state(self, request: Request) -> Response:
        """Enter the purpose and show the case; one of the visitor's own needs none."""
        visitor = await self.visitors.require_employee(request)
        fields = await read_form(request)
        visitor.require_form(_PURPOSE, fields.get("form_token", ""))
        typed, purpose = fields.get("case", "").strip()[:MAX_REFERENCE], fields.get("purpose", "")
        try:
            reference = str(parse(typed).of_case)
        except ValueError:
            return self._page(request, visitor, typed, purpose, "absent")
        if purpose not in {one.value for one in Purpose}:
            return self._page(request, visitor, typed, purpose, "missing")
        try:
            if not await self._is_open_to(visitor, reference):
                person = visitor.person.id
                await self.keyholder.enact(
                    visitor.token, "state_purpose", person=person, case=reference, purpose=purpose
                )
        except (NotAllowed, Malformed):
            return self._page(request, visitor, typed, purpose, "absent")
        return RedirectResponse(f"/cases/{reference}", status_code=303)

    async def _is_open_to(self, visitor: Visitor, reference: str) -> bool:
        try:
            await self.vault.case(visitor, reference)
        except NotAllowed:
            return False
        return True

    def _page(self, request: Request, visitor: Visitor, typed: str, purpose: str, problem: str = "") -> Response:
        return self.pages.page(
            request,
            "purpose.html",
            visitor,
            status=422 if problem else 200,
            typed=typed,
            purpose=purpose,
            problem=problem,
            form_token=visitor.form_token(_PURPOSE),
        )
