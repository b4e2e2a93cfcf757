"""The verb that takes clean mail from outside into the intake tray, and the case that is proposed for it.

Its author is nobody: what the mail says of its sender is sealed with it, and proves nothing. It is sealed to the
month's intake key, so that only the keyholder can open it, and stands in no case before it is filed.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.casework.correspondence import REPEAT_WINDOW_US
from gateway.casework.sealed import SealedMessage
from gateway.casework.turning_away import BY_OUTSIDE
from gateway.domain.address import Address
from gateway.domain.intake import ProposedBy, SenderResult, Tray, new_reference
from gateway.domain.record import Fact
from gateway.domain.reference import find, parse
from gateway.domain.rights import Side
from gateway.store.cases import case_by_id, case_by_reference
from gateway.store.intake import case_by_message_ids, case_by_notices
from gateway.store.memory import Source
from gateway.store.tables import intake, message, message_wrap, repeat, segment
from gateway.store.transaction import Lookup, Transaction

MAX_NAMED = 5
_REPEAT = Lookup(repeat.c.key, (repeat.c.at_us, repeat.c.reference, repeat.c.message_id))
_REFERENCE = Lookup(intake.c.reference, (intake.c.message_id,))


@dataclass(frozen=True, slots=True)
class Clues:
    """What may name a case: the recipients, the subject, hashes of the Message-IDs it answers, notices among these."""

    recipients: tuple[Address, ...]
    subject: str
    answered: tuple[str, ...]
    notices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A case that a mail may belong to, and what named it."""

    case_id: str
    by: ProposedBy


@dataclass(frozen=True, slots=True)
class Taking:
    """Sealed mail from outside and all that its verb needs to know of it. `kind` is of automatic mail and faxes alone.

    `by` is who brought it, as in the entry, and `facts` what that tells beside.
    """

    sealed: SealedMessage
    tray: Tray
    kind: str | None
    sender_result: SenderResult
    proposal: Proposal | None
    message_id_hash: str | None
    recipients: int
    repeat_key: str | None
    by: str = BY_OUTSIDE
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of it: its reference in the tray, and whether this very mail had been taken before."""

    reference: str
    message_id: str
    repeated: bool


def outside_key(deposit_key: bytes) -> bytes:
    """Return the key for repeats of mail from outside: none of it can pass for the repeat of a submission."""
    return hmac.digest(deposit_key, b"outside\x00", "sha256")


def propose(source: Source, domain: str, clues: Clues) -> Proposal | None:
    """Return the one open case that a mail seems to belong to, None where nothing or too much is named.

    A recipient's case counts before the thread's, and that before one in the subject. It is a proposal and no more.
    """
    addressed = [one.local for one in clues.recipients if one.domain == domain]
    thread = case_by_message_ids(source, clues.answered) or case_by_notices(source, clues.notices)
    for by, cases in (
        (ProposedBy.RECIPIENT, _cases(source, addressed)),
        (ProposedBy.THREAD, {thread} if thread else set()),
        (ProposedBy.SUBJECT, _cases(source, [str(one.of_case) for one in find(clues.subject)])),
    ):
        open_ones = [one for one in cases if (known := case_by_id(source, one)) is not None and known.is_open]
        if cases:
            return Proposal(open_ones[0], by) if len(cases) == 1 and open_ones else None
    return None


def take_in(tx: Transaction, taking: Taking) -> Taken:
    """Enter mail into its tray: message, item, entry. A repeat gets the first answer, and nothing is written."""
    if known := _taken_before(tx, taking):
        return known
    reference = _free_reference(tx)
    _insert_message(tx, taking)
    tx.insert(
        intake,
        message_id=taking.sealed.id,
        reference=reference,
        tray=taking.tray.value,
        kind=None if taking.kind is None else str(taking.kind),
        sender_result=taking.sender_result.value,
        proposed_case_id=None if taking.proposal is None else taking.proposal.case_id,
        proposed_by=None if taking.proposal is None else taking.proposal.by.value,
        message_id_hash=taking.message_id_hash,
        filed_us=None,
        discarded_us=None,
    )
    _insert_entry(tx, taking, reference)
    if taking.repeat_key:
        tx.insert(repeat, key=taking.repeat_key, message_id=taking.sealed.id, reference=reference, at_us=tx.now_us)
    return Taken(reference, taking.sealed.id, repeated=False)


def _cases(source: Source, names: Iterable[str]) -> set[str]:
    """Return the ids of the cases with these references, of the first few that differ."""
    found: set[str] = set()
    for name in list(dict.fromkeys(name.lower() for name in names))[:MAX_NAMED]:
        try:
            known = case_by_reference(source, parse(name))
        except ValueError:
            continue
        found.update({known.id} if known is not None else ())
    return found


def _taken_before(tx: Transaction, taking: Taking) -> Taken | None:
    row: Sequence[object] | None = tx.find(_REPEAT, taking.repeat_key) if taking.repeat_key else None
    if row is None:
        return None
    if int(str(row[0])) > tx.now_us - REPEAT_WINDOW_US:
        return Taken(str(row[1]), str(row[2]), repeated=True)
    tx.execute(repeat.delete().where(repeat.c.key == taking.repeat_key))
    return None


def _free_reference(tx: Transaction) -> str:
    while True:
        reference = new_reference()
        if tx.find(_REFERENCE, reference) is None:
            return reference


def _insert_message(tx: Transaction, taking: Taking) -> None:
    sealed = taking.sealed
    tx.insert(
        message,
        id=sealed.id,
        case_id=None,
        reference=None,
        side=Side.OUTSIDE.value,
        author_id=None,
        team_id=None,
        parent_id=None,
        composed=int(sealed.composed),
        octets=sealed.octets,
        sealed_summary=sealed.sealed_summary,
        message_id_hash=None,
        submission_key=None,
        received_us=tx.now_us,
        withdrawn_us=None,
    )
    tx.insert(message_wrap, message_id=sealed.id, key_id=sealed.key_id, suite=sealed.suite, wrapped=sealed.wrapped)
    for row in sealed.segments:
        tx.insert(segment, **row)


def _insert_entry(tx: Transaction, taking: Taking, reference: str) -> None:
    sealed, proposal = taking.sealed, taking.proposal
    tx.record(
        "taken_in",
        taking.by,
        message=sealed.id,
        reference=reference,
        tray=taking.tray.value,
        type=None if taking.kind is None else str(taking.kind),
        sender_result=taking.sender_result.value,
        proposed=None if proposal is None else proposal.case_id,
        proposed_by=None if proposal is None else proposal.by.value,
        recipients=taking.recipients,
        key=sealed.key_id,
        ciphertext=sealed.ciphertext_hashes,
        commitment=sealed.commitment,
        octets=sealed.octets,
        **taking.facts,
    )
