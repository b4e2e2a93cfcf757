"""Is this e-mail genuine? What anybody may know, and what the person it went to may know besides.

Whoever has the number in a notification's Message-ID has seen that mail: it cannot be guessed. So anybody is told that
such a mail left us, and when. A reference stands in many mails and is copied easily: about one, nobody but the person
it was written to learns anything, and every other answer is the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.domain.errors import RateExceeded, Unavailable
from gateway.domain.notice import outbox_id_of
from gateway.domain.reference import parse
from gateway.portal.forms import read_form
from gateway.portal.notices import Line, NoticePages
from gateway.portal.pages import Pages
from gateway.portal.tries import Tries
from gateway.portal.visitors import Visitor, Visitors, address_of
from gateway.store.database import Database
from gateway.store.told import sent_at, told_of, told_once

PATH = "/genuine"
MAX_TYPED = 320
MOST = 10
_NUMBER = re.compile(r"(?:notice\.)?([0-9a-f]{32})\Z")


class Verdict(StrEnum):
    """What the page says of what was typed."""

    NOTHING = "nothing"
    NOT_OURS = "not-ours"
    LEFT_US = "left-us"
    UNKNOWN = "unknown"
    SIGN_IN = "sign-in"
    YOURS = "yours"
    NOT_YOURS = "not-yours"
    TOO_FAST = "too-fast"


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict; when the mail left us, where anybody may know; and the person's own mails, where they are theirs."""

    verdict: Verdict = Verdict.NOTHING
    at_us: int = 0
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class GenuinePage:
    """The page `/genuine`. It shows while the store is away, too; only looking something up needs it."""

    pages: Pages
    visitors: Visitors
    database: Database
    notices: NoticePages
    tries: Tries

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [Route(PATH, self.show, methods=["GET"]), Route(PATH, self.look_up, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        """Tell how to know a notification of ours."""
        try:
            visitor = await self.visitors.recognise(request)
        except Unavailable:
            visitor = None
        return self._page(request, visitor, Judged())

    async def look_up(self, request: Request) -> Response:
        """Judge what was typed."""
        typed = (await read_form(request)).get("number", "")[:MAX_TYPED].strip()
        try:
            self.tries.count(address_of(request))
        except RateExceeded:
            return self._page(request, None, Judged(Verdict.TOO_FAST), status=429)
        visitor = await self.visitors.recognise(request)
        judged = await self._judge(visitor, typed)
        return self._page(request, visitor, judged, status=422 if judged.verdict is Verdict.NOT_OURS else 200)

    async def _judge(self, visitor: Visitor | None, typed: str) -> Judged:
        number = outbox_id_of(typed) or next(iter(_NUMBER.findall(typed.strip("<> ").lower())), None)
        try:
            reference = "" if number else str(parse(typed))
        except ValueError:
            return Judged(Verdict.NOT_OURS)
        if visitor is None:
            return Judged(Verdict.SIGN_IN) if number is None else await self._of_anybody(number)
        person = visitor.person.id
        if number is None:
            found = await self.database.read(told_of, person, reference, MOST)
        else:
            one = await self.database.read(told_once, person, number)
            found = [] if one is None else [one]
        lines = tuple(self.notices.lines(visitor, found))
        return Judged(Verdict.YOURS if lines else Verdict.NOT_YOURS, lines=lines)

    async def _of_anybody(self, number: str) -> Judged:
        at_us = await self.database.read(sent_at, number)
        return Judged(Verdict.UNKNOWN) if at_us is None else Judged(Verdict.LEFT_US, at_us)

    def _page(self, request: Request, visitor: Visitor | None, judged: Judged, status: int = 200) -> Response:
        return self.pages.page(request, "genuine.html", visitor, status=status, judged=judged, longest=MAX_TYPED)
