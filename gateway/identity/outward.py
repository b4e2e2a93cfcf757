"""Calls to one identity provider: HTTPS to its own hosts only, no redirect followed, so long and so much at most."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2

from gateway.identity.providers import Provider

SECONDS: Final = 10.0
MAX_OCTETS: Final = 256 * 1024


class ProviderAway(Exception):
    """The provider does not answer, or not with what it must answer with: nothing is known of the person's proof."""


class ProviderRefuses(Exception):
    """The provider answers, and says no: a code that is not good, a client it does not know."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came: the media type in lower case without parameters, the octets, and the time that the host told."""

    media_type: str
    octets: bytes
    date: str = ""

    def document(self) -> dict[str, Any]:
        """Return the JSON object. Raises ProviderAway when it is none."""
        try:
            value = json.loads(self.octets)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise ProviderAway("not a JSON object")
        return value


class Outward:
    """The way to one provider. Every call raises ProviderAway, or ProviderRefuses for an answer of 4xx."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._client: httpx2.AsyncClient | None = None

    async def read(self, address: str, bearer: str = "") -> Reply:
        """Fetch a document."""
        headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
        return await self._ask("GET", address, headers, None)

    async def send(self, address: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
        """Send a form."""
        return await self._ask("POST", address, headers, fields)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _ask(
        self, method: str, address: str, headers: Mapping[str, str], fields: Mapping[str, str] | None
    ) -> Reply:
        if not self._provider.may_call(address):
            raise ProviderAway("an address that is not the provider's")
        if self._client is None:
            self._client = httpx2.AsyncClient(
                verify=self._provider.trust or ssl.create_default_context(),
                timeout=SECONDS,
                follow_redirects=False,
                trust_env=False,
                headers={"accept": "application/json, application/jwt, application/jwk-set+json"},
            )
        body = bytearray()
        try:
            async with (
                asyncio.timeout(SECONDS),
                self._client.stream(method, address, headers=headers, data=fields) as response,
            ):
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > MAX_OCTETS:
                        raise ProviderAway("too long an answer")
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, TimeoutError):
            raise ProviderAway("no answer") from None
        if 400 <= response.status_code < 500 and response.status_code not in {408, 429}:
            raise ProviderRefuses(str(response.status_code))
        if response.status_code != 200:
            raise ProviderAway(str(response.status_code))
        media_type = response.headers.get("content-type", "").split(";")[0].strip().lower()
        return Reply(media_type, bytes(body), response.headers.get("date", ""))
