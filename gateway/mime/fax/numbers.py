"""Fax numbers in addresses: `FAX=+12027653000/T33S=1387@host` (RFC 3191, and for what follows the number RFC 3192)."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_DIGITS = 40
_ADDRESS = re.compile(r"FAX=(\+?[0-9A-D*#.-]{1,60})((?:/[A-Z0-9]{1,20}=[^/@\s]{1,60}){0,8})\Z", re.IGNORECASE)
_SEPARATORS = str.maketrans("", "", ".-")


@dataclass(frozen=True, slots=True)
class FaxNumber:
    """What such an address names: a number without separators, `+` first where it is global; a T.33 subaddress."""

    number: str
    subaddress: str = ""


def parse_fax_local(local: str) -> FaxNumber | None:
    """Read the part before `@`, None where it is no fax address. Quotes and the order of what follows do not matter."""
    found = _ADDRESS.match(local.strip().strip('"'))
    if found is None:
        return None
    number = found[1].translate(_SEPARATORS).upper()
    if not number.strip("+") or len(number) > MAX_DIGITS:
        return None
    more = dict(piece.upper().split("=", 1) for piece in found[2].split("/") if piece)
    return FaxNumber(number, more.get("T33S", "").translate(_SEPARATORS))
