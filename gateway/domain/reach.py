"""Whether a person is reached at an address: what can be reported of a notice, why, and what that makes of the address.

A failure that lies in the address itself (RFC 3463 section 3.2) kills it at once; any other one counts, at most once in
`COUNT_ONCE`, and the third kills, unless it is about our mail or their system. A count decays, a mail that was taken
and came not back heals, an address that was changed begins anew. A dead address is not written to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

_MICROSECOND: Final = timedelta(microseconds=1)
COUNT_ONCE: Final = timedelta(hours=12)
FAILURES_TO_DEATH: Final = 3
QUIET: Final = timedelta(hours=24)
"""A mail taken after a failure heals when nothing was heard of the address for so long."""
DECAY: Final = timedelta(days=14)
"""What is older than this and did not kill counts no more."""

_ENHANCED = re.compile(r"[245]\.(\d{1,3})\.(\d{1,3})\Z")


class ReportKind(StrEnum):
    """What is said of one notification. LATE is our own word on one that waits for very long."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    COMPLAINT = "complaint"
    LATE = "late"


class Reason(StrEnum):
    """Why a notice did not arrive: all that is ever kept or shown of what a remote host said."""

    UNKNOWN_MAILBOX = "unknown_mailbox"
    UNKNOWN_DOMAIN = "unknown_domain"
    BAD_ADDRESS = "bad_address"
    MOVED = "moved"
    DISABLED = "disabled"
    FULL = "full"
    TOO_LARGE = "too_large"
    SYSTEM = "system"
    UNREACHABLE = "unreachable"
    LOOP = "loop"
    NOT_TAKEN = "not_taken"
    NOT_SECURE = "not_secure"
    UNWANTED = "unwanted"
    COMPLAINED = "complained"
    NO_ADDRESS = "no_address"
    UNSPECIFIED = "unspecified"

    @property
    def words(self) -> str:
        """The reason in words, for people who did not learn mail."""
        return _WORDS[self]


_WORDS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.UNKNOWN_MAILBOX: "There is no mailbox of this name.",
        Reason.UNKNOWN_DOMAIN: "The part of the address after the @ takes no mail.",
        Reason.BAD_ADDRESS: "The address is not written as an e-mail address is.",
        Reason.MOVED: "The mailbox has moved.",
        Reason.DISABLED: "The mailbox is switched off.",
        Reason.FULL: "The mailbox is full.",
        Reason.TOO_LARGE: "The mailbox takes only smaller mails.",
        Reason.SYSTEM: "The mail system of the address is out of order.",
        Reason.UNREACHABLE: "The mail system of the address does not answer.",
        Reason.LOOP: "Mail to this address goes round in circles.",
        Reason.NOT_TAKEN: "The mail system of the address did not take the notice.",
        Reason.NOT_SECURE: "The mail system of the address offers no connection that is secure enough.",
        Reason.UNWANTED: "The mail system of the address takes notices for unwanted mail.",
        Reason.COMPLAINED: "Notices were reported as unwanted mail from this address. Reminders are not sent there.",
        Reason.NO_ADDRESS: "There is no address that notices may go to.",
        Reason.UNSPECIFIED: "No reason is known.",
    }
)
_ADDRESS_DETAILS = {
    2: Reason.UNKNOWN_DOMAIN, 3: Reason.BAD_ADDRESS, 6: Reason.MOVED, 10: Reason.UNKNOWN_DOMAIN,
}  # fmt: skip
_MAILBOX_DETAILS = {1: Reason.DISABLED, 2: Reason.FULL, 3: Reason.TOO_LARGE}
_SENDER_DETAILS = frozenset({7, 8})  # of the address subject, but about the sender's
_CRYPTOGRAPHIC = frozenset({4, 5, 6, 10, 11, 30})  # RFC 3463 section 3.8, RFC 5248, RFC 8689
_OF_THE_MAILBOX = frozenset({0, 1, 2, 4})
_SUBJECTS = {3: Reason.SYSTEM, 4: Reason.UNREACHABLE, 5: Reason.SYSTEM, 6: Reason.NOT_TAKEN}


def reason_of(enhanced: str) -> Reason:
    """Return what an enhanced status code means (RFC 3463 and the registry of RFC 5248); "" is UNSPECIFIED."""
    found = _ENHANCED.match(enhanced)
    if found is None:
        return Reason.UNSPECIFIED
    subject, detail = int(found[1]), int(found[2])
    if subject == 1:
        if detail in _SENDER_DETAILS:
            return Reason.NOT_TAKEN
        return _ADDRESS_DETAILS.get(detail, Reason.UNKNOWN_MAILBOX)
    if subject == 2:
        return _MAILBOX_DETAILS.get(detail, Reason.NOT_TAKEN)
    if (subject, detail) == (3, 4):
        return Reason.TOO_LARGE
    if (subject, detail) == (4, 6):
        return Reason.LOOP
    if subject == 7:
        return Reason.NOT_SECURE if detail in _CRYPTOGRAPHIC else Reason.UNWANTED
    return _SUBJECTS.get(subject, Reason.UNSPECIFIED)


