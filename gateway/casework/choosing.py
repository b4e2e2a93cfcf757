"""The verbs by which the author of a draft decides: a case, or nothing. See `gateway.casework.administration`.

Whole or not at all, and once: who decides second is told what was decided. What is chosen becomes a message as any
other, by the rights of whoever chooses at that instant; its other wraps go, so that no other case can ever open it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import delete, select, update

from gateway.casework.act import Act
from gateway.casework.correspondence import Posting, Served, enter
from gateway.casework.sealed import SealedMessage
from gateway.domain.errors import Moved, NotAllowed, Tampered
from gateway.domain.guard import Guarded
from gateway.domain.rights import Side
from gateway.failpoints import failpoint
from gateway.store.authority import genuine
from gateway.store.cases import Case
from gateway.store.confirmations import is_news
from gateway.store.drafts import Draft, draft_by_reference, fitting_cases
from gateway.store.tables import case as case_table
from gateway.store.tables import draft as table
from gateway.store.tables import message, message_wrap, sealing_key
from gateway.store.transaction import Transaction

_NOTHING = "There is no such draft here, or it is not yours to decide."
_FITS_NO_MORE = (
    "This message cannot go to that case: it is closed, or not yours to write to, or a recipient has no access to it "
    "now. Choose another case, or discard the draft."
)


def choose_draft(act: Act, *, draft: str, case: str, person: str | None = None) -> dict[str, Any]:
    """Put a draft into a case: it is deposited there, and everybody is told. `person` is whoever asks, of a session.

    A repeat changes nothing and is told the same. Raises NotAllowed for what is not theirs or fits no more, Moved where
    it was decided otherwise.
    """
    one, by = _found(act, draft, person)
    now_us, known = act.tx.now_us, act.tx.known
    if one.row.chosen_us is not None:
        return _again(act, one, case)
    if one.row.discarded_us is not None:
        raise Moved(f"{one.row.reference} was discarded. Write the message again.")
    wanted = case.strip().upper()
    fitting = fitting_cases(known, act.authority.key, one, by, now_us)
    chosen = next((entered for entered in fitting if wanted in (entered.id.upper(), str(entered.reference))), None)
    if chosen is None:
        raise NotAllowed(_FITS_NO_MORE)
    posted = enter(act.tx, act.authority.key, _posting(one, chosen, by), partial(_place, act))
    _decided(act.tx, one, chosen_us=now_us)
    is_news(act.tx, [one.row.message_id])
    act.record("draft_chosen", message=one.row.message_id, draft=one.row.reference, case=chosen.id, person=by)
    failpoint("drafts.choose")
    return {"reference": posted.reference, "case": str(chosen.reference), "repeated": 0}


def discard_draft(act: Act, *, draft: str, person: str | None = None) -> dict[str, Any]:
    """Take a draft out of every view, for good: nobody is sent it. It stays in the vault and in the record.

    A repeat changes nothing. Raises NotAllowed for what is not theirs, Moved where it was put into a case.
    """
    one, by = _found(act, draft, person)
    if one.row.chosen_us is not None:
        raise Moved(f"{one.row.reference} was put into a case: {one.row.message_reference}. It can be withdrawn there.")
    if one.row.discarded_us is None:
        _decided(act.tx, one, discarded_us=act.tx.now_us)
        act.record("draft_discarded", message=one.row.message_id, draft=one.row.reference, person=by)
    return {"draft": one.row.reference}


def _found(act: Act, reference: str, person: str | None) -> tuple[Draft, str]:
    """Return a draft, locked, and who decides: whoever asks, or for an operator the one whose it is."""
    act.tx.flush()
    one = draft_by_reference(act.tx.connection, reference, for_update=True)
    if one is None:
        raise NotAllowed(_NOTHING)
    people = one.people(act.tx.known, act.authority.key, act.tx.now_us)
    by = person or next(iter(people), None)
    if by is None or by not in people or (not act.actor.is_operator and act.actor.person_id != by):
        raise NotAllowed(_NOTHING)
    return one, by


def _again(act: Act, one: Draft, case: str) -> dict[str, Any]:
    """Say what was chosen before. Raises Moved where it was another case."""
    row = act.tx.one(select(case_table).where(case_table.c.id == one.row.case_id))
    if row is None or case.strip().upper() not in (row.id.upper(), row.reference):
        raise Moved(f"{one.row.reference} was put into another case: {one.row.message_reference}. It is filed once.")
    return {"reference": one.row.message_reference, "case": row.reference, "repeated": 1}


def _posting(one: Draft, chosen: Case, by: str) -> Posting:
    row, facts = one.row, one.facts
    segments = tuple({"ciphertext_sha256": digest} for digest in facts["ciphertext"])
    sealed = SealedMessage(
        row.message_id, bool(row.composed), row.octets, b"", "", 0, b"", segments, None, facts["commitment"]
    )
    return Posting(
        sealed=sealed,
        case_id=chosen.id,
        author_id=by,
        recipients=tuple(Served(*served) for served in facts["recipients"]),
        team_id=row.team_id,
        left_in_clear=facts["left_in_clear"],
        has_cloud_link=facts["has_cloud_link"],
        relay=facts["relay"],
        nameless=facts["nameless"],
        on_behalf_of=facts["on_behalf_of"]
        or (row.author_id if row.author_id != by and not facts["nameless"] else None),
        delay_us=facts["delay_us"],
        is_guarded=facts["is_guarded"],
        drafted=(row.reference, row.received_us),
    )


def _place(act: Act, tx: Transaction, posting: Posting, side: Side, reference: str, held_until_us: int | None) -> None:
    """Give the message its case; what it is sealed to for the others goes. Raises Tampered where nothing is left."""
    author_id = None if posting.nameless else posting.author_id
    placed = {
        "case_id": posting.case_id, "reference": reference, "author_id": author_id, "held_until_us": held_until_us,
        "guard": Guarded.LOOK.value if posting.is_guarded else None,
    }  # fmt: skip
    assert side is Side.OFFICE
    ours = message.c.id == posting.sealed.id
    tx.execute(update(message).where(ours, message.c.case_id.is_(None)).values(placed))
    keys = tx.all(select(sealing_key).where(sealing_key.c.case_id == posting.case_id))
    genuine_keys = sorted(row.id for row in genuine(sealing_key, keys, act.authority.key))
    wraps = message_wrap.c.message_id == posting.sealed.id
    tx.execute(delete(message_wrap).where(wraps, message_wrap.c.key_id.not_in(genuine_keys)))
    if tx.one(select(message_wrap.c.key_id).where(wraps).limit(1)) is None:
        raise Tampered("A draft is not sealed to the case that fits.")


def _decided(tx: Transaction, one: Draft, **at: int) -> None:
    tx.execute(update(table).where(table.c.message_id == one.row.message_id).values(look_us=None, **at))
