"""What a person is told by plain mail, and nothing more: the only way from the vault's side into a notification.

A notification is a function of its template and these fields. None of them can hold anything of a message: kinds,
states and languages come from fixed vocabularies, the reference is opaque, the rest are instants and counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.domain.reference import Reference
from gateway.domain.verdict import Kind, Unread

MAX_COUNT = 9_999
PRODUCTION = "production"
_LANGUAGE = re.compile(r"[a-z]{2}\Z")
_ENVIRONMENT = re.compile(r"[a-z][a-z0-9-]{0,31}\Z")
_PORTAL = re.compile(r"https://[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?/\Z")
_OUTBOX_ID = re.compile(r"[0-9a-z]{8,64}\Z")
_OWN_MESSAGE_ID = re.compile(r"<?notice\.([0-9a-z]{8,64})@[^\s@>]+>?\Z")
_REFUSAL = re.compile(r"R-[0-9A-Z]{4}-[0-9A-Z]{4}\Z")
_FINDABLE = frozenset({*Kind, *Unread})
_ZONE = re.compile(r"[A-Z][A-Za-z0-9_+-]*(?:/[A-Z][A-Za-z0-9_+-]*){0,2}\Z")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\Z")


class NoticeKind(StrEnum):
    """Why a person is written to. Each has its own templates in every language."""

    MESSAGE_WAITING = "message_waiting"
    REMINDER = "reminder"
    REPLY_RECEIVED = "reply_received"
    DELIVERY_FAILED = "delivery_failed"
    DELIVERY_DELAYED = "delivery_delayed"
    NOT_READ = "not_read"
    LEFT_IN_CLEAR = "left_in_clear"
    OUTSIDE_MAIL_FILED = "outside_mail_filed"
    OUTSIDE_MAIL_DISCARDED = "outside_mail_discarded"
    INTAKE_WAITING = "intake_waiting"
    SUBMISSION_RECEIVED = "submission_received"
    SUBMISSION_SUCCESSFUL = "submission_successful"
    INVITATION = "invitation"
    MEETING = "meeting"
    ACCOUNT_CHANGED = "account_changed"
    ACCESS_ENDING = "access_ending"
    CONFIRMATION = "confirmation"
    MESSAGE_READ = "message_read"
    DAILY_DIGEST = "daily_digest"
    WITHDRAWAL = "withdrawal"
    DELIVERY_REPORT = "delivery_report"
    READ_RECEIPT = "read_receipt"
    CASE_ASSIGNED = "case_assigned"
    CLOUD_LINK = "cloud_link"
    ABSENCE = "absence"
    UNOPENED = "unopened"
    CASE_TO_CHOOSE = "case_to_choose"
    DRAFT_ENDED = "draft_ended"
    GUARD_WAITS = "guard_waits"
    GUARD_ANSWER = "guard_answer"

    @property
    def is_for_employees(self) -> bool:
        """True for the kinds that tell an employee; all others go to correspondents, account changes to both."""
        return self in _FOR_EMPLOYEES

    @property
    def is_answered_in_the_case(self) -> bool:
        """True where an answer from the mail tool goes to the case's other side, and is meant to."""
        return self in _ANSWERED

    @property
    def is_confirmation(self) -> bool:
        """True for what an author is told of their own message: nobody hears where it cannot be delivered."""
        return self in _CONFIRMATIONS

    @property
    def is_of_the_site(self) -> bool:
        """True where whoever runs the site is told, whatever a programme uses."""
        return self is NoticeKind.OUTSIDE_MAIL_DISCARDED


_ANSWERED = frozenset({
    NoticeKind.REPLY_RECEIVED, NoticeKind.DELIVERY_FAILED, NoticeKind.DELIVERY_DELAYED, NoticeKind.NOT_READ,
    NoticeKind.LEFT_IN_CLEAR, NoticeKind.CONFIRMATION, NoticeKind.MESSAGE_READ,
    NoticeKind.CASE_ASSIGNED, NoticeKind.CLOUD_LINK, NoticeKind.GUARD_WAITS,
})  # fmt: skip
_CONFIRMATIONS = frozenset({
    NoticeKind.CONFIRMATION, NoticeKind.MESSAGE_READ, NoticeKind.DAILY_DIGEST, NoticeKind.WITHDRAWAL,
    NoticeKind.DELIVERY_REPORT, NoticeKind.READ_RECEIPT, NoticeKind.GUARD_ANSWER,
    NoticeKind.CASE_TO_CHOOSE, NoticeKind.DRAFT_ENDED,
})  # fmt: skip
_FOR_EMPLOYEES = _ANSWERED | _CONFIRMATIONS | {
    NoticeKind.OUTSIDE_MAIL_FILED, NoticeKind.OUTSIDE_MAIL_DISCARDED, NoticeKind.INTAKE_WAITING,
    NoticeKind.ABSENCE, NoticeKind.UNOPENED,
}  # fmt: skip


