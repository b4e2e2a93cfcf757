"""The places of the submission program's doors: bound once, in the order in which workers know them."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.config import SubmissionSettings, load
from gateway.config.example import Site, example
from gateway.domain.errors import Unavailable
from gateway.inbound.doors import MOST_BY_CORES, DoorTls, _all_places, _limits, _openings, bind_doors, processes_of
from gateway.inbound.listener import Occupancy, bind_port

RELAY = """
[relay.mta]
kind = "own-mta"
authenticates_senders = true
starttls = ["127.0.0.1:0"]
tls = ["127.0.0.1:0"]
networks = ["10.0.0.0/28"]
client_ca = "mta.pem"
"""


def settings(folder: Path, more: str = "", **replaced: str) -> SubmissionSettings:
    text = example(Site(starttls="127.0.0.1:0", tls="127.0.0.1:0"))
    text = text.replace("[submission]\n", f'[submission]\nlmtp = "lmtp.sock"\nlmtp_users = [0]\n{more}', 1)
    for old, new in replaced.items():
        text = text.replace(old, new)
    (folder / "gateway.toml").write_text(text + RELAY, "utf-8")
    return load(folder / "gateway.toml").submission


def test_every_door_is_bound_in_the_order_in_which_workers_open_them(short_path: Path) -> None:
    own = settings(short_path)
    nobody: Any = None
    door: Any = SimpleNamespace(mailrooms={})
    anyone: Any = {"mta": None}
    bound = bind_doors(own)
    try:
        names = [door.name for door in bound]
        openings: list[Any] = list(
            _openings(door, own, DoorTls(nobody, anyone), "secure.localhost", Occupancy(_limits(own)))
        )
        assert names == ["starttls", "tls", "relays.mta.starttls", "relays.mta.tls", "lmtp"]
        assert [one.keywords.get("name", "lmtp") for one in openings] == names == [name for name, _ in _all_places(own)]
        assert [one.keywords.get("path") for one in openings] == [None] * 4 + [short_path / "lmtp.sock"]
        for door in bound:
            assert all(one.getsockname() for one in door.sockets)
            assert not any(one.getblocking() or one.get_inheritable() for one in door.sockets)
        assert len({door.port for door in bound}) == 5
        with socket.socket() as early:
            assert early.connect_ex(("127.0.0.1", bound[0].port)) != 0, "nobody listens before all are ready"
    finally:
        for door in bound:
            for one in door.sockets:
                one.close()


def test_a_place_that_is_taken_is_named(short_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        place = "{}:{}".format(*other.getsockname())
        own = settings(short_path, **{'starttls = ["127.0.0.1:0"]': f'starttls = ["{place}"]'})
        with pytest.raises(Unavailable, match=rf"{place} cannot be listened on.*submission.starttls"):
            bind_doors(own)


def test_a_name_is_bound_at_each_of_its_addresses() -> None:
    places = {place[4][0] for place in socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)}
    try:
        bound = bind_port("localhost", 0)
    except OSError:
        pytest.skip("needs every address of localhost")
    assert {one.getsockname()[0] for one in bound} == places
    for one in bound:
        one.close()


def test_as_many_processes_as_cores_unless_said_otherwise(short_path: Path) -> None:
    assert processes_of(settings(short_path)) == min(len(os.sched_getaffinity(0)), MOST_BY_CORES)
    assert processes_of(settings(short_path, "processes = 7\n")) == 7
