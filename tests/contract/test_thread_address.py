"""Answers to a thread address, over SQLite and PostgreSQL: whose they may be, and what everybody else is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from gateway.domain.credential import Principal
from gateway.domain.errors import NotAllowed
from gateway.domain.reference import parse
from gateway.inbound.listener.seam import MailParameters, Peer, RecipientParameters
from gateway.inbound.relay import RelayDoor
from gateway.inbound.submission import SubmissionDoor
from gateway.store import tables
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from tests.settled import DEPOSIT_KEY, DOMAIN, THREADS, Settled

PEER = Peer("10.0.0.5", 1, True, "mta", "relays.mta.tls", None)
YEAR_US = 365 * 24 * 3600 * 1_000_000


@pytest.fixture
def site(database: Database) -> Settled:
    return Settled(database)


@pytest.fixture
def way(site: Settled, database: Database, tmp_path: Path) -> RelayDoor:
    nobody: Any = None  # no sign-in, so nobody to judge one
    blobs = BlobFolder(tmp_path / "blobs", reserve_octets=0)
    door = SubmissionDoor(database, blobs, nobody, {"cwa": site.mailroom}, DEPOSIT_KEY, lambda: None)
    return RelayDoor(door, "mta", DOMAIN)


async def send(way: RelayDoor, who: str, *recipients: str, more: str = "") -> Any:
    """Send a mail and return the row of its message."""
    sender = f"{who}@agency.example"
    transaction = await way.begin(PEER, None, MailParameters(sender, None, "8BITMIME", False, None, None, None))
    for address in recipients:
        await transaction.add_recipient(RecipientParameters(address, None, None))
    transaction.start()
    head = f"From: {sender}\r\nTo: {recipients[0]}\r\nSubject: Re: [EXTERNAL] A reply has arrived\r\n{more}"
    transaction.write(f"{head}\r\nwords {who} {recipients}\r\n".encode())
    said = await transaction.commit()
    reference = said.text.split()[0]
    return row(way.door.database, reference)


def row(database: Database, reference: str) -> Any:
    message = tables.message
    return database.read_now(lambda c: c.execute(select(message).where(message.c.reference == reference)).one())


async def thread(way: RelayDoor, site: Settled, holder: str) -> tuple[Any, str]:
    """Begin a thread in the case of the tour; return its message and the address of it for a holder's id."""
    first = await send(way, "dana", site.address(site.tour))
    return first, str(THREADS.of(parse(first.reference), holder))


async def test_an_answer_without_any_word_of_its_thread_lands_in_it(way: RelayDoor, site: Settled) -> None:
    first, address = await thread(way, site, site.people["dana"])
    answer = await send(way, "dana", address)
    assert (answer.case_id, answer.parent_id) == (first.case_id, first.id)


@pytest.mark.parametrize("change", [str.upper, str.title])
async def test_a_mail_system_may_change_the_letter_case(change: Any, way: RelayDoor, site: Settled) -> None:
    first, address = await thread(way, site, site.people["dana"])
    local, _, domain = address.partition("@")
    answer = await send(way, "dana", f"{change(local)}@{domain.upper()}")
    assert answer.parent_id == first.id


async def test_in_reply_to_of_the_same_case_is_nearer_than_the_address(way: RelayDoor, site: Settled) -> None:
    _, address = await thread(way, site, site.people["dana"])
    second = await send(way, "dana", site.address(site.tour), more="Message-ID: <2@agency.example>\r\n")
    answer = await send(way, "dana", address, more="In-Reply-To: <2@agency.example>\r\n")
    assert answer.parent_id == second.id


async def test_in_reply_to_of_another_case_moves_no_answer_there(way: RelayDoor, site: Settled) -> None:
    first, address = await thread(way, site, site.people["dana"])
    await send(way, "dana", site.address(site.season), more="Message-ID: <2@agency.example>\r\n")
    answer = await send(way, "dana", address, more="In-Reply-To: <2@agency.example>\r\n")
    assert (answer.case_id, answer.parent_id) == (first.case_id, first.id)


async def test_a_team_s_address_is_good_for_each_member_and_for_nobody_else(way: RelayDoor, site: Settled) -> None:
    team = site.database.read_now(lambda c: c.execute(select(tables.team.c.id)).scalar_one())
    first, address = await thread(way, site, team)
    for who in ("dana", "omar"):
        assert (await send(way, who, address)).parent_id == first.id
    with pytest.raises(NotAllowed, match="another employee"):
        await send(way, "eve", address)


