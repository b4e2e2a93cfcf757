"""The page that withdraws a message of the office: who has opened it, what will be seen, and the button."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.casework.withdrawing import withdraw
from gateway.domain.errors import NotAllowed
from gateway.domain.rights import Verb
from gateway.portal.forms import read_form
from gateway.portal.pages import Pages
from gateway.portal.vault import Found, Vault
from gateway.portal.visitors import Visitor, Visitors
from gateway.store.database import Database

_PATH = "/messages/{reference}/withdraw"
_FORM = "withdraw"


@dataclass(frozen=True, slots=True)
class WithdrawPages:
    """The page `/messages/REFERENCE/withdraw`, for employees of the message's case."""

    pages: Pages
    visitors: Visitors
    vault: Vault
    database: Database
    authority: Ed25519PublicKey

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [Route(_PATH, self.ask, methods=["GET"]), Route(_PATH, self.withdraw, methods=["POST"])]

    async def ask(self, request: Request) -> Response:
        """Say what withdrawing does, and who has opened the message so far. Nothing of it is opened here."""
        visitor = await self.visitors.require_employee(request)
        found = await self._found(visitor, request)
        return self.pages.page(
            request,
            "withdraw.html",
            visitor,
            found=found,
            case=found.case,
            readers=[one for one in await self.vault.receipts(found) if one.first_read_us is not None],
            form_token=visitor.form_token(_FORM),
        )

    async def withdraw(self, request: Request) -> Response:
        """Do it. Who sends the form twice is told the same."""
        visitor = await self.visitors.require_employee(request)
        fields = await read_form(request)
        found = await self._found(visitor, request)
        visitor.require_form(_FORM, fields.get("form_token", ""))
        await self.database.run(withdraw, self.authority, visitor.person.id, found.row.id)
        return RedirectResponse(f"/messages/{found.row.reference}", status_code=303)

    async def _found(self, visitor: Visitor, request: Request) -> Found:
        found = await self.vault.find(visitor, request.path_params["reference"])
        if not found.is_own_side or not found.standing.may(Verb.WITHDRAW, is_open=found.case.is_open):
            raise NotAllowed("There is nothing here for you.")
        return found
