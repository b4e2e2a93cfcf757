"""The verbs of returned notifications: a mail door enters a report, the notifier applies it, an employee tries again.

A door sees the Internet and may only enter, each kind of report once for a notification; what follows from it happens
in the notifier, which knows the address. So a report touches the one address that its notification went to, whoever
else it names, and nobody but the employees of that person's case is ever told.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Integer, Row, and_, bindparam, or_, select, text, update

from gateway import maillog
from gateway.domain.errors import NotAllowed
from gateway.domain.notice import NoticeKind, NoticeState
from gateway.domain.reach import AddressState, Reason, Report, ReportKind, is_hard, may_kill
from gateway.domain.rights import Side, Verb
from gateway.failpoints import failpoint
from gateway.store.cases import standing
from gateway.store.confirmations import is_news
from gateway.store.outbox import OutboxState, address_hash, put, retry
from gateway.store.reach import IS_NEW, enter_report, healing, is_told_with, keep, present_state, state_of_row
from gateway.store.settlements import concerned
from gateway.store.tables import message, notice_report, outbox, person, recipient
from gateway.store.transaction import Transaction

AT_ONCE: Final = 100
TOLD_AGAIN_US: Final = 3_600_000_000
"""An employee who has an untold notice of a failure in a case, or had one within the hour, gets no second one."""
_NOTIFIER: Final = "notifier"


@dataclass(frozen=True, slots=True)
class Arrived:
    """One mail that reports on a notification: what it says, with hashes in place of whom it names; by which way."""

    outbox_id: str
    reports: tuple[Report, ...]
    relay: str


def enter(tx: Transaction, by: str, arrived: Arrived) -> int:
    """Enter what is new in a report, with one entry in the record; return how much that is. Nobody is told here."""
    kinds = [
        one.kind.value
        for one in arrived.reports
        if enter_report(tx, arrived.outbox_id, one.kind, one.reason, one.enhanced, ",".join(one.named))
    ]
    if kinds:
        tx.record("notice-reported", by, outbox=arrived.outbox_id, kinds=kinds, relay=arrived.relay)
    failpoint("bounces.enter")
    return len(kinds)


@dataclass(frozen=True, slots=True)
class Means:
    """What applying needs: the key that rights are checked by, the record's address hashes, hashes of who is named."""

    authority: Ed25519PublicKey
    address_hash: bytes
    named: Callable[[str], str]


def apply_reports(tx: Transaction, means: Means) -> int:
    """Apply up to AT_ONCE new reports, the oldest first, and return how many. One on a row under way waits for it."""
    rows = tx.all(_NEW, {"now": tx.now_us})
    for row in rows:
        of_report = and_(notice_report.c.outbox_id == row.id, notice_report.c.kind == row.report_kind)
        tx.execute(update(notice_report).where(of_report).values(applied_us=tx.now_us, case_id=row.case_id))
        if (report := _report_of(row)) is not None:
            _apply(tx, means, row, report)
    failpoint("bounces.apply")
    return len(rows)


def enter_late(tx: Transaction, means: Means, before_us: int) -> int:
    """Tell employees of notices that wait since before this instant, each once; return how many there are."""
    rows = late(tx.connection, before_us)
    for row in rows:
        address = _address_of(row)
        known = present_state(tx, row.person_id, address) if address else None
        reason = known[1].reason if known else Reason.UNSPECIFIED
        for one in _told_together(tx, row):
            enter_report(tx, one.id, ReportKind.LATE, reason, case_id=one.case_id, is_applied=True)
            tx.record("notice-late", _NOTIFIER, outbox=one.id, person=one.person_id, case=one.case_id)
            _tell(tx, means, one, NoticeKind.DELIVERY_DELAYED, NoticeState.NONE)
    failpoint("bounces.late")
    return len(rows)


def late(connection: Connection, before_us: int, most: int = AT_ONCE) -> Sequence[Row[Any]]:
    """Return up to so many notices that wait since before this instant, of which nobody was told."""
    return connection.execute(_LATE, {"before": before_us, "most": most}).all()


def heal(tx: Transaction) -> int:
    """Let time heal addresses that were quiet for long enough; return how many."""
    rows = healing(tx.connection, tx.now_us)
    for row in rows:
        before = state_of_row(row)
        keep(tx, row.address_id, before, before.healed(tx.now_us))
    return len(rows)


