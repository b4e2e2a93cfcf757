"""The way that a mail says it came: its Received fields (RFC 5321 section 4.4), and the TLS that each tells of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gateway.mime.structure import Structure

MOST: Final = 30
_NAME: Final = r"([A-Za-z0-9._:-]{1,100})"
_FROM: Final = re.compile(rf"\s*from\s+\[?{_NAME}", re.IGNORECASE)
_BY: Final = re.compile(rf"(?:^|\s)by\s+\[?{_NAME}", re.IGNORECASE)
_WITH: Final = re.compile(
    r"\swith\s+(?!cipher\b)(?:Microsoft\s+)?(?:SMTP\s+Server\b|([A-Za-z0-9]{1,20}))", re.IGNORECASE
)
_TLS: Final = re.compile(
    r"(?:using\s+|version=|\()(TLSv?[0-9][0-9._]{0,5}|TLS1_[0-3])(?:\s+with\s+cipher\s+|[,\s]+cipher=|\)\s+tls\s+|\b)"
    r"([A-Za-z0-9_-]{0,60})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Hop:
    """One handing over: from whom ("" where it began), by whom taken, in which protocol, with which TLS ("" for none
    that is told).
    """

    source: str
    by: str
    protocol: str
    tls: str

    @property
    def is_encrypted(self) -> bool:
        """True where the host that took it says that there was TLS (RFC 3848: the S in ESMTPS)."""
        return bool(self.tls) or self.protocol.upper() in {"ESMTPS", "ESMTPSA", "LMTPS", "LMTPSA", "UTF8SMTPS"}


def hops_of(structure: Structure) -> tuple[Hop, ...]:
    """Return the ways a mail went, the first one first; what cannot be read is left out."""
    found = [_hop(header.value.decode("latin-1")) for header in structure.fields("received")[:MOST]]
    return tuple(hop for hop in reversed(found) if hop is not None)


def _hop(text: str) -> Hop | None:
    text = " ".join(text.split())[:2000]
    source, by, protocol, tls = _FROM.match(text), _BY.search(text), _WITH.search(text), _TLS.search(text)
    if by is None:
        return None
    named = "" if protocol is None else protocol[1] or "SMTP"
    told = "" if tls is None else " ".join(filter(None, (tls[1].upper().replace("_", "."), tls[2])))
    return Hop(source[1] if source else "", by[1], named, told)
