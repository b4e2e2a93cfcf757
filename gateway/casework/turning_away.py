"""Outside mail that is refused for what it holds: one entry, nothing of the mail, and what may be told of it later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from gateway.domain.address import parse_address
from gateway.domain.errors import StoreUnavailable
from gateway.domain.notice import MAX_COUNT, NoticeKind
from gateway.domain.record import Fact
from gateway.domain.refusal import entry_id, ids_of, told_by
from gateway.domain.rights import Side
from gateway.domain.verdict import Kind, Unread, Verdict
from gateway.store import tables
from gateway.store.outbox import put
from gateway.store.transaction import Transaction

BY_OUTSIDE = "outside"
"""Who the entry says it was: anybody, as nobody has signed in."""
TURNED_AWAY = "mail_turned_away"


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """What may be told of a refusal to whoever has its reference: the instant, kinds and reasons."""

    at_us: int
    kinds: tuple[Kind, ...]
    reasons: tuple[Unread, ...]


def turn_away(tx: Transaction, reference: str, verdict: Verdict, sender_hash: str) -> str:
    """Enter that a mail was refused, and return the entry's id, by which its reference finds it.

    `sender_hash` is keyed, by a key that is destroyed within a day: it tells repeats of one sender apart until then.
    """
    told = {"reference": reference, "sender": sender_hash, **facts(verdict)}
    return tx.record_as(_id(reference, verdict), TURNED_AWAY, BY_OUTSIDE, told)


@dataclass(frozen=True, slots=True)
class Discarded:
    """What the operators are told of mails that were discarded: how many, of which kinds, the last one's reference."""

    reference: str
    count: int
    kinds: tuple[str, ...]

    @classmethod
    def of(cls, reference: str, verdict: Verdict) -> Discarded:
        """Return what there is to tell of one mail."""
        found = {one.kind.value for one in verdict.findings} | {one.why.value for one in verdict.unreadable}
        return cls(reference, 1, tuple(sorted(found)))

    def after(self, before: Discarded | None) -> Discarded:
        """Return what there is to tell of this and of what came before."""
        if before is None:
            return self
        kinds = tuple(sorted({*before.kinds, *self.kinds}))
        return Discarded(self.reference, min(self.count + before.count, MAX_COUNT), kinds)


def discard(tx: Transaction, reference: str, verdict: Verdict, sender_hash: str, operators: Sequence[str]) -> str:
    """Enter that a mail was taken and discarded, and return the entry's id.

    Raises StoreUnavailable where nobody could be told: then it is not discarded.
    """
    if not _people(tx, operators):
        raise StoreUnavailable("There is nobody here to be told. Please try again later.")
    told = {"reference": reference, "sender": sender_hash, "discarded": True, **facts(verdict)}
    return tx.record_as(_id(reference, verdict), TURNED_AWAY, BY_OUTSIDE, told)


def tell_operators(tx: Transaction, operators: Sequence[str], discarded: Discarded) -> int:
    """Enter a notice to each employee who has one of these addresses; return how many there are."""
    kinds = ",".join(discarded.kinds)
    fields: dict[str, str | int] = {"count": discarded.count, "refusal": discarded.reference, "kinds": kinds}
    people = _people(tx, operators)
    for person_id, programme in people:
        put(
            tx,
            programme=programme,
            kind=NoticeKind.OUTSIDE_MAIL_DISCARDED,
            person_id=person_id,
            fields=fields,
        )
    return len(people)


def find_refusal(connection: Connection, reference: str) -> TurnedAway | None:
    """Return what may be told of a reference, or None. It takes one look, whatever was typed."""
    leaf = tables.leaf.c
    of_reference = leaf.id.between(*ids_of(reference)) & (leaf.kind == TURNED_AWAY)
    row = connection.execute(select(leaf.id, leaf.at_us).where(of_reference)).first()
    return None if row is None else TurnedAway(row.at_us, *told_by(row.id))


def facts(verdict: Verdict) -> dict[str, Fact]:
    """Return what an entry tells of a verdict: how many findings of which kind, how much could not be read and why."""
    kinds: Counter[str] = Counter()
    for finding in verdict.findings:
        kinds[finding.kind.value] += finding.count
    reasons = Counter(one.why.value for one in verdict.unreadable)
    return {"verdict": verdict.outcome.value, "kinds": dict(kinds), "reasons": dict(reasons)}


def _id(reference: str, verdict: Verdict) -> str:
    return entry_id(reference, (one.kind for one in verdict.findings), (one.why for one in verdict.unreadable))


def _people(tx: Transaction, addresses: Sequence[str]) -> list[tuple[str, str]]:
    """Return the ids and programmes of the employees who have one of these addresses now."""
    boxes, people = tables.person_address.c, tables.person.c
    wanted = (
        select(people.id, people.programme)
        .join(tables.person_address, boxes.person_id == people.id)
        .where(
            boxes.key.in_([parse_address(one).key for one in addresses]),
            boxes.from_us <= tx.now_us,
            or_(boxes.until_us.is_(None), boxes.until_us > tx.now_us),
            people.side == Side.OFFICE.value,
            people.ended_us.is_(None),
        )
        .distinct()
    )
    return [(row.id, row.programme) for row in tx.all(wanted)]
