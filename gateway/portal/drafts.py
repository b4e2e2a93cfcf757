"""The page of a draft: the author's own message that fits several cases, and the choice of one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.errors import Moved, NotAllowed
from gateway.domain.partmap import Part
from gateway.domain.summary import Summary
from gateway.keyholder.client import KeyholderClient
from gateway.portal.content import PartOctets, attachments, shown_text
from gateway.portal.forms import read_form
from gateway.portal.pages import Pages
from gateway.portal.reading import Body, as_body
from gateway.portal.vault import Vault, open_summary
from gateway.portal.visitors import Visitor, Visitors
from gateway.store.cases import Case
from gateway.store.database import Database
from gateway.store.drafts import Draft, draft_by_reference, fitting_cases

_PATH = "/drafts/{reference}"
_FORM = "draft"
_NOTHING = "There is nothing here for you."


@dataclass(frozen=True, slots=True)
class DraftPages:
    """The page `/drafts/REFERENCE`, for its author and nobody else."""

    pages: Pages
    visitors: Visitors
    vault: Vault
    database: Database
    keyholder: KeyholderClient
    authority: Ed25519PublicKey
    clock: Clock
    wake_notifier: Callable[[], None]

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [Route(_PATH, self.show, methods=["GET"]), Route(_PATH, self.decide, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        """Open the draft, and offer the cases that fit; one that was put into a case is shown there."""
        visitor = await self.visitors.require_employee(request)
        found, _ = await self._found(visitor, request)
        if found.row.message_reference is not None:
            return RedirectResponse(f"/messages/{found.row.message_reference}", status_code=303)
        return await self._page(request, visitor)

    async def decide(self, request: Request) -> Response:
        """Put it into the chosen case, or discard it. Who sends the form twice is told the same."""
        visitor = await self.visitors.require_employee(request)
        fields = await read_form(request)
        found, _ = await self._found(visitor, request)
        visitor.require_form(_FORM, fields.get("form_token", ""))
        draft, person, choice = found.row.reference, visitor.person.id, fields.get("case", "")
        if "discard" in fields:
            await self._enact(visitor, "discard_draft", draft=draft, person=person)
            return RedirectResponse("/cases", status_code=303)
        if not choice:
            return await self._page(request, visitor, "missing")
        try:
            done = await self._enact(visitor, "choose_draft", draft=draft, case=choice, person=person)
        except NotAllowed:
            return await self._page(request, visitor, "gone")
        except Moved:
            return RedirectResponse(f"/drafts/{draft}", status_code=303)
        self.wake_notifier()
        return RedirectResponse(f"/messages/{done['reference']}", status_code=303)

    async def _enact(self, visitor: Visitor, verb: str, **arguments: str) -> dict[str, object]:
        return await self.keyholder.enact(visitor.token, verb, **arguments)

    async def _page(self, request: Request, visitor: Visitor, problem: str = "") -> Response:
        found, fitting = await self._found(visitor, request)
        summary, body = await self._opened(visitor, found)
        return self.pages.page(
            request,
            "draft.html",
            visitor,
            status=422 if problem else 200,
            row=found.row,
            fitting=fitting,
            summary=summary,
            body=body,
            attachments=attachments(summary.part_map),
            problem=problem,
            form_token=visitor.form_token(_FORM),
        )

    async def _opened(self, visitor: Visitor, found: Draft) -> tuple[Summary, Body]:
        """Open its summary and its text. Raises NotAllowed, RateExceeded, KeyholderUnavailable, Tampered."""
        grant = await self.keyholder.open(visitor.token, found.row.message_id)
        summary = open_summary(grant.summary_key, found.row)
        best = summary.part_map.best_text()
        chosen: Part | None = best.plain or best.html
        if chosen is None:
            return summary, Body()
        octets = PartOctets(chosen, await self.vault.sealed_octets(found.row.message_id, "", grant.key))
        text = await asyncio.to_thread(shown_text, octets)
        is_html = chosen is best.html
        return summary, await asyncio.to_thread(
            as_body, self.pages, best, text, is_html=is_html, language=visitor.person.language
        )

    async def _found(self, visitor: Visitor, request: Request) -> tuple[Draft, list[Case]]:
        return await self.database.read(self._read, visitor.person.id, request.path_params["reference"])

    def _read(self, connection: Connection, person_id: str, reference: str) -> tuple[Draft, list[Case]]:
        """Return a draft and the cases that fit. Raises NotAllowed for one that is absent, another's, or over."""
        now_us = to_microseconds(self.clock())
        found = draft_by_reference(connection, reference)
        if found is None or found.row.discarded_us is not None:
            raise NotAllowed(_NOTHING)
        if not found.is_of(connection, self.authority, person_id, now_us):
            raise NotAllowed(_NOTHING)
        return found, fitting_cases(connection, self.authority, found, person_id, now_us)
