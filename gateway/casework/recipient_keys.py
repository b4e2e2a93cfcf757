"""Verbs about the key that an employee's full copies are encrypted to. See `gateway.casework.administration`.

Whoever holds it reads, so a name in a key counts for nothing: it is of use once the employee, signed in, has entered
the code that was encrypted to it. Others may hand a key in for them, or take one away; nobody else enters the code.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Any

from sqlalchemy import Row

from gateway.casework.act import Act
from gateway.domain.errors import Malformed, NotAllowed
from gateway.domain.notice import NoticeKind, NoticeState
from gateway.domain.recipient_key import CODE_US, MAX_OCTETS, KeyKind, code_hash
from gateway.domain.rights import Side
from gateway.store import tables
from gateway.store.outbox import put
from gateway.store.people import addresses_of

MAX_PROOF = 64 * 1024
PIECE = 3_000
"""So long are the pieces in which octets go between programs, in base64."""


def in_pieces(octets: bytes) -> list[str]:
    """Return octets as an argument of a verb."""
    text = base64.b64encode(octets).decode("ascii")
    return [text[at : at + PIECE] for at in range(0, len(text), PIECE)]


def add_recipient_key(
    act: Act,
    *,
    person: str,
    kind: str,
    octets: list[str],
    fingerprint: str,
    address: str,
    hashed_code: str,
    proof: list[str],
    expires_us: int | None = None,
) -> dict[str, Any]:
    """Take a key that was checked, in the place of one that waits for its code; `proof` goes to its address by mail.

    The key in use stays in use until the code is entered.
    """
    row = act.person(person, Side.OFFICE)
    own = addresses_of(act.tx.connection, [row.id], act.tx.now_us).get(row.id, [])
    if address not in own:
        raise Malformed("This key is for an address that is not theirs.")
    if kind not in {one.value for one in KeyKind} or (expires_us is not None and expires_us <= act.tx.now_us):
        raise Malformed("A key is of OpenPGP or S/MIME, and ends at a day to come.")
    act.end(tables.recipient_key, [one for one in _keys(act, row.id) if one.confirmed_us is None])
    given = act.give(
        tables.recipient_key,
        person_id=row.id,
        kind=kind,
        octets=_joined(octets, MAX_OCTETS),
        fingerprint=fingerprint[:128],
        address=address,
        created_us=act.tx.now_us,
        expires_us=expires_us,
        code_hash=hashed_code[:64],
        proof=_joined(proof, MAX_PROOF),
        confirmed_us=None,
        until_us=None,
    )
    act.record("recipient_key_added", person=row.id, key=given, type=kind, fingerprint=fingerprint[:128])
    _tell(act, row, NoticeState.COPY_KEY_PROOF, address=address)
    return {"key": given}


def confirm_recipient_key(act: Act, *, person: str, code: str) -> dict[str, Any]:
    """Take the key that waits into use, in the place of the one before. Raises Malformed for a code that is not its."""
    row = act.person(person, Side.OFFICE)
    if act.actor.person_id != row.id:
        raise NotAllowed("The code is entered by whose key it is, and by nobody for them.")
    keys = _keys(act, row.id)
    waiting = next((one for one in keys if one.confirmed_us is None), None)
    if waiting is None or waiting.created_us + CODE_US <= act.tx.now_us:
        raise Malformed("No key waits for a code. Add it once more.")
    if not hmac.compare_digest(code_hash(code), waiting.code_hash):
        raise Malformed("This is not the code. Read it in the mail that was encrypted to the new key.")
    act.end(tables.recipient_key, [one for one in keys if one.id != waiting.id])
    act.change(tables.recipient_key, waiting, confirmed_us=act.tx.now_us)
    act.record("recipient_key_confirmed", person=row.id, key=waiting.id)
    _tell(act, row, NoticeState.COPY_KEY_ADDED)
    return {"key": waiting.id}


def remove_recipient_key(act: Act, *, person: str) -> dict[str, Any]:
    """Take somebody's keys away, now: replies are told by their link only."""
    row = act.person(person, Side.OFFICE)
    keys = _keys(act, row.id)
    ended = act.end(tables.recipient_key, keys)
    act.record("recipient_key_removed", person=row.id, ended=ended)
    if any(one.confirmed_us is not None for one in keys):
        _tell(act, row, NoticeState.COPY_KEY_REMOVED)
    return {"ended": ended}


def end_recipient_keys_of(act: Act, person_id: str) -> None:
    """End the keys of somebody who leaves."""
    act.end(tables.recipient_key, _keys(act, person_id))


def _keys(act: Act, person_id: str) -> list[Row[Any]]:
    return act.not_ended(tables.recipient_key, person_id=person_id)


def _tell(act: Act, person: Row[Any], state: NoticeState, **fields: str) -> None:
    programme = act.programmes.get(person.programme)
    if programme is not None and NoticeKind.ACCOUNT_CHANGED in programme.notices:
        told = {"state": state.value, **fields}
        put(act.tx, programme=programme.key, kind=NoticeKind.ACCOUNT_CHANGED, person_id=person.id, fields=told)


def _joined(pieces: list[str], most: int) -> bytes:
    try:
        octets = base64.b64decode("".join(pieces), validate=True)
    except (binascii.Error, ValueError):
        octets = b""
    if not 0 < len(octets) <= most:
        raise Malformed("A key or its proof cannot be read, or is too long.")
    return octets
