"""The page on which an employee gives the key that full copies of replies are encrypted to, proves it, or removes it.

A key is power to read: adding one needs a fresh sign-in, and it is of no use before the code is entered that was
encrypted to it (`gateway.casework.recipient_keys`). Checked by this program, granted by the keyholder.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.casework.recipient_keys import in_pieces
from gateway.clock import system_clock
from gateway.config import Settings
from gateway.domain.address import Address, parse_address
from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.errors import GatewayError, Malformed, Refused, TooLarge, Unavailable
from gateway.domain.recipient_key import CODE_US, WARN_DAYS, RecipientKey, code_hash, new_code, proof_words
from gateway.keyholder.client import KeyholderClient
from gateway.parcels.lookup import look_up
from gateway.parcels.making import ParcelFailed, Signer
from gateway.parcels.openpgp_key import MAX_FILE
from gateway.parcels.proving import proof_for
from gateway.parcels.site import KeyChecker, checker_of, signer_of
from gateway.portal.forms import chunks, read_form
from gateway.portal.notices import masked
from gateway.portal.pages import Pages
from gateway.portal.uploads import Field, FileOctets, FormReader, boundary_of
from gateway.portal.visitors import Visitor, Visitors
from gateway.store.database import Database
from gateway.store.people import addresses_of
from gateway.store.recipient_keys import as_key, keys_of

PATH: Final = "/account/full-copy"
AT_ONCE: Final = 2
"""So many keys are checked at once: each is some runs of gpg."""
_PURPOSE: Final = "full-copy"
_SAID: Final = ("sent", "confirmed", "removed")


@dataclass(frozen=True, slots=True)
class KeyDesk:
    """What keys are judged by here, what proofs are signed with, and how a directory is asked for a key."""

    checker: KeyChecker
    signer: Signer
    look_up: Callable[[Address], Awaitable[bytes]] = look_up


@dataclass(frozen=True, slots=True)
class Held:
    """A key as the page shows it. `ends_soon` where its owner is being told so."""

    key: RecipientKey
    expires_us: int | None
    is_in_use: bool
    ends_soon: bool


def key_desk_of(settings: Settings) -> KeyDesk | None:
    """Return the desk of a site, None where no programme permits full copies. Raises ConfigError."""
    if not settings.full_copies.programmes:
        return None
    return KeyDesk(checker_of(settings), signer_of(settings, system_clock()))


class FullCopyPage:
    """The page `/account/full-copy` and the forms on it; for employees."""

    def __init__(
        self,
        pages: Pages,
        visitors: Visitors,
        database: Database,
        keyholder: KeyholderClient,
        authority: Ed25519PublicKey,
        clock: Clock,
        wake_notifier: Callable[[], None],
        desk: KeyDesk | None,
    ) -> None:
        """Without a `desk` the page says that the site permits no full copies; keys there are can still be removed."""
        self._pages, self._visitors, self._database = pages, visitors, database
        self._keyholder, self._authority, self._clock = keyholder, authority, clock
        self._wake_notifier, self._desk = wake_notifier, desk
        self._room = asyncio.Semaphore(AT_ONCE)

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [
            Route(PATH, self.show, methods=["GET"]),
            Route(f"{PATH}/key", self.add, methods=["POST"]),
            Route(f"{PATH}/look-up", self.find, methods=["POST"]),
            Route(f"{PATH}/code", self.confirm, methods=["POST"]),
            Route(f"{PATH}/remove", self.remove, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """The key in use, the one that waits, and the forms."""
        return await self._page(request, await self._visitors.require_employee(request))

    async def add(self, request: Request) -> Response:
        """Take a key from a file, or from the text that was pasted."""
        visitor = await self._visitors.require_employee(request)
        fields, octets = await _read_upload(request)
        visitor.require_form(_PURPOSE, fields.get("form_token", ""))
        return await self._take(request, visitor, octets or fields.get("text", "").encode())

    async def find(self, request: Request) -> Response:
        """Take the key that the directory of the visitor's own domain has for one of their addresses."""
        visitor = await self._visitors.require_employee(request)
        fields = await read_form(request)
        visitor.require_form(_PURPOSE, fields.get("form_token", ""))
        if self._desk is None:
            return await self._page(request, visitor)
        addresses = await self._addresses(visitor)
        try:
            if not addresses:
                raise Malformed("No address of yours is known here. Ask your administrator.")
            octets = await self._desk.look_up(parse_address(addresses[0]))
        except (Refused, Unavailable) as problem:
            return await self._page(request, visitor, problem)
        return await self._take(request, visitor, octets)

    async def confirm(self, request: Request) -> Response:
        """Take the key that waits into use, by its code."""
        visitor = await self._visitors.require_employee(request)
        fields = await read_form(request)
        visitor.require_form(_PURPOSE, fields.get("form_token", ""))
        try:
            code = fields.get("code", "")[:100]
            await self._keyholder.enact(visitor.token, "confirm_recipient_key", person=visitor.person.id, code=code)
        except Malformed as problem:
            return await self._page(request, visitor, problem)
        self._wake_notifier()
        return RedirectResponse(f"{PATH}?confirmed", status_code=303)

    async def remove(self, request: Request) -> Response:
        """Take every key of the visitor's away, now."""
        visitor = await self._visitors.require_employee(request)
        fields = await read_form(request)
        visitor.require_form(_PURPOSE, fields.get("form_token", ""))
        await self._keyholder.enact(visitor.token, "remove_recipient_key", person=visitor.person.id)
        self._wake_notifier()
        return RedirectResponse(f"{PATH}?removed", status_code=303)

    async def _take(self, request: Request, visitor: Visitor, octets: bytes) -> Response:
        now = self._clock()
        if not visitor.session.is_fresh(to_microseconds(now)):
            return RedirectResponse("/sign-in?again=full-copy", status_code=303)
        if self._desk is None:
            return await self._page(request, visitor)
        try:
            if not octets.strip():
                raise Malformed("Choose a file, or paste your public key.")
            async with self._room:
                key = await self._desk.checker.check(octets, await self._addresses(visitor), now)
                code = new_code()
                proof = await asyncio.to_thread(
                    proof_for, key, proof_words(key, code, self._pages.site.portal), self._desk.signer, now
                )
        except (Refused, Unavailable) as problem:
            return await self._page(request, visitor, problem)
        except ParcelFailed:
            return await self._page(request, visitor, Malformed("Nothing can be encrypted to this key here."))
        await self._keyholder.enact(
            visitor.token,
            "add_recipient_key",
            person=visitor.person.id,
            kind=key.kind.value,
            octets=in_pieces(key.octets),
            fingerprint=key.fingerprint,
            address=key.address,
            expires_us=None if key.expires is None else to_microseconds(key.expires),
            hashed_code=code_hash(code),
            proof=in_pieces(proof),
        )
        self._wake_notifier()
        return RedirectResponse(f"{PATH}?sent", status_code=303)

    async def _addresses(self, visitor: Visitor) -> list[str]:
        now_us = to_microseconds(self._clock())
        found = await self._database.read(addresses_of, [visitor.person.id], now_us)
        return found.get(visitor.person.id, [])

    async def _page(self, request: Request, visitor: Visitor, problem: GatewayError | None = None) -> Response:
        held = await self._database.read(self._held, visitor.person.id)
        addresses = await self._addresses(visitor)
        return self._pages.page(
            request,
            "full_copy.html",
            visitor,
            status=200 if problem is None else 503 if isinstance(problem, Unavailable) else 422,
            is_offered=self._desk is not None,
            takes_certificates=self._desk is not None and self._desk.checker.takes_certificates,
            in_use=next((one for one in held if one.is_in_use), None),
            waiting=next((one for one in held if not one.is_in_use), None),
            address=masked(addresses[0]) if addresses else "",
            problem="" if problem is None else problem.advice,
            said=next((word for word in _SAID if word in request.query_params), ""),
            form_token=visitor.form_token(_PURPOSE),
        )

    def _held(self, connection: Connection, person_id: str) -> list[Held]:
        now = self._clock()
        now_us = to_microseconds(now)
        return [
            Held(as_key(row), row.expires_us, row.confirmed_us is not None, _ends_soon(as_key(row), now))
            for row in keys_of(connection, self._authority, person_id, now_us)
            if row.confirmed_us is not None or row.created_us + CODE_US > now_us
        ]


def _ends_soon(key: RecipientKey, now: datetime) -> bool:
    return key.expires is not None and key.expires - now < timedelta(days=max(WARN_DAYS))


async def _read_upload(request: Request) -> tuple[dict[str, str], bytes]:
    """Return the fields of a form and the octets of its one file. Raises Malformed, TooLarge."""
    reader = FormReader(boundary_of(request.headers.get("content-type", "")), max_field_octets=MAX_FILE)
    fields: dict[str, str] = {}
    octets = bytearray()
    async for piece in chunks(request):
        for event in reader.feed(piece):
            if isinstance(event, Field):
                fields[event.name] = event.value
            elif isinstance(event, FileOctets):
                octets += event.octets
        if len(octets) > MAX_FILE:
            raise TooLarge("This file is too large for one key.")
    reader.finish()
    return fields, bytes(octets)
