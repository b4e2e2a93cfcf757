"""A letter to whoever sent a fax and has no account: a form on an item's page that gives a PDF, to print or fax."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.casework.acknowledging import enter_letter
from gateway.domain.clock import from_microseconds
from gateway.domain.errors import Malformed, NotAllowed, UnknownRecipient
from gateway.domain.letter import Reason, Received
from gateway.letters.wording import Letters
from gateway.portal.desk.entry import Desk
from gateway.portal.desk.tray import PATH
from gateway.portal.filenames import attachment_disposition


@dataclass(frozen=True, slots=True)
class LetterPages:
    """`/desk/intake/ITEM/letter`, for whoever works the intake tray."""

    desk: Desk
    letters: Letters

    def routes(self) -> list[Route]:
        """Return this topic's route."""
        return [Route(f"{PATH}/{{item}}/letter", self.make, methods=["POST"])]

    async def make(self, request: Request) -> Response:
        """Make a letter in the clerk's programme, on record, and give it. It tells nothing of the fax."""
        clerk, fields = await self.desk.sent_by_worker(request)
        reason, language = _reason(fields.get("reason", "")), fields.get("language", "")
        if language not in clerk.programme.languages:
            raise Malformed("This programme does not speak that language.")
        known_as = request.path_params["item"].upper()
        try:
            told = await self.desk.database.run(enter_letter, known_as, reason.value, language, clerk.visitor.person.id)
        except UnknownRecipient:
            raise NotAllowed("There is nothing here for you.") from None
        fax = Received(told.reference, from_microseconds(told.at_us), told.is_own_time)
        now = from_microseconds(clerk.now_us)
        drawn = await asyncio.to_thread(self.letters.letter, clerk.programme, language, reason, fax, now)
        headers = {
            "content-disposition": attachment_disposition(f"letter-{told.reference}.pdf"),
            "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
        }
        return Response(drawn, 200, headers, "application/pdf")


def _reason(word: str) -> Reason:
    try:
        return Reason(word)
    except ValueError:
        raise Malformed("There is no such reason for a letter.") from None
