"""The portal: HTTPS for browsers, everything the people of a case do without a mail tool.

What it does: shows cases and messages, gives attachments, takes answers. What it trusts: the rows that carry the
keyholder's signature, the authenticator's and the keyholder's answers; no header, no form, no octet of a message. What
it holds: its TLS key, the deposit key, and, for the length of one request, the keys that the keyholder gave for a live
session; no such key rests here. How it fails: without keyholder or authenticator the list of cases still shows and the
rest says 503; without the database everything says 503 but the public pages; an exception becomes an incident id. It
recovers by itself.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from gateway import maillog
from gateway.authenticator.client import AuthenticatorClient
from gateway.clock import system_clock
from gateway.domain.address import Address
from gateway.domain.clock import Clock
from gateway.domain.mta_sts import policy_host
from gateway.domain.programme import Programme
from gateway.domain.specimen import Specimens
from gateway.keyholder.client import KeyholderClient
from gateway.portal.banner import BannerPage
from gateway.portal.downloads import RECHECK_SECONDS
from gateway.portal.errors import Answer
from gateway.portal.full_copy import KeyDesk
from gateway.portal.guard import ErrorPage, Guard
from gateway.portal.key_directory import KeyDirectory
from gateway.portal.pages import Pages
from gateway.portal.parcelling import Parcelling
from gateway.portal.policy_host import PolicyHost
from gateway.portal.server import serve
from gateway.portal.signatures import Signatures
from gateway.portal.site import PortalSite
from gateway.portal.topics import Parts, topics_of
from gateway.portal.uploads import UploadLimits
from gateway.portal.vault import Vault
from gateway.portal.visitors import Visitors
from gateway.resources import templates_folder
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database

BACKLOG = 512


class Portal:
    """One portal, built of its parts. `ready` is set when it takes connections."""

    def __init__(
        self,
        *,
        listen: Sequence[tuple[str, int]],
        tls: ssl.SSLContext,
        site: PortalSite,
        programmes: Mapping[str, Programme],
        database: Database,
        blobs: BlobFolder,
        keyholder: KeyholderClient,
        authenticator: AuthenticatorClient,
        authority: Ed25519PublicKey,
        deposit_key: bytes,
        wake_notifier: Callable[[], None] = lambda: None,
        limits: UploadLimits | None = None,
        specimens: Specimens,
        signatures: Signatures | None = None,
        templates: Path | None = None,
        policy: str = "",
        parcelling: Parcelling | None = None,
        key_desk: KeyDesk | None = None,
        published: tuple[Address, bytes] | None = None,
        recheck_seconds: float = RECHECK_SECONDS,
        clock: Clock = system_clock,
    ) -> None:
        """Build it. `listen`: addresses and ports, 0 for any free one; `templates`: another folder of pages; `policy`:
        the MTA-STS policy to be served, "" for none; `parcelling`: what makes full copies;
        `key_desk`: what their keys are judged by; `published`: an address and its OpenPGP keys.
        """
        self.ready = asyncio.Event()
        self._listen, self._tls, self._site = listen, tls, site
        self._listeners: list[socket.socket] = []
        pages = Pages(templates or templates_folder() / "portal", site, programmes)
        banner = BannerPage(pages)
        parts = Parts(
            pages=pages,
            visitors=Visitors(database, keyholder, authority, clock, programmes),
            vault=Vault(database, blobs, keyholder, authority, clock),
            database=database, blobs=blobs, keyholder=keyholder, authenticator=authenticator, authority=authority,
            deposit_key=deposit_key, wake_notifier=wake_notifier, limits=limits or UploadLimits(), specimens=specimens,
            signatures=signatures or Signatures(), recheck_seconds=recheck_seconds, clock=clock, parcelling=parcelling,
            key_desk=key_desk,
        )  # fmt: skip
        topics = (banner, *topics_of(parts))
        self.routes: list[Route] = [banner.before(route) for topic in topics for route in topic.routes()]
        self.app: ASGIApp = Guard(Router(self.routes, redirect_slashes=False), site.host, _error_page(pages))
        if published:
            self.app = KeyDirectory(self.app, *published)
        if policy:
            self.app = PolicyHost(self.app, policy_host(site.domain), policy)

    def bind(self) -> int:
        """Take the addresses and return the port of the first. Raises OSError when one cannot be had."""
        if not self._listeners:
            for host, port in self._listen:
                family = socket.AF_INET6 if ":" in host else socket.AF_INET
                self._listeners.append(socket.create_server((host, port), family=family, backlog=BACKLOG))
        return self.port

    @property
    def port(self) -> int:
        """The port of the first address; 0 before `bind` or `run`."""
        return int(self._listeners[0].getsockname()[1]) if self._listeners else 0

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set; then take no more, let running requests end, and return. Raises OSError."""
        self.bind()
        for listener in self._listeners:
            host, port = listener.getsockname()[:2]
            maillog.listener_open("portal", host, port)
        maillog.program_started(self._site.environment)
        self.ready.set()
        await serve(self.app, self._listeners, self._tls, stop)
        self._listeners = []
        maillog.program_stopped("signal" if stop.is_set() else "fault")


def _error_page(pages: Pages) -> ErrorPage:
    def render(request: Request, answer: Answer, incident: str) -> Response:
        return pages.page(
            request, "error.html", status=answer.status, kind=answer.kind, incident=incident, wait=answer.retry_after
        )

    return render
