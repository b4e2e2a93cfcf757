"""The verbs of recognition: a try is begun and ended, what was found is entered, sealed, once for each version of it.

A fax is recognised after it is filed, by whoever has its octets: the fax program, which cannot open what it seals; the
portal or an operator, who have just opened it. What was found is a suggestion. A case that a cover sheet of ours names
is proposed, and no more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from sqlalchemy import Row, select

from gateway.domain.intake import ProposedBy
from gateway.domain.layout import Layouts
from gateway.domain.recognition import Recognition
from gateway.domain.summary import Summary
from gateway.failpoints import failpoint
from gateway.mime.fax.reading import legible, read_fax
from gateway.store.cover_sheets import case_of
from gateway.store.database import Database
from gateway.store.recognition import own_public_key, recognition_row, seal_recognition
from gateway.store.tables import fax_recognition, intake, message
from gateway.store.transaction import Transaction

MOST_TRIES: Final = 3
"""How many children are given one fax: what no child comes to an end with is for a person."""

MOST_SHEETS: Final = 20
"""How many cover sheets of one fax are looked up."""

LEASE_US: Final = 20 * 1_000_000
"""For how long a try stands that nobody renews: its program has died."""

NOTHING_READ: Final = Recognition((), (), complete=False)
"""What is entered of a fax that no child could read: it has no pages and no sections, and is for a person."""


class Reads(Protocol):
    """What reads pages: `gateway.screening.pool.Pool`."""

    async def recognise(self, documents: Sequence[tuple[str, bytes]], layouts: Layouts) -> Recognition:
        """Return what a fax's pages are taken for. Raises ScreeningUnavailable where no child is to be had."""
        ...


class Try(StrEnum):
    """What is to be done about a fax."""

    BEGUN = "begun"
    LATER = "later"  # another program is at it, or was a moment ago
    OVER = "over"  # it is recognised, or has no key of its own, as those that came before there were any
    LAST = "last"  # no child came to an end with it: enter that


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one fax, sealed, and what of it is told in the clear. `references` are of cover sheets."""

    message_id: str
    version: int
    sealed: bytes
    pages: int
    sorts: tuple[str, ...]
    complete: bool
    references: tuple[str, ...] = ()


def found_of(message_id: str, version: int, sealed: bytes, recognition: Recognition) -> Found:
    """Return what is entered of a recognition."""
    sections = recognition.sections
    return Found(
        message_id=message_id,
        version=version,
        sealed=sealed,
        pages=len(recognition.pages),
        sorts=tuple(section.sort.value for section in sections),
        complete=recognition.complete,
        references=tuple(dict.fromkeys(one.reference for one in sections if one.reference))[:MOST_SHEETS],
    )


def begin_try(tx: Transaction, message_id: str) -> Try:
    """Enter that a child is given a fax now, unless that is not to be."""
    row = _locked(tx, message_id)
    if row is None or row.version:
        return Try.OVER
    if row.tried_us is not None and row.tried_us > tx.now_us - LEASE_US:
        return Try.LATER
    if row.attempts >= MOST_TRIES:
        return Try.LAST
    _update(tx, message_id, attempts=row.attempts + 1, tried_us=tx.now_us)
    return Try.BEGUN


def renew_try(tx: Transaction, message_id: str) -> None:
    """Say that a child is still at it."""
    _update(tx, message_id, tried_us=tx.now_us)


def take_back_try(tx: Transaction, message_id: str) -> None:
    """Enter that no child was to be had: that was no try."""
    row = _locked(tx, message_id)
    if row is not None and row.attempts:
        _update(tx, message_id, attempts=row.attempts - 1)


def enter_recognition(tx: Transaction, found: Found, by: str, *, proposes: bool = True) -> bool:
    """Put what was found beside its fax; False where that or a newer version stands there, and nothing is written.

    With `proposes` the case that a cover sheet stands for is proposed. The entry has ids, counts and sorts, never a
    value.
    """
    row = _locked(tx, found.message_id)
    if row is None or row.version >= found.version:
        return False
    tx.execute(
        fax_recognition.update()
        .where(fax_recognition.c.message_id == found.message_id)
        .values(
            sealed=found.sealed,
            version=found.version,
            complete=int(found.complete),
            sections=len(found.sorts),
            recognised_us=tx.now_us,
        )
    )
    proposed = _propose(tx, found) if proposes else None
    failpoint("fax.recognition")
    tx.record(
        "fax_recognised", by, message=found.message_id, version=found.version, pages=found.pages,
        sections=len(found.sorts), sorts=list(found.sorts), complete=found.complete, proposed=proposed,
    )  # fmt: skip
    return True


async def recognise_now(
    database: Database,
    reader: Reads,
    layouts: Layouts,
    message_id: str,
    summary: Summary,
    octets: bytes,
    *,
    by: str,
    proposes: bool = False,
) -> Recognition:
    """Recognise a fax that is open, anew where it was recognised before, and enter what was found; return it.

    `octets` are those of the whole mail, `by` is who asked; `proposes` as of `enter_recognition`, which the portal may
    not: it would give its employees what waits. Of a fax that has no key of its own nothing is kept. Raises
    ScreeningUnavailable; nothing is entered then.
    """
    documents = await asyncio.to_thread(lambda: legible(read_fax(octets).files, summary.fax))
    recognition = await reader.recognise(documents, layouts) if documents else Recognition((), ())
    key = own_public_key(summary, message_id)
    row = await database.read(recognition_row, message_id)
    if key is not None and row is not None:
        version = row.version + 1
        sealed = await asyncio.to_thread(seal_recognition, key, version, recognition)
        found = found_of(message_id, version, sealed, recognition)
        await database.run(enter_recognition, found, by, proposes=proposes)
    return recognition


def _propose(tx: Transaction, found: Found) -> str | None:
    """Propose the one case that the cover sheets of a fax stand for, where nothing else was proposed; return its id."""
    row = tx.one(
        select(intake.c.proposed_case_id, message.c.received_us)
        .join(message, message.c.id == intake.c.message_id)
        .where(intake.c.message_id == found.message_id, intake.c.filed_us.is_(None))
    )
    if row is None or row.proposed_case_id is not None:
        return None
    cases = {case_of(tx.connection, one, row.received_us) for one in found.references} - {None}
    if len(cases) != 1:
        return None
    (case_id,) = cases
    tx.execute(
        intake.update()
        .where(intake.c.message_id == found.message_id)
        .values(proposed_case_id=case_id, proposed_by=ProposedBy.COVER_SHEET.value)
    )
    return case_id


def _locked(tx: Transaction, message_id: str) -> Row[Any] | None:
    """Return a fax's row, which nobody else changes before this transaction has ended."""
    return tx.one(
        select(fax_recognition.c.version, fax_recognition.c.attempts, fax_recognition.c.tried_us)
        .where(fax_recognition.c.message_id == message_id)
        .with_for_update()
    )


def _update(tx: Transaction, message_id: str, **values: int) -> None:
    tx.execute(fax_recognition.update().where(fax_recognition.c.message_id == message_id).values(**values))