async def test_who_signs_in_answers_to_it_as_well(way: RelayDoor, site: Settled) -> None:
    first, address = await thread(way, site, site.people["dana"])
    envelope = MailParameters("dana@agency.example", None, "8BITMIME", False, None, None, None)
    transaction = await way.door.begin(PEER, Principal(site.people["dana"], ""), envelope)
    await transaction.add_recipient(RecipientParameters(address, None, None))
    transaction.start()
    transaction.write(b"From: dana@agency.example\r\nSubject: x\r\n\r\nwords\r\n")
    said = await transaction.commit()
    assert row(way.door.database, said.text.split()[0]).parent_id == first.id
    colleague = await way.door.begin(
        PEER,
        Principal(site.people["eve"], ""),
        MailParameters("eve@agency.example", None, None, False, None, None, None),
    )
    with pytest.raises(NotAllowed, match="another employee"):
        await colleague.add_recipient(RecipientParameters(address, None, None))


async def test_a_colleague_is_told_the_address_of_the_case(way: RelayDoor, site: Settled) -> None:
    _, address = await thread(way, site, site.people["dana"])
    for who in ("omar", "eve"):
        with pytest.raises(NotAllowed, match="another employee") as refused:
            await send(way, who, address)
        assert f"write to {site.address(site.tour)}, the address on its card" in refused.value.advice


async def test_who_may_write_in_somebodys_name_may_answer_what_they_were_told(way: RelayDoor, site: Settled) -> None:
    first, address = await thread(way, site, site.people["dana"])
    site.enact("add_delegation", person="dana", delegate="omar")
    way.door.database._known.forget()
    assert (await send(way, "omar", address)).parent_id == first.id


async def test_who_has_moved_away_is_told_so(way: RelayDoor, site: Settled) -> None:
    _, address = await thread(way, site, site.people["dana"])
    site.enact("remove_team_member", team="desk@agency.example", person="dana")
    way.door.database._known.forget()
    with pytest.raises(NotAllowed, match="is not yours any more") as refused:
        await send(way, "dana", address)
    assert site.address(site.tour) in refused.value.advice


async def test_an_old_address_from_autocomplete_leads_into_no_thread(way: RelayDoor, site: Settled) -> None:
    first, address = await thread(way, site, site.people["dana"])
    old = update(tables.message).where(tables.message.c.id == first.id)
    site.database.call(lambda tx: tx.execute(old.values(received_us=first.received_us - 2 * YEAR_US)))
    with pytest.raises(NotAllowed, match="of an old thread, and has ended") as refused:
        await send(way, "dana", address)
    assert f"write to {site.address(site.tour)}" in refused.value.advice


async def test_a_closed_case_is_named(way: RelayDoor, site: Settled) -> None:
    _, address = await thread(way, site, site.people["dana"])
    site.enact("close_case", case=site.tour["reference"])
    way.door.database._known.forget()
    with pytest.raises(NotAllowed, match="is closed, and takes no answers") as refused:
        await send(way, "dana", address)
    assert str(site.tour["reference"]) in refused.value.advice


async def test_a_forged_address_is_refused_like_any_that_there_is_not(way: RelayDoor, site: Settled) -> None:
    first, address = await thread(way, site, site.people["dana"])
    forged = [
        address.replace(first.reference.lower(), str(parse(first.reference).of_case.with_message("2222")).lower()),
        address[:-len(DOMAIN) - 2] + ("a" if address[-len(DOMAIN) - 2] != "a" else "b") + f"@{DOMAIN}",
        str(THREADS.of(parse(first.reference), "x")).replace(first.reference[-4:].lower(), "2222"),
    ]  # fmt: skip
    said = set()
    for one in (*forged, f"nobody@{DOMAIN}"):
        with pytest.raises(NotAllowed) as refused:
            await send(way, "dana", one)
        said.add(refused.value.advice)
    assert len(said) == 1


async def test_a_message_that_is_not_there_has_no_thread(way: RelayDoor, site: Settled) -> None:
    genuine = THREADS.of(parse(site.tour["reference"]).with_message("2222"), site.people["dana"])
    with pytest.raises(NotAllowed, match="no open case by this address"):
        await send(way, "dana", str(genuine))


async def test_four_hundred_recipients_of_one_thread_are_one_message_to_its_case(way: RelayDoor, site: Settled) -> None:
    first, address = await thread(way, site, site.people["dana"])
    answer = await send(way, "dana", *[address] * 400)
    assert answer.parent_id == first.id
    served = tables.recipient
    rows = site.database.read_now(
        lambda c: c.execute(select(served.c.person_id).where(served.c.message_id == answer.id)).scalars().all()
    )
    assert sorted(rows) == sorted([site.people["ines"], site.people["raul"]])


async def test_addresses_of_two_cases_are_not_one_message(way: RelayDoor, site: Settled) -> None:
    _, address = await thread(way, site, site.people["dana"])
    with pytest.raises(NotAllowed, match="another case"):
        await send(way, "dana", address, site.address(site.season))
