"""Looking an employee's OpenPGP key up in the Web Key Directory of their own domain, over HTTPS.

Only hosts of the public Internet are asked, by an address that was looked up once; no redirect is followed, nothing is
read for longer or at greater length than a key needs. That the domain vouches for the key is no proof that it is the
employee's: it has to be proven like one that was uploaded.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

import httpx2

from gateway.domain.address import Address
from gateway.domain.errors import Unavailable, UnknownRecipient
from gateway.domain.wkd import places_of
from gateway.parcels.openpgp_key import MAX_FILE

SECONDS: Final = 10.0
IpAddress = IPv4Address | IPv6Address


def is_public(address: IpAddress) -> bool:
    """Tell whether an address is one of the public Internet."""
    return address.is_global and not address.is_multicast


async def look_up(
    address: Address,
    *,
    may_ask: Callable[[IpAddress], bool] = is_public,
    trust: ssl.SSLContext | None = None,
    port: int = 443,
) -> bytes:
    """Return what the directory of the address's domain has for it, not yet checked in any way.

    The direct method is tried where the host of the advanced one does not exist. Raises UnknownRecipient where there is
    no key, Unavailable where the host does not answer.
    """
    for host, path in places_of(address):
        places = await _resolved(host, port)
        if not places:
            continue
        allowed = [one for one in places if may_ask(one)]
        if not allowed:
            raise UnknownRecipient("The directory of your address's domain is not on the public Internet.")
        return await _fetched(allowed[0], port, host, path, trust)
    raise UnknownRecipient("The domain of your address has no directory of OpenPGP keys.")


async def _resolved(host: str, port: int) -> list[IpAddress]:
    try:
        async with asyncio.timeout(SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, port)
    except (OSError, TimeoutError):
        return []
    return list(dict.fromkeys(ip_address(str(place[0]).partition("%")[0]) for *_, place in found))


async def _fetched(place: IpAddress, port: int, host: str, path: str, trust: ssl.SSLContext | None) -> bytes:
    literal = f"[{place}]" if place.version == 6 else str(place)
    body = bytearray()
    try:
        async with (
            asyncio.timeout(SECONDS),
            httpx2.AsyncClient(
                verify=trust or ssl.create_default_context(), timeout=SECONDS, follow_redirects=False, trust_env=False
            ) as client,
            client.stream(
                "GET",
                f"https://{literal}:{port}{path}",
                headers={"host": host, "accept-encoding": "identity"},
                extensions={"sni_hostname": host},
            ) as answer,
        ):
            if answer.status_code != 200:
                raise UnknownRecipient("The directory of your address's domain has no key for it.")
            async for piece in answer.aiter_raw():  # what was asked for is not packed, and is not unpacked
                body += piece
                if len(body) > MAX_FILE:
                    raise UnknownRecipient("What the directory of your address's domain has for it is no key.")
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, TimeoutError):
        raise Unavailable("The directory of your address's domain does not answer. Please try again later.") from None
    return bytes(body)
