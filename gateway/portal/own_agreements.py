"""A person's own agreements: which ones name them, what each opens, and the word that a further one waits for.

A clerk took the person for somebody known here; only they know whether that is so. Nothing of the agreement is open to
them before they have said so.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.errors import NotAllowed
from gateway.keyholder.client import KeyholderClient
from gateway.portal.forms import read_form
from gateway.portal.pages import Pages
from gateway.portal.visitors import Visitor, Visitors
from gateway.store.database import Database
from gateway.store.own_places import OwnPlace, own_places

PATH = "/account/agreements"
_PURPOSE = "agreements"


@dataclass(frozen=True, slots=True)
class OwnAgreementPages:
    """The page `/account/agreements` and the buttons on it."""

    pages: Pages
    visitors: Visitors
    database: Database
    keyholder: KeyholderClient
    authority: Ed25519PublicKey
    clock: Clock

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [
            Route(PATH, self.show, methods=["GET"]),
            Route(f"{PATH}/{{id}}/confirm", self.confirm, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Every agreement that names the visitor; those that wait for their word first."""
        visitor = await self._user(request)
        return self.pages.page(
            request,
            "agreements.html",
            visitor,
            places=await self._places(visitor),
            is_confirmed="confirmed" in request.query_params,
            form_token=visitor.form_token(_PURPOSE),
        )

    async def confirm(self, request: Request) -> Response:
        """Enter that an agreement is the visitor's own: from now on it opens what it covers."""
        visitor = await self._user(request)
        fields = await read_form(request)
        visitor.require_form(_PURPOSE, fields.get("form_token", ""))
        place = request.path_params["id"]
        await self.keyholder.enact(visitor.token, "confirm_place", person=visitor.person.id, designated_user=place)
        return RedirectResponse(f"{PATH}?confirmed", status_code=303)

    async def _user(self, request: Request) -> Visitor:
        visitor = await self.visitors.require(request)
        if visitor.is_employee:
            raise NotAllowed("There is nothing here for you.")
        return visitor

    async def _places(self, visitor: Visitor) -> list[OwnPlace]:
        programme = self.pages.programme_of(visitor)
        if programme is None:
            return []
        now_us = to_microseconds(self.clock())
        return await self.database.read(own_places, self.authority, visitor.person.id, programme, now_us)