class NoticeState(StrEnum):
    """The states a notice may name; each language's catalogue has the words for each."""

    NONE = "none"
    ADDRESS_REFUSED = "address_refused"
    NO_ADDRESS = "no_address"
    GAVE_UP = "gave_up"
    NO_ANSWER = "no_answer"
    UNKNOWN_DOMAIN = "unknown_domain"
    NOT_SECURE = "not_secure"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of a state
    FACTOR_ADDED = "factor_added"
    FACTOR_REMOVED = "factor_removed"
    COPY_KEY_PROOF = "copy_key_proof"
    COPY_KEY_ADDED = "copy_key_added"
    COPY_KEY_REMOVED = "copy_key_removed"
    COPY_KEY_REVOKED = "copy_key_revoked"
    COPY_KEY_ENDING = "copy_key_ending"
    ADDRESS_CHANGED = "address_changed"
    ACCESS_ADDED = "access_added"
    ACCESS_REMOVED = "access_removed"
    SIGNED_IN_ELSEWHERE = "signed_in_elsewhere"
    MEETING_ARRANGED = "meeting_arranged"
    MEETING_MOVED = "meeting_moved"
    MEETING_CANCELLED = "meeting_cancelled"
    SIGN_IN_ENDING = "sign_in_ending"
    ROLE_ENDING = "role_ending"
    PASSWORD_ENDING = "password_ending"  # noqa: S105 - the name of a state
    CONFIRMATION_DUE = "confirmation_due"
    FAX_LINE_TIME = "fax_line_time"
    OWN_TIME = "own_time"
    HOST_ACCEPTED = "host_accepted"
    HOST_DELAYED = "host_delayed"
    HOST_REFUSED = "host_refused"
    WITHDRAWN_NO_TRACE = "withdrawn_no_trace"
    WITHDRAWN_UNREAD = "withdrawn_unread"
    WITHDRAWN_AFTER_READING = "withdrawn_after_reading"
    WITHDRAWN_BEFORE = "withdrawn_before"
    NOT_WITHDRAWN = "not_withdrawn"
    DEPUTY_NAMED = "deputy_named"
    DEPUTY_FOR_YOU = "deputy_for_you"
    DEPUTY_ENDED = "deputy_ended"
    DEPUTY_GONE = "deputy_gone"
    DEPUTY_ABSENT = "deputy_absent"
    DEPUTY_LEFT = "deputy_left"
    DRAFT_WAITS = "draft_waits"
    DRAFT_STILL_WAITS = "draft_still_waits"
    DRAFT_HANDED_ON = "draft_handed_on"
    DRAFT_ENDED = "draft_ended"
    DRAFT_ENDED_OF_TEAM = "draft_ended_of_team"
    GUARD_ANOTHER_CASE = "guard_another_case"
    GUARD_NOT_LOOKED_AT = "guard_not_looked_at"
    GUARD_HANDED_ON = "guard_handed_on"
    GUARD_RELEASED = "guard_released"
    GUARD_NOT_HELD = "guard_not_held"
    GUARD_NOT_RELEASED = "guard_not_released"
    GUARD_RUN_OUT = "guard_run_out"


@dataclass(frozen=True, slots=True)
class Notice:
    """The facts of one notice. Raises ValueError when a field holds what it may not.

    `portal` is the site's one fixed address (`https://host/`), or None for a person who chose notices without a link;
    `reference` is None where no case is concerned, or several are; `until` is an instant the notice announces: the
    last one of what ends, when a meeting begins, or of the past: when a fax was received; `zone` is the person's own
    time zone (a name of the IANA database), empty for the programme's. `count` counts what the kind counts (messages,
    say; people told, of a confirmation), and `reads` people who have opened, or messages that were. `refusal` and
    `kinds` are of discarded mail: the last one's reference, and words of `Kind` and `Unread` for all of them. A sample
    concerns nobody and says so.
    """

    kind: NoticeKind
    language: str
    reference: Reference | None
    portal: str | None
    at: datetime
    environment: str
    count: int = 1
    state: NoticeState = NoticeState.NONE
    until: datetime | None = None
    refusal: str = ""
    kinds: tuple[str, ...] = ()
    zone: str = ""
    is_sample: bool = False
    reads: int = 0

    def __post_init__(self) -> None:
        if not _LANGUAGE.match(self.language):
            raise ValueError("a language is two lower-case letters")
        if self.portal is not None and not _PORTAL.match(self.portal):
            raise ValueError("the portal's address has the form https://host/, with no path and no query")
        if not _ENVIRONMENT.match(self.environment):
            raise ValueError("an environment is one lower-case word")
        if not (0 <= self.count <= MAX_COUNT and 0 <= self.reads <= MAX_COUNT):
            raise ValueError(f"a count is between 0 and {MAX_COUNT}")
        if self.refusal and not _REFUSAL.match(self.refusal):
            raise ValueError("a refusal's reference is like R-4F7K-3M9P")
        if not _FINDABLE.issuperset(self.kinds):
            raise ValueError("kinds are words of Kind and Unread")
        if self.zone and not is_zone(self.zone):
            raise ValueError("a time zone is one of the IANA database")
        for instant in (self.at, self.until):
            if instant is not None and instant.utcoffset() is None:
                raise ValueError("an instant needs a time zone")

    @property
    def host(self) -> str:
        """The portal's host alone, for saying it in words that are no link; empty without a link."""
        return self.portal.removeprefix("https://").rstrip("/") if self.portal else ""

    @property
    def is_trial(self) -> bool:
        """True outside production: the notification then carries a banner and a marked subject."""
        return self.environment != PRODUCTION


def is_zone(name: str) -> bool:
    """Tell whether a name is that of a time zone of the IANA database."""
    try:
        return bool(_ZONE.match(name)) and ZoneInfo(name).key == name
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def message_id(outbox_id: str, host: str) -> str:
    """Return the Message-ID (RFC 5322 section 3.6.4) of one outbox row's notification: a repeat is the same mail.

    Raises ValueError when an id or a host holds what a Message-ID may not.
    """
    if not _OUTBOX_ID.match(outbox_id):
        raise ValueError("an outbox id is 8 to 64 letters and digits")
    if not _HOST.match(host):
        raise ValueError("not a host name")
    return f"<notice.{outbox_id}@{host}>"


def outbox_id_of(text: str) -> str | None:
    """Return the outbox id in a Message-ID that `message_id` made, or None for any other."""
    found = _OWN_MESSAGE_ID.match(text.strip())
    return found[1] if found else None
