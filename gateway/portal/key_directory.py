"""The gateway's own OpenPGP key for whoever looks it up: a Web Key Directory of one address (`gateway.domain.wkd`).

It stands before the guard, since it is asked under names that are not the portal's: the name that begins with
`openpgpkey.` by the advanced method, the domain itself by the direct one, wherever the site lets these lead here.
"""

from __future__ import annotations

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.config import Settings
from gateway.domain.address import Address, parse_address
from gateway.domain.wkd import ROOT, name_of
from gateway.parcels.own_key import published_keys
from gateway.parcels.site import user_id_of
from gateway.portal.security import SECURITY_HEADERS


class KeyDirectory:
    """What is asked for below `/.well-known/openpgpkey/` gets the key, the policy or 404; all else goes on."""

    def __init__(self, portal: ASGIApp, address: Address, keys: bytes) -> None:
        """`keys`: certificates without armour, as they are served."""
        self._portal = portal
        name = name_of(address)
        self._served = {
            f"{ROOT}{address.domain}/hu/{name}": keys,
            f"{ROOT}hu/{name}": keys,
            f"{ROOT}{address.domain}/policy": b"",
            f"{ROOT}policy": b"",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not scope["path"].startswith(ROOT):
            await self._portal(scope, receive, send)
            return
        found = self._served.get(scope["path"]) if scope["method"] in ("GET", "HEAD") else None
        answer: Response
        if found is None:
            answer = PlainTextResponse("There is nothing here.\r\n", 404, SECURITY_HEADERS)
        else:
            kind = "application/octet-stream" if found else "text/plain"
            # A key is public, and programs of web pages look it up, too.
            headers = {**SECURITY_HEADERS, "access-control-allow-origin": "*"}
            answer = Response(found, 200, headers, kind)
        await answer(scope, receive, send)


def published_of(settings: Settings) -> tuple[Address, bytes] | None:
    """Return the address and the keys that a site publishes, None where it has none. Raises ConfigError."""
    keys = published_keys(settings.full_copies.keys.openpgp, user_id_of(settings))
    octets = b"".join(one.certificate for one in keys)
    return (parse_address(settings.notifier.sender), octets) if octets else None
