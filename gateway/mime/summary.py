"""What the other modules need to know of a message, read from its structure once."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from gateway.mime.headers import Mailbox, addresses, decode_words, message_ids, parse_date
from gateway.mime.structure import Limits, Structure

_MAX_IDS = 100
_BLIND = frozenset({"bcc", "resent-bcc"})
_LIMITS = Limits()


class Facts(NamedTuple):
    """The header of a message, read, and what its parts are. A tuple, as `Header` is.

    Of a field that stands twice the first one counts, except for addressees: all of To, Cc and Bcc are listed.
    `message_id` and the ids keep their angle brackets, "" when there is none. `date` is in UTC. `bcc_ranges` are
    (offset, length) of every Bcc and Resent-Bcc field in the octets. `is_signed`, `is_encrypted`: S/MIME, PGP or
    rights management, at any part of the message itself.
    """

    subject: str
    from_: tuple[Mailbox, ...]
    sender: Mailbox | None
    reply_to: tuple[Mailbox, ...]
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    bcc: tuple[Mailbox, ...]
    date: datetime | None
    message_id: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    bcc_ranges: tuple[tuple[int, int], ...]
    is_signed: bool
    is_encrypted: bool


def read_facts(structure: Structure) -> Facts:
    """The facts of a scanned message. Never raises: what cannot be read is empty or None."""
    date = structure.field("date")
    ids = _ids(structure, "message-id")
    protections = {part.protection for part in structure.part_map.own_parts}
    return Facts(
        subject=_subject(structure),
        from_=_mailboxes(structure, "from"),
        sender=next(iter(_mailboxes(structure, "sender")), None),
        reply_to=_mailboxes(structure, "reply-to"),
        to=_mailboxes(structure, "to"),
        cc=_mailboxes(structure, "cc"),
        bcc=_mailboxes(structure, "bcc"),
        date=None if date is None else parse_date(date.value),
        message_id=ids[0] if ids else "",
        in_reply_to=_ids(structure, "in-reply-to"),
        references=_ids(structure, "references"),
        bcc_ranges=_ranges(structure),
        is_signed="signed" in protections,
        is_encrypted="encrypted" in protections,
    )


def _subject(structure: Structure) -> str:
    header = structure.field("subject")
    return "" if header is None else decode_words(header.value)


def _mailboxes(structure: Structure, name: str) -> tuple[Mailbox, ...]:
    """Every mailbox of every field of this name: two From fields never pass for one."""
    found = structure.fields(name)
    if not found:
        return ()
    if len(found) == 1:
        return addresses(found[0].value[: _LIMITS.address_list])
    return tuple(mailbox for header in found for mailbox in addresses(header.value[: _LIMITS.address_list]))


def _ids(structure: Structure, name: str) -> tuple[str, ...]:
    header = structure.field(name)
    return () if header is None else message_ids(header.value)[-_MAX_IDS:]


def _ranges(structure: Structure) -> tuple[tuple[int, int], ...]:
    if _BLIND.isdisjoint(structure.names):
        return ()
    return tuple((header.offset, header.length) for header in structure.headers if header.key in _BLIND)
