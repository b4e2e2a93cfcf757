"""The vault as the portal sees it: rows from the database, keys from the keyholder, octets by range.

Listing and opening go to the keyholder each time, which judges the right anew and enters the act in the record before
it hands out a key. Keys are held for one request only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Row, select

from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.errors import NotAllowed
from gateway.domain.reference import parse
from gateway.domain.rights import Side, Standing, Verb
from gateway.domain.summary import Summary
from gateway.keyholder.client import KeyholderClient
from gateway.portal.visitors import Visitor
from gateway.store.blobs import BlobFolder
from gateway.store.cases import Case, case_by_id, case_by_reference, cases_of, standing
from gateway.store.database import Database
from gateway.store.messages import (
    is_shown_to,
    last_activity,
    message_by_reference,
    messages_of_case,
    recipients_of,
    segments_of,
    unread_counts,
    withdrawn_of_case,
)
from gateway.store.sealing import open_box, summary_context
from gateway.store.segments import SegmentReader
from gateway.store.tables import person, recipient

PAGE = 25
TEXT_PART = "1"  # of a composed message
_NOTHING = "There is nothing here for you."


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case in the list of cases: what a person sees before anything is opened."""

    case: Case
    standing: Standing
    unread: int
    last_us: int | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """Who of the other side a message was for, and when they first opened it, if they did."""

    name: str
    first_read_us: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """A message's row in its case, found for one visitor who stands in it. Nothing of it is open."""

    row: Row[Any]
    case: Case
    standing: Standing

    @property
    def is_own_side(self) -> bool:
        """True when the visitor's own side wrote it."""
        return bool(self.row.side == self.standing.side.value)

    @property
    def is_outside(self) -> bool:
        """True for mail from outside, whose author nobody has verified."""
        return bool(self.row.side == Side.OUTSIDE.value)


@dataclass(frozen=True, slots=True)
class MessageLine:
    """A message in the list of a case; `first_read_us` is when the other side opened one of the visitor's own side."""

    row: Row[Any]
    summary: Summary
    is_unread: bool
    is_own_side: bool
    first_read_us: int | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A message with its summary open and the key of its body or of one part at hand."""

    found: Found
    summary: Summary
    key: bytes


class Vault:
    """Reads cases and messages for visitors."""

    def __init__(
        self,
        database: Database,
        blobs: BlobFolder,
        keyholder: KeyholderClient,
        authority: Ed25519PublicKey,
        clock: Clock,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._keyholder = keyholder
        self._authority = authority
        self._clock = clock

    async def cases(self, visitor: Visitor) -> list[CaseLine]:
        """Return the visitor's cases, those with the latest activity first. The keyholder is not needed."""
        return await self._database.read(self._case_lines, visitor.person.id, visitor.person.side)

    async def case(self, visitor: Visitor, reference: str) -> tuple[Case, Standing]:
        """Return a case of the visitor's. Raises NotAllowed for an absent one and another's alike."""
        return await self._database.read(self._case, visitor.person.id, reference)

    async def find(self, visitor: Visitor, reference: str) -> Found:
        """Return a message's row. Raises NotAllowed for an absent one and another's alike."""
        return await self._database.read(self._found, visitor.person.id, reference)

    async def listing(
        self, visitor: Visitor, case: Case, place: Standing, before: str | None
    ) -> tuple[list[MessageLine], str | None]:
        """Return a page of a case's messages, newest first, and the reference to go on from (None at the end)."""
        start = None
        if before is not None:
            last = (await self.find(visitor, before)).row
            start = (last.received_us, last.id)
        grants = await self._keyholder.list(visitor.token, case.id, start, PAGE)
        keys = {grant.message_id: grant.summary_key for grant in grants}
        lines = await self._database.read(self._message_lines, visitor.person.id, case, place, start, keys)
        # What came after the keyholder's look pushes the last of these off the page: there is a next one all the same.
        return lines, lines[-1].row.reference if lines and len(grants) == PAGE else None

    async def withdrawn(self, case: Case, place: Standing) -> Sequence[Row[Any]]:
        """Return what the other side has withdrawn after the visitor's side had opened it; nothing of it is open."""
        return await self._database.read(withdrawn_of_case, case.id, place.side)

    async def find_withdrawn(self, visitor: Visitor, reference: str) -> tuple[Case, Row[Any]]:
        """Return the case and the row of such a message. Raises NotAllowed where it is none, or not theirs."""
        case, place = await self.case(visitor, reference)
        for row in await self.withdrawn(case, place):
            if row.reference == reference.upper():
                return case, row
        raise NotAllowed(_NOTHING)

    async def open(self, visitor: Visitor, found: Found, part: str) -> Opened:
        """Open a message's summary and one part of it. Raises NotAllowed, RateExceeded, KeyholderUnavailable, Tampered.

        A received message has one key for all its parts; a composed one a key for each.
        """
        grant = await self._keyholder.open(visitor.token, found.row.id, part if found.row.composed else None)
        return Opened(found, open_summary(grant.summary_key, found.row), grant.key)

    async def octets(self, opened: Opened, part: str) -> SealedOctets:
        """Return the octets of a received message, or of one part of a composed one, still sealed but for their key."""
        path = part if opened.found.row.composed else ""
        return await self.sealed_octets(opened.found.row.id, path, opened.key)

    async def sealed_octets(self, message_id: str, path: str, key: bytes) -> SealedOctets:
        """Return the octets of a message's segments, those of a part of a composed one, still sealed but for a key."""
        rows = await self._database.read(segments_of, message_id, path)
        return SealedOctets([SegmentReader(self._blobs, row, key) for row in rows])

    async def receipts(self, found: Found) -> list[Receipt]:
        """Return who a message of the visitor's own side was for, and who has opened it."""
        return await self._database.read(_receipts, found.row.id)

    def _case_lines(self, connection: Connection, person_id: str, visitor_side: Side) -> list[CaseLine]:
        places = cases_of(connection, self._authority, person_id, to_microseconds(self._clock()))
        case_ids = [case.id for case, _ in places]
        unread = unread_counts(connection, person_id, case_ids)
        latest = last_activity(connection, case_ids, visitor_side)
        lines = [CaseLine(case, place, unread.get(case.id, 0), latest.get(case.id)) for case, place in places]
        return sorted(lines, key=lambda line: line.last_us or 0, reverse=True)

    def _case(self, connection: Connection, person_id: str, reference: str) -> tuple[Case, Standing]:
        try:
            case = case_by_reference(connection, parse(reference))
        except ValueError:
            case = None
        return self._with_standing(connection, person_id, case)

    def _found(self, connection: Connection, person_id: str, reference: str) -> Found:
        row = message_by_reference(connection, reference.upper())
        case = case_by_id(connection, row.case_id) if row is not None and row.case_id else None
        case, place = self._with_standing(connection, person_id, case)
        if row is None or not is_shown_to(row, place.side):
            raise NotAllowed(_NOTHING)
        return Found(row, case, place)

    def _with_standing(self, connection: Connection, person_id: str, case: Case | None) -> tuple[Case, Standing]:
        now_us = to_microseconds(self._clock())
        place = standing(connection, self._authority, case.id, person_id, now_us) if case else None
        if case is None or place is None or not place.may(Verb.READ):
            raise NotAllowed(_NOTHING)
        return case, place

    def _message_lines(
        self,
        connection: Connection,
        person_id: str,
        case: Case,
        place: Standing,
        start: tuple[int, str] | None,
        keys: dict[str, bytes],
    ) -> list[MessageLine]:
        rows = messages_of_case(connection, case.id, place.side, before=start, limit=PAGE)
        shown = [row for row in rows if row.id in keys]
        reads = _reads(connection, person_id, place.side, shown)
        return [
            MessageLine(
                row, open_summary(keys[row.id], row), reads[row.id][0], row.side == place.side.value, reads[row.id][1]
            )
            for row in shown
        ]


