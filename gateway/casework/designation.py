"""Verbs about designated users of an agreement: named, met, authenticated, invited, active; and how that ends.

They run inside the keyholder (`gateway.casework.administration`). A person and their place in an agreement are two
things: what ends here ends this place alone.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Row, select

from gateway.casework.accounts import add_credential, add_person, change_person_address
from gateway.casework.act import Act, line
from gateway.casework.agreements import agreement_row, enrolment_row, same_version
from gateway.casework.joining import note_chosen, note_invited, note_not_invited
from gateway.domain.address import parse_address
from gateway.domain.credential import CredentialKind
from gateway.domain.enrolment import PLACE, AgreementState, Outcome, PlaceState, Step, Way, next_state, state_before
from gateway.domain.errors import Malformed, NotAllowed
from gateway.domain.notice import NoticeKind, NoticeState
from gateway.domain.paper import check_telephone
from gateway.domain.programme import Programme, ProgrammeRole
from gateway.domain.rights import Side
from gateway.store import tables
from gateway.store.authority import genuine, require_genuine
from gateway.store.ids import new_id
from gateway.store.outbox import put

MINUTE_US = 60_000_000
MAX_AHEAD_US = 366 * 24 * 60 * MINUTE_US
MAX_MINUTES = 240
MAX_LINK = 500


def name_user(
    act: Act,
    *,
    agreement: str,
    name: str,
    address: str,
    telephone: str,
    role: str,
    person: str | None = None,
) -> dict[str, Any]:
    """Enter a designated user as the paper names one, until the form has been reviewed.

    `person` is somebody known here whom the clerk takes this for: they say so themselves before they have access.
    """
    row = enrolment_row(act, agreement)
    if row.state not in {AgreementState.RECEIVED, AgreementState.ASKED}:
        raise Malformed(f"The form is {row.state}: a new contact needs a new form.")
    programme = agreement_row(act, agreement).programme
    rules = act.programme(programme)
    wanted = _role(rules, role)
    if len(_users(act, row.agreement_id)) >= rules.limits.designated_users:
        raise Malformed(f"An agreement has at most {rules.limits.designated_users} designated users.")
    known = None if person is None else act.person(person, Side.CORRESPONDENT)
    if known is not None and known.programme != programme:
        raise Malformed("This person belongs to another programme.")
    where, number = str(parse_address(address)), check_telephone(telephone, "Telephone")
    if _is_named(act, row.agreement_id, name, where, wanted.key):
        raise Malformed("This agreement names this user in this role already.")
    person_id = known.id if known else _new_person(act, programme, name, address)
    skips = known is not None and not rules.enrolment.new_meeting and _is_active_anywhere(act, known.id)
    given = act.give(
        tables.designated_user,
        agreement_id=row.agreement_id,
        person_id=person_id,
        right=wanted.right.value,
        from_us=act.tx.now_us,
        until_us=None,
        state=(PlaceState.AUTHENTICATED if skips else PlaceState.NAMED).value,
        needs=wanted.needs.value if wanted.needs else None,
        step=Step.NAME.value,
        before=None,
        moved_us=act.tx.now_us,
        due_us=act.due_us(programme),
    )
    said = {"role": wanted.key, "name": line(name, "name"), "address": where, "telephone": number}
    act.tx.insert(tables.appendix, designated_user_id=given, **said, is_proposed=int(known is not None))
    facts = {"agreement": row.agreement_id, "designated_user": given, "person": person_id, "role": wanted.key}
    act.record("user_named", **facts, proposed=int(known is not None))
    return {"designated_user": given, "person": person_id}


def schedule_meeting(
    act: Act,
    *,
    designated_user: str,
    starts_us: int,
    minutes: int = 30,
    link: str = "",
    version: int | None = None,
) -> dict[str, Any]:
    """Set the authentication meeting of a designated user; one that was set before is cancelled.

    `link` is the video meeting's https address, where there is one.
    """
    row = user_row(act, designated_user, version)
    where = _link(link)
    if not act.tx.now_us < starts_us < act.tx.now_us + MAX_AHEAD_US or not 5 <= minutes <= MAX_MINUTES:
        raise Malformed(f"A meeting begins within a year from now and takes 5 to {MAX_MINUTES} minutes.")
    moved = _move(act, row, Step.MEET)
    told = NoticeState.MEETING_MOVED if _cancel_meeting(act, row.id) else NoticeState.MEETING_ARRANGED
    meeting_id = new_id()
    span = {"starts_us": starts_us, "ends_us": starts_us + minutes * MINUTE_US}
    act.tx.insert(tables.meeting, id=meeting_id, designated_user_id=row.id, link=where, **span)
    act.record("meeting_set", designated_user=row.id, meeting=meeting_id, **span)
    _tell(act, row, NoticeKind.MEETING, told, starts_us)
    return {**moved, "meeting": meeting_id, **span}


def hold_meeting(
    act: Act,
    *,
    designated_user: str,
    outcome: str,
    document: str = "",
    checks: list[str] | None = None,
    version: int | None = None,
) -> dict[str, Any]:
    """Note what a meeting came to: which kind of document was shown and what was looked at. No number, no copy."""
    row = user_row(act, designated_user, version)
    rules = _rules(act, row).enrolment
    meeting = _meeting(act, row.id)
    if meeting is None or outcome not in {one.value for one in Outcome}:
        raise Malformed(f"A meeting that was set comes to one of {', '.join(Outcome)}.")
    ticked = sorted(set(checks or []))
    identified = outcome == Outcome.IDENTIFIED
    if identified and (document not in rules.documents or not set(ticked) >= set(rules.checklist)):
        lacking = sorted(set(rules.checklist) - set(ticked))
        raise Malformed(
            f"Not identified yet. Not looked at: {', '.join(lacking) or 'nothing'}; "
            f"the document is one of {', '.join(rules.documents)}."
        )
    settled = {"held_by": act.actor.name, "document": document or None, "checks": json.dumps(ticked)}
    table = tables.meeting
    act.tx.execute(
        table.update().where(table.c.id == meeting.id).values(**settled, outcome=outcome, settled_us=act.tx.now_us)
    )
    act.record("meeting_held", designated_user=row.id, meeting=meeting.id, outcome=outcome, checks=ticked)
    return _move(act, row, Step.HOLD) if identified else {"designated_user": row.id, "state": row.state}


def invite_user(
    act: Act,
    *,
    designated_user: str,
    lookup: str | None = None,
    expires_us: int | None = None,
    version: int | None = None,
) -> dict[str, Any]:
    """Invite an authenticated user. A new person gets the code that `lookup` finds; a known one confirms instead.

    Inviting again makes the code before void. The notice of it says until when a code is good; without an instant it
    says that something waits to be confirmed.
    """
    row = user_row(act, designated_user, version)
    if not _agreement_gives(act, row):
        raise Malformed("The agreement has not been reviewed, or is not in force.")
    moved, is_known = _move(act, row, Step.INVITE), _is_proposed(act, row.id)
    if is_known == (lookup is not None):
        raise Malformed("A new person needs a code; a person known here confirms after signing in.")
    if lookup is not None:
        kind = CredentialKind.FIRST_CODE.value
        add_credential(act, person=row.person_id, kind=kind, label="invitation", lookup=lookup, expires_us=expires_us)
    note_invited(act, row.id, row.person_id)
    _tell(act, row, NoticeKind.INVITATION, NoticeState.NONE, expires_us)
    return {**moved, "needs_code": not is_known, "expires_us": expires_us}


def join_user(act: Act, *, designated_user: str, version: int | None = None) -> dict[str, Any]:
    """Let an invited user in whose sign-in was handed over in person. A code that was not used is void."""
    row = user_row(act, designated_user, version)
    if _is_proposed(act, row.id):
        raise Malformed("A person known here confirms this agreement after signing in.")
    _void_code(act, row.person_id)
    note_chosen(act, row.id, row.person_id, Way.BY_HAND)
    return _move(act, row, Step.JOIN)


def join_by_code(act: Act, person_id: str, way: str) -> None:
    """Let a person in who has used their code: every place they were invited to, but those they have to confirm.

    `way` is how they sign in: the key of an identity provider, or a word of `Way`.
    """
    table = tables.designated_user
    rows = act.not_ended(table, person_id=person_id, state=PlaceState.INVITED.value)
    for row in genuine(table, rows, act.authority.key):
        if not _is_proposed(act, row.id):
            note_chosen(act, row.id, row.person_id, way)
            _move(act, row, Step.JOIN)


def confirm_place(act: Act, *, person: str, designated_user: str) -> dict[str, Any]:
    """The person says: this further agreement is mine."""
    row = _genuine_user(act, designated_user)
    if row.person_id != act.person(person, Side.CORRESPONDENT).id or row.state != PlaceState.INVITED:
        raise NotAllowed("There is no such invitation here.")
    note_chosen(act, row.id, row.person_id, Way.KNOWN)
    return _move(act, row, Step.JOIN)


def suspend_user(act: Act, *, designated_user: str, version: int | None = None) -> dict[str, Any]:
    """Stop a designated user's access by this agreement, now."""
    return _move(act, user_row(act, designated_user, version), Step.SUSPEND)


