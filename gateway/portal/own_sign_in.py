"""A person's own sign-in: where they are signed in, and the passkeys and recovery codes beside their password.

Adding one needs a fresh sign-in: the page asks for it, and the keyholder holds to it. Made by the authenticator,
granted by the keyholder; this program carries.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, func, select
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.authenticator.client import AuthenticatorClient
from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.credential import CredentialKind
from gateway.domain.errors import NotAllowed, NotAuthenticated
from gateway.keyholder.client import KeyholderClient
from gateway.portal.forms import read_form
from gateway.portal.pages import Pages
from gateway.portal.security import SESSION_COOKIE, WAY_COOKIE, drop_cookie, new_nonce, with_script
from gateway.portal.visitors import Visitor, Visitors
from gateway.store.authority import genuine
from gateway.store.database import Database
from gateway.store.sessions import sign_in_before
from gateway.store.tables import credential, credential_use, session, session_use

MAX_LABEL = 60
MAX_SESSIONS = 50
RECOVERY_CODES = 10
_PURPOSE = "own-sign-in"
_HERE = "/account/sign-in"
_FACTORS = (CredentialKind.TOTP, CredentialKind.PASSKEY, CredentialKind.TELEPHONE, CredentialKind.RECOVERY)
_SHOWN = tuple(credential.c[name] for name in ("id", "kind", "label", "created_us", "expires_us"))


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Where a person is signed in; `is_this` marks the one that asks."""

    id: str
    issued_us: int
    seen_us: int
    is_this: bool


@dataclass(frozen=True, slots=True)
class Factor:
    """Something that stands beside the password; `left` counts recovery codes that are not spent."""

    id: str
    kind: str
    label: str
    created_us: int
    last_used_us: int | None
    left: int


@dataclass(frozen=True, slots=True)
class Own:
    """What the page shows. `last_us`: the sign-in before this one, None for a first one."""

    sessions: list[OpenSession]
    last_us: int | None
    has_password: bool
    factors: list[Factor]

    @property
    def may_revoke(self) -> bool:
        """True while another second factor would be left."""
        return len([one for one in self.factors if one.kind != CredentialKind.RECOVERY]) > 1


