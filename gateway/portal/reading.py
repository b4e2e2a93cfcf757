"""One message on a page: who, when, what; its text; its attachments; and the form to answer it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.domain.errors import NotAllowed
from gateway.domain.partmap import BestText
from gateway.domain.rights import Verb
from gateway.domain.summary import Mailbox, Summary
from gateway.portal.content import (
    Attachment,
    PartOctets,
    ShownText,
    attachment_name,
    attachments,
    part_octets,
    shown_text,
)
from gateway.portal.meetings import meeting_in
from gateway.portal.pages import Pages
from gateway.portal.showing import Passage, frame_document, passages
from gateway.portal.signatures import Inside, Signatures
from gateway.portal.uploads import UploadLimits
from gateway.portal.vault import TEXT_PART, Found, Opened, Vault
from gateway.portal.visitors import Visitor, Visitors
from gateway.portal.written import WriteForm


@dataclass(frozen=True, slots=True)
class Body:
    """The text of a message as the page shows it: passages of plain text, or a document for the frame."""

    passages: tuple[Passage, ...] = ()
    frame: str = ""
    has_other_form: bool = False
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A mail on the page: the message, or what one of its signed parts (of this name) wraps."""

    body: Body
    attachments: list[Attachment]
    name: str = ""


@dataclass(frozen=True, slots=True)
class ReadingPages:
    """The page `/messages/REFERENCE`; `?form=html` shows the formatted text where there is a plain one too."""

    pages: Pages
    visitors: Visitors
    vault: Vault
    signatures: Signatures
    limits: UploadLimits

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [Route("/messages/{reference}", self.message, methods=["GET"])]

    async def message(self, request: Request) -> Response:
        """Open and show one message."""
        visitor = await self.visitors.require(request)
        reference = request.path_params["reference"]
        try:
            found = await self.vault.find(visitor, reference)
        except NotAllowed:
            case, row = await self.vault.find_withdrawn(visitor, reference)
            return self.pages.page(request, "withdrawn.html", visitor, case=case, row=row)
        opened = await self.vault.open(visitor, found, TEXT_PART)
        summary = opened.summary
        looked = await self.signatures.look(self.vault, opened)
        around = looked.inside(summary.part_map.root)
        shown = await self._shown(opened, around, request, visitor)
        insides = [await self._shown(opened, one, request, visitor) for one in looked.insides if one is not around]
        maps = (summary.part_map, *(one.part_map for one in looked.insides))
        return self.pages.page(
            request,
            "message.html",
            visitor,
            found=found,
            summary=summary,
            to=self._shown_boxes(visitor, summary.to),
            cc=self._shown_boxes(visitor, summary.cc),
            bcc=summary.bcc if visitor.is_employee and found.is_own_side else (),
            notes=sorted({*summary.notes, *(note for one in maps for note in one.notes)}),
            shown=shown,
            insides=insides,
            card=await meeting_in(self.vault, opened),
            wants_html=_wants_html(request),
            looked=looked,
            receipts=await self.vault.receipts(found) if found.is_own_side else [],
            case=found.case,
            may_write=found.standing.may(Verb.WRITE, is_open=found.case.is_open) and not found.is_outside,
            may_withdraw=found.is_own_side and found.standing.may(Verb.WITHDRAW, is_open=found.case.is_open),
            form=self._answer_form(visitor, found, summary),
        )

    def _shown_boxes(self, visitor: Visitor, boxes: Iterable[Mailbox]) -> list[Mailbox]:
        """Addressees as this visitor sees them: to a correspondent an address of the gateway is just the case."""
        own = f"@{self.pages.site.domain}".lower()
        if visitor.is_employee:
            return list(boxes)
        return [Mailbox(box.name, "") if box.address.lower().endswith(own) else box for box in boxes]

    def _answer_form(self, visitor: Visitor, found: Found, summary: Summary) -> WriteForm:
        subject = summary.subject.strip()
        return WriteForm(
            case=found.case,
            answers=found.row.reference,
            subject=subject if subject.lower().startswith("re:") else f"Re: {subject}".strip(),
            text="",
            limits=self.limits,
            form_token=visitor.form_token("write"),
        )

    async def _shown(self, opened: Opened, inside: Inside | None, request: Request, visitor: Visitor) -> Shown:
        """Return the message as it is shown, or what one of its signed parts wraps."""
        outer = opened.summary.part_map
        part_map = outer if inside is None else inside.part_map
        files = attachments(part_map, "" if inside is None else inside.wrapper)
        name = ""
        if inside is not None:
            wrapper = outer.part(inside.wrapper)
            name = attachment_name(wrapper)
            files += attachments(outer) if wrapper == outer.root else []
        best = part_map.best_text()
        chosen = best.html if best.html and (_wants_html(request) or not best.plain) else best.plain
        if chosen is None:
            return Shown(Body(), files, name)
        octets = await part_octets(self.vault, opened, chosen) if inside is None else PartOctets(chosen, inside.octets)
        text = await asyncio.to_thread(shown_text, octets)
        language = visitor.person.language
        is_html = chosen is best.html
        body = await asyncio.to_thread(as_body, self.pages, best, text, is_html=is_html, language=language)
        return Shown(body, files, name)


def as_body(pages: Pages, best: BestText, shown: ShownText, *, is_html: bool, language: str) -> Body:
    """Return a text as the page shows it; call it in a thread."""
    has_other = bool(best.plain and best.html)
    if is_html or best.plain is None:
        style_sheet = f"/static/frame.css?{pages.statics['frame.css'].tag}"
        frame = frame_document(shown.text, style_sheet, language)
        return Body(frame=frame, has_other_form=has_other, is_cut=shown.is_cut)
    return Body(passages=tuple(passages(shown.text)), has_other_form=has_other, is_cut=shown.is_cut)


def _wants_html(request: Request) -> bool:
    return request.query_params.get("form") == "html"
