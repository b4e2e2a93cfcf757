"""Small forms: a body of urlencoded fields, read under a cap. Forms with files are read by `uploads`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from gateway.domain.errors import Malformed, TooLarge

MAX_OCTETS = 16 * 1024
MAX_FIELDS = 32
CHUNK_SECONDS = 30.0


async def chunks(request: Request) -> AsyncIterator[bytes]:
    """Yield the body as it comes. Raises Malformed when the sender leaves or pauses for CHUNK_SECONDS."""
    body = request.stream()
    while True:
        try:
            async with asyncio.timeout(CHUNK_SECONDS):
                octets = await anext(body, None)
        except (ClientDisconnect, TimeoutError):
            raise Malformed("The request was cut short.") from None
        if octets is None:
            return
        if octets:
            yield octets


async def read_form(
    request: Request, *, most_octets: int = MAX_OCTETS, most_fields: int = MAX_FIELDS
) -> dict[str, str]:
    """Return the fields of a small form, the last of each name. Raises Malformed or TooLarge."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Malformed("The form could not be read.")
    body = bytearray()
    async for octets in chunks(request):
        body += octets
        if len(body) > most_octets:
            raise TooLarge("The form is too long.")
    try:
        fields = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=most_fields, encoding="utf-8", errors="replace"
        )
    except ValueError:
        raise Malformed("The form could not be read.") from None
    return dict(fields)
