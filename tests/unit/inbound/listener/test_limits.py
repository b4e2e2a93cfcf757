from __future__ import annotations

import pytest

from gateway.inbound import replies
from gateway.inbound.listener.limits import DoorLimits, Occupancy


def test_a_limit_of_zero_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="recipients, command_seconds"):
        DoorLimits(recipients=0, command_seconds=-1)


def test_connections_are_counted_in_all() -> None:
    here = Occupancy(DoorLimits(connections=2))
    assert here.enter("192.0.2.1") is None
    assert here.enter("192.0.2.2") is None
    assert here.enter("192.0.2.3") is replies.TOO_MANY_CONNECTIONS
    here.leave("192.0.2.1")
    assert here.enter("192.0.2.3") is None


def test_connections_are_counted_by_address() -> None:
    here = Occupancy(DoorLimits(connections_per_address=1))
    assert here.enter("192.0.2.1") is None
    assert here.enter("192.0.2.1") is replies.TOO_MANY_FROM_YOU
    assert here.enter("192.0.2.2") is None
    here.leave("192.0.2.1")
    assert here.enter("192.0.2.1") is None


def test_an_ipv6_site_is_one_address() -> None:
    here = Occupancy(DoorLimits(connections_per_address=1))
    assert here.enter("2001:db8::1") is None
    assert here.enter("2001:db8::ffff:1") is replies.TOO_MANY_FROM_YOU
    assert here.enter("2001:db8:0:1::1") is None
    assert here.enter("fe80::1%eth0") is None


def test_a_mapped_address_is_the_ipv4_address() -> None:
    here = Occupancy(DoorLimits(connections_per_address=1))
    assert here.enter("::ffff:192.0.2.1") is None
    assert here.enter("192.0.2.1") is replies.TOO_MANY_FROM_YOU


def test_a_unix_socket_has_no_address_to_count() -> None:
    here = Occupancy(DoorLimits(connections_per_address=1))
    assert here.enter("") is None
    assert here.enter("") is None


def test_the_sites_own_have_places_that_no_crowd_takes() -> None:
    here = Occupancy(DoorLimits(connections=20))
    assert [here.enter(f"192.0.2.{last}") for last in range(20)] == [None] * 20
    assert here.enter("192.0.2.20") is replies.TOO_MANY_CONNECTIONS
    assert here.enter("10.0.0.5", is_vouched=True) is None
    assert here.enter("", is_vouched=True) is None
    assert here.enter("", is_vouched=True) is replies.TOO_MANY_CONNECTIONS


def test_an_address_that_left_is_forgotten() -> None:
    here = Occupancy(DoorLimits())
    here.enter("192.0.2.1")
    here.leave("192.0.2.1")
    assert here.total == 0
    assert not here._by_address
