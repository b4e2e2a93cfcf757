"""Items of the intake tray, opened for a clerk: through the keyholder, on record; pages drawn by a locked process."""

from __future__ import annotations

import asyncio
import base64
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.domain.errors import KeyholderUnavailable, NotAllowed, RateExceeded
from gateway.domain.programme import Form
from gateway.domain.recognition import SCALE, Box, Recognition
from gateway.domain.summary import Summary
from gateway.portal.content import PartOctets, attachment_name, part_of
from gateway.portal.desk.documents import Documents, Opened
from gateway.portal.desk.entry import Clerk
from gateway.portal.desk.late_recognition import LateRecognition
from gateway.portal.desk.leaves import Bundle, Leaves
from gateway.portal.desk.recognised import read_leaves, recognised
from gateway.portal.page_images import MAX_OCTETS
from gateway.store.fax import facts_of, repeats_of
from gateway.store.handling import Claim, Waits, claims_of
from gateway.store.sealing import open_box, summary_context

AT_ONCE: Final = 4
"""Pages of one bundle that one page of the desk shows."""
MOST_TO_ENROL: Final = 8
"""Pages of forms that an enrolment is opened beside."""
_MARGIN: Final = 120  # around a box, in ten-thousandths: a page that was not quite level
_PNG_SIZE: Final = slice(16, 24)


@dataclass(frozen=True, slots=True)
class Picture:
    """A page that was drawn: its number, its data address, its pixels, how it is turned."""

    number: int
    address: str
    width: int
    height: int
    turn: int

    def frame(self, box: Box) -> str:
        """Return a box of it, with a little around, as the viewBox of an SVG picture."""
        left, top = max(box.left - _MARGIN, 0), max(box.top - _MARGIN, 0)
        right, bottom = min(box.right + _MARGIN, SCALE), min(box.bottom + _MARGIN, SCALE)
        across, down = self.width / SCALE, self.height / SCALE
        return f"{left * across:.0f} {top * down:.0f} {(right - left) * across:.0f} {(bottom - top) * down:.0f}"


@dataclass(frozen=True, slots=True)
class Item:
    """An item that is open: what is known of it, its leaves, the bundle that is looked at with its pages drawn.

    `problem` is why it is not open: "away" or "rate".
    """

    reference: str
    row: Any = None
    summary: Summary | None = None
    fax: Any = None
    repeats: int = 0
    claim: Claim | None = None
    leaves: Leaves = field(default_factory=Leaves)
    bundle: Bundle | None = None
    pictures: Mapping[int, Picture] = field(default_factory=dict)
    first: int = 0
    shown: tuple[int, ...] = ()
    text: str = ""
    files: tuple[tuple[str, str, int], ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """Opens items of the tray for clerks."""

    documents: Documents
    late: LateRecognition

    async def open(
        self,
        clerk: Clerk,
        known_as: str,
        section: int = 1,
        first: int = 0,
        *,
        draw: bool = True,
        form: Form | None = None,
    ) -> Item:
        """Open one and draw the pages of a bundle of it, where `section` is 0 those that are taken for a form.

        Raises NotAllowed for what is not theirs; what is away is said.
        """
        try:
            opened = await self.documents.open(clerk, known_as)
        except (KeyholderUnavailable, RateExceeded) as problem:
            return Item(known_as, problem="rate" if isinstance(problem, RateExceeded) else "away")
        return await self._item(clerk, opened, section, first, form, draw=draw)

    async def summaries(self, clerk: Clerk, lines: Sequence[Waits]) -> dict[str, Recognition] | None:
        """Return what was recognised of faxes of the queue, by message; None where that cannot be opened now."""
        wanted = {one.row.id: one for one in lines if one.recognition is not None and one.recognition.version}
        if not wanted:
            return {}
        try:
            grants = await self.documents.desk.keyholder.intake_summaries(clerk.visitor.token, list(wanted))
        except (KeyholderUnavailable, RateExceeded):
            return None
        found = {}
        for grant in grants:
            one = wanted[grant.message_id]
            box, context = bytes(one.row.sealed_summary), summary_context(grant.message_id)
            summary = Summary.from_bytes(open_box(grant.summary_key, box, context))
            recognition = await asyncio.to_thread(recognised, summary, one.recognition)
            if recognition is not None:
                found[grant.message_id] = recognition
        return found

    async def _item(
        self, clerk: Clerk, opened: Opened, section: int, first: int, form: Form | None, *, draw: bool
    ) -> Item:
        row, summary = opened.row, opened.summary
        faxes, repeats, claims = await self.documents.desk.database.read(
            lambda connection: (
                facts_of(connection, [row.id]),
                repeats_of(connection, row.id),
                claims_of(connection, [row.id], clerk.now_us),
            )
        )
        leaves = await read_leaves(self.documents.desk.database, row.id, summary, clerk.programme)
        if not leaves.is_recognised:
            await self.late.look_after(opened, clerk.visitor.person.id)
        of_form = leaves.of_form(form)[:1] if form is not None and not section else []
        bundle = of_form[0] if of_form else leaves.bundle(section)
        first = min(max(first, 0), max(len(bundle.pages) - 1, 0)) if bundle else 0
        shown = bundle.pages[first : first + AT_ONCE] if bundle and draw else ()
        if of_form:
            others = (one for one in leaves.bundles if one.form and one.form.right and one is not of_form[0])
            shown = tuple(page for one in (of_form[0], *others) for page in one.pages)[:MOST_TO_ENROL]
        return Item(
            row.reference,
            row,
            summary,
            faxes.get(row.id),
            repeats,
            claims.get(row.id),
            leaves,
            bundle,
            await self.pictures(opened, leaves, shown),
            first,
            shown,
            "" if leaves.pages else await asyncio.to_thread(self.documents.text, opened),
            tuple((part.path, attachment_name(part), part.length) for part in summary.part_map.attachments()),
        )

    async def pictures(self, opened: Opened, leaves: Leaves, numbers: Sequence[int]) -> dict[int, Picture]:
        """Draw pages; one that cannot be drawn is not among them."""
        octets = {}
        for path in sorted({leaves.pages[number - 1].part for number in numbers}):
            part = _part(opened, path)
            if part is not None:
                octets[path] = (part, await asyncio.to_thread(PartOctets(part, opened.octets).head, MAX_OCTETS))
        drawn = await asyncio.gather(*(self._picture(octets, leaves, number) for number in numbers))
        return {one.number: one for one in drawn if one is not None}

    async def _picture(self, octets: Mapping[str, Any], leaves: Leaves, number: int) -> Picture | None:
        page = leaves.pages[number - 1]
        if page.part not in octets:
            return None
        part, (head, is_cut) = octets[page.part]
        image = None if is_cut else await self.documents.images.draw(head, part.media_type, page.number, page.turn)
        if image is None:
            return None
        width, height = struct.unpack(">II", image.png[_PNG_SIZE])
        address = "data:image/png;base64," + base64.b64encode(image.png).decode("ascii")
        return Picture(number, address, width, height, page.turn)


def _part(opened: Opened, path: str) -> Any:
    try:
        return part_of(opened.summary.part_map, path)
    except NotAllowed:
        return None
