"""What a fax mail asks to be told (RFC 8098 section 2): to which address a notification of its processing is to go."""

from __future__ import annotations

from typing import Final

from gateway.mime.addresses import addresses
from gateway.mime.structure import Structure

_TO: Final = "disposition-notification-to"
_OPTIONS: Final = "disposition-notification-options"


def notification_to(structure: Structure) -> str:
    """Return where a mail wants its notification, "" where it wants none, or none that can be given.

    Of several addresses the first counts. One that makes conditions (section 2.2) gets none, as none is known here.
    """
    asked = structure.field(_TO)
    conditions = structure.field(_OPTIONS)
    if asked is None or (conditions is not None and b"required" in conditions.value.lower()):
        return ""
    found = addresses(asked.value)
    return found[0].address if found else ""