def resume_user(act: Act, *, designated_user: str, version: int | None = None) -> dict[str, Any]:
    """Give a suspended user access back."""
    return _move(act, user_row(act, designated_user, version), Step.RESUME)


def revoke_user(act: Act, *, designated_user: str, version: int | None = None) -> dict[str, Any]:
    """Take a designated user out of this agreement, on written request; their other places stay."""
    row = user_row(act, designated_user, version)
    _call_off(act, row)
    if row.state == PlaceState.INVITED:
        _void_code(act, row.person_id)
    return _move(act, row, Step.REVOKE)


def undo_user(act: Act, *, designated_user: str, version: int | None = None) -> dict[str, Any]:
    """Take the last step of a designated user back, where the rule allows it, within a day."""
    row = user_row(act, designated_user, version)
    before = state_before(PLACE, row.step, row.before, row.moved_us or 0, act.tx.now_us)
    if row.step == Step.MEET:
        _call_off(act, row)
    if row.step == Step.INVITE:
        _void_code(act, row.person_id)
        if before != PlaceState.INVITED:
            note_not_invited(act, row.id)
    undone = {"state": before, "step": Step.UNDO.value, "before": None, "moved_us": act.tx.now_us}
    act.change(tables.designated_user, row, **undone)
    act.record("user_undo", designated_user=row.id, step=row.step, state=before)
    return {"designated_user": row.id, "state": before}


