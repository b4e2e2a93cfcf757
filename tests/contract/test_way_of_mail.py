"""Whether mail comes to the public door as its position says: by DNS, and by what the last mails came by."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.config import load
from gateway.findings import State
from gateway.inbound.hops import LOOKED_AT, Hops
from gateway.public_door import way_of_mail
from tests.nameserver import Zone, nameserver

DOMAIN = "secure.example.gov"
HERE: Zone = {(DOMAIN, "MX"): [f"10 mx.{DOMAIN}."], (f"mx.{DOMAIN}", "A"): ["127.0.0.1"]}
ELSEWHERE: Zone = {(DOMAIN, "MX"): ["10 mail.example.gov."], ("mail.example.gov", "A"): ["203.0.113.9"]}
BOTH: Zone = {**HERE, **ELSEWHERE, (DOMAIN, "MX"): [f"10 mx.{DOMAIN}.", "20 mail.example.gov."]}
NO_MX: Zone = {(DOMAIN, "A"): ["127.0.0.1"]}
CONFIG = """
[site]
name = "Site"
domain = "{domain}"
portal_url = "https://secure.example.gov/"
environment = "trial"

[mx]
position = "{position}"
nameservers = ["{host}:{port}"]
{more}
"""
MORE = {"behind-relay": 'tainted = "refuse"', "before-queue": 'xforward = ["10.0.0.9"]'}


@pytest.mark.parametrize(
    ("position", "zone", "state", "words"),
    [
        ("first-hop", HERE, State.OK, f"as first-hop says: mx.{DOMAIN}"),
        ("first-hop", NO_MX, State.OK, f"as first-hop says: {DOMAIN}"),
        ("first-hop", ELSEWHERE, State.WARNING, "goes to mail.example.gov, which is not this machine"),
        ("first-hop", BOTH, State.WARNING, "goes to mail.example.gov, which is not this machine"),
        ("first-hop", {}, State.WARNING, "neither MX nor address"),
        ("behind-relay", ELSEWHERE, State.OK, "as behind-relay says: mail.example.gov"),
        ("behind-relay", BOTH, State.WARNING, f"also comes straight here, to mx.{DOMAIN}"),
        ("before-queue", ELSEWHERE, State.OK, "as before-queue says"),
    ],
)
async def test_dns_is_held_to_the_position(tmp_path: Path, position: str, zone: Zone, state: State, words: str) -> None:
    async with nameserver(zone) as server:
        host, port = server.place
        file = tmp_path / "gateway.toml"
        more = MORE.get(position, "")
        file.write_text(CONFIG.format(domain=DOMAIN, position=position, host=host, port=port, more=more), "utf-8")
        (found,) = await asyncio.to_thread(lambda: list(way_of_mail(load(file))))
    assert found.state is state
    assert words in found.found
    assert bool(found.advice) is (state is State.WARNING)


async def test_a_silent_name_server_is_no_verdict(tmp_path: Path) -> None:
    async with nameserver({}, frozenset({DOMAIN})) as server:
        host, port = server.place
        file = tmp_path / "gateway.toml"
        file.write_text(CONFIG.format(domain=DOMAIN, position="first-hop", host=host, port=port, more=""), "utf-8")
        (found,) = await asyncio.to_thread(lambda: list(way_of_mail(load(file))))
    assert "no name server tells" in found.found


# ---- what the last mails came by


def told(mails: list[tuple[str, bytes | None]]) -> list[int]:
    """At which mails an earlier hop is told of."""
    hops = Hops(("example.gov",), "mx.example.gov")
    return [number for number, mail in enumerate(mails) if hops.note(*mail)]


def test_many_mails_of_one_private_address_come_by_a_host_of_the_site() -> None:
    assert told([("10.0.0.9", None)] * 200) == [LOOKED_AT - 1]
    assert told([("10.0.0.9", None)] * (LOOKED_AT - 1)) == []
    assert told([("8.8.8.8", None)] * 200) == []
    assert told([("10.0.0.9", None), ("10.0.0.8", None)] * 100) == []


def test_traces_of_the_sites_own_hosts_tell_of_one() -> None:
    by = b" from x.example (x.example [1.2.3.4])\r\n\tby Relay.Example.GOV (Postfix) with ESMTP id 4f; Mon"
    assert told([(f"8.8.8.{number % 200}", by) for number in range(100)]) == [LOOKED_AT - 1]
    for other in (b" from x by mx.example.gov; Mon", b" from x by notexample.gov; Mon", b" from relay.example.gov"):
        assert told([(f"8.8.8.{number % 200}", other) for number in range(100)]) == []
