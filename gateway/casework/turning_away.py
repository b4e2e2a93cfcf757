"""The verb for outside mail that is refused for what it holds: one entry, and nothing of the mail."""

from __future__ import annotations

from collections import Counter

from gateway.domain.record import Fact
from gateway.domain.verdict import Verdict
from gateway.store.transaction import Transaction

BY_OUTSIDE = "outside"
"""Who the entry says it was: anybody, as nobody has signed in."""


def turn_away(tx: Transaction, reference: str, verdict: Verdict, sender_hash: str) -> str:
    """Enter that a mail was refused, and return the entry's id.

    `sender_hash` is keyed, by a key that is destroyed within a day: it tells repeats of one sender apart until then.
    """
    return tx.record("mail_turned_away", BY_OUTSIDE, reference=reference, sender=sender_hash, **facts(verdict))


def facts(verdict: Verdict) -> dict[str, Fact]:
    """Return what an entry tells of a verdict: how many findings of which kind, how much could not be read and why."""
    kinds: Counter[str] = Counter()
    for finding in verdict.findings:
        kinds[finding.kind.value] += finding.count
    reasons = Counter(one.why.value for one in verdict.unreadable)
    return {"verdict": verdict.outcome.value, "kinds": dict(kinds), "reasons": dict(reasons)}
