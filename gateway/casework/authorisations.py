"""Verbs about authorisations: a form that gives a designated user a right, for some cases and some time.

They run inside the keyholder. Access follows the row by itself: it begins and ends at its instants, and is gone when it
is revoked (`gateway.domain.rights`).
"""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from sqlalchemy import Row, select

from gateway.casework.act import Act
from gateway.casework.agreements import agreement_row
from gateway.casework.designation import user_row
from gateway.casework.papers import end_of_day, form_of, missing_of, today, write_paper
from gateway.domain.clock import to_microseconds
from gateway.domain.errors import Malformed, NotAllowed
from gateway.domain.paper import check_date
from gateway.domain.programme import Form, FormKind
from gateway.domain.rights import Right
from gateway.store import tables
from gateway.store.authority import genuine, require_genuine
from gateway.store.ids import is_id

_AUTHORISING = frozenset({FormKind.AUTHORISATION_REPRESENTATIVE.value, FormKind.AUTHORISATION_SEE.value})


def add_authorisation(
    act: Act,
    *,
    designated_user: str,
    kind: str,
    received: str,
    fields: dict[str, str],
    cases: list[str],
    last_day: str = "",
    specific_use: bool = False,
    keeps_earlier: bool = False,
    key: str | None = None,
) -> dict[str, Any]:
    """Enter a form that authorises a designated user, for `cases` of the agreement (none named: all of them).

    It holds from the day it was received, as long as the programme says and no longer than `last_day` on the form.
    `key` is an id that the asker drew: what is asked with the same one again is the authorisation made before.
    Raises Malformed while a field is missing.
    """
    if kind not in _AUTHORISING:
        raise Malformed(f"An authorisation is one of {', '.join(sorted(_AUTHORISING))}.")
    user = user_row(act, designated_user)
    if key is not None and (known := _added_before(act, user, key)) is not None:
        return known
    rules = act.programme(agreement_row(act, user.agreement_id).programme)
    form, day = form_of(rules, kind), check_date(received, "Received", today(act, rules))
    paper = write_paper(act, rules, form, user.agreement_id, fields, day, user.id, key)
    if missing := missing_of(act, form, paper):
        raise Malformed(f"Still missing: {', '.join(one.key for one in missing)}.")
    stated = check_date(last_day, "Last day") if last_day else None
    last = form.validity.last_day(day, stated)
    covered = _cases(act, user, cases)
    revoked = [] if keeps_earlier or not form.revokes_earlier else _revoke_earlier(act, user, form, covered)
    given = act.give(
        tables.authorisation,
        designated_user_id=user.id,
        form_id=paper,
        kind=kind,
        right=(form.right or Right.SEE).value,
        cases=" ".join(covered),
        specific_use=int(specific_use),
        from_us=to_microseconds(datetime.combine(day, time(), rules.zone)),
        until_us=None if last is None else end_of_day(rules, last),
        revoked_us=None,
    )
    facts = {"designated_user": user.id, "authorisation": given, "form": paper, "type": kind, "cases": covered}
    act.record("authorisation_added", **facts, last=last.isoformat() if last else None, revoked=revoked)
    return {"authorisation": given, "last_day": last.isoformat() if last else None, "revoked": revoked}


def revoke_authorisation(act: Act, *, authorisation: str) -> dict[str, Any]:
    """Revoke one, now: the right that rests on it ends, in open pages too."""
    table = tables.authorisation
    row = act.tx.one(select(table).where(table.c.id == authorisation, table.c.revoked_us.is_(None)))
    if row is None:
        raise NotAllowed("There is no such authorisation here.")
    user_row(act, row.designated_user_id)
    _revoke(act, require_genuine(table, row, act.authority.key))
    return {"authorisation": row.id}


def _added_before(act: Act, user: Row[Any], key: str) -> dict[str, Any] | None:
    if not is_id(key):
        raise Malformed("A key is an id: 32 hexadecimal digits.")
    table = tables.authorisation
    row = act.tx.one(select(table).where(table.c.form_id == key))
    if row is None:
        return None
    if row.designated_user_id != user.id:
        raise Malformed("This key is taken.")
    return {"authorisation": row.id, "last_day": None, "revoked": [], "repeated": True}


def _cases(act: Act, user: Row[Any], cases: list[str]) -> list[str]:
    covered = {row.case_id for row in act.not_ended(tables.agreement_case, agreement_id=user.agreement_id)}
    wanted = [str(act.case(known_as).id) for known_as in cases]
    if not covered.issuperset(wanted):
        raise Malformed("The agreement does not cover one of these cases.")
    return sorted(set(wanted))


def _revoke_earlier(act: Act, user: Row[Any], form: Form, cases: list[str]) -> list[str]:
    """Revoke what the agreement's users have by earlier forms of this kind for the same cases."""
    table, users = tables.authorisation, tables.designated_user
    rows = act.tx.all(
        select(table)
        .join(users, users.c.id == table.c.designated_user_id)
        .where(
            users.c.agreement_id == user.agreement_id,
            table.c.kind == form.kind.value,
            table.c.revoked_us.is_(None),
        )
    )
    revoked = []
    for row in genuine(table, rows, act.authority.key):
        theirs = set(row.cases.split())
        if not cases or not theirs or theirs & set(cases):
            _revoke(act, row)
            revoked.append(str(row.id))
    return revoked


def _revoke(act: Act, row: Row[Any]) -> None:
    act.change(tables.authorisation, row, revoked_us=act.tx.now_us)
    act.record("authorisation_revoked", authorisation=row.id, designated_user=row.designated_user_id)
