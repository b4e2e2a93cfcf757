"""The verbs that give and take power, and who may do them. They run inside the keyholder, each whole or not at all.

Asked by a local operator, or under a live session that may. Each writes its entry. Cases, the other side, and the
table of all verbs stand here; those about people in `accounts`.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping
from typing import Any, get_args, get_origin, get_type_hints

from sqlalchemy import select

from gateway import maillog
from gateway.casework.absence import add_absence, end_absence
from gateway.casework.accounts import (
    add_credential,
    add_employee,
    add_person,
    add_team,
    add_team_member,
    end_person,
    end_role,
    end_sessions,
    give_role,
    remove_team_member,
    revoke_credential,
)
from gateway.casework.act import Act, Actor, Authority
from gateway.casework.announcing import announce
from gateway.casework.choosing import choose_draft, discard_draft
from gateway.casework.delegating import add_delegation, end_delegation
from gateway.casework.enrolment import ENROLMENT
from gateway.casework.handling import arrange_item, claim_item, discard_item, misdirect_item, release_item
from gateway.casework.leaving import leave
from gateway.casework.preferences import choose_notices
from gateway.casework.recertifying import recertify
from gateway.casework.recipient_keys import add_recipient_key, confirm_recipient_key, remove_recipient_key
from gateway.casework.returning import readmit
from gateway.casework.second_person import ask_second, take_approval
from gateway.casework.terms import agree_terms
from gateway.domain.clock import from_microseconds
from gateway.domain.credential import CredentialKind
from gateway.domain.enrolment import TWO_PEOPLE, Purpose
from gateway.domain.errors import Malformed, NotAllowed
from gateway.domain.intake import month_of
from gateway.domain.programme import Programme
from gateway.domain.reference import Reference, random_part
from gateway.domain.rights import Right, Role, Side, Thing
from gateway.domain.rights import Verb as Asked
from gateway.store import tables
from gateway.store.ids import new_id
from gateway.store.intake import spent_keys
from gateway.store.sealing import SealingKey
from gateway.store.transaction import Transaction

MAX_TEXT = 4_000
VISIT_US = 3600 * 1_000_000
KEPT_US = 7 * 24 * 3600 * 1_000_000
Verb = Callable[..., dict[str, Any]]


def enact(
    tx: Transaction,
    authority: Authority,
    actor: Actor,
    verb: str,
    arguments: Mapping[str, Any],
    programmes: Mapping[str, Programme] = types.MappingProxyType({}),
) -> dict[str, Any]:
    """Do one verb of `VERBS` and return what it made: ids and references.

    Raises Malformed for an unknown verb or wrong arguments, NotAllowed when `actor` may not, Tampered when a row it
    rests on is not genuine.
    """
    done_by = VERBS.get(verb)
    if done_by is None:
        raise Malformed("There is no such verb.")
    check_arguments(done_by, arguments)
    if not may_enact(actor, verb, arguments, tx.now_us):
        raise NotAllowed("This is not yours to do.")
    act = Act(tx, authority, actor, programmes)
    if verb in TWO_PEOPLE and (waits := ask_second(act, verb, arguments)) is not None:
        return waits
    return done_by(act, **arguments)


def may_enact(actor: Actor, verb: str, arguments: Mapping[str, Any], now_us: int) -> bool:
    """Tell who may: each verb of administration is a verb of `gateway.domain.rights`, on a programme or a person."""
    thing = Thing(arguments.get("programme", actor.programme), person_id=arguments.get("person"))
    if arguments.get("role") == Role.ADMINISTRATOR:
        return actor.may(Asked.APPOINT_ADMINISTRATORS, thing, now_us)
    if actor.may(_WANTED.get(verb, Asked.ADMINISTER), thing, now_us):
        return True
    own = _OWN.get(verb)
    if verb == "add_credential":
        own = _OWN_CREDENTIALS.get(arguments["kind"])
    return own is not None and actor.may(own, thing, now_us)


def wanted_of(verb: str) -> tuple[str, ...]:
    """Return the rights of which one lets somebody do a verb; the second is about oneself."""
    own = (_OWN.get(verb),) if verb != "add_credential" else tuple(_OWN_CREDENTIALS.values())
    return tuple(one.value for one in (_WANTED.get(verb, Asked.ADMINISTER), *own) if one is not None)


def open_case(
    act: Act, *, programme: str, series: str, trial: bool, team: str | None = None, person: str | None = None
) -> dict[str, Any]:
    """Open a case with its reference and its sealing key, and assign it to a team or an employee where one is named."""
    reference, case_id, public = _free_reference(act, series, trial=trial), new_id(), act.authority.new_sealing_key()
    columns = {"programme": programme, "reference": str(reference), "opened_us": act.tx.now_us, "closed_us": None}
    act.tx.insert(tables.case, id=case_id, **columns)
    _give_sealing_key(act, public, case_id=case_id)
    act.record("case_opened", case=case_id, reference=str(reference), key=public.id)
    if team or person:
        assign(act, case=case_id, team=team, person=person)
    return {"case": case_id, "reference": str(reference)}


def close_case(act: Act, *, case: str) -> dict[str, Any]:
    """Close a case: it is read, and no more written to."""
    row = act.case(case)
    act.tx.execute(tables.case.update().where(tables.case.c.id == row.id).values(closed_us=act.tx.now_us))
    act.record("case_closed", case=row.id)
    return {"case": row.id}


def assign(act: Act, *, case: str, team: str | None = None, person: str | None = None) -> dict[str, Any]:
    """Give a case to a team or to an employee."""
    place = _place(act, case, team, person)
    if act.not_ended(tables.assignment, **place):
        raise Malformed("The case is assigned so already.")
    given = act.give(tables.assignment, **place, from_us=act.tx.now_us, until_us=None)
    act.record("case_assigned", **place)
    announce(act, case, team=place["team_id"], person=place["person_id"])
    return {"assignment": given}


def unassign(act: Act, *, case: str, team: str | None = None, person: str | None = None) -> dict[str, Any]:
    """Take a case from a team or an employee."""
    place = _place(act, case, team, person)
    ended = act.end(tables.assignment, act.not_ended(tables.assignment, **place))
    act.record("case_unassigned", **place, ended=ended)
    return {"ended": ended}


def add_designated_user(
    act: Act,
    *,
    programme: str,
    cases: list[str],
    right: str = Right.ACT.value,
    until_us: int | None = None,
    person: str | None = None,
    name: str = "",
    address: str = "",
    username: str = "",
) -> dict[str, Any]:
    """Make an agreement that covers `cases`, and a designated user of it: a person known here, or a new one."""
    if right not in {one.value for one in Right} or not cases:
        raise Malformed("A designated user has the right act or see, in one case or more.")
    covered = [act.case(known_as) for known_as in cases]
    known = None if person is None else act.person(person, Side.CORRESPONDENT)
    if any(row.programme != programme for row in [*covered, *([known] if known is not None else [])]):
        raise Malformed("An agreement stands in one programme.")
    person_id = known.id if known else add_person(act, Side.CORRESPONDENT, programme, name, address, username)
    agreement_id, now_us = new_id(), act.tx.now_us
    act.tx.insert(tables.agreement, id=agreement_id, programme=programme, created_us=now_us, ended_us=None)
    for row in covered:
        act.give(tables.agreement_case, agreement_id=agreement_id, case_id=row.id, from_us=now_us, until_us=None)
    place = {"agreement_id": agreement_id, "person_id": person_id, "right": right}
    due_us = act.due_us(programme)
    given = act.give(tables.designated_user, **place, from_us=now_us, until_us=until_us, due_us=due_us)
    case_ids = [str(row.id) for row in covered]
    act.record("designated_user_added", **place, designated_user=given, cases=case_ids, until=until_us)
    return {"person": person_id, "agreement": agreement_id, "designated_user": given}


def revoke_designated_user(act: Act, *, designated_user: str) -> dict[str, Any]:
    """End one place in one agreement and nothing else: the person and their other places stay."""
    rows = act.not_ended(tables.designated_user, id=designated_user)
    for row in rows:
        act.person(row.person_id)
    ended = act.end(tables.designated_user, rows)
    act.record("designated_user_revoked", designated_user=designated_user, ended=ended)
    return {"ended": ended}


def list_routing(act: Act, *, addresses: int) -> dict[str, Any]:
    """Enter that an operator has the addresses of enrolled people printed, for a mail system's rule."""
    act.record("routing_listed", addresses=addresses)
    return {"addresses": addresses}


