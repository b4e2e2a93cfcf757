"""XCLIENT and XFORWARD: a listed peer names the client that it speaks for (Postfix's XCLIENT_README, XFORWARD_README).

XCLIENT changes whom limits and the slowing of guesses hold to account. XFORWARD changes nothing: what it says goes to
the log. Neither makes anybody known: LOGIN is not offered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from types import MappingProxyType
from typing import Final

from gateway.inbound import replies
from gateway.inbound.listener.proxy import MAX_PORT, Endpoint
from gateway.inbound.listener.seam import Forwarded
from gateway.inbound.replies import BadCommand

_TEXT = re.compile(r"[ -~]{1,255}\Z")
_PORT = re.compile(r"[0-9]{1,5}\Z")
_PROTOCOL = re.compile(r"[A-Za-z0-9]{1,16}\Z")
_SOURCE = re.compile(r"(?i:LOCAL|REMOTE)\Z")
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-Fa-f]{2}){1,765}\Z")
_HEXCHAR = re.compile(r"\+([0-9A-Fa-f]{2})")
_ABSENT: Final = frozenset({"[UNAVAILABLE]", "[TEMPUNAVAIL]"})

XCLIENT: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {"NAME": _TEXT, "ADDR": _TEXT, "PORT": _PORT, "PROTO": _PROTOCOL, "HELO": _TEXT}
)
XFORWARD: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType({**XCLIENT, "IDENT": _TEXT, "SOURCE": _SOURCE})
"""The attributes that are offered, each with the shape of its decoded value."""


def parse_xclient(argument: bytes) -> Endpoint | None:
    """Read what follows `XCLIENT `: the client's address, and its port or 0; None where no address is given.

    Raises BadCommand.
    """
    values = _attributes(argument, XCLIENT)
    return _endpoint(values)


def parse_xforward(argument: bytes) -> Forwarded:
    """Read what follows `XFORWARD `. Raises BadCommand."""
    values = _attributes(argument, XFORWARD)
    source = _endpoint(values)
    return Forwarded(
        address=source.address if source else "",
        port=source.port if source else 0,
        protocol=(values.get("PROTO") or "").upper(),
        ident=values.get("IDENT") or "",
        is_local=(values.get("SOURCE") or "").upper() == "LOCAL",
    )


def _attributes(argument: bytes, known: Mapping[str, re.Pattern[str]]) -> dict[str, str | None]:
    """Return each value decoded; None for one that the peer does not know."""
    values: dict[str, str | None] = {}
    for item in argument.decode("ascii", "replace").rstrip(" ").split(" "):
        name, _, value = item.partition("=")
        shape = known.get(name.upper())
        if shape is None or name.upper() in values or not _XTEXT.match(value):
            raise BadCommand(replies.BAD_ATTRIBUTES)
        decoded = _HEXCHAR.sub(lambda match: chr(int(match[1], 16)), value)
        is_absent = decoded.upper() in _ABSENT
        if not is_absent and not shape.match(decoded):
            raise BadCommand(replies.BAD_ATTRIBUTES)
        values[name.upper()] = None if is_absent else decoded
    return values


def _endpoint(values: Mapping[str, str | None]) -> Endpoint | None:
    port, address = int(values.get("PORT") or 0), values.get("ADDR")
    if port > MAX_PORT or "%" in (address or ""):  # a zone is of another machine's interfaces
        raise BadCommand(replies.BAD_ATTRIBUTES)
    if address is None:
        return None
    try:
        is_six = address[:5].upper() == "IPV6:"
        return Endpoint.of(IPv6Address(address[5:]) if is_six else IPv4Address(address), port)
    except AddressValueError:
        raise BadCommand(replies.BAD_ATTRIBUTES) from None
