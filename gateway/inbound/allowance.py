"""Senders whom a site lets send some kinds of taxpayer data in plain mail, where their domain vouches for the mail."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.domain.authentication import Authentication, Method, Result
from gateway.domain.verdict import Kind, Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Allowance:
    """`senders` are `name@domain` or `@domain`, in lower case; of `kinds` alone anything is let through."""

    senders: frozenset[str]
    kinds: frozenset[Kind]

    def covers(self, verdict: Verdict) -> bool:
        """Tell whether nothing stands against a mail but findings of these kinds."""
        of_these = all(one.kind in self.kinds for one in verdict.findings)
        return verdict.outcome is Outcome.TAINTED and of_these and not verdict.unreadable

    def names(self, found: Authentication) -> bool:
        """Tell whether a sender is listed, and DMARC or a signature of the author's own domain is good."""
        is_proven = found.of(Method.DMARC) is Result.PASS or found.is_signed
        return is_proven and not self.senders.isdisjoint({found.mailbox, f"@{found.author}"})
