"""The notifier from outbox row to a relay's mailbox, and what it does when that fails."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import dkim
import pytest
from aiosmtpd.smtp import Envelope
from sqlalchemy import insert, select, update

from gateway.casework.samples import order_sample
from gateway.domain.address import parse_address
from gateway.domain.errors import StoreUnavailable
from gateway.domain.notice import NoticeKind
from gateway.domain.thread_address import ThreadAddresses
from gateway.outbound.courier import AllowList
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.outbox import OutboxState
from gateway.store.transaction import Transaction
from gateway.wake import notify
from tests.notifying import PROGRAMMES, SIGNER, Time, notifier, settle_in, tell
from tests.relay import Certificate, Sink, relay
from tests.said import said
from tests.tables import make_tables


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
async def port(sink: Sink, certificate: Certificate) -> AsyncIterator[int]:
    async with relay(sink, certificate) as opened:
        yield opened


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def database(tmp_path: Path, time: Time) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/gateway.db"
    make_tables(url)
    opened = Database(url, clock=time)
    opened.call(settle_in)
    yield opened
    opened.close()


def read(envelope: Envelope) -> EmailMessage:
    content = envelope.content
    assert isinstance(content, bytes)
    mail = message_from_bytes(content, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def states(database: Database) -> list[tuple[str, int, int]]:
    columns = (tables.outbox.c.kind, tables.outbox.c.state, tables.outbox.c.attempts)
    rows = database.read_now(lambda c: c.execute(select(*columns).order_by(tables.outbox.c.id)).all())
    return [(row.kind, row.state, row.attempts) for row in rows]


async def test_a_due_notice_becomes_one_signed_mail(
    database: Database, sink: Sink, port: int, certificate: Certificate, time: Time, tmp_path: Path
) -> None:
    row_id = database.call(tell)
    one = notifier(database, port, certificate.path, tmp_path, time)
    assert await one.send_due() == 1
    assert await one.send_due() == 0
    (envelope,) = sink.mail
    mail = read(envelope)
    assert envelope.rcpt_tos == ["agent@mail.example"]
    assert mail["To"] == "agent@mail.example"
    assert mail["Message-ID"] == f"<notice.{row_id}@gateway.example>"
    assert "SM-7K2Q-9F4T" in mail.as_string()
    _, record = SIGNER.record
    assert dkim.DKIM(envelope.content).verify(dnsfunc=lambda name, timeout=5: record.encode())
    assert states(database) == [("message_waiting", OutboxState.DELIVERED, 1)]


async def test_a_person_s_language_and_choice_of_no_link_are_honoured(
    database: Database, sink: Sink, port: int, certificate: Certificate, time: Time, tmp_path: Path
) -> None:
    database.call(lambda tx: tx.execute(update(tables.person).values(language="es", wants_link=0)))
    database.call(tell)
    await notifier(database, port, certificate.path, tmp_path, time).send_due()
    mail = read(sink.mail[0])
    body = mail.get_body(("plain",))
    assert body is not None
    assert mail["Subject"] == "Le espera un mensaje"
    assert "https://" not in body.get_content()


async def test_an_employee_is_given_the_address_of_the_thread_to_answer_to(
    database: Database, sink: Sink, port: int, certificate: Certificate, time: Time, tmp_path: Path
) -> None:
    database.call(tell, "clerk", NoticeKind.REPLY_RECEIVED)
    await notifier(database, port, certificate.path, tmp_path, time).send_due()
    threads = ThreadAddresses("gateway.example", b"r" * 32)
    found = threads.read(parse_address(read(sink.mail[0])["Reply-To"]))
    assert found is not None
    assert str(found.message) == "SM-7K2Q-9F4T"
    assert threads.is_for(found, ["clerk"])


async def test_replies_told_together_are_answered_in_the_thread_of_the_first(
    database: Database, sink: Sink, port: int, certificate: Certificate, time: Time, tmp_path: Path
) -> None:
    for _ in range(3):
        database.call(tell, "clerk", NoticeKind.REPLY_RECEIVED)
    one = notifier(database, port, certificate.path, tmp_path, time)
    sink.data_replies += ["451 4.3.0 later"]
    await one.send_due()
    time.now += timedelta(minutes=10)
    await one.send_due()
    (envelope,) = sink.mail
    mail = read(envelope)
    assert "SM-7K2Q-9F4T" not in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    found = ThreadAddresses("gateway.example", b"r" * 32).read(parse_address(mail["Reply-To"]))
    assert found is not None
    assert str(found.message) == "SM-7K2Q-9F4T"


async def test_a_delayed_notice_is_the_same_mail_when_it_goes(
    database: Database, sink: Sink, port: int, certificate: Certificate, time: Time, tmp_path: Path
) -> None:
    row_id = database.call(tell)
    one = notifier(database, port, certificate.path, tmp_path, time)
    sink.data_replies += ["451 4.3.0 later", "421 4.3.2 closing"]
    await one.send_due()
    assert states(database) == [("message_waiting", OutboxState.WAITING, 1)]
    time.now += timedelta(seconds=30)
    await one.send_due()
    time.now += timedelta(seconds=60)
    await one.send_due()
    (envelope,) = sink.mail
    assert read(envelope)["Message-ID"] == f"<notice.{row_id}@gateway.example>"
    assert read(envelope)["Date"].datetime == Time().now
    assert states(database) == [("message_waiting", OutboxState.DELIVERED, 3)]


async def test_a_refused_notice_is_told_to_the_author_at_once(
    database: Database, sink: Sink, port: int, certificate: Certificate, time: Time, tmp_path: Path
) -> None:
    database.call(tell)
    sink.rcpt_replies.append("550 5.1.1 unknown")
    await notifier(database, port, certificate.path, tmp_path, time).send_due()
    (envelope,) = sink.mail
    assert envelope.rcpt_tos == ["clerk@mail.example"]
    mail = read(envelope)
    assert mail["Subject"] == "A notice could not be delivered"
    assert "agent@" not in mail.as_string()
    assert [state for _, state, _ in states(database)] == [OutboxState.FAILED, OutboxState.DELIVERED]


async def test_a_relay_that_stays_away_is_given_up_and_told(
    database: Database, sink: Sink, port: int, certificate: Certificate, time: Time, tmp_path: Path
) -> None:
    database.call(tell)
    one = notifier(database, port, certificate.path, tmp_path, time)
    attempts = 0
    while not sink.mail:
        if time.now < Time().now + timedelta(hours=25):
            sink.rcpt_replies[:] = ["450 4.2.0 not now"]
        attempts += await one.send_due()
        assert attempts < 100
        time.now += timedelta(hours=1)
        sink.rcpt_replies.clear()
    assert [envelope.rcpt_tos for envelope in sink.mail] == [["clerk@mail.example"]]
    assert "as long as this site allows" in read(sink.mail[0]).as_string()


async def test_an_address_that_plain_mail_cannot_take_is_told_too(
    database: Database, sink: Sink, port: int, certificate: Certificate, time: Time, tmp_path: Path
) -> None:
    mine = tables.person_address.c.person_id == "agent"
    database.call(lambda tx: tx.execute(update(tables.person_address).where(mine).values(address="josé@mail.example")))
    database.call(tell)
    await notifier(database, port, certificate.path, tmp_path, time).send_due()
    assert [envelope.rcpt_tos for envelope in sink.mail] == [["clerk@mail.example"]]


async def test_a_row_that_cannot_be_made_into_mail_stops_no_other(
    database: Database, sink: Sink, port: int, certificate: Certificate, time: Time, tmp_path: Path
) -> None:
    broken = database.call(tell)
    database.call(
        lambda tx: tx.execute(update(tables.outbox).where(tables.outbox.c.id == broken).values(programme="x"))
    )
    database.call(tell)
    await notifier(database, port, certificate.path, tmp_path, time).send_due()
    assert len(sink.mail) == 1
    assert sorted(state for _, state, _ in states(database)) == [OutboxState.WAITING, OutboxState.DELIVERED]


async def test_outside_production_mail_goes_to_the_allow_list_and_is_marked(
    database: Database, sink: Sink, port: int, certificate: Certificate, time: Time, tmp_path: Path
) -> None:
    database.call(tell)
    allow_list = AllowList.of(["clerk@mail.example"])
    one = notifier(database, port, certificate.path, tmp_path, time, environment="trial", allow_list=allow_list)
    await one.send_due()
    (envelope,) = sink.mail
    assert envelope.rcpt_tos == ["clerk@mail.example"]
    assert read(envelope)["Subject"].startswith("[TEST] ")


async def test_another_programme_s_notice_has_nothing_of_the_first(
    database: Database, sink: Sink, port: int, certificate: Certificate, time: Time, tmp_path: Path
) -> None:
    for kind in NoticeKind:
        database.call(tell, "owner", kind, "lindgrove")
    await notifier(database, port, certificate.path, tmp_path, time).send_due()
    of_the_site = {kind for kind in NoticeKind if kind.is_of_the_site}
    assert len(sink.mail) == len(PROGRAMMES["lindgrove"].notices | of_the_site) < len(NoticeKind)
    for envelope in sink.mail:
        told = "".join(str(part.get_payload(decode=True)) for part in read(envelope).walk())
        told += str(read(envelope)["From"]) + str(read(envelope)["Subject"])
        assert "Lindgrove" in told
        assert not re.search("IRS|CWA|15410|Internal Revenue", said(told))


async def test_many_notices_are_each_sent_once(
    database: Database, sink: Sink, port: int, certificate: Certificate, time: Time, tmp_path: Path
) -> None:
    ids = {database.call(tell, kind=NoticeKind.SUBMISSION_SUCCESSFUL) for _ in range(100)}
    one = notifier(database, port, certificate.path, tmp_path, time)
    while await one.send_due():  # those that the relay had no room for wait a moment
        time.now += timedelta(seconds=5)
    assert sorted(str(read(envelope)["Message-ID"]) for envelope in sink.mail) == sorted(
        f"<notice.{row_id}@gateway.example>" for row_id in ids
    )
    assert len(sink.sessions) <= 4


async def test_what_came_within_a_minute_is_one_mail_with_its_number(
    database: Database, sink: Sink, port: int, certificate: Certificate, time: Time, tmp_path: Path
) -> None:
    one = notifier(database, port, certificate.path, tmp_path, time)
    for _ in range(4):
        database.call(tell)
        await one.send_due()
        time.now += timedelta(seconds=15)
    assert await one.send_due() == 1
    first, second = (read(envelope) for envelope in sink.mail)
    assert "A message about a matter" in first.as_string()
    assert "3 messages about matters" in second.as_string()
    assert first["Subject"] == second["Subject"]
    assert "SM-7K2Q-9F4T" in first.as_string()
    assert "SM-7K2Q-9F4T" not in second.as_string()
    assert "SM-7K2Q" in second.as_string()
    assert {state for _, state, _ in states(database)} == {OutboxState.DELIVERED}


async def test_a_clock_set_forward_under_way_sends_nothing_twice(
    database: Database, sink: Sink, port: int, certificate: Certificate, time: Time, tmp_path: Path
) -> None:
    """While a mail is under way the clock passes the end of its lease: it is claimed anew, and not sent anew."""
    row_id = database.call(tell, kind=NoticeKind.SUBMISSION_SUCCESSFUL)
    stop, held = asyncio.Event(), asyncio.Event()
    sink.hold = held
    running = asyncio.create_task(notifier(database, port, certificate.path, tmp_path, time).run(stop))
    while not sink.waiting:
        await asyncio.sleep(0.01)
    time.now += timedelta(days=3)
    while states(database)[0][2] < 2:
        notify(tmp_path, "notifier")
        await asyncio.sleep(0.01)
    held.set()
    while states(database)[0][1] != OutboxState.DELIVERED:
        await asyncio.sleep(0.01)
    time.now -= timedelta(days=3)
    stop.set()
    await running
    assert [str(read(envelope)["Message-ID"]) for envelope in sink.mail] == [f"<notice.{row_id}@gateway.example>"]


async def test_the_program_sends_at_a_wake_up_and_stops_when_told(
    database: Database, sink: Sink, port: int, certificate: Certificate, time: Time, tmp_path: Path
) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(notifier(database, port, certificate.path, tmp_path, time).run(stop))
    for count in (1, 2):
        await database.run(tell, kind=NoticeKind.SUBMISSION_SUCCESSFUL)
        notify(tmp_path, "notifier")
        while len(sink.mail) < count:
            await asyncio.sleep(0.01)
    stop.set()
    await running
    assert not (tmp_path / "notifier.wake").exists()
    assert {state for _, state, _ in states(database)} == {OutboxState.DELIVERED}


async def test_the_program_ends_when_its_store_has_stopped_writing(
    database: Database, port: int, certificate: Certificate, time: Time, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/gateway.db"
    dead = Database(url, clock=time)
    dead.close()
    with pytest.raises(StoreUnavailable):
        await notifier(dead, port, certificate.path, tmp_path, time).run(asyncio.Event())


ODD = (
    "agent@mail.example\r\nBcc: victim@elsewhere.example",
    "agent@mail.example\nX: y",
    "agent\r\n@mail.example",
    "agent@mail.example, victim@elsewhere.example",
    "agent@mail.example> RCPT TO:<victim@elsewhere.example",
    "agent@mail.example\u2028x",
    "agënt@mail.example",
    "agent@mail.example\x00",
    "",
)


def give(tx: Transaction, address: str) -> None:
    tx.execute(
        update(tables.person_address).where(tables.person_address.c.person_id == "agent").values(address=address)
    )


@pytest.mark.parametrize("address", ODD)
async def test_an_address_that_is_not_one_gets_nothing_and_nobody_else_does(
    database: Database,
    sink: Sink,
    port: int,
    certificate: Certificate,
    time: Time,
    tmp_path: Path,
    address: str,
) -> None:
    database.call(give, address)
    row_id = database.call(tell)
    await notifier(database, port, certificate.path, tmp_path, time).send_due()
    told = {one for envelope in sink.mail for one in envelope.rcpt_tos}
    assert told <= {"clerk@mail.example"}  # who is told that it failed
    state = database.read_now(
        lambda connection: connection.execute(
            select(tables.outbox.c.state).where(tables.outbox.c.id == row_id)
        ).scalar_one()
    )
    assert state == OutboxState.FAILED


async def test_a_sample_is_a_mail_like_all_and_says_what_it_is(
    database: Database,
    sink: Sink,
    port: int,
    certificate: Certificate,
    time: Time,
    tmp_path: Path,
) -> None:
    for kind in NoticeKind:
        database.call(order_sample, "clerk", kind, "es", "operator")
    await notifier(database, port, certificate.path, tmp_path, time).send_due()
    assert {tuple(envelope.rcpt_tos) for envelope in sink.mail} == {("clerk@mail.example",)}
    mails = [read(envelope) for envelope in sink.mail]
    assert len(mails) == len(NoticeKind)
    for mail in mails:
        assert mail["Subject"].startswith("[MUESTRA] ")
        assert mail["Reply-To"] is None
        for subtype in ("plain", "html"):
            body = mail.get_body((subtype,))
            assert body is not None
            assert "Esta es una muestra que alguien pidió. No se refiere a nadie y nada espera." in body.get_content()


async def test_a_row_with_words_of_a_message_is_not_sent(
    database: Database,
    sink: Sink,
    port: int,
    certificate: Certificate,
    time: Time,
    tmp_path: Path,
) -> None:
    for fields in ('{"reference": "Passport of the singer"}', '{"state": "SSN 123-45-6789"}', '{"count": "many"}'):
        row = {"id": f"{len(fields):032x}", "programme": "cwa", "kind": "meeting", "person_id": "agent"}
        at = {"state": 0, "due_us": 0, "created_us": 0, "fields": fields}
        database.call(lambda tx, row=row, at=at: tx.execute(insert(tables.outbox).values(**row, **at)))
    await notifier(database, port, certificate.path, tmp_path, time).send_due()
    assert not [mail for mail in map(read, sink.mail) if mail["To"] == "agent@mail.example"]
