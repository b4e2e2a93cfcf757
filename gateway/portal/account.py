"""An employee's app passwords, for mail tools: made by the authenticator, granted by the keyholder, shown once."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.authenticator.client import AuthenticatorClient
from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.credential import CredentialKind
from gateway.domain.programme import Programme
from gateway.keyholder.client import KeyholderClient
from gateway.portal.forms import read_form
from gateway.portal.pages import UTC_ZONE, Pages
from gateway.portal.visitors import Visitor, Visitors
from gateway.store.database import Database
from gateway.store.tables import credential, credential_use

MAX_LABEL = 60
MAX_NETWORKS = 10
_PURPOSE = "app-passwords"


@dataclass(frozen=True, slots=True)
class AppPassword:
    """One app password as its owner sees it: never the password."""

    id: str
    label: str
    networks: str
    created_us: int
    expires_us: int | None
    last_used_us: int | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What the form asks for, checked; `problems` by field."""

    label: str
    networks: str
    expires: str
    expires_us: int | None
    problems: dict[str, str]


@dataclass(frozen=True, slots=True)
class AccountPages:
    """The page `/account/app-passwords` and the forms on it; for employees."""

    pages: Pages
    visitors: Visitors
    database: Database
    keyholder: KeyholderClient
    authenticator: AuthenticatorClient
    clock: Clock

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [
            Route("/account/app-passwords", self.show, methods=["GET"]),
            Route("/account/app-passwords", self.add, methods=["POST"]),
            Route("/account/app-passwords/{id}/revoke", self.revoke, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """The list, and the form for a new one."""
        return await self._page(request, await self.visitors.require_employee(request))

    async def add(self, request: Request) -> Response:
        """Make one and show it, this once."""
        visitor = await self.visitors.require_employee(request)
        fields = await read_form(request)
        visitor.require_form(_PURPOSE, fields.get("form_token", ""))
        if not visitor.session.is_fresh(to_microseconds(self.clock())):
            return RedirectResponse("/sign-in?again=app-passwords", status_code=303)
        wish = _wish(fields, self.pages.programme_of(visitor), self.clock())
        if wish.problems:
            return await self._page(request, visitor, wish=wish, status=422)
        made = await self.authenticator.make_app_password(visitor.token)
        await self.keyholder.enact(
            visitor.token,
            "add_credential",
            person=visitor.person.id,
            kind=CredentialKind.APP_PASSWORD.value,
            label=wish.label,
            lookup=made.lookup,
            data=made.data,
            networks=wish.networks,
            expires_us=wish.expires_us,
        )
        return await self._page(request, visitor, password=made.clear, label=wish.label)

    async def revoke(self, request: Request) -> Response:
        """End one, now."""
        visitor = await self.visitors.require_employee(request)
        fields = await read_form(request)
        visitor.require_form(_PURPOSE, fields.get("form_token", ""))
        await self.keyholder.enact(
            visitor.token, "revoke_credential", person=visitor.person.id, credential=request.path_params["id"]
        )
        return RedirectResponse("/account/app-passwords", status_code=303)

    async def _page(
        self,
        request: Request,
        visitor: Visitor,
        *,
        wish: Wish | None = None,
        password: str = "",
        label: str = "",
        status: int = 200,
    ) -> Response:
        wish = wish or Wish("", "", "", None, {})
        return self.pages.page(
            request,
            "app_passwords.html",
            visitor,
            status=status,
            passwords=await self.database.read(self._passwords, visitor.person.id),
            form_token=visitor.form_token(_PURPOSE),
            wish=wish,
            problems=wish.problems,
            password=password,
            label=label,
            limits=None,
        )

    def _passwords(self, connection: Connection, person_id: str) -> list[AppPassword]:
        now_us = to_microseconds(self.clock())
        rows = connection.execute(
            select(*_SHOWN)
            .where(
                credential.c.person_id == person_id,
                credential.c.kind == CredentialKind.APP_PASSWORD.value,
                credential.c.revoked_us.is_(None),
            )
            .order_by(credential.c.created_us.desc())
        )
        valid = [row for row in rows if row.expires_us is None or row.expires_us > now_us]
        used = _last_uses(connection, valid)
        return [
            AppPassword(row.id, row.label, row.networks, row.created_us, row.expires_us, used.get(row.id))
            for row in valid
        ]


# What a password is checked with is not for this program: a taken-over portal has no hash to try words on.
_SHOWN = tuple(credential.c[name] for name in ("id", "label", "networks", "created_us", "expires_us"))


def _last_uses(connection: Connection, rows: Sequence[Row[Any]]) -> dict[str, int | None]:
    ids = [row.id for row in rows]
    uses = connection.execute(select(credential_use).where(credential_use.c.credential_id.in_(ids)))
    return {row.credential_id: row.last_used_us for row in uses}


def _wish(fields: dict[str, str], programme: Programme | None, now: datetime) -> Wish:
    problems: dict[str, str] = {}
    label = " ".join(fields.get("label", "").split())
    if not label:
        problems["label"] = "missing"
    elif len(label) > MAX_LABEL:
        problems["label"] = "too-long"
    networks = fields.get("networks", "").strip()
    try:
        canonical = _networks(networks)
    except ValueError:
        problems["networks"] = "address"
        canonical = networks
    expires = fields.get("expires", "").strip()
    expires_us = None
    if expires:
        try:
            expires_us = _end_of_day(date.fromisoformat(expires), programme)
        except (ValueError, OverflowError):
            problems["expires"] = "other"
        else:
            if expires_us <= to_microseconds(now):
                problems["expires"] = "past"
    return Wish(label, canonical, expires, expires_us, problems)


def _networks(text: str) -> str:
    """Return networks as the authenticator reads them: CIDR, blanks between. Raises ValueError."""
    pieces = [piece for piece in text.replace(",", " ").split() if piece]
    if len(pieces) > MAX_NETWORKS:
        raise ValueError("too many networks")
    return " ".join(str(ipaddress.ip_network(piece, strict=False)) for piece in pieces)


def _end_of_day(day: date, programme: Programme | None) -> int:
    """The first instant after an inclusive date in the programme's zone."""
    zone = programme.zone if programme else UTC_ZONE
    following = day + timedelta(days=1)
    midnight = datetime(following.year, following.month, following.day, tzinfo=zone)
    return to_microseconds(midnight.astimezone(UTC))