def change_address(act: Act, *, designated_user: str, address: str, version: int | None = None) -> dict[str, Any]:
    """Let a designated user be reached elsewhere, on written request: they cannot change it themselves."""
    row = user_row(act, designated_user, version)
    where = change_person_address(act, act.person(row.person_id, Side.CORRESPONDENT), address)
    known = tables.appendix.c.designated_user_id == row.id
    act.tx.execute(tables.appendix.update().where(known).values(address=where))
    act.record("address_changed", designated_user=row.id, person=row.person_id)
    return {"designated_user": row.id}


def user_row(act: Act, designated_user: str, version: int | None = None) -> Row[Any]:
    """Return the genuine row of a place that came by a form. Raises NotAllowed when there is none here, Moved.

    `version` is that of the row as it was looked at, where somebody has looked.
    """
    row = _genuine_user(act, designated_user)
    agreement_row(act, row.agreement_id)
    return same_version(row, version)


def _genuine_user(act: Act, designated_user: str) -> Row[Any]:
    table = tables.designated_user
    row = act.tx.one(select(table).where(table.c.id == designated_user, table.c.state.is_not(None)).with_for_update())
    if row is None:
        raise NotAllowed("There is no such designated user here.")
    return require_genuine(table, row, act.authority.key)


def _move(act: Act, row: Row[Any], step: Step) -> dict[str, Any]:
    state = next_state(PLACE, step, row.state)
    moved = {"state": state, "step": step.value, "before": row.state, "moved_us": act.tx.now_us}
    act.change(tables.designated_user, row, **moved)
    told = {"designated_user": row.id, "agreement": row.agreement_id, "person": row.person_id}
    act.record(f"user_{step.value}", **told, state=state, before=row.state)
    return {"designated_user": row.id, "state": state}


