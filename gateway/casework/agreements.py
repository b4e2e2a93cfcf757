"""Verbs about agreements: a consent form that has come, what is asked for, whether it is accepted, and how it ends.

They run inside the keyholder (`gateway.casework.administration`): each checks the state first, writes the signed row
and the entry, whole or not at all. An agreement gives rights only while it is reviewed, and only to active users of it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Row, or_, select

from gateway.casework.act import Act
from gateway.casework.papers import (
    consent_of,
    end_of_day,
    form_of,
    missing_of,
    require_unchanged,
    today,
    write_fields,
    write_paper,
)
from gateway.domain.enrolment import (
    AGREEMENT,
    AgreementState,
    PlaceState,
    Step,
    new_reference,
    next_state,
    state_before,
)
from gateway.domain.errors import Malformed, Moved, NotAllowed
from gateway.domain.paper import check_date
from gateway.domain.programme import FormKind
from gateway.store import tables
from gateway.store.authority import require_genuine
from gateway.store.ids import is_id, new_id

REASONS = frozenset({"incomplete", "not-signed", "not-authorised", "duplicate", "withdrawn", "other"})
_OPEN = frozenset({AgreementState.RECEIVED.value, AgreementState.ASKED.value})


def open_agreement(
    act: Act, *, programme: str, received: str, cases: list[str], fields: dict[str, str], key: str | None = None
) -> dict[str, Any]:
    """Enter a consent form that has come, with whatever fields are there: half of them is a beginning, too.

    `key` is an id that the asker drew: what is asked with the same one again is the agreement made before.
    """
    rules = act.programme(programme)
    if key is not None and (known := _opened_before(act, programme, key)) is not None:
        return known
    day = check_date(received, "Received", today(act, rules))
    agreement_id, now_us = key or new_id(), act.tx.now_us
    act.tx.insert(tables.agreement, id=agreement_id, programme=programme, created_us=now_us, ended_us=None)
    public = act.authority.new_sealing_key()
    act.give(
        tables.sealing_key,
        id=public.id,
        case_id=None,
        month=None,
        suite=public.suite,
        public=public.public,
        created_us=now_us,
        retired_us=None,
        agreement_id=agreement_id,
    )
    form_id = write_paper(act, rules, form_of(rules, FormKind.CONSENT), agreement_id, fields, day)
    state = {"state": AgreementState.RECEIVED.value, "step": Step.OPEN.value, "before": None, "moved_us": now_us}
    named = {"agreement_id": agreement_id, "reference": _free_reference(act)}
    act.give(tables.enrolment, **named, **state, from_us=now_us, until_us=None)
    act.record("agreement_received", agreement=agreement_id, form=form_id, fields=sorted(fields), key=public.id)
    for known_as in cases:
        cover_case(act, agreement=agreement_id, case=known_as)
    return {"agreement": agreement_id, "reference": named["reference"], "form": form_id}


def set_fields(
    act: Act, *, agreement: str, fields: dict[str, str], before: dict[str, str] | None = None
) -> dict[str, Any]:
    """Write fields of the consent form as they stand on the paper, until it has been reviewed.

    `before` is what stood in fields that are not sealed when they were looked at. Raises Moved where one differs now.
    """
    row, rules = _open_row(act, agreement), act.programme(agreement_row(act, agreement).programme)
    paper, form = consent_of(act, row.agreement_id), form_of(rules, FormKind.CONSENT)
    require_unchanged(act, paper.id, before or {})
    write_fields(act, rules, form, row.agreement_id, paper.id, fields)
    act.record("agreement_fields_set", agreement=row.agreement_id, form=paper.id, fields=sorted(fields))
    return {"agreement": row.agreement_id, "missing": [one.key for one in missing_of(act, form, paper.id)]}


def cover_case(act: Act, *, agreement: str, case: str) -> dict[str, Any]:
    """Let an agreement cover a case, until it has been reviewed."""
    row, entered = _open_row(act, agreement), act.case(case)
    if entered.programme != agreement_row(act, agreement).programme:
        raise Malformed("The case belongs to another programme.")
    place = {"agreement_id": row.agreement_id, "case_id": entered.id}
    if act.not_ended(tables.agreement_case, **place):
        raise Malformed("The agreement covers this case already.")
    act.give(tables.agreement_case, **place, from_us=act.tx.now_us, until_us=None)
    act.record("case_covered", agreement=row.agreement_id, case=entered.id)
    return {"agreement": row.agreement_id, "case": entered.id}


def uncover_case(act: Act, *, agreement: str, case: str) -> dict[str, Any]:
    """Take a case out of an agreement, now."""
    row, entered = enrolment_row(act, agreement), act.case(case)
    place = {"agreement_id": row.agreement_id, "case_id": entered.id}
    ended = act.end(tables.agreement_case, act.not_ended(tables.agreement_case, **place))
    act.record("case_uncovered", agreement=row.agreement_id, case=entered.id, ended=ended)
    return {"ended": ended}


def ask_agreement(act: Act, *, agreement: str, version: int | None = None) -> dict[str, Any]:
    """Note that whoever signed was asked for what is missing; return which fields that is."""
    row = enrolment_row(act, agreement, version)
    missing = _missing(act, agreement, row)
    if not missing:
        raise Malformed("Nothing is missing: the form can be reviewed.")
    return {**move_agreement(act, row, Step.ASK, missing=missing), "missing": missing}


def review_agreement(act: Act, *, agreement: str, version: int | None = None) -> dict[str, Any]:
    """Accept a form whose fields were checked against the paper. Raises Malformed while anything is missing."""
    row = enrolment_row(act, agreement, version)
    if missing := _missing(act, agreement, row):
        raise Malformed(f"Still missing: {', '.join(missing)}.")
    return move_agreement(act, row, Step.REVIEW)


def refuse_agreement(act: Act, *, agreement: str, reason: str, version: int | None = None) -> dict[str, Any]:
    """Turn a form away, for one of a few reasons."""
    if reason not in REASONS:
        raise Malformed(f"A reason is one of {', '.join(sorted(REASONS))}.")
    return move_agreement(act, enrolment_row(act, agreement, version), Step.REFUSE, reason=reason)


def suspend_agreement(act: Act, *, agreement: str, version: int | None = None) -> dict[str, Any]:
    """Stop every access by this agreement, now, until it is resumed."""
    return move_agreement(act, enrolment_row(act, agreement, version), Step.SUSPEND)


def resume_agreement(act: Act, *, agreement: str, version: int | None = None) -> dict[str, Any]:
    """Give access back. A notice that was given before stands: its end comes as it was told."""
    row = enrolment_row(act, agreement, version)
    moved = move_agreement(act, row, Step.RESUME)
    if row.until_us is not None:
        notice = enrolment_row(act, agreement)
        act.change(tables.enrolment, notice, state=AgreementState.NOTICE.value)
        moved["state"] = AgreementState.NOTICE.value
    return moved


def give_notice(act: Act, *, agreement: str, version: int | None = None) -> dict[str, Any]:
    """Note that the agreement was ended in writing: access ends by itself when the programme's notice has passed."""
    rules = act.programme(agreement_row(act, agreement).programme)
    until_us = end_of_day(rules, today(act, rules) + timedelta(days=rules.limits.notice_days))
    return move_agreement(act, enrolment_row(act, agreement, version), Step.NOTICE, until_us=until_us)