def try_again(tx: Transaction, authority: Ed25519PublicKey, employee_id: str, case_id: str, outbox_id: str) -> None:
    """Try a notice of a case again, at an employee's wish. Raises NotAllowed for what is not there or not theirs."""
    place = standing(tx.connection, authority, case_id, employee_id, tx.now_us)
    found = tx.one(select(outbox.c.id, outbox.c.kind).where(outbox.c.id == outbox_id, outbox.c.case_id == case_id))
    is_theirs = place is not None and place.may(Verb.TEND)
    if not is_theirs or found is None or NoticeKind(found.kind).is_for_employees:
        raise NotAllowed("There is nothing here for you.")
    if not retry(tx, outbox_id, employee_id):
        raise NotAllowed("This notice has gone out meanwhile.")


@dataclass(frozen=True, slots=True)
class Unreached:
    """A notice of a case that did not reach its person, or not so far, or was not wanted; since when, and why."""

    outbox_id: str
    name: str
    kind: ReportKind
    reason: Reason
    since_us: int
    created_us: int
    message_reference: str | None


def unreached(connection: Connection, case_id: str) -> list[Unreached]:
    """Return the notices of a case that somebody has to care for, the newest trouble first.

    Who has opened the message meanwhile has been reached; a complaint is shown for as long as it holds.
    """
    return [
        Unreached(
            row.id, row.name, ReportKind(row.report_kind), Reason(row.reason), row.at_us, row.created_us, row.reference
        )
        for row in connection.execute(_UNREACHED, {"case": case_id})
    ]


def _report_of(row: Row[Any]) -> Report | None:
    """Return a report as it was entered, `named` being hashes; None for one in words of another version."""
    try:
        return Report(ReportKind(row.report_kind), row.enhanced, tuple(filter(None, row.named.split(","))))
    except ValueError:
        maillog.alarm("report", notice_report.name, row.id)
        return None


def _apply(tx: Transaction, means: Means, row: Row[Any], report: Report) -> None:
    """Apply one report: let the address feel it, and where a notice is lost by it tell who is concerned."""
    address = _address_of(row)
    known = present_state(tx, row.person_id, address) if address else None
    if known is not None:
        names_it = means.named(address) in report.named
        keep(tx, known[0], known[1], _felt(known[1], report, tx.now_us, names_it=names_it))
    together = _told_together(tx, row)
    is_lost = report.kind is ReportKind.FAILED and row.state == OutboxState.DELIVERED.value
    if is_lost:
        _lose(tx, together, report)
    tx.record(
        f"notice-{_WORDS[report.kind]}",
        _NOTIFIER,
        outbox=row.id,
        notice=row.kind,
        person=row.person_id,
        case=row.case_id,
        address=address_hash(means.address_hash, address) if address else None,
        reason=report.reason.value,
        enhanced=report.enhanced,
    )
    for one in together:
        if is_lost:
            _tell(tx, means, one, NoticeKind.DELIVERY_FAILED, _told_of(report.reason))
        elif report.kind is ReportKind.COMPLAINT:
            _tell(tx, means, one, NoticeKind.DELIVERY_FAILED, NoticeState.COMPLAINED)


_WORDS = {
    ReportKind.FAILED: "bounced",
    ReportKind.DELAYED: "delayed",
    ReportKind.DELIVERED: "arrived",
    ReportKind.COMPLAINT: "complained",
    ReportKind.LATE: "late",
}


def _felt(state: AddressState, report: Report, now_us: int, *, names_it: bool) -> AddressState:
    """Return what a report makes of its address.

    One that names another than the address (it is forwarded, or shared by many) never kills it.
    """
    match report.kind:
        case ReportKind.FAILED:
            may_die = names_it and may_kill(report.enhanced)
            return state.failed(report.reason, now_us, is_hard=is_hard(report.enhanced), may_die=may_die)
        case ReportKind.DELAYED:
            return state.delayed(report.reason, now_us)
        case ReportKind.DELIVERED:
            return state.arrived(now_us)
        case ReportKind.COMPLAINT:
            return state.complained(now_us)
        case _:
            return state


def _told_together(tx: Transaction, row: Row[Any]) -> list[Row[Any]]:
    """Return a row, and those that were told in its notification."""
    return [row, *tx.all(select(*_ROW).where(is_told_with(row.id)))]


def _lose(tx: Transaction, rows: list[Row[Any]], report: Report) -> None:
    """Notices that were told in one notification did not arrive after all."""
    lost = {"state": OutboxState.FAILED.value, "settled_us": tx.now_us}
    gone_out = and_(outbox.c.id.in_([row.id for row in rows]), outbox.c.state == OutboxState.DELIVERED.value)
    tx.execute(update(outbox).where(gone_out).values(lost))
    if heard := {row.message_id for row in rows if row.message_id is not None}:
        is_news(tx, heard, reports=True)
    for row in rows[1:]:
        enter_report(
            tx, row.id, ReportKind.FAILED, report.reason, report.enhanced, case_id=row.case_id, is_applied=True
        )


