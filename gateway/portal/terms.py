"""The terms: for anybody to read, and for people of the other side to agree to before anything else is shown.

What was agreed to is a version, entered by the keyholder. While the version in force is another one, every other page
leads here, but the way out.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.domain.errors import Malformed, NotAllowed, Unavailable
from gateway.domain.programme import Programme
from gateway.keyholder.client import KeyholderClient
from gateway.portal.forms import read_form
from gateway.portal.pages import Pages
from gateway.portal.visitors import Visitor, Visitors

PATH = "/terms"
_PURPOSE = "terms"


@dataclass(frozen=True, slots=True)
class Text:
    """The terms of one programme in one language, as paragraphs; `others` are the languages it also speaks."""

    programme: str
    version: str
    language: str
    others: tuple[str, ...]
    service: tuple[str, ...]
    conduct: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TermsPages:
    """The page `/terms` and the button on it."""

    pages: Pages
    visitors: Visitors
    keyholder: KeyholderClient

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [Route(PATH, self.show, methods=["GET"]), Route(PATH, self.agree, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        """The terms in force; for who has to agree to them with the button."""
        try:
            visitor = await self.visitors.recognise(request, before_terms=True)
        except Unavailable:
            visitor = None
        return self._page(request, visitor)

    async def agree(self, request: Request) -> Response:
        """Enter that this person agrees to what they have read, and go on."""
        visitor = await self.visitors.require(request, before_terms=True)
        if visitor.is_employee:
            raise NotAllowed("There is nothing here for you.")
        fields = await read_form(request)
        visitor.require_form(_PURPOSE, fields.get("form_token", ""))
        terms, language = fields.get("terms", ""), fields.get("language", "")
        try:
            await agree(self.keyholder, visitor, terms, language)
        except Malformed:
            return self._page(request, visitor, status=422)
        return RedirectResponse("/cases", status_code=303)

    def _page(self, request: Request, visitor: Visitor | None, status: int = 200) -> Response:
        programme = self.pages.programme_of(visitor) if visitor else None
        shown = [programme] if programme else list(self.pages.programmes.values())
        wanted = request.query_params.get("language", "") or (visitor.person.language if visitor else "")
        return self.pages.page(
            request,
            "terms.html",
            visitor,
            status=status,
            texts=[_text(one, wanted) for one in shown],
            has_to_agree=visitor is not None and not visitor.has_agreed,
            has_changed=visitor is not None and visitor.agreed_before,
            is_other=status == 422,
            form_token=visitor.form_token(_PURPOSE) if visitor else "",
        )


async def agree(keyholder: KeyholderClient, visitor: Visitor, terms: str, language: str) -> None:
    """Have it entered that a visitor agrees to a version of the terms. Raises Malformed where it is not in force."""
    person = visitor.person.id
    await keyholder.enact(visitor.token, "agree_terms", person=person, terms=terms, language=language)


def _text(programme: Programme, wanted: str) -> Text:
    language = programme.language_for(wanted)
    words = programme.words(language)
    others = tuple(one for one in programme.languages if one != language)
    service, conduct = (_paragraphs(text) for text in (words.terms.service, words.terms.conduct))
    return Text(words.programme, programme.terms_version, language, others, service, conduct)


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(" ".join(one.split()) for one in text.split("\n\n") if one.strip())
