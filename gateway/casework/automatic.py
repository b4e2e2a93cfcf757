"""The verb for automatic mail of employees and their mail system: it ends here, with an entry and a line on its case.

Nothing it says is kept, and nobody is told: a responder that answers what it is told would never come to an end. What
comes again within an hour, of one kind, by one employee, to one case, is counted in the line that is there, and has no
entry of its own: a storm is one line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, literal_column, select, update

from gateway.domain.address import Address
from gateway.domain.errors import NotAllowed
from gateway.domain.reference import parse
from gateway.domain.rights import Side
from gateway.domain.thread_address import ThreadAddresses
from gateway.mime.automatic import AutomaticKind
from gateway.store.cases import case_by_reference
from gateway.store.ids import new_id
from gateway.store.memory import Source
from gateway.store.people import people_by_address
from gateway.store.tables import automatic_mail, message, person
from gateway.store.transaction import Transaction

BY_RELAY: Final = "relay"
"""Who the entry says it was where there is no author."""
HOUR_US: Final = 3600 * 1_000_000
MOST_LINES: Final = 50


@dataclass(frozen=True, slots=True)
class Ending:
    """Automatic mail: its kind, the relay that brought it (empty for who signed in), the cases it was addressed to, how
    many recipients it had, and the employee it says it is from.
    """

    kind: AutomaticKind
    relay: str
    cases: tuple[str, ...]
    recipients: int
    employee_id: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """Automatic mail as the page of its case shows it. `employee` is a name, empty where the mail said none of ours.

    `message` is the reference of the message that a recall request means, None where nothing is to be withdrawn.
    """

    kind: AutomaticKind
    employee: str
    first_us: int
    last_us: int
    count: int
    message: str | None


def end(tx: Transaction, by: str, ending: Ending) -> str | None:
    """Enter it, and return the entry's id, None where it is only counted: nobody is told."""
    fresh = [case_id for case_id in ending.cases if not _count(tx, case_id, ending)]
    if ending.cases and not fresh:
        return None
    for case_id in fresh:
        _insert_line(tx, case_id, ending)
    return tx.record(
        "mail_ended",
        by,
        type=ending.kind.value,
        relay=ending.relay,
        cases=tuple(fresh),
        recipients=ending.recipients,
    )


def lines_of(connection: Connection, case_id: str) -> list[Line]:
    """Return the latest lines of a case, newest first."""
    statement: Select[Any] = (
        select(
            automatic_mail.c.kind,
            automatic_mail.c.first_us,
            automatic_mail.c.last_us,
            automatic_mail.c["count"].label("times"),
            person.c.name,
            message.c.reference,
            message.c.withdrawn_us,
        )
        .select_from(
            automatic_mail.outerjoin(person, person.c.id == automatic_mail.c.person_id).outerjoin(
                message, message.c.id == automatic_mail.c.message_id
            )
        )
        .where(automatic_mail.c.case_id == case_id)
        .order_by(automatic_mail.c.last_us.desc(), automatic_mail.c.id.desc())
        .limit(MOST_LINES)
    )
    return [_line(row) for row in connection.execute(statement)]


def case_addressed(source: Source, domain: str, threads: ThreadAddresses | None, address: Address) -> str | None:
    """Return the id of the case whose address, or whose thread's, this is; None for another address of the domain.

    Raises NotAllowed for an address elsewhere: mail for others would vanish here.
    """
    if address.domain != domain:
        raise NotAllowed("Automatic mail is taken for this gateway's own addresses only.")
    thread = None if threads is None else threads.read(address)
    try:
        found = case_by_reference(source, parse(address.local) if thread is None else thread.message)
    except ValueError:
        return None
    return None if found is None else found.id


def employee_named(source: Source, addresses: Sequence[Address], now_us: int) -> str | None:
    """Return the employee whose address a header names as its author, None where it is not one employee's."""
    found = {
        one.id
        for address in addresses
        for one in people_by_address(source, address.key, now_us)
        if one.side is Side.OFFICE
    }
    return found.pop() if len(found) == 1 else None


def _count(tx: Transaction, case_id: str, ending: Ending) -> bool:
    """Count it in the line of the last hour; False where there is none."""
    lines = automatic_mail.c
    employee = lines.person_id.is_(None) if ending.employee_id is None else lines.person_id == ending.employee_id
    same = and_(lines.case_id == case_id, lines.kind == ending.kind.value, employee)
    young = lines.first_us > tx.now_us - HOUR_US
    counted = {"count": automatic_mail.c["count"] + literal_column("1"), "last_us": tx.now_us}
    return bool(tx.execute(update(automatic_mail).where(same, young).values(counted)))


def _insert_line(tx: Transaction, case_id: str, ending: Ending) -> None:
    meant = None
    if ending.kind is AutomaticKind.RECALL and ending.employee_id is not None:
        meant = _meant(tx, case_id, ending.employee_id)
    tx.insert(
        automatic_mail,
        id=new_id(),
        case_id=case_id,
        person_id=ending.employee_id,
        kind=ending.kind.value,
        message_id=meant,
        first_us=tx.now_us,
        last_us=tx.now_us,
        count=1,
    )


def _meant(tx: Transaction, case_id: str, employee_id: str) -> str | None:
    """Return what a recall most likely means, as it names nothing that can be found: the last one they wrote there."""
    last = (
        select(message.c.id)
        .where(message.c.case_id == case_id, message.c.author_id == employee_id, message.c.withdrawn_us.is_(None))
        .order_by(message.c.received_us.desc(), message.c.id.desc())
        .limit(1)
    )
    row = tx.one(last)
    return None if row is None else str(row.id)


def _line(row: Row[Any]) -> Line:
    return Line(
        AutomaticKind(row.kind),
        row.name or "",
        row.first_us,
        row.last_us,
        row.times,
        row.reference if row.withdrawn_us is None else None,
    )
