"""Client certificates and leavers, by the commands over a running site of the profile that has no app passwords."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.conftest import PROGRAMS, Site, founded, wait_for
from tests.people_certificates import TestAuthority

CERTIFICATES = """
[submission.certificates]
client_ca = "{folder}/ca.pem"
crl = "{folder}/ca.crl"
identity = "upn"
"""


@dataclass
class Cards:
    site: Site
    authority: TestAuthority
    port: int

    def says(self, name: str) -> str:
        """What the TLS door answers to somebody who shows a card and signs in by it."""
        card = self.authority.folder / name
        command = ["openssl", "s_client", "-quiet", "-ign_eof", "-connect", f"127.0.0.1:{self.port}"]
        command += ["-cert", f"{card}.pem", "-key", f"{card}.key"]
        said = b"EHLO tool.example\r\nAUTH EXTERNAL =\r\nQUIT\r\n"
        done = subprocess.run(command, input=said, capture_output=True, timeout=60, check=False)
        return done.stdout.decode("ascii", "replace")


@pytest.fixture(scope="module")
def cards() -> Iterator[Cards]:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl: make peers")
    above = Path(tempfile.mkdtemp(prefix="gw-"))
    authority = TestAuthority(above / "people")
    site = founded(above / "site")
    text = site.config.read_text("utf-8").replace("# app_passwords = true", "app_passwords = false")
    text = text.replace("[submission.limits]", CERTIFICATES.format(folder=authority.folder) + "\n[submission.limits]")
    site.config.write_text(text, "utf-8")
    found = re.search(r"^tls = \[\"[^\"]*:(\d+)\"\]", text, re.MULTILINE)
    assert found, text
    site.start()
    yield Cards(site, authority, int(found[1]))
    site.kill()
    wait_for(lambda: not any(map(site.runs, PROGRAMS)))
    shutil.rmtree(above, ignore_errors=True)


def test_a_registered_card_opens_the_door_until_it_is_removed_or_revoked(cards: Cards) -> None:
    site = cards.site
    card, _ = cards.authority.issue("ann")
    site.gateway("employee", "add", "Ann Card", "ann@agency.example", "--username", "ann")
    assert "535 5.7.8 Your certificate is good, and registered for nobody here." in cards.says("ann")
    told = site.gateway("employee", "certificate", "add", "ann", card)
    assert "upn ann@agency.example" in told
    (one,) = site.asked("employee", "certificate", "list", "ann")
    assert (one["kind"], one["label"]) == ("certificate", "upn ann@agency.example")
    assert "250-AUTH EXTERNAL" in cards.says("ann")
    assert "235 2.7.0 signed in" in cards.says("ann")
    cards.authority.revoke(card)
    cards.authority.publish()
    assert "535 5.7.8 Your certificate is revoked." in cards.says("ann")
    cards.authority.issue("ann")
    assert "235 2.7.0 signed in" in cards.says("ann"), "the name counts, so the next card does, too"
    site.gateway("employee", "certificate", "remove", "ann", one["id"])
    assert "registered for nobody here" in cards.says("ann")
    assert site.asked("employee", "certificate", "list", "ann") == []


def test_a_key_or_nothing_is_not_registered(cards: Cards) -> None:
    site = cards.site
    site.gateway("employee", "add", "Ben Key", "ben@agency.example", "--username", "ben")
    _, key = cards.authority.issue("ben")
    assert "no certificate" in site.gateway("employee", "certificate", "add", "ben", key, code=os.EX_DATAERR)
    assert "Give a file" in site.gateway("employee", "certificate", "add", "ben", code=os.EX_DATAERR)
    named = site.asked("employee", "certificate", "add", "ben", "--name", "Ben@Agency.Example")
    assert named["label"] == "upn ben@agency.example"


def test_somebody_leaves_only_when_it_is_meant(cards: Cards) -> None:
    site = cards.site
    for name in ("cleo", "dora"):
        site.gateway("employee", "add", f"{name} Lee", f"{name}@agency.example", "--username", name)
    case = site.asked("case", "open", "--person", "cleo")
    shown = site.gateway("employee", "leave", "cleo", "--to", "dora")
    assert "1 cases" in shown
    assert "0 messages that wait for a yes" in shown
    assert "Nothing is done yet" in shown
    assert "cleo" in str(site.asked("employee", "list"))
    done = site.asked("employee", "leave", "cleo", "--to", "dora", "--yes")
    assert (done["cases"], done["done"]) == (1, 1)
    assert "cleo" not in str(site.asked("employee", "list"))
    assert "dora" in str(site.asked("case", "show", case["reference"]))
    site.gateway("employee", "leave", "cleo", "--to", "dora", "--yes", code=os.EX_NOUSER)
    back = site.asked("employee", "return", "cleo")
    assert (back["cases"], back["moved"]) == (1, 0)
    assert "cleo" in str(site.asked("case", "show", case["reference"]))
    site.gateway("employee", "return", "cleo", code=os.EX_NOUSER)


def test_somebody_stands_in_for_a_colleague(cards: Cards) -> None:
    site = cards.site
    for name in ("abel", "bela"):
        site.gateway("employee", "add", f"{name} Lee", f"{name}@agency.example", "--username", name)
    days = ("--from", "2099-03-02", "--until", "2099-03-06")
    assert "bela stands in for abel" in site.gateway("employee", "absence", "add", "abel", "bela", *days)
    [one] = site.asked("employee", "absence", "list")
    assert (one["who"], one["deputy"], one["from"], one["until"]) == ("abel", "bela", "2099-03-02", "2099-03-06")
    site.gateway("employee", "absence", "add", "abel", "bela", *days, code=os.EX_DATAERR)
    site.gateway("employee", "absence", "end", "abel")
    site.gateway("employee", "absence", "end", "abel", code=os.EX_NOUSER)
    assert site.asked("employee", "absence", "list") == []
