"""What an employee types into a mail tool so that it hands in mail here, and a test notice to their own address.

No mail tool finds out by itself where a server is that only sends: the values have to be typed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.casework.samples import order_sample
from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.notice import NoticeKind
from gateway.portal.forms import read_form
from gateway.portal.notices import masked
from gateway.portal.pages import Pages
from gateway.portal.visitors import Visitors
from gateway.store.database import Database
from gateway.store.people import addresses_of

PATH = "/account/mail-tool"
_PURPOSE = "mail-tool"


@dataclass(frozen=True, slots=True)
class MailToolPages:
    """The page `/account/mail-tool`, for employees."""

    pages: Pages
    visitors: Visitors
    database: Database
    clock: Clock
    wake_notifier: Callable[[], None]

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [Route(PATH, self.show, methods=["GET"]), Route(PATH, self.send, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        """The values, and the button for a test."""
        visitor = await self.visitors.require_employee(request)
        person, now_us = visitor.person, to_microseconds(self.clock())
        addresses = (await self.database.read(addresses_of, [person.id], now_us)).get(person.id, [])
        return self.pages.page(
            request,
            "mail_tool.html",
            visitor,
            outgoing=self.pages.site.outgoing,
            user_name=addresses[0] if addresses else "",
            address=masked(addresses[0]) if addresses else "",
            is_sent="sent" in request.query_params,
            form_token=visitor.form_token(_PURPOSE),
        )

    async def send(self, request: Request) -> Response:
        """Order a sample of the notice of a message to the visitor's own address."""
        visitor = await self.visitors.require_employee(request)
        fields = await read_form(request)
        visitor.require_form(_PURPOSE, fields.get("form_token", ""))
        person, programme = visitor.person, self.pages.programme_of(visitor)
        spoken = programme.languages if programme else (person.language,)
        language = person.language if person.language in spoken else spoken[0]
        await self.database.run(order_sample, person.id, NoticeKind.MESSAGE_WAITING, language, person.id)
        self.wake_notifier()
        return RedirectResponse(f"{PATH}?sent", status_code=303)
