"""The linking ceremony: who signs in by a password proves an account at an identity provider, and it becomes theirs.

Both are fresh in one ceremony: the page asks to sign in once more where the sign-in is older than ten minutes, and the
keyholder holds to that; the authenticator judges the account, states whose it is to become, and signs. That statement
names the person, so no other session can use it. Who comes back from a provider brings no session (another site's
navigation carries no strict cookie), so the last step is a button on a page of ours.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.authenticator.client import AuthenticatorClient
from gateway.authenticator.protocol import Outcome, SignedLinking
from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.credential import CredentialKind
from gateway.domain.errors import Malformed, NotAllowed, NotAuthenticated
from gateway.domain.proof import Linking
from gateway.frames import decode, encode
from gateway.keyholder.client import KeyholderClient
from gateway.portal.forms import read_form
from gateway.portal.pages import Pages
from gateway.portal.security import attempt_cookie, set_returning
from gateway.portal.site import Way
from gateway.portal.visitors import Visitor, Visitors
from gateway.store.database import Database
from gateway.store.tables import credential

MAX_STATED = 4_000
_PURPOSE = "link"
_HERE = "/account/sign-in/link"


@dataclass(frozen=True, slots=True)
class Links:
    """What a person signs in with today: titles of the linked providers, a password, and until when that counts."""

    titles: tuple[str, ...]
    has_password: bool
    ends_us: int | None


def confirmation(pages: Pages, request: Request, way: Way, stated: SignedLinking) -> Response:
    """Return the page with the last step: it carries what the authenticator has signed."""
    fields = {"linking": json.dumps(asdict(stated.linking)), "signature": encode(stated.signature)}
    return pages.page(request, "link_confirm.html", way=way, fields=fields)


@dataclass(frozen=True, slots=True)
class LinkingPages:
    """The pages below `/account/sign-in/link`."""

    pages: Pages
    visitors: Visitors
    database: Database
    keyholder: KeyholderClient
    authenticator: AuthenticatorClient
    clock: Clock

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [
            Route(_HERE, self.show, methods=["GET"]),
            Route(_HERE, self.finish, methods=["POST"]),
            Route(f"{_HERE}/{{provider}}", self.begin, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """What linking is, and the providers."""
        return await self._page(request, await self.visitors.require(request))

    async def begin(self, request: Request) -> Response:
        """Go on to the provider that was chosen."""
        visitor, fields = await self.visitors.require(request), await read_form(request)
        visitor.require_form(_PURPOSE, fields.get("form_token", ""))
        if not visitor.session.is_fresh(to_microseconds(self.clock())):
            return RedirectResponse("/sign-in?again=link", status_code=303)
        way = self.pages.site.way(request.path_params["provider"])
        if way is None:
            raise NotAllowed("There is no such way of signing in here.")
        begun = await self.authenticator.begin_link(visitor.token, way.key)
        if isinstance(begun, Outcome):
            return await self._page(request, visitor, "away", way, status=503)
        response = self.pages.page(request, "going_on.html", way=way, address=begun.address)
        set_returning(response, attempt_cookie(way.key), begun.attempt)
        return response

    async def finish(self, request: Request) -> Response:
        """Have the link made that the page carries."""
        visitor, fields = await self.visitors.require(request), await read_form(request)
        try:
            linking = Linking.from_json(_stated(fields.get("linking", "")))
            await self.keyholder.link(visitor.token, linking, decode(fields.get("signature", "")))
        except NotAuthenticated:
            return await self._page(request, visitor, "late", status=422)
        except Malformed:
            return await self._page(request, visitor, "taken", status=422)
        return RedirectResponse(f"{_HERE}?linked", status_code=303)

    async def _page(
        self, request: Request, visitor: Visitor, problem: str = "", way: Way | None = None, *, status: int = 200
    ) -> Response:
        return self.pages.page(
            request,
            "link.html",
            visitor,
            status=status,
            links=await self.database.read(self._links, visitor),
            form_token=visitor.form_token(_PURPOSE),
            is_fresh=visitor.session.is_fresh(to_microseconds(self.clock())),
            was_linked="linked" in request.query_params,
            problem=problem,
            provider=way.title if way else "",
        )

    def _links(self, connection: Connection, visitor: Visitor) -> Links:
        held = connection.execute(
            select(credential.c.kind, credential.c.label).where(
                credential.c.person_id == visitor.person.id, credential.c.revoked_us.is_(None)
            )
        ).all()
        titles = tuple(row.label for row in held if row.kind == CredentialKind.IDENTITY)
        person = visitor.person
        ends_us = self.pages.site.sunsets.ends_us(person.side, person.programme)
        return Links(titles, any(row.kind == CredentialKind.PASSWORD for row in held), ends_us)


def _stated(text: str) -> object:
    try:
        return json.loads(text[:MAX_STATED])
    except (ValueError, RecursionError):
        raise NotAuthenticated("What the page carried cannot be read. Please begin again.") from None
