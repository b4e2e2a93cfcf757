"""Addresses of probes: known by their mark, for an hour."""

from __future__ import annotations

import pytest

from gateway.domain.address import Address
from gateway.domain.probe import ProbeAddresses

NOW = 1_790_000_000
PROBES = ProbeAddresses("secure.agency.example", b"r" * 32)
MADE = PROBES.of(b"12345", NOW)


def test_our_own_is_known_in_any_letter_case() -> None:
    probe = PROBES.read(MADE, NOW)
    assert probe is not None
    assert MADE.local.startswith(f"probe-{probe}-")
    assert PROBES.read(Address(MADE.local.upper(), MADE.domain), NOW + 3600) == probe
    assert len(MADE.local) <= 64


@pytest.mark.parametrize("later", [-1, 3601])
def test_after_an_hour_it_is_none(later: int) -> None:
    assert PROBES.read(MADE, NOW + later) is None


@pytest.mark.parametrize(
    "address",
    [
        Address(MADE.local, "elsewhere.example"),
        Address(MADE.local[:-1] + ("a" if MADE.local[-1] != "a" else "b"), MADE.domain),
        Address(MADE.local.replace("probe-", "probe-0", 1), MADE.domain),
        ProbeAddresses(MADE.domain, b"s" * 32).of(b"12345", NOW),
        Address("probe", MADE.domain),
    ],
)
def test_nobody_elses_is(address: Address) -> None:
    assert PROBES.read(address, NOW) is None
