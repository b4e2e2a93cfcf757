"""The verb that tells of replies which nobody has opened, whole or not at all: each reply once at each of its times.

At the first of the programme's times it goes to everybody who works on the case, to the teams that have it or whose
member has it, and to those who supervise these; at the later ones to the supervisors alone, who can give the case to
somebody else. It ends where somebody who works on the case has opened the reply or has written in it since, and where
it was withdrawn; what was planned and has not gone out then is withheld (`gateway.store.claims`). Plain hours: whoever
wrote waits through the night and the weekend, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Row

from gateway.domain.notice import NoticeKind
from gateway.domain.programme import Programme
from gateway.failpoints import failpoint
from gateway.store.absences import teams_in_charge
from gateway.store.cases import office
from gateway.store.outbox import put
from gateway.store.reminders import take_turns
from gateway.store.transaction import Transaction
from gateway.store.unopened import due, look_again, still_unopened

AT_ONCE: Final = 200
_HOUR_US: Final = 3600 * 1_000_000
_KIND: Final = NoticeKind.UNOPENED


def tell_unopened(
    tx: Transaction, authority: Ed25519PublicKey, programmes: Mapping[str, Programme], at_once: int = AT_ONCE
) -> int:
    """Look at up to `at_once` replies whose time has come, and return how many that were."""
    take_turns(tx)
    rows = due(tx, at_once)
    waiting = still_unopened(tx, {row.message_id for row in rows})
    for row in rows:
        programme = programmes.get(row.programme)
        if programme is None or row.message_id not in waiting or _KIND not in programme.notices:
            look_again(tx, row.message_id, row.told, None)
            continue
        hours = programme.timing.unopened_hours
        times = [int(row.received_us) + one * _HOUR_US for one in hours]
        reached = sum(at <= tx.now_us for at in times)
        if reached > row.told:
            _tell(tx, authority, row, is_first=row.told == 0)
        look_again(tx, row.message_id, max(reached, row.told), next((at for at in times if at > tx.now_us), None))
    if rows:
        failpoint("unopened.tell")
    return len(rows)


def _tell(tx: Transaction, authority: Ed25519PublicKey, row: Row[Any], *, is_first: bool) -> None:
    members = teams_in_charge(tx.connection, authority, row.case_id, tx.now_us)
    supervisors = {one for one, supervises in members.items() if supervises}
    people = supervisors
    if is_first or not supervisors:
        people = office(tx.connection, authority, row.case_id, tx.now_us).union(members)
    for person_id in sorted(people):
        put(
            tx,
            programme=row.programme,
            kind=_KIND,
            person_id=person_id,
            case_id=row.case_id,
            message_id=row.message_id,
            fields={"reference": row.reference, "count": 1},
        )
