"""`gateway dkim`, by the real command and a name server of the test's own: from a new key to one that is gone."""

from __future__ import annotations

import asyncio
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Site, founded, run_gateway
from tests.nameserver import Nameserver, nameserver

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
Told = Any
SIGKILL = -9


async def asked(site: Site, *arguments: object, given: str = "") -> Told:
    return await asyncio.to_thread(partial(site.asked, "dkim", *arguments, given=given))


async def told(site: Site, *arguments: object, code: int = 0) -> str:
    return await asyncio.to_thread(partial(site.gateway, "dkim", *arguments, code=code))


def at(server: Nameserver) -> str:
    return f"{server.place[0]}:{server.place[1]}"


async def test_a_key_goes_from_made_to_gone(short_path: Path) -> None:
    site = founded(short_path / "site")
    zone: dict[tuple[str, str], list[str]] = {}
    async with nameserver(zone) as server:
        ask = ("--nameserver", at(server))
        made = await asked(site, "new", "gw1")
        assert [one["selector"] for one in made] == ["gw1-rsa", "gw1-ed25519"]
        assert "does not have 1 of 1" in await told(site, "publish", "gw1-rsa", *ask, code=os.EX_CONFIG)
        assert [one["state"] for one in await asked(site, "list")] == ["made", "made"]
        assert "gateway dkim publish" in await told(site, "activate", "gw1-rsa", code=os.EX_NOPERM)
        zone |= {(one["name"], "TXT"): [one["value"]] for one in made}
        await told(site, "publish", "gw1-rsa", "gw1-ed25519", *ask)
        await told(site, "activate", "gw1-rsa", "gw1-ed25519")
        (second,) = await asked(site, "new", "gw2", "--algorithm", "ed25519")
        zone[second["name"], "TXT"] = [made[1]["value"]]
        await told(site, "publish", "gw2", *ask, code=os.EX_CONFIG)
        zone[second["name"], "TXT"] = [second["value"]]
        assert await asked(site, "publish", "gw2", *ask) == [{"selector": "gw2", "published": True, "fault": ""}]
        assert await asked(site, "activate", "gw2") == {"signing": ["gw2"], "retired": ["gw1-ed25519"]}
        states = {one["selector"]: one["state"] for one in await asked(site, "list")}
        assert states == {"gw1-rsa": "signing", "gw1-ed25519": "retired", "gw2": "signing"}
        assert "--yes" in await told(site, "remove", "gw1-ed25519", code=os.EX_USAGE)
        await told(site, "remove", "gw1-ed25519", "--yes")
        lines = await told(site)
        assert lines.count(" IN TXT ") == 2
        assert second["line"] in lines


async def test_without_a_name_server_nothing_is_published(short_path: Path) -> None:
    site = founded(short_path / "site")
    name = "gw1._domainkey.secure.localhost"
    await told(site, "new", "gw1", "--algorithm", "rsa")
    async with nameserver({}, frozenset({name})) as server:
        words = await told(site, "publish", "gw1", "--nameserver", at(server), code=os.EX_UNAVAILABLE)
        assert "No name server answers" in words
    assert (await asked(site, "list"))[0]["state"] == "made"
    await told(site, "publish", "gw1", "--nameserver", "ns.example", code=os.EX_DATAERR)
    await told(site, "publish", "gw9", code=os.EX_NOUSER)


async def test_a_key_that_others_can_read_is_told_wherever_it_lies(short_path: Path) -> None:
    site = founded(short_path / "site")
    text = site.config.read_text("utf-8").replace('# folder = "keys/dkim"', 'folder = "signing"')
    site.config.write_text(text, "utf-8")
    await told(site, "new", "gw1", "--algorithm", "ed25519")
    (site.folder / "signing" / "gw1.pem").chmod(0o644)
    words = await asyncio.to_thread(partial(site.gateway, "config", "check", code=os.EX_CONFIG))
    assert "signing/gw1.pem" in words


async def test_the_doctor_says_what_dns_lacks_and_prints_it(short_path: Path) -> None:
    site = founded(short_path / "site")
    (made,) = await asked(site, "new", "gw1", "--algorithm", "rsa")
    async with nameserver({}) as server:
        ask = ("dns", "--nameserver", at(server), "--address", "9.9.9.9")
        words = await asyncio.to_thread(partial(run_gateway, "doctor", *ask, config=site.config))
        told_json = await asyncio.to_thread(partial(run_gateway, "doctor", *ask, "--json", config=site.config))
    assert words.returncode == told_json.returncode == os.EX_CONFIG
    assert f"; missing\n{made['line']}\n" in words.stdout
    assert 'secure.localhost. 3600 IN TXT "v=spf1 ip4:9.9.9.9 -all"' in words.stdout
    told = json.loads(told_json.stdout)
    assert {"name": "DKIM", "state": "problem"}.items() <= told["findings"][1].items()
    assert [one["state"] for one in told["records"]] == ["missing"] * len(told["records"])


@pytest.mark.parametrize("failpoint", ["dkim.make", "dkim.activate", "dkim.remove"])
async def test_a_kill_leaves_keys_that_can_be_gone_on_with(
    short_path: Path, monkeypatch: pytest.MonkeyPatch, failpoint: str
) -> None:
    site = founded(short_path / "site")
    zone: dict[tuple[str, str], list[str]] = {}

    async def each(*arguments: str) -> None:
        """Do it; where the failpoint kills it, once more."""
        monkeypatch.setenv("GATEWAY_FAILPOINTS", f"{failpoint}=kill")
        done = await asyncio.to_thread(partial(run_gateway, "dkim", *arguments, config=site.config))
        monkeypatch.delenv("GATEWAY_FAILPOINTS")
        assert done.returncode in (0, SIGKILL)
        killed.append(done.returncode == SIGKILL)
        if killed[-1]:
            await told(site, *arguments)

    killed: list[bool] = []
    async with nameserver(zone) as server:
        for name in ("gw1", "gw2"):
            await each("new", name, "--algorithm", "ed25519")
            zone |= {(one["name"], "TXT"): [one["value"]] for one in json.loads(await told(site, "--json"))}
            await told(site, "publish", name, "--nameserver", at(server))
            await each("activate", name)
    assert {one["selector"]: one["state"] for one in await asked(site, "list")} == {"gw1": "retired", "gw2": "signing"}
    monkeypatch.setenv("GATEWAY_FAILPOINTS", f"{failpoint}=kill")
    await asyncio.to_thread(partial(run_gateway, "dkim", "remove", "gw1", "--yes", config=site.config))
    monkeypatch.delenv("GATEWAY_FAILPOINTS")
    assert [one["selector"] for one in await asked(site, "list")] == ["gw2"]
    assert any(killed) or failpoint == "dkim.remove"
