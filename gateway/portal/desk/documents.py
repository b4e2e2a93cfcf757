"""Documents that show a paper: opened through the keyholder, one page drawn beside the fields, parts to be downloaded.

What is opened here was never read by anyone: pictures are drawn by a locked process, text is shown as text.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Row
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from gateway.domain.errors import KeyholderUnavailable, NotAllowed, RateExceeded
from gateway.domain.intake import Tray
from gateway.domain.partmap import Part
from gateway.domain.summary import Summary
from gateway.portal.content import PartOctets, attachment_name, part_of, shown_text
from gateway.portal.desk.entry import Clerk, Desk
from gateway.portal.desk.leaves import suggested
from gateway.portal.desk.recognised import read_leaves
from gateway.portal.downloads import RECHECK_SECONDS
from gateway.portal.errors import AccessEnded
from gateway.portal.filenames import attachment_disposition
from gateway.portal.page_images import MAX_OCTETS, TURNS, PageImages, drawable
from gateway.portal.security import CONTENT_SECURITY_POLICY
from gateway.portal.vault import SealedOctets
from gateway.store.blobs import BlobFolder
from gateway.store.intake import item, items
from gateway.store.messages import segments_of
from gateway.store.sealing import open_box, summary_context
from gateway.store.segments import SegmentReader

MOST_WAITING: Final = 100
WITH_PICTURE: Final[Mapping[str, str]] = {
    "content-security-policy": CONTENT_SECURITY_POLICY.replace("img-src 'self'", "img-src 'self' data:")
}
"""A page with a drawn one in it, so that one opening shows both; nothing else may be `data:`."""
_DOWNLOAD: Final = {"content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox"}


@dataclass(frozen=True, slots=True)
class Opened:
    """A document that was opened: what it says of itself, and its octets, still sealed but for their key."""

    row: Row[Any]
    summary: Summary
    octets: SealedOctets


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a document is looked at: which of its drawable parts, which page of it, turned how far."""

    item: str
    part: int = 1
    page: int = 1
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """A document beside the fields: `picture` is a data address of a page, or `text` what the mail says; `suggested` is
    what may stand in the fields of a form, by the form's number.
    """

    item: str
    received_us: int
    wanted: Wanted
    parts: tuple[str, ...] = ()
    pages: int = 0
    picture: str = ""
    text: str = ""
    files: tuple[tuple[str, str, int], ...] = ()
    problem: str = ""
    suggested: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Documents:
    """Opens documents for clerks, and the address below `/desk/documents` that gives a part of one."""

    desk: Desk
    blobs: BlobFolder
    images: PageImages
    recheck_seconds: float = RECHECK_SECONDS

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [Route("/desk/documents/{item}/parts/{path}", self.part, methods=["GET"])]

    async def waiting(self, clerk: Clerk) -> list[Row[Any]]:
        """Return the items of the tray that may show a paper, the oldest first; what they are nobody has opened."""
        return await self.desk.database.read(
            lambda connection: list(items(connection, Tray.CASES, programme=clerk.programme.key, limit=MOST_WAITING))
        )

    async def show(self, clerk: Clerk, wanted: Wanted) -> Shown:
        """Open a document and draw one of its pages. Raises NotAllowed; what is away is said on the page."""
        try:
            opened = await self.open(clerk, wanted.item)
        except (KeyholderUnavailable, RateExceeded) as problem:
            return Shown(wanted.item, 0, wanted, problem="rate" if isinstance(problem, RateExceeded) else "away")
        part_map = opened.summary.part_map
        parts = drawable(part_map)
        files = tuple((part.path, attachment_name(part), part.length) for part in part_map.attachments())
        names = tuple(attachment_name(part) for part in parts)
        leaves = await read_leaves(self.desk.database, opened.row.id, opened.summary, clerk.programme)
        values = {one.form.number: suggested(one) for one in reversed(leaves.bundles) if one.form}
        base = Shown(opened.row.reference, opened.row.received_us, wanted, names, files=files, suggested=values)
        if not parts:
            return replace(base, text=await asyncio.to_thread(self.text, opened))
        chosen = parts[min(max(wanted.part, 1), len(parts)) - 1]
        octets, is_cut = await asyncio.to_thread(PartOctets(chosen, opened.octets).head, MAX_OCTETS)
        drawn = None if is_cut else await self.images.draw(octets, chosen.media_type, wanted.page, wanted.turn)
        if drawn is None:
            return replace(base, problem="unreadable")
        picture = "data:image/png;base64," + base64.b64encode(drawn.png).decode("ascii")
        return replace(base, pages=drawn.pages, picture=picture)

    async def part(self, request: Request) -> Response:
        """One part of a document, decoded, as a file."""
        clerk = await self.desk.clerk(request)
        opened = await self.open(clerk, request.path_params["item"])
        part: Part = part_of(opened.summary.part_map, request.path_params["path"])
        headers = {**_DOWNLOAD, "content-disposition": attachment_disposition(attachment_name(part))}
        pieces = PartOctets(part, opened.octets).decoded()
        return StreamingResponse(self._stream(request, pieces), 200, headers, "application/octet-stream")

    @staticmethod
    def text(opened: Opened) -> str:
        """Return what a mail says; call it in a thread."""
        best = opened.summary.part_map.best_text()
        part = best.plain or best.html
        return shown_text(PartOctets(part, opened.octets)).text if part else ""

    async def open(self, clerk: Clerk, known_as: str) -> Opened:
        """Open a document. Raises NotAllowed, KeyholderUnavailable, RateExceeded."""
        grant = await self.desk.keyholder.paper_look(clerk.visitor.token, known_as)
        row = await self.desk.database.read(item, grant.message_id)
        if row is None:
            raise NotAllowed("There is nothing here for you.")
        summary = Summary.from_bytes(
            open_box(grant.summary_key, bytes(row.sealed_summary), summary_context(grant.message_id))
        )
        rows = await self.desk.database.read(segments_of, grant.message_id)
        return Opened(row, summary, SealedOctets([SegmentReader(self.blobs, one, grant.key) for one in rows]))

    async def _stream(self, request: Request, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
        """Yield pieces read in a thread. Raises AccessEnded once the session, or the right to enrol, has ended."""
        loop = asyncio.get_running_loop()
        checked = loop.time()
        while piece := await asyncio.to_thread(next, pieces, b""):
            if loop.time() - checked >= self.recheck_seconds:
                if not await self.desk.may_still_enrol(request):
                    raise AccessEnded("The right to this has ended.")
                checked = loop.time()
            yield piece


def wanted_of(query: Mapping[str, str], otherwise: str = "") -> Wanted | None:
    """Return what an address asks to see, or the first page of `otherwise`; None for nothing."""
    known_as = query.get("item", otherwise).strip().upper()
    turn = _number(query.get("turn", "0"), 0)
    if not known_as:
        return None
    return Wanted(
        known_as, _number(query.get("part", "1")), _number(query.get("page", "1")), turn if turn in TURNS else 0
    )


def _number(text: str, otherwise: int = 1) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else otherwise
