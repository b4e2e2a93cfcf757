"""Clean mail from outside on its way into the tray: what is kept of it, for whom, and what is proposed."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select, update
from structlog.testing import capture_logs

from gateway.casework import filing
from gateway.casework.correspondence import REPEAT_WINDOW_US
from gateway.domain.address import Address
from gateway.domain.errors import StoreFull, StoreUnavailable, Tampered
from gateway.domain.intake import month_of
from gateway.domain.notice import NoticeKind
from gateway.domain.reply import SmtpReply
from gateway.domain.summary import Arrival, Summary
from gateway.inbound import replies
from gateway.inbound.tray import IntakeTray, OutsideMail
from gateway.mime.automatic import AutomaticKind
from gateway.store import tables
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from gateway.store.intake import NoIntakeKey
from gateway.store.messages import message_id_hash
from gateway.store.outbox import put
from gateway.store.sealing import body_key, open_box, summary_context, summary_key
from gateway.store.segments import SegmentReader
from gateway.store.tables import case, intake, leaf, message, message_wrap, outbox, repeat, segment
from tests.contract.test_privileges import OpenAs, open_as
from tests.settled import DEPOSIT_KEY, DOMAIN, Settled

__all__ = ["open_as"]

SENDER = "ines@tours.example"
HEAD = f"From: Ines <{SENDER}>\r\nTo: office@{DOMAIN}\r\nSubject: Concert\r\nMessage-ID: <one@tours.example>\r\n"
TEXT = "\r\nThe rehearsal begins at seven.\r\n"
CANARIES = (b"Concert", b"rehearsal", b"ines@", b"tours.example", b"Ines")


class House(Settled):
    """An invented site with a tray, whose keyholder has made this month's key."""

    def __init__(self, database: Database, folder: Path) -> None:
        super().__init__(database)
        self.blobs = BlobFolder(folder / "blobs")
        self.tray = IntakeTray(database, self.blobs, self.authority.key, DOMAIN, DEPOSIT_KEY)
        self.enact("add_intake_key", month=month_of(datetime.now(UTC)))

    async def take(self, text: str, *to: str, sender: str = SENDER, kind: AutomaticKind | None = None) -> SmtpReply:
        recipients = tuple(Address(one.partition("@")[0], DOMAIN) for one in to or ("office",))
        arrival = Arrival(sender, tuple(map(str, recipients)), "mail.tours.example", "192.0.2.7")
        return await self.tray.take(OutsideMail(text.encode(), arrival, recipients, kind))

    def all(self, table: Table) -> list[Any]:
        return list(self.database.read_now(lambda connection: connection.execute(select(table)).all()))

    def item(self) -> Any:
        (row,) = self.all(intake)
        return row

    def entries(self, kind: str) -> list[dict[str, Any]]:
        return [json.loads(row.body)["facts"] for row in self.all(leaf) if row.kind == kind]

    def opened(self) -> tuple[Summary, bytes]:
        """What only the keyholder can read of the one message there is."""
        (row,), (wrap,), (part,) = self.all(message), self.all(message_wrap), self.all(segment)
        content_key = self.authority.unwrap(wrap.key_id, wrap.suite, bytes(wrap.wrapped), row.id)
        box = open_box(summary_key(content_key, row.id), bytes(row.sealed_summary), summary_context(row.id))
        return Summary.from_bytes(box), b"".join(SegmentReader(self.blobs, part, body_key(content_key, row.id)).read())


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    return House(database, tmp_path)


# ---- what is kept


async def test_what_came_is_kept_octet_for_octet_and_sealed_to_the_months_key(house: House) -> None:
    reply = await house.take(HEAD + TEXT)
    row = house.item()
    assert str(reply) == f"250 2.6.0 {row.reference} taken for the people here to read; unverified"
    summary, octets = house.opened()
    assert octets == (HEAD + TEXT).encode()
    assert (summary.subject, summary.author.address) == ("Concert", SENDER)
    assert summary.arrival == Arrival(SENDER, (f"office@{DOMAIN}",), "mail.tours.example", "192.0.2.7")
    (key,) = [one for one in house.all(tables.sealing_key) if one.month]
    (wrap,) = house.all(message_wrap)
    assert wrap.key_id == key.id


async def test_its_row_names_nobody_and_stands_in_no_case(house: House) -> None:
    await house.take(HEAD + TEXT)
    (row,) = house.all(message)
    empty = ("case_id", "reference", "author_id", "team_id", "parent_id", "message_id_hash", "submission_key")
    assert {getattr(row, name) for name in empty} == {None}
    assert row.side == "outside"
    assert house.all(tables.recipient) == house.all(outbox) == []


