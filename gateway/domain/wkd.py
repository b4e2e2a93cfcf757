"""Where OpenPGP keys are looked up by mail address: the Web Key Directory (draft-koch-openpgp-webkey-service)."""

from __future__ import annotations

import hashlib
from typing import Final
from urllib.parse import quote

from gateway.domain.address import Address

ROOT: Final = "/.well-known/openpgpkey/"
HOST: Final = "openpgpkey."
"""What stands before a domain in the name of the host that has its keys (the advanced method)."""
_ALPHABET: Final = "ybndrfg8ejkmcpqxot1uwisza345h769"


def name_of(address: Address) -> str:
    """Return the 32 characters that stand for a local part: z-base-32 of its SHA-1, ASCII letters in lower case."""
    local = "".join(one.lower() if one.isascii() else one for one in address.local)
    digest = int.from_bytes(hashlib.sha1(local.encode(), usedforsecurity=False).digest(), "big")
    return "".join(_ALPHABET[digest >> shift & 31] for shift in range(155, -1, -5))


def places_of(address: Address) -> tuple[tuple[str, str], ...]:
    """Return host and path of a key, first by the advanced method, then by the direct one."""
    name, local = name_of(address), quote(address.local, safe="")
    return (
        (f"{HOST}{address.domain}", f"{ROOT}{address.domain}/hu/{name}?l={local}"),
        (address.domain, f"{ROOT}hu/{name}?l={local}"),
    )
