"""Downloads: one attachment as a range read of the vault, the octets as received, the correspondent's copy.

Octets flow from sealed frames to the socket in small batches; while they do, the right to them is asked for again every
few seconds, and a download whose right has ended stops where it is.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from gateway.domain.errors import NotAllowed
from gateway.domain.rights import Verb
from gateway.portal.content import PartOctets, attachment_name, part_octets, part_of
from gateway.portal.copies import copy_of
from gateway.portal.errors import AccessEnded
from gateway.portal.filenames import attachment_disposition
from gateway.portal.ranges import Unsatisfiable, wanted_span
from gateway.portal.signatures import Signatures
from gateway.portal.vault import TEXT_PART, Found, Vault
from gateway.portal.visitors import Visitor, Visitors

RECHECK_SECONDS = 4.0
_BATCH_OCTETS = 256 * 1024
_PATH = re.compile(r"[1-9][0-9.]{0,63}\Z")
_NOTHING = "There is nothing here for you."
_OPAQUE = "application/octet-stream"
_SAFE_TYPES = frozenset(
    {
        "application/pdf",
        "application/zip",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/tiff",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    }
)
_DOWNLOAD_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "accept-ranges": "bytes",
}


@dataclass(frozen=True, slots=True)
class Download:
    """What is sent: name, type, a tag that stays as long as the octets do, how many there are, how to read them."""

    name: str
    media_type: str
    tag: str
    whole: int
    pieces: Callable[[int, int], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Downloads:
    """The addresses below `/messages/REFERENCE` that give files."""

    visitors: Visitors
    vault: Vault
    signatures: Signatures
    domain: str
    recheck_seconds: float = RECHECK_SECONDS

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [
            Route("/messages/{reference}/parts/{path}", self.part, methods=["GET"]),
            Route("/messages/{reference}/parts/{path}/inside/{inner}", self.inside, methods=["GET"]),
            Route("/messages/{reference}/received.eml", self.received, methods=["GET"]),
            Route("/messages/{reference}/copy.eml", self.copy, methods=["GET"]),
        ]

    async def part(self, request: Request) -> Response:
        """One attachment, decoded; whole or one range of it."""
        visitor, found = await self._found(request)
        path = _path(request, "path")
        opened = await self.vault.open(visitor, found, path)
        octets = await part_octets(self.vault, opened, part_of(opened.summary.part_map, path))
        return await self._part(request, visitor, found, octets, f"{found.row.id}-{path}")

    async def inside(self, request: Request) -> Response:
        """One attachment of the mail that a signed part wraps."""
        visitor, found = await self._found(request)
        path, inner = _path(request, "path"), _path(request, "inner")
        opened = await self.vault.open(visitor, found, path)
        inside = await self.signatures.inside(self.vault, opened, path)
        if inside is None:
            raise NotAllowed(_NOTHING)
        octets = PartOctets(part_of(inside.part_map, inner), inside.octets)
        return await self._part(request, visitor, found, octets, f"{found.row.id}-{path}-{inner}")

    async def received(self, request: Request) -> Response:
        """The octets exactly as they were received, trace fields and Bcc included: for employees only."""
        visitor, found = await self._found(request)
        if not found.standing.may(Verb.READ_AS_RECEIVED) or found.row.composed:
            raise NotAllowed(_NOTHING)
        opened = await self.vault.open(visitor, found, TEXT_PART)
        octets = await self.vault.octets(opened, "")
        name = f"{found.row.reference}-received.eml"
        return self._answer(
            request, visitor, found, Download(name, _OPAQUE, f"{found.row.id}-received", octets.length, octets.read)
        )

    async def copy(self, request: Request) -> Response:
        """The correspondent's copy: the message as one mail, without what only the office may know."""
        visitor, found = await self._found(request)
        opened = await self.vault.open(visitor, found, TEXT_PART)
        pieces = await copy_of(self.vault, visitor, opened, self.domain)
        headers = {
            **_DOWNLOAD_HEADERS,
            "accept-ranges": "none",
            "content-disposition": attachment_disposition(f"{found.row.reference}.eml"),
        }
        return StreamingResponse(self._stream(visitor, found, pieces), 200, headers, _OPAQUE)

    async def _found(self, request: Request) -> tuple[Visitor, Found]:
        visitor = await self.visitors.require(request)
        return visitor, await self.vault.find(visitor, request.path_params["reference"])

    async def _part(self, request: Request, visitor: Visitor, found: Found, octets: PartOctets, tag: str) -> Response:
        part = octets.part
        media_type = part.media_type if part.media_type in _SAFE_TYPES else _OPAQUE
        whole = await asyncio.to_thread(octets.count)
        download = Download(attachment_name(part), media_type, tag, whole, octets.pieces)
        return self._answer(request, visitor, found, download)

    def _answer(self, request: Request, visitor: Visitor, found: Found, download: Download) -> Response:
        headers = {
            **_DOWNLOAD_HEADERS,
            "content-disposition": attachment_disposition(download.name),
            "etag": f'"{download.tag}"',
        }
        try:
            span = wanted_span(_range_header(request, headers["etag"]), download.whole)
        except Unsatisfiable:
            return Response(status_code=416, headers={**headers, "content-range": f"bytes */{download.whole}"})
        start, stop = (span.start, span.stop) if span else (0, download.whole)
        headers["content-length"] = str(stop - start)
        if span:
            headers["content-range"] = span.content_range
        body = self._stream(visitor, found, download.pieces(start, stop))
        return StreamingResponse(body, 206 if span else 200, headers, download.media_type)

    async def _stream(self, visitor: Visitor, found: Found, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
        """Yield batches read in a thread. Raises AccessEnded once session or standing has ended."""
        loop = asyncio.get_running_loop()
        checked = loop.time()
        while batch := await asyncio.to_thread(_next_batch, pieces):
            if loop.time() - checked >= self.recheck_seconds:
                if not await self.visitors.may_still_read(visitor, found.case.id):
                    raise AccessEnded("The right to this has ended.")
                checked = loop.time()
            yield batch


def _path(request: Request, name: str) -> str:
    path = str(request.path_params[name])
    if not _PATH.match(path):
        raise NotAllowed(_NOTHING)
    return path


def _range_header(request: Request, tag: str) -> str | None:
    """The Range field, unless If-Range (RFC 9110 section 13.1.5) says that another version is meant."""
    condition = request.headers.get("if-range")
    return None if condition is not None and condition != tag else request.headers.get("range")


def _next_batch(pieces: Iterator[bytes]) -> bytes:
    batch = bytearray()
    for piece in pieces:
        batch += piece
        if len(batch) >= _BATCH_OCTETS:
            break
    return bytes(batch)
