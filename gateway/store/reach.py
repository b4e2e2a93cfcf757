"""Addresses by whether they reach their person, and reports on single notifications, as rows.

An address without a row of its own is good. Which news makes what of it, `gateway.domain.reach` says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Row, and_, bindparam, func, or_, select, update

from gateway.domain.delivery import Delivery, DeliveryState
from gateway.domain.reach import AddressState, Condition, Reason, ReportKind, is_hard, may_kill, reason_of
from gateway.store.tables import address_state, notice_report, outbox, person, person_address
from gateway.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Reachable:
    """One present address of a person that notices may go to."""

    address: str
    takes_reminders: bool


def reachable(connection: Connection, people: Iterable[str], now_us: int) -> dict[str, list[Reachable]]:
    """Return each person's present addresses for notices, oldest first, without those that are dead."""
    rows = connection.execute(_REACHABLE, {"people": list(people), "now": now_us})
    found: dict[str, list[Reachable]] = {}
    for row in rows:
        found.setdefault(row.person_id, []).append(Reachable(row.address, row.complained_us is None))
    return found


def with_states(connection: Connection, people: Iterable[str]) -> set[str]:
    """Return those of these people of whom an address is, or was, not simply good."""
    return set(connection.execute(_WITH_STATES, {"people": list(people)}).scalars())


def note_attempt(
    tx: Transaction,
    outbox_id: str,
    case_id: str | None,
    person_id: str,
    address: str | None,
    delivery: Delivery,
    *,
    is_lost: bool,
) -> None:
    """Write down what an attempt of our own says of an address: its next host took the mail, put it off, or refused.

    Where the notice `is_lost` by it, that is a report on the notification as well.
    """
    reason = Reason.NO_ADDRESS if address is None else reason_of(delivery.enhanced)
    state = None if address is None else _state_of(tx, person_id, address)
    if is_lost:
        for row_id, of_case in ((outbox_id, case_id), *told_with(tx, outbox_id)):
            enter_report(tx, row_id, ReportKind.FAILED, reason, delivery.enhanced, case_id=of_case, is_applied=True)
    if state is None or not (delivery.code or delivery.enhanced):
        return  # nobody spoke: the way was closed on our side, which says nothing of the address
    address_id, before = state
    if is_lost:
        hard, may_die = is_hard(delivery.enhanced), may_kill(delivery.enhanced)
        after = before.failed(reason, tx.now_us, is_hard=hard, may_die=may_die)
    elif delivery.state is DeliveryState.DELAYED:
        after = before.delayed(reason, tx.now_us)
    else:
        after = before.taken(tx.now_us) if before.is_of_interest else before
    keep(tx, address_id, before, after)


def present_state(tx: Transaction, person_id: str, address: str) -> tuple[str, AddressState] | None:
    """Return the id and the state of a person's present address, None where it is theirs no more."""
    return _state_of(tx, person_id, address)


def keep(tx: Transaction, address_id: str, before: AddressState, after: AddressState) -> None:
    """Write the state of an address, and its entry where the condition is another."""
    if after == before:
        return
    of_address = address_state.c.address_id == address_id
    if not after.is_of_interest:
        tx.execute(address_state.delete().where(of_address))
    else:
        values = {
            "state": after.condition.value,
            "reason": after.reason.value,
            "failures": after.failures,
            "since_us": after.since_us,
            "changed_us": after.changed_us,
            "taken_us": after.taken_us,
            "complained_us": after.complained_us,
        }
        if not tx.execute(update(address_state).where(of_address).values(values)):
            tx.insert(address_state, address_id=address_id, **values)
    if (after.condition, after.complained_us is None) != (before.condition, before.complained_us is None):
        tx.record(
            "address-state",
            "notifier",
            address=address_id,
            state=after.condition.value,
            reason=after.reason.value,
            complained=after.complained_us is not None,
        )


def forget_states(tx: Transaction, person_id: str, by: str, addresses: Iterable[str] | None = None) -> int:
    """Take a person's addresses (all, or those of these keys) for good again; return how many were not."""
    mine = person_address.c.person_id == person_id
    if addresses is not None:
        mine = and_(mine, person_address.c.key.in_(list(addresses)))
    joined = select(address_state.c.address_id).join(person_address).where(mine)
    ids = [row.address_id for row in tx.all(joined)]
    if ids:
        tx.execute(address_state.delete().where(address_state.c.address_id.in_(ids)))
    for address_id in ids:
        tx.record("address-reset", by, address=address_id, person=person_id)
    return len(ids)


def forgive(tx: Transaction, outbox_id: str, by: str) -> None:
    """Forget what was reported of a notification that is tried again, and take its person's addresses for good."""
    again = [outbox_id, *(row_id for row_id, _ in told_with(tx, outbox_id))]
    tx.execute(notice_report.delete().where(notice_report.c.outbox_id.in_(again)))
    row = tx.one(select(outbox.c.person_id).where(outbox.c.id == outbox_id))
    if row is not None:
        forget_states(tx, row.person_id, by)