def _tell(tx: Transaction, means: Means, row: Row[Any], kind: NoticeKind, state: NoticeState) -> None:
    """Enter a notice to whoever is concerned; what fails to reach an employee makes no other notice."""
    if NoticeKind(row.kind).is_for_employees:
        return
    for person_id in sorted(concerned(tx, means.authority, row.message_id, row.case_id)):
        if _was_told(tx, person_id, row.case_id, kind):
            continue
        put(
            tx,
            programme=row.programme,
            kind=kind,
            person_id=person_id,
            case_id=row.case_id,
            message_id=row.message_id,
            fields={"state": state.value},
        )


def _was_told(tx: Transaction, person_id: str, case_id: str | None, kind: NoticeKind) -> bool:
    of_case = outbox.c.case_id.is_(None) if case_id is None else outbox.c.case_id == case_id
    recent = outbox.c.created_us > tx.now_us - TOLD_AGAIN_US
    mine = and_(outbox.c.person_id == person_id, outbox.c.kind == kind.value, of_case, recent)
    return tx.one(select(outbox.c.id).where(mine).limit(1)) is not None


def _told_of(reason: Reason) -> NoticeState:
    return {
        Reason.UNKNOWN_DOMAIN: NoticeState.UNKNOWN_DOMAIN,
        Reason.NOT_SECURE: NoticeState.NOT_SECURE,
        Reason.UNKNOWN_MAILBOX: NoticeState.ADDRESS_REFUSED,
    }.get(reason, NoticeState.BOUNCED)


def _address_of(row: Row[Any]) -> str:
    """Return the address a row was sent to, "" where it was sent to none."""
    try:
        kept = json.loads(row.fields).get("address", "")
    except (ValueError, AttributeError):
        return ""
    return kept if isinstance(kept, str) else ""


_MAY_WAIT = [kind.value for kind in NoticeKind if kind.is_for_employees or kind is NoticeKind.REMINDER]
"""A reminder may be held until the morning; who writes to employees would tell them of themselves."""
_UNDER_WAY = (OutboxState.WAITING.value, OutboxState.JOINED.value)
_ROW = tuple(
    outbox.c[name]
    for name in ("id", "programme", "kind", "person_id", "case_id", "message_id", "fields", "state", "lease_until_us")
)
_NEW = (
    select(
        *_ROW,
        notice_report.c.kind.label("report_kind"),
        notice_report.c.enhanced,
        notice_report.c.named,
    )
    .join(outbox, outbox.c.id == notice_report.c.outbox_id)
    .where(IS_NEW)
    .order_by(notice_report.c.at_us)
    .limit(AT_ONCE)
)
_UNREACHED = (
    select(
        outbox.c.id,
        outbox.c.created_us,
        person.c.name,
        notice_report.c.kind.label("report_kind"),
        notice_report.c.reason,
        notice_report.c.at_us,
        message.c.reference,
    )
    .select_from(
        notice_report.join(outbox, outbox.c.id == notice_report.c.outbox_id)
        .join(person, person.c.id == outbox.c.person_id)
        .outerjoin(message, message.c.id == outbox.c.message_id)
        .outerjoin(
            recipient,
            and_(recipient.c.message_id == outbox.c.message_id, recipient.c.person_id == outbox.c.person_id),
        )
    )
    .where(
        notice_report.c.case_id == bindparam("case"),
        recipient.c.first_read_us.is_(None),
        person.c.side == Side.CORRESPONDENT.value,
        person.c.ended_us.is_(None),
        or_(
            and_(notice_report.c.kind == ReportKind.FAILED.value, outbox.c.state == OutboxState.FAILED.value),
            and_(notice_report.c.kind == ReportKind.LATE.value, outbox.c.state.in_(_UNDER_WAY)),
            notice_report.c.kind == ReportKind.COMPLAINT.value,
        ),
    )
    .order_by(notice_report.c.at_us.desc(), outbox.c.id)
    .limit(AT_ONCE)
)
_LATE = (
    select(*_ROW)
    .outerjoin(
        notice_report,
        and_(notice_report.c.outbox_id == outbox.c.id, notice_report.c.kind == ReportKind.LATE.value),
    )
    .where(
        text("outbox.state = 0"),
        or_(outbox.c.attempts > 0, outbox.c.due_us <= bindparam("before")),
        outbox.c.created_us <= bindparam("before"),
        notice_report.c.outbox_id.is_(None),
        outbox.c.kind.not_in(_MAY_WAIT),
    )
    .limit(bindparam("most", type_=Integer))
)
