"""`gateway draft`: what a relay brought and waits for its author is listed, put into a case, or discarded."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import config
from gateway.casework.addressing import Mailroom
from gateway.casework.drafts import DAY_US
from gateway.inbound.relay import RelayDoor
from gateway.inbound.submission import SubmissionDoor
from gateway.store import keyfiles
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from tests.cli.conftest import Site, founded, wait_for
from tests.contract.test_relay import mail, relay

DANA, RAUL = "dana@agency.example", "raul@tours.example"


@pytest.fixture
def desk(short_path: Path) -> Iterator[Site]:
    """A site of which the keyholder alone runs: it does what operators ask for."""
    site = founded(short_path / "site")
    command = [sys.executable, "-m", "gateway", "run", "--config", str(site.config), "keyholder"]
    with site.log.open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as keyholder:
        try:
            wait_for(lambda: answers(site.folder / "run" / "keyholder-operator.sock"), site.log)
            yield site
        finally:
            keyholder.kill()


def answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as asking:
        return asking.connect_ex(str(path)) == 0


def bring(site: Site, count: int) -> list[str]:
    """Let the site's mail system bring so many messages that fit several cases; return what each waits as."""
    settings = config.load(site.config)
    database, keys, domain = Database(settings.store.url), settings.keys.folder, settings.site.domain
    mailroom = Mailroom(domain, frozenset({"agency.example"}), "Ask.", keyfiles.authority_public(keys))
    nobody: Any = None  # no sign-in, so nobody to judge one
    door = SubmissionDoor(
        database, BlobFolder(settings.store.blobs), nobody, {"cwa": mailroom}, keyfiles.deposit_key(keys),
        lambda: None, draft_us={"cwa": 14 * DAY_US},
    )  # fmt: skip
    try:
        replies = [
            asyncio.run(
                relay(RelayDoor(door, "mta", domain), DANA, mail(b"Message-ID: <%d@x.example>\r\n" % one), RAUL)
            )
            for one in range(count)
        ]
    finally:
        database.close()
    return [reply.text.split()[0] for reply in replies]


def test_what_waits_is_listed_and_chosen_once_or_discarded(desk: Site) -> None:
    assert "nothing waits for a choice" in desk.gateway("draft", "list")
    desk.gateway("employee", "add", "Dana Day", DANA, "--username", "dana")
    cases = [desk.asked("case", "open", "--person", "dana")["reference"] for _ in range(2)]
    desk.gateway("designated-user", "add", RAUL, "--name", "Raul Ray", "--case", cases[0], "--case", cases[1])
    first, second = bring(desk, 2)

    listed = {one["reference"]: one for one in desk.asked("draft", "list")}
    assert {(one["username"], *sorted(one["cases"])) for one in listed.values()} == {("dana", *sorted(cases))}
    told = desk.gateway("draft", "list")
    for shown in (first, second, "dana", *cases):
        assert shown in told
    for hidden in (DANA, RAUL, "Budget"):
        assert hidden not in told

    chosen = desk.asked("draft", "choose", first.lower(), cases[1].lower())
    assert chosen["reference"].startswith(cases[1])
    said = desk.gateway("draft", "choose", first, cases[1])
    assert said == f"{first} is {chosen['reference']}, and was before.\n"
    assert "filed once" in desk.gateway("draft", "choose", first, cases[0], code=os.EX_DATAERR)
    assert "withdrawn there" in desk.gateway("draft", "discard", first, code=os.EX_DATAERR)

    assert "cannot go to that case" in desk.gateway("draft", "choose", second, "T-SM-2222", code=os.EX_NOUSER)
    assert desk.gateway("draft", "discard", second) == f"{second} is discarded: nobody is sent it.\n"
    assert desk.asked("draft", "discard", second) == {"draft": second}
    assert "was discarded" in desk.gateway("draft", "choose", second, cases[0], code=os.EX_DATAERR)
    assert "no such draft" in desk.gateway("draft", "discard", "T-DR-2222-2222", code=os.EX_NOUSER)
    assert desk.asked("draft", "list") == []