class SealedOctets:
    """The octets of consecutive segments, opened frame by frame as they are read; nothing of them is kept."""

    def __init__(self, readers: Sequence[SegmentReader]) -> None:
        self._readers = readers
        self.length = sum(reader.octets for reader in readers)

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the octets [start, stop), in pieces of at most 64 KiB. Raises Tampered, also for what is not there."""
        first = 0
        for reader in self._readers:
            begin, end = max(start - first, 0), min(stop - first, reader.octets)
            if begin < end:
                yield from reader.read(begin, end - begin)
            first += reader.octets


def open_summary(key: bytes, row: Row[Any]) -> Summary:
    """Open the summary of a message's row. Raises Tampered."""
    return Summary.from_bytes(open_box(key, bytes(row.sealed_summary), summary_context(row.id)))


def _reads(
    connection: Connection, person_id: str, side: Side, rows: Sequence[Row[Any]]
) -> dict[str, tuple[bool, int | None]]:
    """By message: is it unread for this person, and when did somebody of the other side first open it."""
    found: dict[str, tuple[bool, int | None]] = {row.id: (False, None) for row in rows}
    own = {row.id for row in rows if row.side == side.value}
    for row in recipients_of(connection, found):
        unread, first = found[row.message_id]
        if row.person_id == person_id:
            unread = row.first_read_us is None
        if row.message_id in own and row.first_read_us is not None:
            first = min(first or row.first_read_us, row.first_read_us)
        found[row.message_id] = (unread, first)
    return found


def _receipts(connection: Connection, message_id: str) -> list[Receipt]:
    rows = connection.execute(
        select(person.c.name, recipient.c.first_read_us)
        .join(recipient, recipient.c.person_id == person.c.id)
        .where(recipient.c.message_id == message_id)
        .order_by(recipient.c.id)
    )
    return [Receipt(row.name, row.first_read_us) for row in rows]
