"""The list of cases, and one case with its messages; for employees whom its notices did not reach, and what automatic
mail of theirs ended at it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.casework.automatic import lines_of
from gateway.casework.bounces import try_again, unreached
from gateway.domain.card import MEDIA_TYPE, card, file_name
from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.errors import NotAllowed
from gateway.domain.rights import Capacity, Verb
from gateway.portal.cover_sheets import sheet_token
from gateway.portal.forms import read_form
from gateway.portal.pages import Pages
from gateway.portal.vault import Vault
from gateway.portal.visitors import Visitors
from gateway.store.database import Database
from gateway.store.drafts import Draft, drafts_of
from gateway.store.own_places import waiting_places
from gateway.store.sessions import sign_in_before

_RETRY = "retry-notice"


@dataclass(frozen=True, slots=True)
class CasePages:
    """The pages `/cases` (needs no keyholder) and `/cases/REFERENCE`, and the button that tries a notice again."""

    pages: Pages
    visitors: Visitors
    vault: Vault
    database: Database
    authority: Ed25519PublicKey
    clock: Clock
    wake_notifier: Callable[[], None]

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [
            Route("/cases", self.cases, methods=["GET"]),
            Route("/cases/{reference}", self.case, methods=["GET"]),
            Route("/cases/{reference}/card.vcf", self.card, methods=["GET"]),
            Route("/cases/{reference}/notices/{id}/retry", self.retry, methods=["POST"]),
        ]

    async def cases(self, request: Request) -> Response:
        """Where one lands after signing in."""
        visitor = await self.visitors.require(request)
        now_us = to_microseconds(self.clock())
        waiting, drafts = 0, list[Draft]()
        if visitor.is_employee:
            drafts = await self.database.read(drafts_of, self.authority, visitor.person.id, now_us)
        else:
            waiting = await self.database.read(waiting_places, self.authority, visitor.person.id, now_us)
        person, issued_us = visitor.person.id, visitor.session.issued_us
        last_us = await self.database.read(sign_in_before, self.authority, person, issued_us)
        lines = await self.vault.cases(visitor)
        return self.pages.page(
            request, "cases.html", visitor, lines=lines, waiting=waiting, drafts=drafts, last_us=last_us
        )

    async def case(self, request: Request) -> Response:
        """The messages of a case, newest first, a page at a time."""
        visitor = await self.visitors.require(request)
        case, place = await self.vault.case(visitor, request.path_params["reference"])
        before = request.query_params.get("before")
        lines, following = await self.vault.listing(visitor, case, place, before)
        cares = place.may(Verb.TEND) and before is None
        may_write = place.may(Verb.WRITE, is_open=case.is_open)
        return self.pages.page(
            request,
            "case.html",
            visitor,
            case=case,
            may_write=may_write,
            has_card=may_write and place.may(Verb.TEND),
            sheet_token=sheet_token(self.pages, visitor, may_write=may_write),
            by_purpose=place.capacity is Capacity.WITH_PURPOSE,
            as_deputy=place.capacity is Capacity.DEPUTY,
            lines=lines,
            withdrawn=await self.vault.withdrawn(case, place) if before is None else [],
            before=before,
            following=following,
            unreached=await self.database.read(unreached, case.id) if cares else [],
            retry_token=visitor.form_token(_RETRY) if cares else "",
            automatic=await self.database.read(lines_of, case.id) if cares else [],
            may_withdraw=place.may(Verb.WITHDRAW, is_open=case.is_open),
        )

    async def card(self, request: Request) -> Response:
        """The case's address for an employee's address book."""
        visitor = await self.visitors.require_employee(request)
        case, place = await self.vault.case(visitor, request.path_params["reference"])
        if not place.may(Verb.TEND):
            raise NotAllowed("There is nothing here for you.")
        octets = card(case.reference, self.pages.site.domain, self.pages.site.name)
        headers = {"content-disposition": f'attachment; filename="{file_name(case.reference)}"'}
        return Response(octets, headers=headers, media_type=MEDIA_TYPE)

    async def retry(self, request: Request) -> Response:
        """Try a notice of the case again, and an address that was given up with it."""
        visitor = await self.visitors.require_employee(request)
        fields = await read_form(request)
        visitor.require_form(_RETRY, fields.get("form_token", ""))
        case, _ = await self.vault.case(visitor, request.path_params["reference"])
        notice = request.path_params["id"]
        await self.database.run(try_again, self.authority, visitor.person.id, case.id, notice)
        self.wake_notifier()
        return RedirectResponse(f"/cases/{case.reference}", status_code=303)
