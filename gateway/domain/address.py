"""E-mail addresses as values (RFC 5321 section 4.1.2, RFC 6531): parsed once, compared the way mail compares them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from gateway.domain.errors import Malformed

MAX_OCTETS = 254
MAX_LOCAL = 64
_DOT_ATOM = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*\Z")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox. The local part keeps its letter case; the domain is lower-case A-labels."""

    local: str
    domain: str
    key: str = field(init=False, repr=False, compare=False)
    """What equal mailboxes share: the whole address, lower-case. Store and look up by this."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", f"{self.local}@{self.domain}".lower())

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


@lru_cache(1024)
def parse_address(text: str) -> Address:
    """Read a bare `local@domain`. Raises Malformed for anything else, saying what is wrong without quoting it."""
    local, at, domain = text.strip().rpartition("@")
    if not at or not local:
        raise Malformed("An address has the form name@domain.")
    if len(text.encode("utf-8", "replace")) > MAX_OCTETS or len(local.encode("utf-8", "replace")) > MAX_LOCAL:
        raise Malformed("The address is too long.")
    if not _DOT_ATOM.match(local):
        raise Malformed("The part before the @ has characters that are not taken here.")
    return Address(local, _domain(domain))


def _domain(text: str) -> str:
    try:
        name = text.removesuffix(".")
        name = (name if name.isascii() else name.encode("idna").decode("ascii")).lower()
    except UnicodeError:
        raise Malformed("The part after the @ is not a domain name.") from None
    labels = name.split(".")
    if not name or len(name) > 253 or not all(_LABEL.match(label) for label in labels):
        raise Malformed("The part after the @ is not a domain name.")
    return name
