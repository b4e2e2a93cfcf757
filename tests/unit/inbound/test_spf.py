"""SPF by the test suite of RFC 7208 (openspf.org, release 2014.04), whose names are those of its cases."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.authentication import Result
from gateway.inbound.dns import DnsAway
from gateway.inbound.spf import Sending, check

SUITE = json.loads((Path(__file__).parents[2] / "corpus" / "spf.json").read_text("utf-8"))["suite"]
UNKNOWN_NAME = {"p-macro-multiple"}  # wants a peer's name by the macro p, which we do not ask for


class Zone:
    """Answers from a table of the suite."""

    def __init__(self, zone: Mapping[str, list[Any]]) -> None:
        self._zone = {name.lower().rstrip("."): records for name, records in zone.items()}

    async def texts(self, of: str) -> list[bytes]:
        return ["".join(one).encode("utf-8", "surrogateescape") for one in self._records(of, "TXT")]

    async def addresses(self, of: str, version: int) -> list[IPv4Address | IPv6Address]:
        return [ip_address(one) for one in self._records(of, "A" if version == 4 else "AAAA")]

    async def exchanges(self, of: str) -> list[str]:
        return [host.lower().rstrip(".") or "." for _, host in sorted(self._records(of, "MX"))]

    async def names(self, of: IPv4Address | IPv6Address) -> list[str]:
        return [one.lower().rstrip(".") for one in self._records(of.reverse_pointer, "PTR")]

    def _records(self, of: str, kind: str) -> list[Any]:
        records = self._zone.get(of.lower().rstrip("."), [])
        found = [one[kind] for one in records if isinstance(one, dict) and kind in one]
        if "TIMEOUT" in found or (not found and "TIMEOUT" in records):
            raise DnsAway
        aliases = [one["CNAME"] for one in records if isinstance(one, dict) and "CNAME" in one]
        return self._records(aliases[0], kind) if aliases and not found else found


def cases() -> Iterator[Any]:
    for part in SUITE:
        for name, case in part["tests"].items():
            if name not in UNKNOWN_NAME:
                yield pytest.param(part["zonedata"], case, id=f"{part['description']}: {name}".replace(" ", "-"))


@pytest.mark.parametrize(("zone", "case"), list(cases()))
async def test_the_suite_of_the_rfc(zone: Mapping[str, list[Any]], case: Mapping[str, Any]) -> None:
    sending = Sending(ip_address(case["host"]), case["helo"], case["mailfrom"])
    wanted = case["result"] if isinstance(case["result"], list) else [case["result"]]
    assert await check(Zone(zone), sending) in map(Result, wanted)  # type: ignore[arg-type]
