"""The verb that tells clerks of the intake tray what has waited in it for too long: each of them once a day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Select, func, select

from gateway.domain.enrolment import DAY_US
from gateway.domain.intake import Tray
from gateway.domain.notice import MAX_COUNT, NoticeKind
from gateway.domain.programme import Programme
from gateway.domain.rights import Role, Side, Thing, Verb, may
from gateway.failpoints import failpoint
from gateway.store.outbox import put
from gateway.store.places import employee_or_user
from gateway.store.reminders import take_turns
from gateway.store.tables import case, intake, message, outbox, person, role
from gateway.store.transaction import Transaction

_KIND: Final = NoticeKind.INTAKE_WAITING
_ROLES: Final = tuple(one.value for one in Role if one is not Role.EMPLOYEE)


def tell_waiting(
    tx: Transaction, authority: Ed25519PublicKey, programmes: Mapping[str, Programme], overdue_us: int
) -> int:
    """Tell everyone who works the tray of a programme how many items of it are overdue; return how many people."""
    take_turns(tx)
    told = 0
    for programme in programmes.values():
        count = int(tx.connection.execute(_overdue(programme.key, tx.now_us - overdue_us)).scalar_one())
        if not count or _KIND not in programme.notices:
            continue
        for person_id in _clerks(tx.connection, authority, programme.key, tx.now_us):
            if tx.one(_told_lately(person_id, tx.now_us)) is None:
                fields = {"count": min(count, MAX_COUNT)}
                put(tx, programme=programme.key, kind=_KIND, person_id=person_id, fields=fields)
                told += 1
    failpoint("waiting.tell")
    return told


def _overdue(programme: str, before_us: int) -> Select[Any]:
    """Return the statement that counts what came before an instant and waits for the clerks of a programme."""
    return (
        select(func.count())
        .select_from(intake)
        .join(message, message.c.id == intake.c.message_id)
        .outerjoin(case, case.c.id == intake.c.proposed_case_id)
        .where(
            intake.c.filed_us.is_(None),
            intake.c.discarded_us.is_(None),
            intake.c.tray == Tray.CASES.value,
            message.c.received_us < before_us,
            case.c.programme.is_(None) | (case.c.programme == programme),
        )
    )


def _clerks(connection: Connection, authority: Ed25519PublicKey, programme: str, now_us: int) -> list[str]:
    wanted = (
        select(person.c.id)
        .join(role, role.c.person_id == person.c.id)
        .where(
            person.c.programme == programme,
            person.c.side == Side.OFFICE.value,
            person.c.ended_us.is_(None),
            role.c.role.in_(_ROLES),
        )
        .distinct()
        .order_by(person.c.id)
    )
    found = []
    for person_id in connection.execute(wanted).scalars():
        holder = employee_or_user(connection, authority, person_id, now_us)
        if holder is not None and may(holder, Verb.WORK_TRAY, Thing(programme), now_us):
            found.append(str(person_id))
    return found


def _told_lately(person_id: str, now_us: int) -> Select[Any]:
    return (
        select(outbox.c.id)
        .where(
            outbox.c.person_id == person_id,
            outbox.c.kind == _KIND.value,
            outbox.c.created_us > now_us - DAY_US,
        )
        .limit(1)
    )
