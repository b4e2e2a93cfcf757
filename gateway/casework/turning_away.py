"""Outside mail that is refused for what it holds: one entry, nothing of the mail, and what may be told of it later."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, select

from gateway.domain.record import Fact
from gateway.domain.refusal import entry_id, ids_of, told_by
from gateway.domain.verdict import Kind, Unread, Verdict
from gateway.store import tables
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
    kinds = (one.kind for one in verdict.findings)
    reasons = (one.why for one in verdict.unreadable)
    return tx.record_as(entry_id(reference, kinds, reasons), TURNED_AWAY, BY_OUTSIDE, told)


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
