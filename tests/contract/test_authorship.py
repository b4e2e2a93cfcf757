"""Who wrote what the site's mail system brings, over SQLite and PostgreSQL: Sender, envelope, delegations, teams."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from gateway.domain.credential import Principal
from gateway.domain.errors import Malformed, NotAllowed, Refused
from gateway.inbound.listener.seam import MailParameters, Peer, RecipientParameters
from gateway.inbound.relay import RelayDoor
from gateway.inbound.submission import SubmissionDoor
from gateway.store import tables
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from tests.settled import DEPOSIT_KEY, DOMAIN, Settled

PEER = Peer("10.0.0.5", 1, True, "mta", "relays.mta.tls", None)
DAY_US = 24 * 3600 * 1_000_000


@pytest.fixture
def site(database: Database) -> Settled:
    return Settled(database)


@pytest.fixture
def way(site: Settled, database: Database, tmp_path: Path) -> RelayDoor:
    nobody: Any = None  # no sign-in, so nobody to judge one
    blobs = BlobFolder(tmp_path / "blobs", reserve_octets=0)
    door = SubmissionDoor(database, blobs, nobody, {"cwa": site.mailroom}, DEPOSIT_KEY, lambda: None)
    return RelayDoor(door, "mta", DOMAIN)


async def bring(
    way: Any, site: Settled, envelope: str, header: str, *, who: str = "", case: Any = None
) -> dict[str, Any]:
    """Bring one mail to the case of the tour; return its entry. `who` has signed in, else a relay brings it."""
    principal = Principal(site.people[who], "") if who else None
    transaction = await way.begin(PEER, principal, MailParameters(envelope, None, "8BITMIME", False, None, None, None))
    await transaction.add_recipient(RecipientParameters(site.address(case or site.tour), None, None))
    transaction.start()
    transaction.write(f"{header}\r\nSubject: Budget\r\n\r\n{envelope} {header}\r\n".encode())
    await transaction.commit()
    leaf = tables.leaf
    statement = select(leaf.c.body).where(leaf.c.kind == "deposited").order_by(leaf.c.id.desc())
    row = site.database.read_now(lambda connection: connection.execute(statement).first())
    assert row is not None
    return dict(json.loads(row.body))


async def test_sender_is_the_author_where_the_envelope_is_their_teams(way: RelayDoor, site: Settled) -> None:
    entry = await bring(
        way, site, "desk@agency.example", "From: Desk <desk@agency.example>\r\nSender: omar@agency.example"
    )
    assert entry["by"] == site.people["omar"]
    assert entry["facts"]["team"] is not None
    assert "human" not in entry["facts"]


async def test_a_sender_alone_makes_nobody_an_author(way: RelayDoor, site: Settled) -> None:
    """A mail system that looks at the envelope alone lets anybody write any Sender."""
    with pytest.raises(NotAllowed, match="nobody has let you write in their name"):
        await bring(way, site, "dana@agency.example", "From: omar@agency.example\r\nSender: omar@agency.example")


@pytest.mark.parametrize("sender", ["eve@agency.example", "stranger@elsewhere.example", "ines@tours.example", "dana"])
async def test_a_sender_who_is_not_of_the_team_or_nobody_is_refused(sender: str, way: RelayDoor, site: Settled) -> None:
    with pytest.raises(NotAllowed):
        await bring(way, site, "desk@agency.example", f"From: desk@agency.example\r\nSender: {sender}")


async def test_two_senders_are_none(way: RelayDoor, site: Settled) -> None:
    two = "From: desk@agency.example\r\nSender: dana@agency.example\r\nSender: omar@agency.example"
    with pytest.raises(NotAllowed, match="more than one Sender"):
        await bring(way, site, "desk@agency.example", two)


async def test_a_delegate_writes_in_anothers_name_and_the_entry_says_both(way: RelayDoor, site: Settled) -> None:
    site.enact("add_delegation", person="dana", delegate="omar")
    on_behalf = "From: Dana <dana@agency.example>\r\nSender: Omar <omar@agency.example>"
    for envelope in ("omar@agency.example", "dana@agency.example"):
        entry = await bring(way, site, envelope, on_behalf)
        assert (entry["by"], entry["facts"]["on_behalf_of"]) == (site.people["omar"], site.people["dana"])


async def test_a_delegate_who_has_signed_in_may_too(way: RelayDoor, site: Settled) -> None:
    site.enact("add_delegation", person="dana", delegate="omar")
    for envelope in ("omar@agency.example", "dana@agency.example"):
        entry = await bring(way.door, site, envelope, "From: Dana <dana@agency.example>", who="omar")
        assert (entry["by"], entry["facts"]["on_behalf_of"]) == (site.people["omar"], site.people["dana"])


async def test_a_delegation_gives_no_case(way: RelayDoor, site: Settled) -> None:
    site.enact("add_delegation", person="dana", delegate="eve")
    with pytest.raises(NotAllowed):
        await bring(way, site, "dana@agency.example", "From: dana@agency.example\r\nSender: eve@agency.example")


async def test_a_delegation_goes_one_way(way: RelayDoor, site: Settled) -> None:
    site.enact("add_delegation", person="dana", delegate="omar")
    with pytest.raises(NotAllowed):
        await bring(way, site, "dana@agency.example", "From: omar@agency.example")


async def test_a_delegation_that_was_taken_away_is_over(way: RelayDoor, site: Settled) -> None:
    site.enact("add_delegation", person="dana", delegate="omar")
    on_behalf = "From: dana@agency.example\r\nSender: omar@agency.example"
    assert site.enact("end_delegation", person="dana", delegate="omar") == {"ended": 1}
    with pytest.raises(NotAllowed):
        await bring(way, site, "omar@agency.example", on_behalf)


@pytest.mark.parametrize("leaver", ["dana", "omar"])
def test_who_leaves_takes_their_delegations_along(leaver: str, site: Settled) -> None:
    site.enact("add_delegation", person="dana", delegate="omar")
    site.enact("end_person", person=leaver)
    table = tables.delegation
    assert site.database.read_now(lambda c: c.execute(select(table).where(table.c.until_us.is_(None))).all()) == []


async def test_a_delegation_that_nobody_signed_gives_nothing(way: RelayDoor, site: Settled) -> None:
    site.enact("add_delegation", person="dana", delegate="eve")
    table = tables.delegation
    forged = update(table).values(delegate_id=site.people["omar"])
    site.database.call(lambda tx: tx.execute(forged))
    with pytest.raises(NotAllowed):
        await bring(way, site, "omar@agency.example", "From: dana@agency.example\r\nSender: omar@agency.example")


@pytest.mark.parametrize(
    ("person", "delegate", "until_us"), [("dana", "dana", None), ("dana", "omar", 1), ("ines", "dana", None)]
)
def test_a_delegation_is_between_two_employees_and_ends_later(
    person: str, delegate: str, until_us: int | None, site: Settled
) -> None:
    with pytest.raises(Refused):
        site.enact("add_delegation", person=person, delegate=delegate, until_us=until_us)


def test_the_same_delegation_is_not_given_twice(site: Settled) -> None:
    site.enact("add_delegation", person="dana", delegate="omar")
    with pytest.raises(Malformed, match="already"):
        site.enact("add_delegation", person="dana", delegate="omar")


async def test_a_teams_mail_without_a_sender_names_nobody(way: RelayDoor, site: Settled) -> None:
    entry = await bring(way, site, "desk@agency.example", "From: Desk <desk@agency.example>")
    assert (entry["by"], entry["facts"]["human"]) == ("relay", "not stated")
    row = site.database.read_now(lambda c: c.execute(select(tables.message)).one())
    assert (row.author_id, row.team_id, row.side) == (None, entry["facts"]["team"], "office")


@pytest.mark.parametrize("author", ["dana@agency.example", "ines@tours.example", "desk"])
async def test_a_teams_mail_is_from_the_team_itself(author: str, way: RelayDoor, site: Settled) -> None:
    with pytest.raises(NotAllowed):
        await bring(way, site, "desk@agency.example", f"From: {author}")


async def test_a_team_does_not_write_in_a_case_that_only_a_member_has(way: RelayDoor, site: Settled) -> None:
    own = site.enact("open_case", programme="cwa", series="SM", trial=True, person="dana")
    site.enact("assign", case=own["case"], person="omar")
    site.add_user("uma", [own["reference"]], "act")
    assert (await bring(way, site, "dana@agency.example", "From: dana@agency.example", case=own))["facts"]
    with pytest.raises(NotAllowed, match="not your team's"):
        await bring(way, site, "desk@agency.example", "From: desk@agency.example", case=own)


async def test_a_team_that_has_nobody_writes_nothing(way: RelayDoor, site: Settled) -> None:
    for name in ("dana", "omar"):
        site.enact("remove_team_member", team="desk@agency.example", person=name)
    with pytest.raises(NotAllowed, match="Nobody is in this team"):
        await bring(way, site, "desk@agency.example", "From: desk@agency.example")


async def test_forwarded_mail_of_who_has_signed_in_never_deposits_either(way: RelayDoor, site: Settled) -> None:
    forwarded = "From: dana@agency.example\r\nX-Forwarded-To: case@secure.agency.example"
    with pytest.raises(Malformed, match="forwarded"):
        await bring(way.door, site, "dana@agency.example", forwarded, who="dana")
