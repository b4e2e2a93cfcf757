"""A cover sheet of one's own case, to fax documents by: a button on the case's page that gives a PDF."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.casework.cover_sheets import make_own_sheet
from gateway.domain.clock import from_microseconds
from gateway.domain.errors import NotAllowed
from gateway.domain.notice import PRODUCTION
from gateway.domain.rights import Verb
from gateway.letters.wording import Letters
from gateway.portal.filenames import attachment_disposition
from gateway.portal.forms import read_form
from gateway.portal.pages import Pages
from gateway.portal.vault import Vault
from gateway.portal.visitors import Visitor, Visitors
from gateway.store.database import Database

PURPOSE: Final = "cover-sheet"
"""What the token of the form is for."""


@dataclass(frozen=True, slots=True)
class CoverSheets:
    """The address below a case that makes a sheet, for whoever may write in it."""

    pages: Pages
    visitors: Visitors
    vault: Vault
    database: Database
    authority: Ed25519PublicKey
    letters: Letters

    def routes(self) -> list[Route]:
        """Return this topic's route."""
        return [Route("/cases/{reference}/cover-sheet", self.make, methods=["POST"])]

    async def make(self, request: Request) -> Response:
        """Make a sheet, on record, and give it."""
        visitor = await self.visitors.require(request)
        case, place = await self.vault.case(visitor, request.path_params["reference"])
        if not place.may(Verb.WRITE, is_open=case.is_open):
            raise NotAllowed("There is nothing here for you.")
        fields = await read_form(request)
        visitor.require_form(PURPOSE, fields.get("form_token", ""))
        programmes = self.pages.programmes
        sheet = await self.database.run(
            make_own_sheet,
            self.authority,
            visitor.person.id,
            case.id,
            lines=frozenset(key for key, one in programmes.items() if one.fax),
            trial=self.pages.site.environment != PRODUCTION,
        )
        told = [(sheet.reference, from_microseconds(sheet.expires_us))]
        drawn = await asyncio.to_thread(
            self.letters.cover_sheets, programmes[sheet.programme], visitor.person.language, told
        )
        headers = {
            "content-disposition": attachment_disposition(f"cover-sheet-{sheet.reference}.pdf"),
            "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
        }
        return Response(drawn, 200, headers, "application/pdf")


def sheet_token(pages: Pages, visitor: Visitor, *, may_write: bool) -> str:
    """Return the token of the form on a case's page, "" where no sheet is to be had."""
    programme = pages.programme_of(visitor)
    return visitor.form_token(PURPOSE) if may_write and programme is not None and programme.fax else ""
