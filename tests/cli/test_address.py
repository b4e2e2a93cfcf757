"""`gateway address`: what is wrong with which address, in words, and taking one for good again."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from gateway.config import load
from gateway.domain.reach import AddressState, Reason
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.keyfiles import RETURN_PATH_KEY
from gateway.store.reach import keep
from gateway.store.transaction import Transaction
from tests.cli.conftest import founded


def settle(tx: Transaction) -> None:
    """Two persons who share an address that is dead for one of them, and one who complained."""
    for name in ("ann", "ben", "cleo"):
        new = {"programme": "cwa", "side": "correspondent", "name": name.title(), "username": name, "created_us": 0}
        tx.insert(tables.person, id=name, **new)
        address = "Desk@firm.example" if name != "cleo" else "cleo@firm.example"
        row = {"id": f"a-{name}", "person_id": name, "address": address, "key": address.lower()}
        tx.insert(tables.person_address, **row, from_us=0, until_us=None)
    good = AddressState()
    keep(tx, "a-ann", good, good.failed(Reason.UNKNOWN_MAILBOX, tx.now_us, is_hard=True))
    keep(tx, "a-cleo", good, good.complained(tx.now_us))


def test_addresses_are_listed_shown_and_taken_for_good_again(short_path: Path) -> None:
    site = founded(short_path / "site")
    assert site.gateway("address", "list").strip() == "every address takes notices, as far as we know"
    database = Database(load(site.config).store.url)
    database.call(settle)
    database.close()

    listed = {row["address"]: row for row in site.asked("address", "list")}
    assert (listed["Desk@firm.example"]["state"], listed["Desk@firm.example"]["name"]) == ("dead", "Ann")
    assert listed["Desk@firm.example"]["why"] == Reason.UNKNOWN_MAILBOX.words
    assert listed["cleo@firm.example"]["why"] == Reason.COMPLAINED.words
    assert "There is no mailbox of this name." in site.gateway("address", "list")

    shown = {row["name"]: row["state"] for row in site.asked("address", "show", "desk@FIRM.example")}
    assert shown == {"Ann": "dead", "Ben": "good"}
    assert "There is no mailbox of this name." in site.gateway("address", "show", "desk@firm.example")
    assert "Nobody has this address" in site.gateway("address", "show", "x@firm.example", code=os.EX_NOUSER)
    assert "An address has the form" in site.gateway("address", "show", "nonsense", code=os.EX_DATAERR)

    assert site.asked("address", "reset", "desk@firm.example") == {"reset": 1}
    assert "nothing to reset" in site.gateway("address", "reset", "desk@firm.example", code=os.EX_NOUSER)
    assert "is taken for good again" in site.gateway("address", "reset", "cleo@firm.example")
    assert site.asked("address", "list") == []


def test_a_site_of_an_earlier_version_gets_the_key_of_return_paths_by_init(short_path: Path) -> None:
    site = founded(short_path / "site")
    key = site.folder / "keys" / RETURN_PATH_KEY
    key.unlink()
    others = {path: path.read_bytes() for path in key.parent.glob("*.key")}
    site.gateway("init", site.folder)
    assert (len(key.read_bytes()), stat.S_IMODE(key.stat().st_mode)) == (32, 0o600)
    assert {path: path.read_bytes() for path in others} == others