def enter_report(
    tx: Transaction,
    outbox_id: str,
    kind: ReportKind,
    reason: Reason,
    enhanced: str = "",
    named: str = "",
    *,
    case_id: str | None = None,
    is_applied: bool = False,
) -> bool:
    """Enter one kind of report on a row of the outbox; return False where it is known, and nothing changes."""
    if kind in known_reports(tx.connection, outbox_id):
        return False
    tx.insert(
        notice_report,
        outbox_id=outbox_id,
        kind=kind.value,
        reason=reason.value,
        enhanced=enhanced,
        named=named,
        case_id=case_id,
        at_us=tx.now_us,
        applied_us=tx.now_us if is_applied else None,
    )
    tx.flush()
    return True


def told_with(tx: Transaction, outbox_id: str) -> list[tuple[str, str | None]]:
    """Return the ids and cases of the rows that were told in the notification of another one."""
    return [
        (row.id, row.case_id) for row in tx.all(select(outbox.c.id, outbox.c.case_id).where(is_told_with(outbox_id)))
    ]


def is_told_with(outbox_id: str) -> ColumnElement[bool]:
    """Tell the rows that were never tried themselves, as they were told in the notification of this one."""
    return and_(outbox.c.lead_id == outbox_id, outbox.c.attempts == 0, outbox.c.state != 0)


def known_reports(connection: Connection, outbox_id: str) -> set[ReportKind]:
    """Return the kinds of reports that a row has."""
    statement = select(notice_report.c.kind).where(notice_report.c.outbox_id == outbox_id)
    return {ReportKind(kind) for kind in connection.execute(statement).scalars()}


def is_notice(connection: Connection, outbox_id: str) -> bool:
    """Tell whether there is a row of the outbox with this id."""
    return connection.execute(select(outbox.c.id).where(outbox.c.id == outbox_id)).first() is not None


def count_new(connection: Connection, now_us: int) -> int:
    """Return how many reports can be applied now: one on a row that is under way waits for it."""
    joined = notice_report.join(outbox, outbox.c.id == notice_report.c.outbox_id)
    statement = select(func.count()).select_from(joined).where(IS_NEW)
    return int(connection.execute(statement, {"now": now_us}).scalar_one())


def state_of_row(row: Row[Any]) -> AddressState:
    """Return the state in a row of `address_state`, or of a join in which there is none."""
    if row.state is None:
        return AddressState()
    return AddressState(
        Condition(row.state),
        Reason(row.reason),
        row.failures,
        row.since_us,
        row.changed_us,
        row.taken_us,
        row.complained_us,
    )


def healing(connection: Connection, now_us: int) -> list[Row[Any]]:
    """Return the states that time alone makes good."""
    statement = select(address_state).where(
        address_state.c.state.in_([Condition.DELAYED.value, Condition.FAILING.value])
    )
    return [row for row in connection.execute(statement) if state_of_row(row).healed(now_us) != state_of_row(row)]


def troubled(connection: Connection, now_us: int) -> list[Row[Any]]:
    """Return the present addresses that are not simply good, with their persons, the latest news first."""
    statement = (
        select(address_state, person_address.c.address, person_address.c.person_id, person.c.name, person.c.side)
        .join(person_address, person_address.c.id == address_state.c.address_id)
        .join(person, person.c.id == person_address.c.person_id)
        .where(_is_present(now_us))
        .order_by(address_state.c.changed_us.desc())
    )
    return list(connection.execute(statement))


def _state_of(tx: Transaction, person_id: str, address: str) -> tuple[str, AddressState] | None:
    row = tx.one(_STATE, {"person": person_id, "address": address, "now": tx.now_us})
    return None if row is None else (row.id, state_of_row(row))


def _is_present(now: Any) -> ColumnElement[bool]:
    until = person_address.c.until_us
    return and_(person_address.c.from_us <= now, or_(until.is_(None), until > now))


# Made once: SQLAlchemy takes longer to build a statement than SQLite to run it.
_NOW: BindParameter[Any] = bindparam("now")
IS_NEW = and_(
    notice_report.c.applied_us.is_(None),
    or_(outbox.c.state != 0, outbox.c.lease_until_us.is_(None), outbox.c.lease_until_us <= _NOW),
)
"""A report that was not applied, in a join of it with its row."""
_REACHABLE = (
    select(person_address.c.person_id, person_address.c.address, address_state.c.complained_us)
    .outerjoin(address_state, address_state.c.address_id == person_address.c.id)
    .where(
        person_address.c.person_id.in_(bindparam("people", expanding=True)),
        person_address.c.notify == 1,
        _is_present(_NOW),
        or_(address_state.c.state.is_(None), address_state.c.state != Condition.DEAD.value),
    )
    .order_by(person_address.c.id)
)
_WITH_STATES = (
    select(person_address.c.person_id)
    .join(address_state, address_state.c.address_id == person_address.c.id)
    .where(person_address.c.person_id.in_(bindparam("people", expanding=True)))
)
_STATE = (
    select(person_address.c.id, *(column for column in address_state.c if column.name != "address_id"))
    .outerjoin(address_state, address_state.c.address_id == person_address.c.id)
    .where(
        person_address.c.person_id == bindparam("person"),
        person_address.c.address == bindparam("address"),
        _is_present(_NOW),
    )
    .order_by(person_address.c.id.desc())
)