@dataclass(frozen=True, slots=True)
class OwnSignInPages:
    """The page `/account/sign-in` and the forms on it."""

    pages: Pages
    visitors: Visitors
    database: Database
    keyholder: KeyholderClient
    authenticator: AuthenticatorClient
    authority: Ed25519PublicKey
    clock: Clock

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [
            Route(_HERE, self.show, methods=["GET"]),
            Route(f"{_HERE}/passkeys", self.invite, methods=["GET"]),
            Route(f"{_HERE}/passkeys", self.add_passkey, methods=["POST"]),
            Route(f"{_HERE}/recovery-codes", self.add_recovery_codes, methods=["POST"]),
            Route(f"{_HERE}/factors/{{id}}/revoke", self.revoke, methods=["POST"]),
            Route(f"{_HERE}/sessions/end", self.end_sessions, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Sessions and second factors."""
        return await self._page(request, await self.visitors.require(request))

    async def invite(self, request: Request) -> Response:
        """The form for a new passkey."""
        visitor = await self.visitors.require(request)
        if not self._is_fresh(visitor):
            return RedirectResponse("/sign-in?again=sign-in", status_code=303)
        return await self._passkey_form(request, visitor)

    async def add_passkey(self, request: Request) -> Response:
        """Add the passkey that the browser has made."""
        visitor, fields = await self._asked(request)
        if not self._is_fresh(visitor):
            return RedirectResponse("/sign-in?again=sign-in", status_code=303)
        label = " ".join(fields.get("label", "").split())[:MAX_LABEL]
        try:
            data = await self.authenticator.make_passkey(
                visitor.token, fields.get("passkey", ""), fields.get("question", "")
            )
        except NotAuthenticated:
            return await self._passkey_form(request, visitor, "wrong", label)
        await self._add(visitor, CredentialKind.PASSKEY, label or "passkey", data)
        return RedirectResponse(_HERE, status_code=303)

    async def add_recovery_codes(self, request: Request) -> Response:
        """Make new recovery codes and show them, this once; the old ones end."""
        visitor, _ = await self._asked(request)
        if not self._is_fresh(visitor):
            return RedirectResponse("/sign-in?again=sign-in", status_code=303)
        if not (await self._own(visitor)).has_password:
            raise NotAllowed("There is nothing here for you.")
        made = await self.authenticator.make_recovery_codes(visitor.token)
        await self._add(visitor, CredentialKind.RECOVERY, "recovery codes", made.data)
        return await self._page(request, visitor, made.codes)

    async def revoke(self, request: Request) -> Response:
        """End one second factor, and with it every session; the last one stays."""
        visitor, _ = await self._asked(request)
        own, wanted = await self._own(visitor), request.path_params["id"]
        factor = next((one for one in own.factors if one.id == wanted), None)
        if factor is None or not (own.may_revoke or factor.kind == CredentialKind.RECOVERY):
            raise NotAllowed("There is nothing here for you.")
        person = visitor.person.id
        await self.keyholder.enact(visitor.token, "revoke_credential", person=person, credential=factor.id)
        return RedirectResponse("/sign-in", status_code=303)

    async def end_sessions(self, request: Request) -> Response:
        """Sign out one other place, or everywhere."""
        visitor, fields = await self._asked(request)
        chosen = fields.get("session", "") or None
        await self.keyholder.enact(visitor.token, "end_sessions", person=visitor.person.id, session=chosen)
        if chosen is not None and chosen != visitor.session.id:
            return RedirectResponse(_HERE, status_code=303)
        response = RedirectResponse("/signed-out", status_code=303)
        drop_cookie(response, SESSION_COOKIE)
        drop_cookie(response, WAY_COOKIE)
        return response

    async def _asked(self, request: Request) -> tuple[Visitor, dict[str, str]]:
        visitor = await self.visitors.require(request)
        fields = await read_form(request)
        visitor.require_form(_PURPOSE, fields.get("form_token", ""))
        return visitor, fields

    async def _add(self, visitor: Visitor, kind: CredentialKind, label: str, data: str) -> None:
        person = visitor.person.id
        await self.keyholder.enact(
            visitor.token, "add_credential", person=person, kind=kind.value, label=label, data=data
        )

    async def _passkey_form(self, request: Request, visitor: Visitor, problem: str = "", label: str = "") -> Response:
        if not (await self._own(visitor)).has_password:
            raise NotAllowed("There is nothing here for you.")
        nonce = new_nonce()
        return self.pages.page(
            request,
            "account_passkey.html",
            visitor,
            status=422 if problem else 200,
            headers=with_script(nonce),
            form_token=visitor.form_token(_PURPOSE),
            passkey=await self.authenticator.invite_passkey(visitor.token),
            nonce=nonce,
            problem=problem,
            label=label,
        )

    async def _page(self, request: Request, visitor: Visitor, codes: tuple[str, ...] = ()) -> Response:
        return self.pages.page(
            request,
            "account_sign_in.html",
            visitor,
            own=await self._own(visitor),
            codes=codes,
            is_fresh=self._is_fresh(visitor),
            form_token=visitor.form_token(_PURPOSE),
        )

    def _is_fresh(self, visitor: Visitor) -> bool:
        return visitor.session.is_fresh(to_microseconds(self.clock()))

    async def _own(self, visitor: Visitor) -> Own:
        return await self.database.read(self._read, visitor)

    def _read(self, connection: Connection, visitor: Visitor) -> Own:
        now_us = to_microseconds(self.clock())
        seen_us = func.coalesce(session_use.c.seen_us, session.c.issued_us)
        rows = connection.execute(
            select(session, seen_us.label("last_seen_us"))
            .outerjoin(session_use, session_use.c.session_id == session.c.id)
            .where(
                session.c.person_id == visitor.person.id,
                session.c.ended_us.is_(None),
                session.c.absolute_us > now_us,
                seen_us + session.c.idle_us > now_us,
            )
            .order_by(session.c.issued_us.desc())
            .limit(MAX_SESSIONS)
        )
        sessions = [
            OpenSession(row.id, row.issued_us, row.last_seen_us, row.id == visitor.session.id)
            for row in genuine(session, rows, self.authority)
        ]
        last_us = sign_in_before(connection, self.authority, visitor.person.id, visitor.session.issued_us)
        held = self._held(connection, visitor.person.id, now_us)
        has_password = any(one.kind == CredentialKind.PASSWORD for one in held)
        factors = [one for one in held if one.kind in _FACTORS]
        return Own(sessions, last_us, has_password, factors)

    def _held(self, connection: Connection, person_id: str, now_us: int) -> list[Factor]:
        rows = connection.execute(
            select(*_SHOWN, credential_use.c.last_used_us, credential_use.c.last_step)
            .outerjoin(credential_use, credential_use.c.credential_id == credential.c.id)
            .where(credential.c.person_id == person_id, credential.c.revoked_us.is_(None))
            .order_by(credential.c.created_us)
        )
        return [
            Factor(row.id, row.kind, row.label, row.created_us, row.last_used_us, _left(row.kind, row.last_step))
            for row in rows
            if row.expires_us is None or row.expires_us > now_us
        ]


def _left(kind: str, spent: int | None) -> int:
    return RECOVERY_CODES - (spent or 0).bit_count() if kind == CredentialKind.RECOVERY else 0