async def test_its_entry_has_ids_and_counts_and_stands_beside_it(house: House) -> None:
    await house.take(HEAD + TEXT, "office", "postmaster")
    (facts,) = house.entries("taken_in")
    row, (whole,), (part,) = house.item(), house.all(message), house.all(segment)
    assert facts["message"] == whole.id
    assert (facts["reference"], facts["tray"], facts["recipients"]) == (row.reference, "operators", 2)
    assert facts["ciphertext"] == [part.ciphertext_sha256]
    assert facts["octets"] == len(HEAD + TEXT)


@pytest.mark.parametrize("octets", [400, 300_000])
async def test_nothing_of_it_is_anywhere_in_clear(house: House, tmp_path: Path, octets: int) -> None:
    await house.take(HEAD + TEXT + "words of the rehearsal\r\n" * (octets // 24))
    rows = repr([house.all(table) for table in (message, message_wrap, segment, intake, leaf, repeat)]).encode()
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "blobs" in path.parts)
    assert bool(files) == (octets > 200_000)
    assert not [canary for canary in CANARIES if canary in rows + files]


async def test_a_long_one_is_a_blob_that_is_durable_before_its_row(house: House) -> None:
    long = HEAD + TEXT + "words\r\n" * 60_000
    await house.take(long)
    (part,) = house.all(segment)
    assert part.blob is not None
    assert house.opened()[1] == long.encode()


# ---- repeats


async def test_a_repeat_gets_the_first_answer_again(house: House) -> None:
    first = await house.take(HEAD + TEXT)
    again = await house.take("Received: from a by b; Mon, 5 Jan 2026 10:00:00 +0000\r\n" + HEAD + TEXT)
    assert str(first) == str(again)
    assert len(house.all(intake)) == len(house.all(message)) == len(house.entries("taken_in")) == 1


async def test_two_repeats_at_once_are_one(house: House) -> None:
    said = await asyncio.gather(*(house.take(HEAD + TEXT) for _ in range(5)))
    assert len(set(map(str, said))) == len(house.all(intake)) == 1


async def test_other_words_another_sender_and_no_message_id_are_no_repeat(house: House) -> None:
    without = HEAD.replace("Message-ID", "X-Id")
    said = [
        await house.take(HEAD + TEXT),
        await house.take(HEAD + TEXT + "More.\r\n"),
        await house.take(HEAD + TEXT, sender="omar@tours.example"),
        await house.take(without + TEXT),
        await house.take(without + TEXT),
    ]
    assert len(set(map(str, said))) == len(house.all(intake)) == 5


async def test_after_a_week_it_is_no_repeat_any_more(house: House) -> None:
    first = await house.take(HEAD + TEXT)
    house.database.call(lambda tx: tx.execute(update(repeat).values(at_us=repeat.c.at_us - REPEAT_WINDOW_US)))
    assert str(await house.take(HEAD + TEXT)) != str(first)


# ---- for whom


@pytest.mark.parametrize(
    ("to", "tray"),
    [
        (("office",), "cases"),
        (("postmaster",), "operators"),
        (("PostMaster",), "operators"),
        (("ABUSE",), "operators"),
        (("office", "abuse"), "operators"),
        (("abuse-desk",), "cases"),
    ],
)
async def test_what_is_for_a_role_is_the_operators(house: House, to: tuple[str, ...], tray: str) -> None:
    await house.take(HEAD + TEXT, *to)
    assert house.item().tray == tray


async def test_a_report_keeps_its_kind(house: House) -> None:
    await house.take(HEAD + TEXT, "postmaster", sender="", kind=AutomaticKind.DELIVERY_REPORT)
    assert house.item().kind == "delivery-report"


# ---- what is proposed


async def test_the_case_of_a_recipient_is_proposed(house: House) -> None:
    await house.take(HEAD + TEXT, house.address(house.tour))
    assert (house.item().proposed_case_id, house.item().proposed_by) == (house.tour["case"], "recipient")


async def test_a_reference_in_the_subject_is_proposed(house: House) -> None:
    await house.take(HEAD.replace("Concert", f"Re: {house.tour['reference'].lower()} concert") + TEXT)
    assert (house.item().proposed_case_id, house.item().proposed_by) == (house.tour["case"], "subject")


async def test_the_case_of_a_notice_that_it_answers_is_proposed(house: House) -> None:
    def tell(tx: Any) -> str:
        tx.insert(
            message, id="m1", case_id=house.season["case"], side="office", composed=0, octets=1, sealed_summary=b"",
            received_us=1, message_id_hash=message_id_hash(DEPOSIT_KEY, "<ours@agency.example>"),
        )  # fmt: skip
        waiting = NoticeKind.MESSAGE_WAITING
        return put(tx, programme="cwa", kind=waiting, person_id=house.people["ines"], message_id="m1")

    notice = house.database.call(tell)
    answers = f"In-Reply-To: <notice.{notice}@{DOMAIN}>\r\n"
    await house.take(answers + HEAD + TEXT)
    assert (house.item().proposed_case_id, house.item().proposed_by) == (house.season["case"], "thread")
    await house.take(HEAD.replace("one@", "two@") + "References: <ours@agency.example>\r\n" + TEXT)
    assert [row.proposed_case_id for row in house.all(intake)] == [house.season["case"]] * 2


async def test_what_names_two_cases_a_closed_one_or_none_is_proposed_nowhere(house: House) -> None:
    await house.take(HEAD + TEXT, house.address(house.tour), house.address(house.season))
    await house.take(HEAD.replace("one@", "two@").replace("Concert", "T-SM-2222 and SM-3333") + TEXT)
    house.database.call(lambda tx: tx.execute(update(case).where(case.c.id == house.tour["case"]).values(closed_us=1)))
    house.database._known.forget()
    await house.take(HEAD.replace("one@", "three@") + TEXT, house.address(house.tour))
    assert {(row.proposed_case_id, row.proposed_by) for row in house.all(intake)} == {(None, None)}


async def test_what_calls_itself_like_a_message_of_ours_leads_nobody_astray(house: House) -> None:
    await house.take(HEAD.replace("one@tours.example", "ours@agency.example") + TEXT)
    ours = message_id_hash(DEPOSIT_KEY, "<ours@agency.example>")
    assert house.item().message_id_hash == ours
    assert house.all(message)[0].message_id_hash is None


# ---- what fails


async def test_without_this_months_key_it_is_put_off_and_the_log_says_so(database: Database, tmp_path: Path) -> None:
    settled = Settled(database)
    tray = IntakeTray(database, BlobFolder(tmp_path / "blobs"), settled.authority.key, DOMAIN, DEPOSIT_KEY)
    settled.enact("add_intake_key", month="2020-01")
    mail = OutsideMail((HEAD + TEXT).encode(), Arrival(SENDER, (), "", ""), (Address("office", DOMAIN),))
    with capture_logs() as told, pytest.raises(NoIntakeKey) as caught:
        await tray.take(mail)
    assert str(replies.reply_for(caught.value))[:10] == "451 4.3.0 "
    assert [line["event"] for line in told] == ["intake key missing"]
    assert database.read_now(lambda connection: connection.execute(select(intake)).all()) == []


async def test_a_key_that_the_keyholder_did_not_sign_is_not_sealed_to(house: House) -> None:
    table = tables.sealing_key
    house.database.call(lambda tx: tx.execute(update(table).where(table.c.month.is_not(None)).values(public=b"x")))
    with pytest.raises(Tampered):
        await house.take(HEAD + TEXT)
    assert house.all(intake) == []


async def test_a_retired_key_is_not_sealed_to(house: House) -> None:
    table = tables.sealing_key
    house.database.call(lambda tx: tx.execute(update(table).where(table.c.month.is_not(None)).values(retired_us=1)))
    with pytest.raises(NoIntakeKey):
        await house.take(HEAD + TEXT)


async def test_with_a_full_disk_it_is_put_off(house: House, tmp_path: Path) -> None:
    house.tray = replace(house.tray, blobs=BlobFolder(tmp_path / "blobs", reserve_octets=2**62))
    with pytest.raises(StoreFull):
        await house.take(HEAD + TEXT)
    assert house.all(intake) == house.all(message) == []


async def test_a_store_that_has_stopped_takes_nothing_and_leaves_no_file(house: House, tmp_path: Path) -> None:
    house.database._die()
    with pytest.raises(StoreUnavailable):
        await house.take(HEAD + TEXT)
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []


# ---- with which rights


async def test_the_program_takes_mail_with_its_own_rights_and_the_keyholder_files_it(
    open_as: OpenAs, database: Database, tmp_path: Path
) -> None:
    house = House(database, tmp_path)
    house.tray = replace(house.tray, database=open_as("mx"))
    long = HEAD + TEXT + "words\r\n" * 300_000
    for text in (HEAD + TEXT, HEAD + TEXT, long.replace("one@", "two@")):
        await house.take(text, house.address(house.tour))
    first, second = house.all(intake)
    key, where = house.authority.key, str(house.tour["reference"])
    keyholder = open_as("keyholder")
    found = keyholder.read_now(filing.find_filing, key, first.reference, where, None, 0)
    assert isinstance(found, filing.Move)
    content_key = house.authority.unwrap(found.wrap.key_id, 1, found.wrap.wrapped, found.wrap.message_id)
    wrapped = found.to.wrap(content_key, found.wrap.message_id)
    filed = keyholder.call(filing.enter_filing, key, "operator", first.reference, where, found, wrapped)
    assert filed.told == 2
    assert keyholder.call(filing.discard, second.reference)
