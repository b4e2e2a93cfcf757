"""Verbs about who may write in whose name. See `gateway.casework.administration`.

A delegation gives no right in any case: who writes in another's name needs a place of their own in it.
"""

from __future__ import annotations

from typing import Any

from gateway.casework.act import Act
from gateway.domain.errors import Malformed
from gateway.domain.rights import Side
from gateway.store import tables


def add_delegation(act: Act, *, person: str, delegate: str, until_us: int | None = None) -> dict[str, Any]:
    """Let `delegate` write in the name of `person`, both employees of one programme; with an end where one is named."""
    place = _place(act, person, delegate)
    if until_us is not None and until_us <= act.tx.now_us:
        raise Malformed("A delegation ends at a day to come.")
    if act.not_ended(tables.delegation, **place):
        raise Malformed("There is such a delegation already. Take it away first.")
    given = act.give(tables.delegation, **place, from_us=act.tx.now_us, until_us=until_us)
    act.record("delegation_given", **place, until=until_us)
    return {"delegation": given}


def end_delegation(act: Act, *, person: str, delegate: str) -> dict[str, Any]:
    """Take a delegation away, now."""
    place = _place(act, person, delegate)
    ended = act.end(tables.delegation, act.not_ended(tables.delegation, **place))
    act.record("delegation_ended", **place, ended=ended)
    return {"ended": ended}


def end_delegations_of(act: Act, person_id: str) -> None:
    """End what somebody who leaves has given, and has been given."""
    for column in ("person_id", "delegate_id"):
        act.end(tables.delegation, act.not_ended(tables.delegation, **{column: person_id}))


def _place(act: Act, person: str, delegate: str) -> dict[str, str]:
    owner, writer = act.person(person, Side.OFFICE), act.person(delegate, Side.OFFICE)
    if owner.id == writer.id:
        raise Malformed("Everybody writes in their own name anyway. Name two people.")
    if owner.programme != writer.programme:
        raise Malformed("These two belong to different programmes.")
    return {"person_id": owner.id, "delegate_id": writer.id}
