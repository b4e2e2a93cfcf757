"""Who is asking: the person of a live session. Every page begins here; the keyholder judges again before it opens."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection
from starlette.requests import Request

from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.errors import KeyholderUnavailable, NotAllowed, NotAuthenticated
from gateway.domain.programme import Programme
from gateway.domain.rights import Side, Verb
from gateway.keyholder.client import KeyholderClient
from gateway.portal.errors import TermsWanted
from gateway.portal.rights import enrols, works_tray
from gateway.portal.security import SESSION_COOKIE, cookie_secret, form_token, require_form_token
from gateway.store.cases import standing
from gateway.store.database import Database
from gateway.store.people import Person, person_by_id
from gateway.store.sessions import LiveSession, live_session
from gateway.store.terms import agreed_versions


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person with a live session; `token` is the session's secret and goes to the keyholder only.

    `has_agreed` is false for who has still to agree to the terms in force, `agreed_before` true for who once agreed to
    others. `enrols` is true for employees who enrol people for their programme, `works_tray` for those who work its
    intake tray.
    """

    token: bytes
    person: Person
    session: LiveSession
    has_agreed: bool = True
    agreed_before: bool = False
    enrols: bool = False
    works_tray: bool = False

    @property
    def is_employee(self) -> bool:
        """True on the office's side."""
        return self.person.side is Side.OFFICE

    def form_token(self, purpose: str) -> str:
        """Return the token that a form of this purpose carries."""
        return form_token(self.token, purpose)

    def require_form(self, purpose: str, offered: str) -> None:
        """Raise CrossSite unless a form of this purpose carries its token."""
        require_form_token(self.token, purpose, offered)


def address_of(request: Request) -> str:
    """Return the address that a request comes from, empty where there is none."""
    return request.client.host if request.client else ""


class Visitors:
    """Recognises visitors by their cookie and the session's signed row."""

    def __init__(
        self,
        database: Database,
        keyholder: KeyholderClient,
        authority: Ed25519PublicKey,
        clock: Clock,
        programmes: Mapping[str, Programme],
    ) -> None:
        self._programmes = programmes
        self._database = database
        self._keyholder = keyholder
        self._authority = authority
        self._clock = clock

    async def require(self, request: Request, *, before_terms: bool = False) -> Visitor:
        """Return who is asking. Raises NotAuthenticated without a live session.

        Raises TermsWanted for who has still to agree to the terms, unless the page is one to come `before_terms`.
        """
        visitor = await self.look(request)
        if visitor.session.needs_touch(to_microseconds(self._clock())):
            # A page that can be shown without the keyholder is shown without it: then this use goes unnoted.
            with contextlib.suppress(KeyholderUnavailable):
                await self._keyholder.touch(visitor.token)
        if not (visitor.has_agreed or before_terms):
            raise TermsWanted("Please read and agree to the terms first.")
        return visitor

    async def look(self, request: Request) -> Visitor:
        """Return who is asking, which counts as no use of the session. Raises NotAuthenticated."""
        token = cookie_secret(request.cookies, SESSION_COOKIE)
        if token is None:
            raise NotAuthenticated("Please sign in.")
        return await self._database.read(self._visitor, token)

    async def recognise(self, request: Request, *, before_terms: bool = False) -> Visitor | None:
        """Return who is asking, or None without a live session, or for who has still to agree to the terms."""
        try:
            return await self.require(request, before_terms=before_terms)
        except (NotAuthenticated, TermsWanted):
            return None

    async def require_employee(self, request: Request) -> Visitor:
        """Return the employee who is asking. Raises NotAllowed for anyone else with a session."""
        visitor = await self.require(request)
        if not visitor.is_employee:
            raise NotAllowed("There is nothing here for you.")
        return visitor

    async def may_still_read(self, visitor: Visitor, case_id: str) -> bool:
        """Tell whether session and standing hold this instant: what a running download asks again and again."""
        try:
            return await self._database.read(self._still_stands, visitor, case_id)
        except NotAuthenticated:
            return False

    def _still_stands(self, connection: Connection, visitor: Visitor, case_id: str) -> bool:
        _, person = self._live(connection, visitor.token)
        place = standing(connection, self._authority, case_id, person.id, to_microseconds(self._clock()))
        return place is not None and place.may(Verb.READ)

    def _visitor(self, connection: Connection, token: bytes) -> Visitor:
        session, person = self._live(connection, token)
        if person.side is Side.OFFICE:
            now_us = to_microseconds(self._clock())
            rights = (judge(connection, self._authority, person, now_us) for judge in (enrols, works_tray))
            return Visitor(token, person, session, True, False, *rights)
        programme = self._programmes.get(person.programme)
        if programme is None:
            return Visitor(token, person, session)
        agreed = agreed_versions(connection, self._authority, person.id, programme.key)
        has_agreed = programme.terms_version in agreed
        return Visitor(token, person, session, has_agreed, bool(agreed) and not has_agreed)

    def _live(self, connection: Connection, token: bytes) -> tuple[LiveSession, Person]:
        session = live_session(connection, self._authority, token, to_microseconds(self._clock()))
        person = person_by_id(connection, session.person_id)
        if person is None:
            raise NotAuthenticated("Please sign in.")
        return session, person