def end_agreement(act: Act, *, agreement: str, version: int | None = None) -> dict[str, Any]:
    """End an agreement now, and every place in it. It is not undone: a new form begins a new one."""
    row = enrolment_row(act, agreement, version)
    moved = move_agreement(act, row, Step.END, until_us=act.tx.now_us)
    act.end(tables.designated_user, act.not_ended(tables.designated_user, agreement_id=row.agreement_id))
    ended = {"ended_us": act.tx.now_us}
    act.tx.execute(tables.agreement.update().where(tables.agreement.c.id == row.agreement_id).values(ended))
    return moved


def undo_agreement(act: Act, *, agreement: str, version: int | None = None) -> dict[str, Any]:
    """Take the last step of an agreement back, where the rule allows it, within a day."""
    row = enrolment_row(act, agreement, version)
    before = state_before(AGREEMENT, row.step, row.before, row.moved_us, act.tx.now_us)
    until_us = None if row.step == Step.NOTICE else row.until_us
    state = {"state": before, "step": Step.UNDO.value, "before": None, "moved_us": act.tx.now_us}
    act.change(tables.enrolment, row, **state, until_us=until_us)
    act.record("agreement_undo", agreement=row.agreement_id, step=row.step, state=before)
    return {"agreement": row.agreement_id, "state": before}


