"""Two people for what a programme marks so: one asks for a verb, another one approves, and only then it is done."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, select

from gateway.casework.act import Act
from gateway.casework.agreements import agreement_row
from gateway.domain.enrolment import APPROVAL_US
from gateway.domain.errors import Malformed, NotAllowed
from gateway.domain.record import canonical
from gateway.store import tables
from gateway.store.authority import require_genuine


def ask_second(act: Act, verb: str, arguments: Mapping[str, Any]) -> dict[str, Any] | None:
    """Keep a verb until somebody else approves, where its programme wants two people; else return None.

    Raises NotAllowed when what it is about is not there.
    """
    agreement = _agreement_of(act, arguments)
    if agreement is None or agreement.programme not in act.programmes:
        return None
    if verb not in act.programmes[agreement.programme].enrolment.two_people:
        return None
    until_us = act.tx.now_us + APPROVAL_US
    asked = act.give(
        tables.approval,
        agreement_id=agreement.id,
        verb=verb,
        arguments=canonical(dict(arguments)).decode("ascii"),
        asked_by=act.actor.identity,
        from_us=act.tx.now_us,
        until_us=until_us,
    )
    act.record("second_person_asked", agreement=agreement.id, approval=asked, verb=verb)
    return {"waits_for_second_person": asked, "agreement": agreement.id, "until_us": until_us}


def take_approval(act: Act, approval: str) -> tuple[str, dict[str, Any]]:
    """Return the verb and arguments that somebody else asked for, which are now approved and wait no longer.

    Raises NotAllowed when nothing waits by this id, Malformed for the one who asked.
    """
    row = _waiting(act, approval)
    if row.asked_by == act.actor.identity:
        raise Malformed("Somebody else has to approve what you have asked for.")
    act.end(tables.approval, [row])
    act.record("second_person_approved", agreement=row.agreement_id, approval=row.id, verb=row.verb)
    return str(row.verb), json.loads(row.arguments)


def decline(act: Act, *, approval: str) -> dict[str, Any]:
    """Let what waits for a second person lapse; whoever asked may do that, too."""
    row = _waiting(act, approval)
    act.end(tables.approval, [row])
    act.record("second_person_declined", agreement=row.agreement_id, approval=row.id, verb=row.verb)
    return {"approval": row.id}


def _waiting(act: Act, approval: str) -> Row[Any]:
    rows = act.not_ended(tables.approval, id=approval)
    if not rows:
        raise NotAllowed("Nothing waits for a second person by this id.")
    agreement_row(act, rows[0].agreement_id)
    return require_genuine(tables.approval, rows[0], act.authority.key)


def _agreement_of(act: Act, arguments: Mapping[str, Any]) -> Row[Any] | None:
    if "agreement" in arguments:
        return agreement_row(act, arguments["agreement"])
    if "designated_user" not in arguments:
        return None
    table = tables.designated_user
    user = act.tx.one(select(table.c.agreement_id).where(table.c.id == arguments["designated_user"]))
    if user is None:
        raise NotAllowed("There is no such designated user here.")
    return agreement_row(act, user.agreement_id)