def _users(act: Act, agreement_id: str) -> list[Row[Any]]:
    rows = act.not_ended(tables.designated_user, agreement_id=agreement_id)
    return [row for row in rows if row.state != PlaceState.REVOKED]


def _is_named(act: Act, agreement_id: str, name: str, address: str, role: str) -> bool:
    """Tell whether the same line of the appendix was entered before, and stands."""
    table = tables.appendix
    known = [user.id for user in _users(act, agreement_id)]
    same = (table.c.name == line(name, "name"), table.c.address == address, table.c.role == role)
    return act.tx.one(select(table.c.role).where(table.c.designated_user_id.in_(known), *same)) is not None


def _link(text: str) -> str | None:
    link = text.strip()
    if link and not (link.startswith("https://") and len(link) <= MAX_LINK and link.isascii() and link.isprintable()):
        raise Malformed("The link to a meeting begins with https://")
    return link or None


def _role(rules: Programme, key: str) -> ProgrammeRole:
    found = rules.role(key)
    if found is None:
        raise Malformed(f"A role here is one of {', '.join(one.key for one in rules.roles)}.")
    return found


def _rules(act: Act, row: Row[Any]) -> Programme:
    return act.programme(agreement_row(act, row.agreement_id).programme)


def _new_person(act: Act, programme: str, name: str, address: str) -> str:
    """Write a person whose username is the address, or the address and a number where two people have one."""
    username = usual = parse_address(address).key
    number = 1
    while act.tx.one(select(tables.person.c.id).where(tables.person.c.username == username)) is not None:
        number += 1
        username = f"{usual}+{number}"
    return add_person(act, Side.CORRESPONDENT, programme, name, address, username)


def _is_active_anywhere(act: Act, person_id: str) -> bool:
    rows = act.not_ended(tables.designated_user, person_id=person_id, state=PlaceState.ACTIVE.value)
    return bool(genuine(tables.designated_user, rows, act.authority.key))


def _is_proposed(act: Act, designated_user: str) -> bool:
    table = tables.appendix
    row = act.tx.one(select(table.c.is_proposed).where(table.c.designated_user_id == designated_user))
    return row is not None and bool(row.is_proposed)


def _void_code(act: Act, person_id: str) -> None:
    code = {"person_id": person_id, "kind": CredentialKind.FIRST_CODE.value}
    act.end(tables.credential, act.not_ended(tables.credential, **code))


def _agreement_gives(act: Act, row: Row[Any]) -> bool:
    return AgreementState(enrolment_row(act, row.agreement_id).state).gives_rights


def _meeting(act: Act, designated_user: str) -> Row[Any] | None:
    table = tables.meeting
    waits = (table.c.settled_us.is_(None), table.c.cancelled_us.is_(None))
    return act.tx.one(select(table).where(table.c.designated_user_id == designated_user, *waits))


def _call_off(act: Act, row: Row[Any]) -> None:
    """Cancel the meeting that was set, if any, and tell whom it was set with."""
    meeting = _meeting(act, row.id)
    if _cancel_meeting(act, row.id) and meeting is not None and act.tx.now_us < meeting.starts_us:
        _tell(act, row, NoticeKind.MEETING, NoticeState.MEETING_CANCELLED, meeting.starts_us)


def _cancel_meeting(act: Act, designated_user: str) -> bool:
    """Cancel the meeting that was set; tell whether there was one."""
    table = tables.meeting
    waits = (table.c.settled_us.is_(None), table.c.cancelled_us.is_(None))
    of_user = table.c.designated_user_id == designated_user
    return bool(act.tx.execute(table.update().where(of_user, *waits).values(cancelled_us=act.tx.now_us)))


def _tell(act: Act, row: Row[Any], kind: NoticeKind, state: NoticeState, until_us: int | None) -> None:
    """Enter a notice to a designated user: which kind and which instant, and nothing of the agreement."""
    fields: dict[str, str | int] = {"state": state.value}
    if until_us is not None:
        fields["until_us"] = until_us
    programme = agreement_row(act, row.agreement_id).programme
    put(act.tx, programme=programme, kind=kind, person_id=row.person_id, fields=fields)
