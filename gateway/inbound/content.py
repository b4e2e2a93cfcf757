"""What a message may be, whoever sent it: judged by its structure at the end of data, before anything is durable.

Signed mail passes: its octets rest as they came, so its signature stays good. Encrypted mail does not: nobody on the
other side could open it, and the gateway seals what it takes.
"""

from __future__ import annotations

from typing import Final

from gateway.domain.errors import Malformed
from gateway.domain.notice import outbox_id_of
from gateway.inbound import replies
from gateway.mime.structure import DefectKind, Limits, Structure
from gateway.mime.summary import Facts

MAX_HOPS: Final = 50
_OWN_IDS: Final = ("message-id", "x-microsoft-original-message-id")  # Microsoft's submission renames what it takes


def check_content(structure: Structure, facts: Facts) -> None:
    """Raise BadMessage for mail that is encrypted or goes round, and Malformed for mail over a cap, which it names."""
    if structure.is_over_cap:
        raise Malformed(f"The message is over a limit of this server: {_caps(structure)}. Send it in simpler form.")
    if facts.is_encrypted:
        raise replies.BadMessage(replies.ENCRYPTED)
    if len(structure.fields("received")) > MAX_HOPS:
        raise replies.BadMessage(replies.TOO_MANY_HOPS)
    if is_own_notification(structure):
        raise replies.BadMessage(replies.OWN_NOTIFICATION)


def is_own_notification(structure: Structure) -> bool:
    """Tell whether this is a notification of ours that has come back."""
    return any(_is_own(header.value) for name in _OWN_IDS for header in structure.fields(name))


def _is_own(message_id: bytes) -> bool:
    """True for the Message-ID of a notification: mail that answers or forwards one has an id of its own."""
    return outbox_id_of(message_id.decode("latin-1")) is not None


def _caps(structure: Structure) -> str:
    """Name the caps a structure is over, each with its value."""
    named = sorted({defect.detail for defect in structure.defects if defect.kind is DefectKind.OVER_CAP})
    return ", ".join(f"{name} at most {getattr(Limits(), name)}" for name in named)
