"""The desk's page on wording: each kind of notification in each language as it will look, and a sample to oneself.

The HTML is shown in a frame of its own that runs nothing, fetches nothing and leads nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.casework.samples import order_sample
from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.errors import NotAllowed
from gateway.domain.notice import NoticeKind
from gateway.domain.programme import Programme
from gateway.domain.specimen import Specimen, Specimens
from gateway.portal.forms import read_form
from gateway.portal.notices import language_names, masked
from gateway.portal.pages import Pages
from gateway.portal.rights import administers
from gateway.portal.visitors import Visitor, Visitors
from gateway.store.authority import AuthorityKey
from gateway.store.database import Database
from gateway.store.people import addresses_of

PATH = "/desk/notices"
_PURPOSE = "samples"
FRAME_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; "
    "base-uri 'none'; form-action 'none'; sandbox",
    "x-frame-options": "SAMEORIGIN",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What is looked at: a kind of notice, in a language of the visitor's programme."""

    kind: NoticeKind
    language: str

    @property
    def query(self) -> str:
        """It as an address carries it."""
        return f"kind={self.kind.value}&language={self.language}"


@dataclass(frozen=True, slots=True)
class WordingPages:
    """The page `/desk/notices`, for those who administer a programme."""

    pages: Pages
    visitors: Visitors
    database: Database
    authority: AuthorityKey
    specimens: Specimens
    clock: Clock
    wake_notifier: Callable[[], None]

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [
            Route(PATH, self.show, methods=["GET"]),
            Route(f"{PATH}/frame", self.frame, methods=["GET"]),
            Route(f"{PATH}/sample", self.send, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """The choice, and what was chosen."""
        visitor, programme = await self._administrator(request)
        choice = _choice(dict(request.query_params), programme)
        person, now_us = visitor.person, to_microseconds(self.clock())
        own = (await self.database.read(addresses_of, [person.id], now_us)).get(person.id, [])
        return self.pages.page(
            request,
            "wording.html",
            visitor,
            kinds={kind: self.specimens.subject(programme.key, kind, person.language) for kind in NoticeKind},
            used=programme.notices,
            language_names=language_names(programme.languages),
            choice=choice,
            specimen=self._specimen(programme, choice),
            address=masked(own[0]) if own else "",
            is_sent="sent" in request.query_params,
            form_token=visitor.form_token(_PURPOSE),
        )

    async def frame(self, request: Request) -> Response:
        """The HTML of one, for the frame alone."""
        _, programme = await self._administrator(request)
        specimen = self._specimen(programme, _choice(dict(request.query_params), programme))
        return Response(specimen.html, headers=FRAME_HEADERS, media_type="text/html")

    async def send(self, request: Request) -> Response:
        """Order a sample to the visitor's own address."""
        visitor, programme = await self._administrator(request)
        fields = await read_form(request)
        visitor.require_form(_PURPOSE, fields.get("form_token", ""))
        choice = _choice(fields, programme)
        person = visitor.person.id
        await self.database.run(order_sample, person, choice.kind, choice.language, person)
        self.wake_notifier()
        return RedirectResponse(f"{PATH}?{choice.query}&sent", status_code=303)

    def _specimen(self, programme: Programme, choice: Choice) -> Specimen:
        return self.specimens.show(programme.key, choice.kind, choice.language)

    async def _administrator(self, request: Request) -> tuple[Visitor, Programme]:
        visitor = await self.visitors.require_employee(request)
        programme = self.pages.programme_of(visitor)
        now_us = to_microseconds(self.clock())
        if programme is None or not await self.database.read(administers, self.authority, visitor.person, now_us):
            raise NotAllowed("There is nothing here for you.")
        return visitor, programme


def _choice(fields: dict[str, str], programme: Programme) -> Choice:
    """Return what was chosen, the first of each where nothing was. Raises HTTPException 404 for what there is not."""
    language = fields.get("language", programme.languages[0])
    try:
        kind = NoticeKind(fields.get("kind", NoticeKind.MESSAGE_WAITING))
    except ValueError:
        raise HTTPException(404) from None
    if language not in programme.languages:
        raise HTTPException(404)
    return Choice(kind, language)
