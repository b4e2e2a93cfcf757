"""What a site says of its own mail, as DNS has to say it, too."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gateway.config import Position, Settings
from gateway.domain.errors import Malformed
from gateway.outbound.dkim_keys import DkimKey, KeyFolder
from gateway.publication.lookup import Lookup

Address = IPv4Address | IPv6Address

POLICY_PORT: Final = 443
_ELSEWHERE: Final = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses for documentation, to which nothing is sent: the system says from where it would be."""


@dataclass(frozen=True, slots=True)
class Site:
    """Names that mail carries. `domain` is that of case addresses and return paths, `author` that of the sender's.

    `door` is the host name of the public door, "" without one; `certificate` what it shows; `policy` what the portal
    serves of MTA-STS, "" for nothing. `keep_days` is how long a retired key stays.
    """

    domain: str
    author: str
    greeting: str
    signing: str
    portal: str
    keys: tuple[DkimKey, ...]
    keep_days: int
    door: str
    is_first_hop: bool
    policy: str
    certificate: Path | None
    policy_port: int
    ca_file: Path | None

    @classmethod
    def of(cls, settings: Settings) -> Site:
        """Read the settings, and the folder of DKIM keys. Raises ConfigError where a key cannot be read."""
        own, direct, mx = settings.notifier, settings.notifier.direct, settings.mx
        return cls(
            domain=settings.site.domain,
            author=own.sender.rpartition("@")[2],
            greeting=own.hostname,
            signing=own.dkim.domain,
            portal=urlsplit(settings.site.portal_url).hostname or "",
            keys=tuple(KeyFolder(own.dkim.folder, own.dkim.domain).all()),
            keep_days=own.dkim.keep_seconds // 86400,
            door=mx.hostname if mx else "",
            is_first_hop=mx is not None and mx.position is Position.FIRST_HOP,
            policy=mx.policy if mx else "",
            certificate=mx.certificate if mx else None,
            policy_port=direct.policy_port if direct else POLICY_PORT,
            ca_file=direct.ca_file if direct else None,
        )


async def sending_addresses(settings: Settings, lookup: Lookup, given: Iterable[str]) -> list[Address]:
    """Return the public addresses from which mail leaves: those `given`, else the relay's, or this machine's.

    None where they cannot be known from here. Raises Malformed for what is no address, DnsAway.
    """
    try:
        said = [ip_address(one) for one in given]
    except ValueError:
        raise Malformed("An address is written 192.0.2.1 or 2001:db8::1.") from None
    if said:
        return said
    relay = settings.notifier.relay
    found = _of_this_machine() if relay is None else await _of(relay.host, lookup)
    return [one for one in found if one.is_global]


async def _of(host: str, lookup: Lookup) -> list[Address]:
    try:
        return [ip_address(host)]
    except ValueError:
        return [*await lookup.addresses(host, 4), *await lookup.addresses(host, 6)]


def _of_this_machine() -> list[Address]:
    found: list[Address] = []
    for family, elsewhere in _ELSEWHERE.items():
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((elsewhere, 9))
                found.append(ip_address(probe.getsockname()[0]))
        except OSError:
            continue
    return found