def add_intake_key(act: Act, *, month: str) -> dict[str, Any]:
    """Make the key that a month's outside mail is sealed to (`2026-11`); nothing happens when there is one."""
    row = act.tx.one(select(tables.sealing_key.c.id).where(tables.sealing_key.c.month == month))
    if row is not None:
        return {"key": row.id}
    public = act.authority.new_sealing_key()
    _give_sealing_key(act, public, month=month)
    act.record("intake_key_added", key=public.id, month=month)
    return {"key": public.id}


def retire_intake_keys(act: Act) -> dict[str, Any]:
    """Retire the intake keys of past months to which no message is sealed, and name all that are: none is needed.

    A month's key is kept for a week after its month, for mail that was on its way.
    """
    before = month_of(from_microseconds(act.tx.now_us - KEPT_US))
    spent = spent_keys(act.tx.connection, act.authority.key, before)
    for row in spent:
        if row.retired_us is None:
            act.change(tables.sealing_key, row, retired_us=act.tx.now_us)
            act.record("intake_key_retired", key=row.id, month=row.month)
    return {"retired": [str(row.id) for row in spent]}


def approve(act: Act, *, approval: str) -> dict[str, Any]:
    """Do what somebody else has asked for. Raises Malformed for the one who asked, and as the verb does."""
    verb, arguments = take_approval(act, approval)
    return VERBS[verb](act, **arguments)


