"""From the submission transaction to the vault, over SQLite and PostgreSQL: addressing, sealing, the verbs."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Row, select

from gateway.casework.correspondence import Posting, reply
from gateway.casework.deposit import ComposedDeposit
from gateway.domain.credential import Principal
from gateway.domain.errors import NotAllowed
from gateway.domain.record import commitment
from gateway.domain.reply import SmtpReply
from gateway.domain.summary import Mailbox, Summary
from gateway.inbound.listener.seam import MailParameters, Peer, RecipientParameters
from gateway.inbound.replies import BadMessage
from gateway.inbound.submission import SubmissionDoor
from gateway.store import tables
from gateway.store.blobs import BlobFolder
from gateway.store.cases import case_sealing_key
from gateway.store.database import Database
from gateway.store.sealing import body_key, open_box, part_key, summary_context, summary_key
from gateway.store.segments import SegmentReader
from tests.corpus.odd_mail import MAILS, Parties
from tests.settled import DEPOSIT_KEY, DOMAIN, Settled

PEER = Peer("127.0.0.1", 1, True, "tool", "starttls")


@pytest.fixture
def site(database: Database) -> Settled:
    return Settled(database)


@pytest.fixture
def blobs(tmp_path: Path) -> BlobFolder:
    return BlobFolder(tmp_path / "blobs", reserve_octets=0)


@pytest.fixture
def woken() -> list[str]:
    return []


@pytest.fixture
def door(site: Settled, database: Database, blobs: BlobFolder, woken: list[str]) -> SubmissionDoor:
    nobody: Any = None  # AUTH is tested with the authenticator
    return SubmissionDoor(
        database, blobs, nobody, {"cwa": site.mailroom}, DEPOSIT_KEY, lambda: woken.append("notifier")
    )


def mail(*, to: str, subject: str = "Budget", cc: str = "", sender: str = "dana@agency.example", **more: str) -> bytes:
    fields = {"From": f"Dana <{sender}>", "To": to, "Cc": cc, "Subject": subject, **more}
    header = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items() if value)
    return (header + "\r\nthe words of the message\r\n").encode()


async def submit(
    door: SubmissionDoor, person: str, octets: bytes, *recipients: str, sender: str = "dana@agency.example"
) -> SmtpReply:
    envelope = MailParameters(sender, None, "8BITMIME", False, None, None, None)
    transaction = await door.begin(PEER, Principal(person, "credential"), envelope)
    for address in recipients:
        await transaction.add_recipient(RecipientParameters(address, None, None))
    transaction.start()
    for start in range(0, len(octets), 1000):
        transaction.write(octets[start : start + 1000])
        await transaction.drain()
    return await transaction.commit()


def all_of(connection: Connection, table: Any, order: Any = None) -> list[Row[Any]]:
    return list(connection.execute(select(table).order_by(table.c.id if order is None else order)))


def read_back(site: Settled, blobs: BlobFolder, row: Row[Any]) -> tuple[Summary, bytes]:
    wrap = site.database.read_now(
        lambda c: c.execute(select(tables.message_wrap).where(tables.message_wrap.c.message_id == row.id)).one()
    )
    content_key = site.authority.unwrap(wrap.key_id, wrap.suite, bytes(wrap.wrapped), row.id)
    opened = open_box(summary_key(content_key, row.id), bytes(row.sealed_summary), summary_context(row.id))
    segments = site.database.read_now(
        lambda c: c.execute(
            select(tables.segment).where(tables.segment.c.message_id == row.id).order_by(tables.segment.c.part)
        ).all()
    )
    octets = b""
    for segment in segments:
        key = part_key(content_key, row.id, segment.part) if row.composed else body_key(content_key, row.id)
        octets += b"".join(SegmentReader(blobs, segment, key).read())
    return Summary.from_bytes(opened), octets


async def test_what_the_vault_gives_back_is_what_was_sent(
    door: SubmissionDoor, site: Settled, blobs: BlobFolder, woken: list[str]
) -> None:
    octets = mail(to=site.address(site.tour), Message_ID="<one@agency.example>")
    answer = await submit(door, site.people["dana"], octets, site.address(site.tour))
    [row] = site.database.read_now(all_of, tables.message)
    assert answer.code == 250
    assert answer.enhanced == "2.6.0"
    assert answer.text.startswith(row.reference)
    summary, back = read_back(site, blobs, row)
    assert back == octets
    assert summary.subject == "Budget"
    assert summary.author == Mailbox("Dana", "dana@agency.example")
    assert woken == ["notifier"]


async def test_a_large_message_rests_in_a_blob_and_comes_back(
    door: SubmissionDoor, site: Settled, blobs: BlobFolder
) -> None:
    octets = mail(to=site.address(site.tour)) + b"0123456789abcdef\r\n" * 20_000
    await submit(door, site.people["dana"], octets, site.address(site.tour))
    [row] = site.database.read_now(all_of, tables.message)
    assert len(list(blobs.names())) == 1
    assert read_back(site, blobs, row)[1] == octets


async def test_mail_that_is_encrypted_for_someone_leaves_no_row_and_no_blob(
    door: SubmissionDoor, site: Settled, blobs: BlobFolder
) -> None:
    octets = MAILS["pgp_mime_encrypted"](Parties("dana@agency.example", site.address(site.tour)))
    with pytest.raises(BadMessage) as caught:
        await submit(door, site.people["dana"], octets + b"0123456789abcdef\r\n" * 20_000, site.address(site.tour))
    assert caught.value.reply.enhanced == "5.6.1"
    assert site.database.read_now(all_of, tables.message) == []
    assert list(blobs.names()) == []


async def test_a_case_address_serves_every_correspondent_of_the_case(door: SubmissionDoor, site: Settled) -> None:
    await submit(door, site.people["dana"], mail(to=site.address(site.tour)), site.address(site.tour))
    served = site.database.read_now(all_of, tables.recipient)
    assert {row.person_id for row in served} == {site.people["ines"], site.people["raul"]}
    assert {row.addressed_as for row in served} == {"to"}
    notices = site.database.read_now(all_of, tables.outbox)
    assert {(row.person_id, row.kind) for row in notices} == {
        (site.people["ines"], "message_waiting"),
        (site.people["raul"], "message_waiting"),
    }


async def test_the_envelope_decides_who_is_served(door: SubmissionDoor, site: Settled) -> None:
    octets = mail(to="ines@tours.example", cc="raul@tours.example", subject=f"[{site.tour['reference']}] Budget")
    await submit(door, site.people["dana"], octets, "ines@tours.example")
    [served] = site.database.read_now(all_of, tables.recipient)
    assert served.person_id == site.people["ines"]


async def test_a_header_address_outside_the_envelope_is_told_to_the_author_at_once(
    door: SubmissionDoor, site: Settled
) -> None:
    octets = mail(to=site.address(site.tour), cc="somebody@elsewhere.example, omar@agency.example")
    await submit(door, site.people["dana"], octets, site.address(site.tour))
    told = [row for row in site.database.read_now(all_of, tables.outbox) if row.kind == "left_in_clear"]
    assert [row.person_id for row in told] == [site.people["dana"]]
    assert json.loads(told[0].fields)["count"] == 1
    assert deposited(site)[0]["left_in_clear"] == 1


async def test_who_is_served_without_standing_in_the_header_is_kept_as_bcc(
    door: SubmissionDoor, site: Settled, blobs: BlobFolder
) -> None:
    octets = mail(to="ines@tours.example", subject=f"[{site.tour['reference']}]")
    await submit(door, site.people["dana"], octets, "ines@tours.example", "raul@tours.example")
    by_person = {row.person_id: row.addressed_as for row in site.database.read_now(all_of, tables.recipient)}
    assert by_person == {site.people["ines"]: "to", site.people["raul"]: "bcc"}
    [row] = site.database.read_now(all_of, tables.message)
    assert read_back(site, blobs, row)[0].bcc == (Mailbox("", "raul@tours.example"),)


async def test_several_open_cases_without_a_hint_are_refused_naming_the_references(
    door: SubmissionDoor, site: Settled
) -> None:
    with pytest.raises(NotAllowed) as caught:
        await submit(door, site.people["dana"], mail(to="raul@tours.example"), "raul@tours.example")
    assert site.tour["reference"] in caught.value.advice
    assert site.season["reference"] in caught.value.advice
    assert site.database.read_now(all_of, tables.message) == []


async def test_the_reference_in_the_subject_chooses_the_case(door: SubmissionDoor, site: Settled) -> None:
    octets = mail(to="raul@tours.example", subject=f"RE: [EXTERNAL] [{site.season['reference']}] dates")
    await submit(door, site.people["dana"], octets, "raul@tours.example")
    [row] = site.database.read_now(all_of, tables.message)
    assert row.case_id == site.season["case"]


async def test_an_answer_in_the_thread_finds_case_and_parent(door: SubmissionDoor, site: Settled) -> None:
    first = mail(to=site.address(site.season), Message_ID="<first@agency.example>")
    await submit(door, site.people["dana"], first, site.address(site.season))
    octets = mail(to="raul@tours.example", subject="no reference", In_Reply_To="<first@agency.example>")
    await submit(door, site.people["dana"], octets, "raul@tours.example")
    parent, answer = site.database.read_now(all_of, tables.message)
    assert (answer.case_id, answer.parent_id) == (site.season["case"], parent.id)


async def test_an_answer_to_a_notice_stands_below_the_message_it_told_of(door: SubmissionDoor, site: Settled) -> None:
    await submit(door, site.people["dana"], mail(to=site.address(site.tour)), site.address(site.tour))
    notice = site.database.read_now(all_of, tables.outbox)[0]
    octets = mail(to=site.address(site.tour), In_Reply_To=f"<notice.{notice.id}@{DOMAIN}>")
    await submit(door, site.people["dana"], octets, site.address(site.tour))
    parent, answer = site.database.read_now(all_of, tables.message)
    assert answer.parent_id == parent.id


@pytest.mark.parametrize("address", [f"sm-2222@{DOMAIN}", "nobody@elsewhere.example", "omar@elsewhere.example"])
async def test_an_unknown_recipient_is_refused_saying_whom_to_ask(
    door: SubmissionDoor, site: Settled, address: str
) -> None:
    with pytest.raises(NotAllowed, match="ask the administrators"):
        await submit(door, site.people["dana"], mail(to=address), address)


async def test_unknown_and_forbidden_recipients_get_the_same_answer(door: SubmissionDoor, site: Settled) -> None:
    answers = set()
    for address in ("ines@tours.example", "nobody@tours.example"):
        with pytest.raises(NotAllowed) as caught:
            await submit(door, site.people["eve"], mail(to=address), address, sender="eve@agency.example")
        answers.add(caught.value.advice)
    assert len(answers) == 1


async def test_two_cases_in_one_message_are_refused(door: SubmissionDoor, site: Settled) -> None:
    addresses = (site.address(site.tour), site.address(site.season))
    with pytest.raises(NotAllowed, match="one message for each case"):
        await submit(door, site.people["dana"], mail(to=", ".join(addresses)), *addresses)


@pytest.mark.parametrize("sender", ["omar@agency.example", "stranger@elsewhere.example", "ines@tours.example"])
async def test_an_envelope_sender_of_another_is_refused(door: SubmissionDoor, site: Settled, sender: str) -> None:
    with pytest.raises(NotAllowed, match="neither yours nor your team's"):
        await submit(
            door, site.people["dana"], mail(to=site.address(site.tour)), site.address(site.tour), sender=sender
        )


async def test_a_header_sender_of_another_is_refused_and_nothing_is_kept(
    door: SubmissionDoor, site: Settled, blobs: BlobFolder
) -> None:
    octets = mail(to=site.address(site.tour), sender="omar@agency.example") + b"0123456789abcdef\r\n" * 20_000
    with pytest.raises(NotAllowed, match="neither yours nor your team's"):
        await submit(door, site.people["dana"], octets, site.address(site.tour))
    assert site.database.read_now(all_of, tables.message) == []
    assert list(blobs.names()) == []


async def test_a_team_address_may_be_written_from_by_its_members_only(door: SubmissionDoor, site: Settled) -> None:
    octets = mail(to=site.address(site.tour), sender="desk@agency.example")
    await submit(door, site.people["omar"], octets, site.address(site.tour), sender="desk@agency.example")
    [row] = site.database.read_now(all_of, tables.message)
    assert row.author_id == site.people["omar"]
    assert row.team_id is not None
    with pytest.raises(NotAllowed):
        await submit(door, site.people["eve"], octets, site.address(site.tour), sender="desk@agency.example")


async def test_a_repeated_submission_gets_the_first_answer_and_is_one_message(
    door: SubmissionDoor, site: Settled
) -> None:
    octets = mail(to=site.address(site.tour), Message_ID="<again@agency.example>")
    first = await submit(door, site.people["dana"], octets, site.address(site.tour))
    second = await submit(door, site.people["dana"], b"Received: by a relay\r\n" + octets, site.address(site.tour))
    assert str(first) == str(second)
    assert len(site.database.read_now(all_of, tables.message)) == 1
    assert len(site.database.read_now(all_of, tables.outbox)) == 2


async def test_repeats_among_others_in_one_group_lose_nothing(door: SubmissionDoor, site: Settled) -> None:
    mails = [mail(to=site.address(site.tour), Message_ID=f"<{name}@agency.example>") for name in ("one", "two", "new")]
    first = [await submit(door, site.people["dana"], octets, site.address(site.tour)) for octets in mails[:2]]
    again = [mails[2], mails[0], mails[2], mails[1], mails[0]]
    answers = await asyncio.gather(
        *(submit(door, site.people["dana"], octets, site.address(site.tour)) for octets in again)
    )
    assert [answers[1], answers[3], answers[4]] == [first[0], first[1], first[0]]
    assert answers[0] == answers[2]
    assert len(site.database.read_now(all_of, tables.message)) == 3
    assert len(site.database.read_now(all_of, tables.repeat, tables.repeat.c.key)) == 3


async def test_a_message_id_used_again_for_another_message_loses_nothing(door: SubmissionDoor, site: Settled) -> None:
    for subject in ("first", "second"):
        octets = mail(to=site.address(site.tour), subject=subject, Message_ID="<same@agency.example>")
        await submit(door, site.people["dana"], octets, site.address(site.tour))
    assert len(site.database.read_now(all_of, tables.message)) == 2


async def test_equal_messages_without_a_message_id_are_both_kept(door: SubmissionDoor, site: Settled) -> None:
    for _ in range(2):
        await submit(door, site.people["dana"], mail(to=site.address(site.tour)), site.address(site.tour))
    assert len(site.database.read_now(all_of, tables.message)) == 2


async def test_a_revoked_designated_user_is_not_served_any_more(door: SubmissionDoor, site: Settled) -> None:
    site.enact("revoke_designated_user", designated_user=site.users["ines"]["designated_user"])
    with pytest.raises(NotAllowed):
        await submit(door, site.people["dana"], mail(to="ines@tours.example"), "ines@tours.example")


async def test_the_entry_binds_ciphertext_and_plaintext_and_holds_neither_words_nor_addresses(
    door: SubmissionDoor, site: Settled, blobs: BlobFolder
) -> None:
    octets = mail(to=site.address(site.tour), subject="Passport of the singer")
    await submit(door, site.people["dana"], octets, site.address(site.tour))
    [row] = site.database.read_now(all_of, tables.message)
    summary, _ = read_back(site, blobs, row)
    [entry] = deposited(site)
    header, body = octets[: octets.index(b"\r\n\r\n") + 4], octets[octets.index(b"\r\n\r\n") + 4 :]
    digest = hashlib.sha256(hashlib.sha256(header).digest() + hashlib.sha256(body).digest()).digest()
    assert entry["commitment"] == commitment(bytes.fromhex(summary.salt), digest).hex()
    assert "Passport" not in json.dumps(entry)
    assert "@" not in json.dumps(entry)
    assert digest.hex() not in json.dumps(entry)


def composed(site: Settled, blobs: BlobFolder, person: str, text: bytes = b"an answer", key: str = "a" * 32) -> Posting:
    deposit = ComposedDeposit(blobs)
    deposit.begin_part("text/plain")
    deposit.write(text)
    deposit.end_part()
    deposit.begin_part("application/pdf", "contract.pdf")
    deposit.write(b"%PDF" + b"0" * 100_000)
    deposit.end_part()
    author = Mailbox(person.title(), f"{person}@tours.example")
    summary = Summary("Re: Budget", author, (), (), (), None, "", deposit.part_map(), (), "", "")
    case_key = site.database.read_now(case_sealing_key, site.authority.key, site.tour["case"])
    sealed = deposit.seal(summary, case_key, DEPOSIT_KEY)
    return Posting(sealed, site.tour["case"], site.people[person], (), submission_key=key)


async def test_a_portal_reply_serves_the_office_and_confirms_to_its_author(
    database: Database, site: Settled, blobs: BlobFolder
) -> None:
    await database.run(reply, site.authority.key, composed(site, blobs, "ines"))
    notices = {(row.person_id, row.kind) for row in database.read_now(all_of, tables.outbox)}
    assert notices == {
        (site.people["dana"], "reply_received"),
        (site.people["omar"], "reply_received"),
        (site.people["ines"], "submission_successful"),
    }
    [row] = database.read_now(all_of, tables.message)
    assert read_back(site, blobs, row)[1] == b"an answer%PDF" + b"0" * 100_000


async def test_a_form_sent_twice_is_one_message(database: Database, site: Settled, blobs: BlobFolder) -> None:
    first = await database.run(reply, site.authority.key, composed(site, blobs, "ines"))
    second = await database.run(reply, site.authority.key, composed(site, blobs, "ines"))
    assert second.repeated
    assert second.reference == first.reference
    assert len(database.read_now(all_of, tables.message)) == 1


async def test_a_mere_reader_may_not_answer(database: Database, site: Settled, blobs: BlobFolder) -> None:
    with pytest.raises(NotAllowed):
        await database.run(reply, site.authority.key, composed(site, blobs, "raul"))


async def test_a_closed_case_takes_nothing(database: Database, site: Settled, blobs: BlobFolder) -> None:
    posting = composed(site, blobs, "ines")
    site.enact("close_case", case=site.tour["reference"])
    with pytest.raises(NotAllowed):
        await database.run(reply, site.authority.key, posting)


def deposited(site: Settled) -> list[dict[str, Any]]:
    bodies = [json.loads(row.body) for row in site.database.read_now(all_of, tables.leaf)]
    return [body["facts"] for body in bodies if body["kind"] == "deposited"]


@pytest.fixture(autouse=True)
def no_leftovers(blobs: BlobFolder, tmp_path: Path) -> Iterator[None]:
    yield
    assert list((tmp_path / "blobs" / "tmp").iterdir()) == []
