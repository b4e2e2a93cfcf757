"""Messages of a relay that fit several cases: held for their author, chosen once, over SQLite and PostgreSQL."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from gateway.casework.act import Actor
from gateway.casework.administration import enact
from gateway.casework.drafts import DAY_US, look_after_drafts
from gateway.casework.openings import find_message
from gateway.domain.credential import Principal
from gateway.domain.errors import Moved, NotAllowed
from gateway.domain.rights import Side
from gateway.domain.session import session_id
from gateway.inbound.asking import Asking
from gateway.inbound.listener.seam import MailParameters, RecipientParameters
from gateway.inbound.relay import RelayDoor
from gateway.inbound.submission import SubmissionDoor
from gateway.store import tables
from gateway.store.blobs import BlobFolder
from gateway.store.confirmations import asked_key, open_asked
from gateway.store.database import Database
from gateway.store.places import employee_or_user
from gateway.store.transaction import Transaction
from tests.contract.test_relay import PEER, entries, mail, relay
from tests.settled import DEPOSIT_KEY, DOMAIN, Settled

KEY = asked_key(b"r" * 32)
RAUL = "raul@tours.example"
DANA = "dana@agency.example"


@pytest.fixture
def site(database: Database) -> Settled:
    return Settled(database)


@pytest.fixture
def way(site: Settled, database: Database, tmp_path: Path) -> RelayDoor:
    nobody: Any = None  # no sign-in, so nobody to judge one
    door = SubmissionDoor(
        database, BlobFolder(tmp_path / "blobs", reserve_octets=0), nobody, {"cwa": site.mailroom}, DEPOSIT_KEY,
        lambda: None, asking=Asking(KEY, frozenset({"cwa"})), draft_us={"cwa": 14 * DAY_US},
    )  # fmt: skip
    return RelayDoor(door, "mta", DOMAIN)


def rows(site: Settled, table: Any) -> list[Any]:
    return site.database.read_now(
        lambda connection: list(connection.execute(select(table).order_by(*table.primary_key)))
    )


async def test_what_fits_several_cases_is_held_and_its_author_alone_is_told(way: RelayDoor, site: Settled) -> None:
    reply = await relay(way, DANA, mail(b"Message-ID: <one@agency.example>\r\n"), RAUL)
    assert reply.code == 250
    (held,) = rows(site, tables.draft)
    assert held.reference in reply.text
    (kept,) = rows(site, tables.message)
    assert (kept.case_id, kept.reference) == (None, None)
    assert len(rows(site, tables.message_wrap)) == 2
    (notice,) = rows(site, tables.outbox)
    assert (notice.kind, notice.person_id) == ("case_to_choose", site.people["dana"])
    assert not rows(site, tables.recipient)
    (entry,) = entries(site, "draft_held")
    assert entry["facts"]["cases"]
    assert json.loads(notice.fields)["reference"] == held.reference


def place(site: Settled, person: str = "dana", **more: str) -> dict[str, Any]:
    """Choose as the portal does for somebody who is signed in."""
    verb = "choose_draft" if "case" in more else "discard_draft"
    (held,) = rows(site, tables.draft)
    found = site.people[person]

    def run(tx: Transaction) -> dict[str, Any]:
        asks = employee_or_user(tx.connection, site.authority.key, found, tx.now_us)
        actor = Actor(found, "cwa", Side.OFFICE, asks)
        return enact(tx, site.authority, actor, verb, {"draft": held.reference, "person": found, **more})

    return site.database.call(run)


async def hold(way: RelayDoor, more: bytes = b"") -> str:
    reply = await relay(way, DANA, mail(b"Message-ID: <one@agency.example>\r\n" + more), RAUL)
    return reply.text.split()[0]


async def test_what_is_chosen_is_deposited_once_with_its_octets_and_its_instant(way: RelayDoor, site: Settled) -> None:
    await hold(way)
    (held,) = rows(site, tables.message)
    done = place(site, case=site.season["reference"])
    assert done["reference"].startswith(site.season["reference"])
    assert place(site, case=site.season["reference"]) == {**done, "repeated": 1}
    with pytest.raises(Moved, match="filed once"):
        place(site, case=site.tour["reference"])
    with pytest.raises(Moved, match="withdrawn"):
        place(site)
    (kept,) = rows(site, tables.message)
    assert (kept.case_id, kept.reference) == (site.season["case"], done["reference"])
    assert (kept.received_us, kept.sealed_summary, kept.author_id) == (
        held.received_us, held.sealed_summary, site.people["dana"],
    )  # fmt: skip
    (wrap,) = rows(site, tables.message_wrap)
    site.authority.unwrap(wrap.key_id, wrap.suite, bytes(wrap.wrapped), kept.id)
    assert [row.person_id for row in rows(site, tables.recipient)] == [site.people["raul"]]
    assert sorted(row.kind for row in rows(site, tables.outbox)) == ["case_to_choose", "message_waiting"]
    (deposited,), (first,) = entries(site, "deposited"), entries(site, "draft_held")
    for fact in ("commitment", "ciphertext", "octets"):
        assert deposited["facts"][fact] == first["facts"][fact]
    assert deposited["facts"]["accepted_us"] == held.received_us
    assert len(entries(site, "draft_chosen")) == 1
    (confirmed,) = rows(site, tables.confirmation)
    assert confirmed.look_us is not None


async def test_nobody_else_decides_and_a_case_that_closed_or_is_no_recipients_is_not_chosen(
    way: RelayDoor, site: Settled
) -> None:
    await hold(way)
    for somebody in ("omar", "eve"):
        with pytest.raises(NotAllowed):
            place(site, somebody, case=site.season["reference"])
    site.enact("close_case", case=site.season["case"])
    with pytest.raises(NotAllowed, match="cannot go to that case"):
        place(site, case=site.season["reference"])
    with pytest.raises(NotAllowed):
        site.enact("choose_draft", draft="DR-2222-2222", case=site.tour["reference"])
    site.enact("revoke_designated_user", designated_user=site.users["raul"]["designated_user"])
    with pytest.raises(NotAllowed, match="cannot go to that case"):
        place(site, case=site.tour["reference"])
    assert rows(site, tables.draft)[0].chosen_us is None
    place(site)
    assert place(site) == {"draft": rows(site, tables.draft)[0].reference}
    with pytest.raises(Moved, match="discarded"):
        place(site, case=site.tour["reference"])
    assert [row.case_id for row in rows(site, tables.message)] == [None]
    assert len(entries(site, "draft_discarded")) == 1


async def test_an_own_submission_and_a_site_that_holds_nothing_refuse_as_before(way: RelayDoor, site: Settled) -> None:
    closed = replace(way, door=replace(way.door, draft_us={}))
    with pytest.raises(NotAllowed, match="Several open cases fit"):
        await relay(closed, DANA, mail(), RAUL)
    principal = Principal(site.people["dana"], "")
    own = await way.door.begin(PEER, principal, MailParameters(DANA, None, "8BITMIME", False, None, None, None))
    await own.add_recipient(RecipientParameters(RAUL, None, None))
    own.start()
    own.write(mail())
    with pytest.raises(NotAllowed, match="Several open cases fit"):
        await own.commit()
    assert not rows(site, tables.draft)


async def test_a_hint_decides_as_ever_and_a_recipient_of_one_case_decides_for_all(
    way: RelayDoor, site: Settled
) -> None:
    hinted = mail().replace(b"Subject: Budget", f"Subject: [{site.season['reference']}] Budget".encode())
    assert (await relay(way, DANA, hinted, RAUL)).text.startswith(site.season["reference"])
    both = await relay(way, DANA, mail(), RAUL, "ines@tours.example")
    assert both.text.startswith(site.tour["reference"])
    addressed = await relay(way, DANA, mail(b"X: 1\r\n"), RAUL, site.address(site.tour))
    assert addressed.text.startswith(site.tour["reference"])
    assert not rows(site, tables.draft)


async def test_the_relay_repeats_and_gets_the_first_answer_before_and_after_the_choice(
    way: RelayDoor, site: Settled
) -> None:
    first = await hold(way)
    assert await hold(way, b"Received: again\r\n") == first
    place(site, case=site.tour["reference"])
    assert await hold(way) == first
    assert len(rows(site, tables.draft)) == len(rows(site, tables.message)) == 1


async def test_who_leaves_hands_a_draft_on_and_the_successor_sends_it_as_their_own(
    way: RelayDoor, site: Settled
) -> None:
    await hold(way)
    done = site.enact("leave", person="dana", successor="omar", preview=False)
    assert done["drafts"] == 1
    assert ("omar", "case_to_choose", "draft_handed_on") in told(site)
    place(site, "omar", case=site.tour["reference"])
    (kept,) = rows(site, tables.message)
    assert kept.author_id == site.people["omar"]
    (entry,) = entries(site, "deposited")
    assert entry["facts"]["on_behalf_of"] == site.people["dana"]


def pass_time(site: Settled, **columns: int | str) -> None:
    site.database.call(lambda tx: tx.execute(update(tables.draft).values(**columns)))


def told(site: Settled) -> list[tuple[str, str, str]]:
    names = {one: name for name, one in site.people.items()}
    return [
        (names[row.person_id], row.kind, json.loads(row.fields).get("state", "")) for row in rows(site, tables.outbox)
    ]


async def test_who_does_not_choose_is_reminded_and_in_the_end_they_and_their_supervisor_are_told(
    way: RelayDoor, site: Settled
) -> None:
    site.enact("add_team_member", team="desk@agency.example", person="eve", supervisor=True)
    await hold(way)
    look = partial(site.database.call, look_after_drafts, site.authority.key)
    assert look() == 0
    held = rows(site, tables.draft)[0]
    assert held.look_us == held.ends_us - 13 * DAY_US
    pass_time(site, look_us=1)
    assert (look(), look()) == (1, 0)
    pass_time(site, look_us=1, ends_us=1)
    assert (look(), look()) == (1, 0)
    assert sorted(told(site)) == [
        ("dana", "case_to_choose", "draft_still_waits"),
        ("dana", "case_to_choose", "draft_waits"),
        ("dana", "draft_ended", "draft_ended"),
        ("eve", "draft_ended", "draft_ended_of_team"),
    ]
    with pytest.raises(Moved):
        place(site, case=site.tour["reference"])
    assert len(rows(site, tables.message)) == len(entries(site, "draft_ended")) == 1
    assert len(rows(site, tables.message_wrap)) == 2


async def test_a_leaver_without_a_successor_leaves_a_draft_to_a_supervisor(way: RelayDoor, site: Settled) -> None:
    site.enact("add_team_member", team="desk@agency.example", person="eve", supervisor=True)
    await hold(way)
    site.enact("end_person", person="dana")
    pass_time(site, look_us=1)
    site.database.call(look_after_drafts, site.authority.key)
    assert rows(site, tables.draft)[0].person_id == site.people["eve"]
    assert ("eve", "case_to_choose", "draft_handed_on") in told(site)
    assert place(site, "eve", case=site.tour["reference"])["repeated"] == 0


async def test_a_supervisor_of_long_ago_or_without_a_place_in_the_cases_gets_no_draft(
    way: RelayDoor, site: Settled
) -> None:
    site.enact("add_team", programme="cwa", name="Tax", address="tax@agency.example")
    site.enact("add_team_member", team="tax@agency.example", person="dana")
    site.enact("add_team_member", team="tax@agency.example", person="eve", supervisor=True)
    await hold(way)
    site.enact("end_person", person="dana")
    pass_time(site, look_us=1)
    site.database.call(look_after_drafts, site.authority.key)
    assert rows(site, tables.draft)[0].person_id == site.people["dana"]
    assert [name for name, *_ in told(site)] == ["dana"]


async def test_who_supervised_a_team_that_the_author_had_left_is_not_told_of_their_draft(
    way: RelayDoor, site: Settled
) -> None:
    site.enact("add_team", programme="cwa", name="Tax", address="tax@agency.example")
    site.enact("add_team_member", team="tax@agency.example", person="dana")
    site.enact("add_team_member", team="tax@agency.example", person="eve", supervisor=True)
    site.enact("remove_team_member", team="tax@agency.example", person="dana")
    await hold(way)
    pass_time(site, look_us=1, ends_us=1)
    site.database.call(look_after_drafts, site.authority.key)
    assert {name for name, *_ in told(site)} == {"dana"}


async def test_a_row_that_names_another_reader_opens_nothing_to_who_has_no_place(way: RelayDoor, site: Settled) -> None:
    await hold(way)
    (held,) = rows(site, tables.message)
    pass_time(site, person_id=site.people["eve"])  # a program may write this row that may open nothing
    token, begun_us = b"t" * 32, held.received_us
    session = {
        "id": session_id(token), "person_id": site.people["eve"], "assurance": 2, "issued_us": begun_us,
        "absolute_us": begun_us + DAY_US, "idle_us": DAY_US, "ended_us": None, "version": 0,
    }  # fmt: skip
    signed = site.authority.sign(tables.session, session)
    site.database.call(lambda tx: tx.insert(tables.session, **signed))
    look = partial(find_message, key=site.authority.key, token=token, message_id=held.id, now_us=begun_us + 1_000_000)
    with pytest.raises(NotAllowed):
        site.database.read_now(look)
    site.enact("add_team_member", team="desk@agency.example", person="eve")
    found = site.database.read_now(partial(look, now_us=begun_us + 60_000_000))
    assert found.wraps[0].message_id == held.id


async def test_a_teams_message_of_which_nobody_says_who_wrote_it_is_any_members_to_place(
    way: RelayDoor, site: Settled
) -> None:
    octets = mail().replace(b"Dana <dana@", b"Desk <desk@")
    await relay(way, "desk@agency.example", octets, RAUL)
    assert {name for name, _, _ in told(site)} == {"dana", "omar"}
    with pytest.raises(NotAllowed):
        place(site, "eve", case=site.tour["reference"])
    place(site, "omar", case=site.tour["reference"])
    (kept,) = rows(site, tables.message)
    assert kept.author_id is None
    (entry,) = entries(site, "deposited")
    assert entry["facts"]["human"] == "not stated"


async def test_reports_that_were_asked_for_wait_with_it_and_it_waits_for_its_release_from_the_choice_on(
    way: RelayDoor, site: Settled
) -> None:
    asking = replace(way.door.asking, delay_minutes=10) if way.door.asking else None
    slow = replace(way, door=replace(way.door, asking=asking))
    envelope = MailParameters(DANA, None, "8BITMIME", False, None, None, "QQ1")
    transaction = await slow.begin(PEER, None, envelope)
    await transaction.add_recipient(RecipientParameters(RAUL, frozenset({"SUCCESS"}), None))
    transaction.start()
    transaction.write(mail(b"Message-ID: <two@agency.example>\r\n"))
    await transaction.commit()
    (asked,) = rows(site, tables.confirmation)
    assert (asked.reports, asked.look_us) == (1, None)
    assert open_asked(KEY, asked.message_id, asked.sealed).recipients[0].people == (site.people["raul"],)
    place(site, case=site.tour["reference"])
    assert rows(site, tables.confirmation)[0].look_us is not None
    assert rows(site, tables.message)[0].held_until_us is not None
    assert rows(site, tables.recipient)[0].notify == "SUCCESS"
    assert [row.kind for row in rows(site, tables.outbox)] == ["case_to_choose"]


async def test_a_draft_of_four_hundred_recipients_is_held_and_chosen(way: RelayDoor, site: Settled) -> None:
    both = [site.tour["reference"], site.season["reference"]]
    for number in range(400):
        site.add_user(f"user{number}", both, "see")
    reply = await relay(way, DANA, mail(), *(f"user{number}@tours.example" for number in range(400)))
    assert reply.text.startswith("T-DR-")
    place(site, case=site.tour["reference"])
    assert len(rows(site, tables.recipient)) == 400