def state_purpose(act: Act, *, person: str, case: str, purpose: str) -> dict[str, Any]:
    """Let an employee look into a case that is not theirs, for an hour, for a purpose they state. It is entered."""
    if purpose not in {one.value for one in Purpose}:
        raise Malformed(f"A purpose is one of {', '.join(Purpose)}.")
    place = _place(act, case, None, person)
    until_us = act.tx.now_us + VISIT_US
    act.give(tables.assignment, **{**place, "purpose": purpose}, from_us=act.tx.now_us, until_us=until_us)
    act.record("purpose_stated", case=place["case_id"], person=place["person_id"], purpose=purpose, until=until_us)
    maillog.purpose_stated(purpose, str(place["case_id"]), str(place["person_id"]))
    return {"case": place["case_id"], "until_us": until_us}


_ALL: tuple[Verb, ...] = (
    *ENROLMENT,
    add_absence,
    add_credential,
    add_delegation,
    add_designated_user,
    add_employee,
    add_intake_key,
    add_recipient_key,
    leave,
    recertify,
    add_team,
    add_team_member,
    agree_terms,
    approve,
    arrange_item,
    assign,
    choose_draft,
    choose_notices,
    claim_item,
    close_case,
    confirm_recipient_key,
    discard_draft,
    discard_item,
    end_absence,
    end_delegation,
    end_person,
    end_role,
    end_sessions,
    give_role,
    list_routing,
    misdirect_item,
    open_case,
    readmit,
    release_item,
    remove_recipient_key,
    remove_team_member,
    retire_intake_keys,
    revoke_credential,
    revoke_designated_user,
    state_purpose,
    unassign,
)
_OF_TRAY: tuple[Verb, ...] = (arrange_item, claim_item, discard_item, misdirect_item, release_item)
VERBS: Mapping[str, Verb] = types.MappingProxyType({verb.__name__: verb for verb in _ALL})
_WANTED: Mapping[str, Asked] = types.MappingProxyType(
    {
        **{verb.__name__: Asked.ENROL for verb in (*ENROLMENT, approve)},
        **{one.__name__: Asked.WORK_TRAY for one in _OF_TRAY},
        "agree_terms": Asked.CONFIRM,
        "confirm_place": Asked.CONFIRM,
        "state_purpose": Asked.STATE_PURPOSE,
        "choose_draft": Asked.PLACE_DRAFT,
        "discard_draft": Asked.PLACE_DRAFT,
    }
)
"""What a verb asks of whoever does it, where it is not administration."""
_OWN: Mapping[str, Asked] = types.MappingProxyType(
    {
        "add_absence": Asked.NAME_DEPUTY,
        "add_recipient_key": Asked.KEEP_COPY_KEY,
        "choose_notices": Asked.KEEP_SIGN_IN,
        "confirm_recipient_key": Asked.KEEP_COPY_KEY,
        "end_absence": Asked.NAME_DEPUTY,
        "end_sessions": Asked.KEEP_SIGN_IN,
        "remove_recipient_key": Asked.KEEP_COPY_KEY,
        "revoke_credential": Asked.KEEP_SIGN_IN,
    }
)
"""What everyone may do about themselves."""
_OWN_CREDENTIALS: Mapping[str, Asked] = types.MappingProxyType(
    {
        CredentialKind.TOTP: Asked.KEEP_SIGN_IN,
        CredentialKind.PASSKEY: Asked.KEEP_SIGN_IN,
        CredentialKind.RECOVERY: Asked.KEEP_SIGN_IN,
        CredentialKind.APP_PASSWORD: Asked.KEEP_APP_PASSWORDS,
    }
)


