"""The verb that holds a draft, whole or not at all: a relay's message that fits several cases waits for its author.

It is entered without a case, sealed to each that fits, and its author is told. What becomes of it then is in
`gateway.casework.drafts` and `gateway.casework.choosing`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.casework.correspondence import BY_RELAY, Posted, Posting, insert_message, posted_before
from gateway.casework.drafts import next_look, told_fields
from gateway.domain.errors import NotAllowed
from gateway.domain.notice import NoticeKind, NoticeState
from gateway.domain.reference import Reference, random_part
from gateway.domain.rights import Side
from gateway.store.cases import case_by_id
from gateway.store.confirmations import enter_asked
from gateway.store.delegations import members_of
from gateway.store.drafts import fits
from gateway.store.ids import below
from gateway.store.outbox import put
from gateway.store.people import person_by_id
from gateway.store.tables import draft, repeat
from gateway.store.transaction import Lookup, Transaction

_SERIES: Final = "DR"
_REFERENCE = Lookup(draft.c.reference, (draft.c.reference,))


def hold(tx: Transaction, authority: Ed25519PublicKey, posting: Posting, sender: str, keep_us: int) -> Posted:
    """Enter a message that fits several cases as its author's draft, and tell them. `sender` is the envelope's,
    `keep_us` for how long it waits.

    Rights are checked here again, in the transaction that uses them. Raises NotAllowed where nothing fits any more.
    """
    if known := posted_before(tx, posting):
        return known
    people = {served.person_id for served in posting.recipients}
    team_id = posting.team_id if posting.nameless else None
    if not any(
        fits(tx.known, authority, one, posting.author_id, people, team_id, tx.now_us) for one in posting.fitting
    ):
        raise NotAllowed("The recipients do not share one open case with you. Send one message for each case.")
    author = person_by_id(tx.known, posting.author_id)
    if author is None:
        raise NotAllowed("You are not an employee of a programme that runs here.")
    reference = _free_reference(tx, posting)
    insert_message(tx, posting, Side.OFFICE, None, None)
    ends_us = tx.now_us + keep_us
    _insert_draft(tx, posting, author.programme, reference, sender, ends_us)
    if posting.asked is not None and not posting.nameless:
        enter_asked(tx, posting.sealed.id, posting.author_id, posting.asked, is_news=False)
    tx.record(
        "draft_held", BY_RELAY if posting.nameless else posting.author_id, message=posting.sealed.id, draft=reference,
        cases=list(posting.fitting), team=posting.team_id, relay=posting.relay, ends_us=ends_us,
        recipients=[{"person": one.person_id, "as": one.addressed_as} for one in posting.recipients],
        ciphertext=posting.sealed.ciphertext_hashes, commitment=posting.sealed.commitment, octets=posting.sealed.octets,
    )  # fmt: skip
    told = sorted(members_of(tx.known, authority, team_id, tx.now_us)) if team_id else [posting.author_id]
    for person_id in told:
        put(
            tx,
            programme=author.programme,
            kind=NoticeKind.CASE_TO_CHOOSE,
            person_id=person_id,
            message_id=posting.sealed.id,
            fields=told_fields(reference, NoticeState.DRAFT_WAITS, sender, len(posting.fitting), ends_us),
        )
    if posting.repeat_key:
        tx.insert(repeat, key=posting.repeat_key, message_id=posting.sealed.id, reference=reference, at_us=tx.now_us)
    return Posted(reference, posting.sealed.id, repeated=False)


def _facts(posting: Posting, sender: str) -> Mapping[str, Any]:
    return {
        "cases": posting.fitting,
        "recipients": [[one.person_id, one.addressed_as, one.notify] for one in posting.recipients],
        "nameless": posting.nameless,
        "on_behalf_of": posting.on_behalf_of,
        "left_in_clear": posting.left_in_clear,
        "has_cloud_link": posting.has_cloud_link,
        "relay": posting.relay,
        "delay_us": posting.delay_us,
        "is_guarded": posting.is_guarded,
        "sender": sender,
        "commitment": posting.sealed.commitment,
        "ciphertext": posting.sealed.ciphertext_hashes,
    }


def _insert_draft(tx: Transaction, posting: Posting, programme: str, reference: str, sender: str, ends_us: int) -> None:
    tx.insert(
        draft,
        message_id=posting.sealed.id,
        reference=reference,
        programme=programme,
        person_id=posting.author_id,
        author_id=posting.author_id,
        facts=json.dumps(_facts(posting, sender), separators=(",", ":")),
        ends_us=ends_us,
        look_us=next_look(tx.now_us, ends_us, tx.now_us),
        reminded=0,
        chosen_us=None,
        discarded_us=None,
    )


def _free_reference(tx: Transaction, posting: Posting) -> str:
    entered = case_by_id(tx.known, posting.fitting[0])
    trial = entered is not None and entered.reference.trial
    while True:
        reference = str(Reference(_SERIES, random_part(below), random_part(below), trial))
        if tx.find(_REFERENCE, reference) is None:
            return reference
