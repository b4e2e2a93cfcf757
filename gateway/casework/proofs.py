"""Verbs that rest on a statement of the authenticator: a first credential for a code, the end of a provider's sessions.

They run inside the keyholder. What the authenticator may bring about by itself is narrow: one credential for a person
whose first code is in force, and that code is then spent; and sessions that end.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Row, select

from gateway.casework.accounts import MAX_CREDENTIALS
from gateway.casework.act import Act, Actor, Authority, line
from gateway.casework.designation import join_by_code
from gateway.domain.credential import CredentialKind
from gateway.domain.enrolment import Way
from gateway.domain.errors import Malformed, NotAllowed, NotAuthenticated
from gateway.domain.notice import NoticeKind, NoticeState
from gateway.domain.programme import Programme
from gateway.domain.proof import Binding, Ending, Linking
from gateway.failpoints import failpoint
from gateway.store import tables
from gateway.store.authority import genuine
from gateway.store.outbox import put
from gateway.store.people import person_by_id
from gateway.store.sessions import STEP_UP_US, LiveSession
from gateway.store.transaction import Transaction

REVIEW_US = 60 * 24 * 3600 * 1_000_000
"""How long a link may wait for a decision."""
_WHOLE = (
    frozenset({CredentialKind.IDENTITY}),
    frozenset({CredentialKind.PASSWORD, CredentialKind.TOTP}),
    frozenset({CredentialKind.PASSWORD, CredentialKind.PASSKEY}),
)
"""What a first sign-in may come to: nothing that signs in by half."""
_BESIDE_A_PASSWORD = (
    CredentialKind.PASSWORD,
    CredentialKind.TOTP,
    CredentialKind.PASSKEY,
    CredentialKind.RECOVERY,
    CredentialKind.TELEPHONE,
)
_AGAIN = "The code is not valid, or no longer. Please ask for a new one."


def bind(
    tx: Transaction, authority: Authority, signed_by: Ed25519PublicKey, stated: Sequence[tuple[Binding, bytes]]
) -> None:
    """Make the credentials that a person proved beside their first code, all or none.

    They are a link to an account at a provider; or a password and one second factor, which take the place of every
    earlier one. Raises NotAuthenticated when the code is over, Malformed when the account is somebody's already.
    """
    for binding, signature in stated:
        binding.verify(signature, signed_by, tx.now_us)
    if not stated:
        raise NotAuthenticated(_AGAIN)
    bindings = [binding for binding, _ in stated]
    _make(_act(tx, authority, bindings[0].person_id), bindings)


def link(
    tx: Transaction,
    authority: Authority,
    signed_by: Ed25519PublicKey,
    session: LiveSession,
    stated: tuple[Linking, bytes],
    programmes: Mapping[str, Programme],
) -> None:
    """Link an account at a provider to the person of a live session: both were proved within the last minutes.

    Raises NotAuthenticated when one of them was not, NotAllowed for a link to somebody else, Malformed when the account
    is somebody's already.
    """
    linking, signature = stated
    linking.verify(signature, signed_by, tx.now_us, STEP_UP_US)
    if not session.is_fresh(tx.now_us):
        raise NotAuthenticated("Please sign in once more first.")
    if linking.person_id != session.person_id:
        raise NotAllowed("This is not yours to do.")
    act = _act(tx, authority, session.person_id)
    given = _give_identity(act, linking)
    act.record("identity_linked", person=linking.person_id, credential=given, session=session.id)
    programme = programmes.get(session.programme)
    if programme is not None and NoticeKind.ACCOUNT_CHANGED in programme.notices:
        put(
            tx,
            programme=programme.key,
            kind=NoticeKind.ACCOUNT_CHANGED,
            person_id=linking.person_id,
            case_id=None,
            fields={"state": NoticeState.FACTOR_ADDED.value},
        )
    failpoint("keyholder.identity")


def decide_identity(
    tx: Transaction, authority: Authority, signed_by: Ed25519PublicKey, actor: Actor, review: str, *, accept: bool
) -> dict[str, Any]:
    """Make the link that waits for a decision, or refuse it; either way it waits no longer.

    Raises NotAllowed when nothing waits by this id, NotAuthenticated when the authenticator did not sign it or the
    code beside it is over.
    """
    table, act = tables.identity_review, Act(tx, authority, actor)
    row = tx.one(select(table).where(table.c.id == review, table.c.decided_us.is_(None)))
    if row is None:
        raise NotAllowed("No link waits for a decision by this id.")
    person = act.person(row.person_id)
    if accept:
        binding = Binding.from_json(json.loads(row.binding))
        binding.verify(bytes(row.signature), signed_by, tx.now_us, REVIEW_US)
        if binding.person_id != person.id:
            raise NotAuthenticated(_AGAIN)
        _make(act, [binding], judged_by_hand=True)
    decided = {"decided_us": tx.now_us, "accepted": int(accept)}
    tx.execute(table.update().where(table.c.id == row.id).values(decided))
    act.record("identity_decided", person=person.id, review=row.id, accepted=int(accept))
    return {"person": person.id, "accepted": accept}


def end_stated(
    tx: Transaction, authority: Authority, signed_by: Ed25519PublicKey, ending: Ending, signature: bytes
) -> None:
    """End the sessions that a provider says are over, and its link where it says that the account is gone."""
    ending.verify(signature, signed_by, tx.now_us)
    person_id = ending.person_id
    act = _act(tx, authority, person_id)
    named = ending.sessions.split()
    ended = act.end(
        tables.session, [row for row in act.not_ended(tables.session, person_id=person_id) if row.id in named]
    )
    if ending.revokes == "yes":
        place = {"id": ending.credential_id, "person_id": person_id, "kind": CredentialKind.IDENTITY.value}
        act.end(tables.credential, act.not_ended(tables.credential, **place))
    told = ending.credential_id
    act.record("ended_by_provider", person=person_id, credential=told, ended=ended, reason=ending.reason)


def _make(act: Act, bindings: Sequence[Binding], *, judged_by_hand: bool = False) -> None:
    """Make the credentials and spend the code. What an operator has looked at may come after the code's last day."""
    first, tx = bindings[0], act.tx
    act.person(first.person_id)
    code = _genuine(act, id=first.first_code_id, person_id=first.person_id, kind=CredentialKind.FIRST_CODE.value)
    in_time = code is not None and (judged_by_hand or (code.expires_us is not None and tx.now_us < code.expires_us))
    same = {(one.person_id, one.first_code_id) for one in bindings} == {(first.person_id, first.first_code_id)}
    kinds = frozenset(one.kind for one in bindings)
    if code is None or not in_time or not same or len(kinds) != len(bindings) or kinds not in _WHOLE:
        raise NotAuthenticated(_AGAIN)
    if CredentialKind.PASSWORD in kinds:
        for kind in _BESIDE_A_PASSWORD:
            act.end(tables.credential, act.not_ended(tables.credential, person_id=first.person_id, kind=kind.value))
        act.end(tables.session, act.not_ended(tables.session, person_id=first.person_id))
    for one in bindings:
        _give(act, one)
    act.end(tables.credential, [code])
    failpoint("keyholder.bind")
    join_by_code(act, first.person_id, first.data if first.kind == CredentialKind.IDENTITY else Way.PASSWORD)


