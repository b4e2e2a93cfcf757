"""The words of sign-ins (SASL): what mechanisms there are, and what a client says in those that aiosmtpd does not have.

OAUTHBEARER by RFC 7628 with the header of RFC 5801, XOAUTH2 as Google and Microsoft describe it, EXTERNAL by RFC 4422.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

PASSWORDS: Final = ("PLAIN", "LOGIN")
BEARER: Final = ("OAUTHBEARER", "XOAUTH2")
EXTERNAL: Final = "EXTERNAL"

_GS2: Final = re.compile(rb"[ny],(?:a=([^,]{1,512}))?,\Z")
_ESCAPED: Final = re.compile("=(2C|3D)")
_TOKEN: Final = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]+=*)\Z")
"""RFC 6750 section 2.1."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The ways to sign in at a listener.

    `token_wanted` is what a client is told whose token is not good (RFC 7628 section 3.2.2); empty: none are taken.
    """

    passwords: bool = True
    token_wanted: bytes = b""

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """The mechanisms, as EHLO lists them."""
        return (PASSWORDS if self.passwords else ()) + (BEARER if self.token_wanted else ())


def token_wanted(scope: str, configuration: str) -> bytes:
    """Return the JSON that names a scope and the address of the provider's own configuration."""
    told = {"status": "invalid_token", "scope": scope, "openid-configuration": configuration}
    return json.dumps(told, separators=(",", ":")).encode("ascii")


def read_bearer(mechanism: str, response: bytes) -> tuple[str, str] | None:
    """Return whom a client wants to be (may be empty), and its access token; None where it does not say so rightly."""
    begin, *pairs = response.split(b"\x01")
    if len(pairs) < 3 or pairs[-2:] != [b"", b""]:
        return None
    name = _named(begin) if mechanism == "OAUTHBEARER" else _user(begin)
    said = [pair.removeprefix(b"auth=") for pair in pairs[:-2] if pair.startswith(b"auth=")]
    if name is None or len(said) != 1 or not said[0].isascii():
        return None
    token = _TOKEN.match(said[0].decode("ascii"))
    return (name, token[1]) if token else None


def _named(header: bytes) -> str | None:
    match = _GS2.match(header)
    if match is None:
        return None
    try:
        name = (match[1] or b"").decode("utf-8")
    except UnicodeDecodeError:
        return None
    plain = _ESCAPED.sub("", name)
    return None if "=" in plain else name.replace("=2C", ",").replace("=3D", "=")


def _user(begin: bytes) -> str | None:
    try:
        return begin.removeprefix(b"user=").decode("utf-8") if begin.startswith(b"user=") else None
    except UnicodeDecodeError:
        return None
