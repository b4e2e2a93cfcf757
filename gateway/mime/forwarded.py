"""Mail that was forwarded or sent on: by its envelope sender, or by what its header says. Nobody wrote it to here.

SRS rewrites the envelope sender (SRS0=, SRS1=; Exchange writes `user+SRS=...` and `bounces+SRS=...`); rules that
forward leave X-MS-Exchange-Inbox-Rules-Loop, X-Forwarded-To or X-Forwarded-For, Resent-*, Delivered-To, and by
RFC 3834 section 5 Auto-Submitted: auto-forwarded. X-Forwarded-Message-Id is none of them: people forward so by hand.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.mime.automatic import kind_of
from gateway.mime.structure import Structure

_REWRITTEN: Final = re.compile(r"srs[01][=+-]|.*\+srs[01]?=", re.IGNORECASE)
_MARKS: Final = frozenset({
    "x-ms-exchange-inbox-rules-loop", "x-ms-exchange-forwarding-loop", "x-forwarded-to", "x-forwarded-for",
    "delivered-to", "resent-from", "resent-sender", "resent-to", "resent-cc", "resent-bcc", "resent-date",
    "resent-message-id",
})  # fmt: skip
_AUTO_FORWARDED: Final = re.compile(rb"[ \t\r\n]*auto-forwarded\b", re.IGNORECASE)


def is_rewritten(local: str) -> bool:
    """Tell whether the local part of an envelope sender is one that somebody who forwards has put in its place."""
    return _REWRITTEN.match(local) is not None


def is_forwarded(structure: Structure) -> bool:
    """Tell whether the header says that a machine forwarded this, or that somebody sent on what another wrote.

    Other automatic mail, such as an answer that a rule wrote, is what it is.
    """
    if any(_AUTO_FORWARDED.match(header.value) for header in structure.fields("auto-submitted")):
        return True
    return not _MARKS.isdisjoint(structure.names) and kind_of(structure) is None