def _place(act: Act, case: str, team: str | None, person: str | None) -> dict[str, str | None]:
    if (team is None) == (person is None):
        raise Malformed("A case is assigned to a team or to a person.")
    row = act.case(case)
    holder = act.team(team) if team is not None else act.person(str(person), Side.OFFICE)
    if row.programme != holder.programme:
        raise Malformed("The case belongs to another programme.")
    return {
        "case_id": row.id,
        "team_id": holder.id if team is not None else None,
        "person_id": None if team is not None else holder.id,
        "purpose": None,
    }


def _free_reference(act: Act, series: str, *, trial: bool) -> Reference:
    while True:
        try:
            reference = Reference(series, random_part(), trial=trial)
        except ValueError:
            raise Malformed("A series has two to four capital letters.") from None
        if act.tx.one(select(tables.case.c.id).where(tables.case.c.reference == str(reference))) is None:
            return reference


def _give_sealing_key(act: Act, public: SealingKey, *, case_id: str | None = None, month: str | None = None) -> None:
    act.give(
        tables.sealing_key,
        id=public.id,
        case_id=case_id,
        month=month,
        suite=public.suite,
        public=public.public,
        created_us=act.tx.now_us,
        retired_us=None,
    )


def check_arguments(verb: Verb, arguments: Mapping[str, Any]) -> None:
    """Hold arguments to the verb's own annotations. Raises Malformed."""
    try:
        inspect.signature(verb).bind(None, **arguments)
    except TypeError:
        raise Malformed("This verb has other arguments.") from None
    hints = get_type_hints(verb)
    if not all(_fits(value, hints[name]) for name, value in arguments.items()):
        raise Malformed("An argument of this verb has a wrong type.")


def _fits(value: object, hint: Any) -> bool:
    if get_origin(hint) is types.UnionType:
        return any(_fits(value, one) for one in get_args(hint))
    if get_origin(hint) is list:
        return isinstance(value, list) and all(_fits(one, get_args(hint)[0]) for one in value)
    if get_origin(hint) is dict:
        return isinstance(value, dict) and all(_fits(one, str) for pair in value.items() for one in pair)
    if hint is str:
        return isinstance(value, str) and len(value) <= MAX_TEXT
    return type(value) is hint