def is_hard(enhanced: str) -> bool:
    """Tell whether a permanent code says that the address itself is wrong."""
    found = _ENHANCED.match(enhanced)
    is_address = found is not None and enhanced[0] == "5" and int(found[1]) == 1
    return is_address and found is not None and int(found[2]) not in _SENDER_DETAILS


def may_kill(enhanced: str) -> bool:
    """Tell whether failures of this kind add up to a dead address: not what is about our mail, or their system."""
    found = _ENHANCED.match(enhanced)
    return found is None or (int(found[1]) in _OF_THE_MAILBOX and reason_of(enhanced) is not Reason.NOT_TAKEN)


@dataclass(frozen=True, slots=True)
class Report:
    """What one report says of one notification: a kind, a code ("" where there is none), whom it names.

    `named` are recipients as the report writes them; what the store keeps is a keyed hash of each.
    """

    kind: ReportKind
    enhanced: str = ""
    named: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.enhanced and not _ENHANCED.match(self.enhanced):
            raise ValueError("not an enhanced status code")

    @property
    def reason(self) -> Reason:
        """The reason in the fixed vocabulary."""
        return Reason.COMPLAINED if self.kind is ReportKind.COMPLAINT else reason_of(self.enhanced)


class Condition(StrEnum):
    """The state of an address."""

    GOOD = "good"
    DELAYED = "delayed"
    FAILING = "failing"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class AddressState:
    """What is known of an address. Instants in microseconds: `since_us` when it came to be so, `changed_us` the last
    news, `taken_us` when a mail was taken after the last failure, `complained_us` the last complaint.
    """

    condition: Condition = Condition.GOOD
    reason: Reason = Reason.UNSPECIFIED
    failures: int = 0
    since_us: int = 0
    changed_us: int = 0
    taken_us: int | None = None
    complained_us: int | None = None

    def failed(self, reason: Reason, now_us: int, *, is_hard: bool = False, may_die: bool = True) -> AddressState:
        """Return the state after a failure. One that `may_die` is not allowed to, does not count to death."""
        before = self if now_us - self.changed_us < DECAY // _MICROSECOND else AddressState()
        counts = before.failures == 0 or now_us - before.changed_us >= COUNT_ONCE // _MICROSECOND
        failures = before.failures + 1 if counts and may_die else max(before.failures, 1)
        is_dead = self.condition is Condition.DEAD or (may_die and (is_hard or failures >= FAILURES_TO_DEATH))
        # News that does not count leaves the clock of what counts alone.
        changed_us = now_us if counts or is_dead else before.changed_us
        after = self._now(Condition.DEAD if is_dead else Condition.FAILING, reason, now_us)
        return replace(after, failures=failures, changed_us=changed_us, taken_us=None)

    def delayed(self, reason: Reason, now_us: int) -> AddressState:
        """Return the state after a delay, which says nothing new of an address that fails."""
        if self.condition in (Condition.FAILING, Condition.DEAD):
            return self
        return replace(self._now(Condition.DELAYED, reason, now_us), changed_us=now_us)

    def complained(self, now_us: int) -> AddressState:
        """Return the state after a complaint: notices go on, reminders do not."""
        return replace(self, complained_us=now_us, since_us=self.since_us or now_us, changed_us=now_us)

    def taken(self, now_us: int) -> AddressState:
        """Return the state after the next host took a mail: of a failing address a report may still come."""
        if self.condition is Condition.DELAYED:
            return self._now(Condition.GOOD, Reason.UNSPECIFIED, now_us)
        return self if self.taken_us is not None else replace(self, taken_us=now_us)

    def arrived(self, now_us: int) -> AddressState:
        """Return the state after a report that a mail is in the mailbox."""
        return replace(self._now(Condition.GOOD, Reason.UNSPECIFIED, now_us), failures=0, taken_us=None)

    def healed(self, now_us: int) -> AddressState:
        """Return the state as time alone makes it."""
        if self.condition not in (Condition.DELAYED, Condition.FAILING):
            return self
        is_quiet = self.taken_us is not None and now_us - self.taken_us >= QUIET // _MICROSECOND
        is_old = now_us - self.changed_us >= DECAY // _MICROSECOND
        return self.arrived(now_us) if is_quiet or is_old else self

    @property
    def is_of_interest(self) -> bool:
        """False where nothing need be kept."""
        return self.condition is not Condition.GOOD or self.complained_us is not None

    def _now(self, condition: Condition, reason: Reason, now_us: int) -> AddressState:
        since_us = self.since_us if condition is self.condition and self.since_us else now_us
        return replace(self, condition=condition, reason=reason, since_us=since_us)