def move_agreement(
    act: Act, row: Row[Any], step: Step, *, until_us: int | None = None, **facts: str | list[str]
) -> dict[str, Any]:
    """Do a step of the table of agreements and enter it. Raises Malformed where the table has no such step."""
    state = next_state(AGREEMENT, step, row.state)
    moved = {"state": state, "step": step.value, "before": row.state, "moved_us": act.tx.now_us}
    act.change(tables.enrolment, row, **moved, until_us=row.until_us if until_us is None else until_us)
    told = {"agreement": row.agreement_id, "state": state, "before": row.state}
    act.record(f"agreement_{step.value}", **told, until=until_us, **facts)
    return {"agreement": row.agreement_id, "state": state, "until_us": until_us}


def agreement_row(act: Act, known_as: str) -> Row[Any]:
    """Return an agreement by its reference or id. Raises NotAllowed when there is none here."""
    table, states = tables.agreement, tables.enrolment
    named = or_(table.c.id == known_as, states.c.reference == known_as.strip().upper())
    row = act.tx.one(select(table).join(states, states.c.agreement_id == table.c.id).where(named))
    if row is None or not (act.actor.is_operator or row.programme == act.actor.programme):
        raise NotAllowed("There is no such agreement here.")
    return row


def enrolment_row(act: Act, agreement: str, version: int | None = None) -> Row[Any]:
    """Return the genuine row of an agreement's state. Raises NotAllowed when there is none, Moved for another version.

    `version` is that of the row as it was looked at, where somebody has looked.
    """
    found = agreement_row(act, agreement)
    row = act.tx.one(select(tables.enrolment).where(tables.enrolment.c.agreement_id == found.id).with_for_update())
    if row is None:
        raise NotAllowed("There is no such agreement here.")
    return same_version(require_genuine(tables.enrolment, row, act.authority.key), version)


def same_version(row: Row[Any], version: int | None) -> Row[Any]:
    """Return a row that is as it was looked at. Raises Moved."""
    if version not in (None, row.version):
        raise Moved("Somebody has done a step here since you looked. Please look again.")
    return row


def _opened_before(act: Act, programme: str, key: str) -> dict[str, Any] | None:
    if not is_id(key):
        raise Malformed("A key is an id: 32 hexadecimal digits.")
    table, states = tables.agreement, tables.enrolment
    known = select(table.c.programme, states.c.reference).outerjoin(states, states.c.agreement_id == table.c.id)
    row = act.tx.one(known.where(table.c.id == key))
    if row is None:
        return None
    if row.programme != programme or row.reference is None:
        raise Malformed("This key is taken.")
    return {"agreement": key, "reference": row.reference, "form": str(consent_of(act, key).id)}


def _free_reference(act: Act) -> str:
    while True:
        reference = new_reference()
        if act.tx.one(select(tables.enrolment.c.id).where(tables.enrolment.c.reference == reference)) is None:
            return reference


def _open_row(act: Act, agreement: str) -> Row[Any]:
    row = enrolment_row(act, agreement)
    if row.state not in _OPEN:
        raise Malformed(f"The form is {row.state}. What was accepted stays as it is: a change needs a new form.")
    return row


def _missing(act: Act, agreement: str, row: Row[Any]) -> list[str]:
    """Return what a form lacks: keys of fields, and `case` or `designated-user` where there is none."""
    rules = act.programme(agreement_row(act, agreement).programme)
    paper = consent_of(act, row.agreement_id)
    lacking = [one.key for one in missing_of(act, form_of(rules, FormKind.CONSENT), paper.id)]
    if not act.not_ended(tables.agreement_case, agreement_id=row.agreement_id):
        lacking.append("case")
    users = act.not_ended(tables.designated_user, agreement_id=row.agreement_id)
    if not any(user.state != PlaceState.REVOKED for user in users):
        lacking.append("designated-user")
    return lacking