def _give(act: Act, binding: Binding) -> None:
    given = _give_credential(act, binding, binding.kind)
    facts = {"person": binding.person_id, "credential": given}
    act.record("first_credential", **facts, type=binding.kind, code=binding.first_code_id)


def _give_identity(act: Act, linking: Linking) -> str:
    held = act.not_ended(tables.credential, person_id=linking.person_id, kind=CredentialKind.IDENTITY.value)
    if len(held) >= MAX_CREDENTIALS:
        raise Malformed(f"There are {MAX_CREDENTIALS} of these already. Revoke one first.")
    return _give_credential(act, linking, CredentialKind.IDENTITY.value)


def _give_credential(act: Act, proved: Binding | Linking, kind: str) -> str:
    table = tables.credential
    if kind == CredentialKind.IDENTITY and not proved.lookup:
        raise NotAuthenticated(_AGAIN)
    if proved.lookup and _genuine(act, lookup=proved.lookup, kind=kind) is not None:
        raise Malformed("This account at the provider signs in somebody here already.")
    if act.tx.one(select(table.c.id).where(table.c.id == proved.credential_id)) is not None:
        raise NotAuthenticated(_AGAIN)
    return act.give(
        table,
        id=proved.credential_id,
        person_id=proved.person_id,
        kind=kind,
        label=line(proved.label, "label")[:100],
        lookup=proved.lookup or None,
        data=proved.data,
        networks="",
        created_us=act.tx.now_us,
        expires_us=None,
        revoked_us=None,
    )


def _act(tx: Transaction, authority: Authority, person_id: str) -> Act:
    """Return an act in a person's own name. Raises NotAuthenticated when there is no such person any more."""
    person = person_by_id(tx.connection, person_id)
    if person is None:
        raise NotAuthenticated(_AGAIN)
    return Act(tx, authority, Actor(person.id, person.programme, person.side))


def _genuine(act: Act, **columns: str) -> Row[Any] | None:
    rows = genuine(tables.credential, act.not_ended(tables.credential, **columns), act.authority.key)
    return rows[0] if rows else None
