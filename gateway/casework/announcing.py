"""Employees hear of a case that is given to them: its address, its card, and nothing of what it is about."""

from __future__ import annotations

from gateway.casework.act import Act
from gateway.domain.notice import NoticeKind
from gateway.store.delegations import members_of
from gateway.store.outbox import put


def announce(act: Act, case: str, *, team: str | None, person: str | None) -> None:
    """Enter a notice to each employee whom a case is given to, by their team or alone, but not to who gives it.

    `team` and `person` are ids. A programme that does not use this kind of notice tells nobody.
    """
    row, tx = act.case(case), act.tx
    programme = act.programmes.get(row.programme)
    if programme is None or NoticeKind.CASE_ASSIGNED not in programme.notices:
        return
    people = {person} if person else members_of(tx.connection, act.authority.key, team or "", tx.now_us)
    for one in sorted(people - {act.actor.person_id}, key=str):
        put(
            tx,
            programme=row.programme,
            kind=NoticeKind.CASE_ASSIGNED,
            person_id=str(one),
            case_id=row.id,
            fields={"reference": row.reference, "count": 1},
        )
