"""The verb by which somebody confirms that a person is to have the access they have: for so long again it holds."""

from __future__ import annotations

from typing import Any

from gateway.casework.act import Act
from gateway.domain.errors import NotAllowed
from gateway.domain.rights import Role, Side
from gateway.store import tables


def recertify(act: Act, *, person: str, designated_user: str | None = None) -> dict[str, Any]:
    """Confirm an employee's roles, or a designated user's places (one of them, where it is named), from now on.

    What had been suspended because nobody did holds again at once. Raises NotAllowed for one's own access, and where
    there is nothing to confirm.
    """
    row = act.person(person)
    if row.id == act.actor.person_id:
        raise NotAllowed("Somebody else confirms your own access.")
    table = tables.role if row.side == Side.OFFICE else tables.designated_user
    held = [one for one in act.not_ended(table, person_id=row.id) if designated_user in (None, one.id)]
    if not held:
        raise NotAllowed("There is no access to confirm.")
    for one in held:
        privileged = table is tables.role and one.role != Role.EMPLOYEE
        act.change(table, one, due_us=act.due_us(row.programme, privileged=privileged))
    act.record("recertified", person=row.id, confirmed=[str(one.id) for one in held])
    return {"person": row.id, "confirmed": len(held)}
