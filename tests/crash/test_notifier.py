"""The notifier killed at each of its failpoints: every notice is sent, and none twice but after the final dot."""

from __future__ import annotations

import asyncio
import os
import sys
from email import message_from_bytes
from pathlib import Path

import pytest
from sqlalchemy import update

from gateway.store import tables
from gateway.store.authority import sign
from gateway.store.database import Database
from gateway.store.outbox import waiting
from gateway.store.transaction import Transaction
from tests.nameserver import nameserver
from tests.notifying import AUTHORITY, Time, settle_in, tell
from tests.relay import Certificate, Sink, relay
from tests.tables import make_tables

SIGKILL = -9
DAY_US = 24 * 3600 * 1_000_000


def peopled(folder: Path) -> tuple[str, Database]:
    """Make a store with people in it; return where it is, and the store."""
    url = f"sqlite:///{folder}/gateway.db"
    make_tables(url)
    database = Database(url, clock=Time())
    database.call(settle_in)
    return url, database


async def send_once(
    url: str, port: int, certificate: Certificate, minutes: int, failpoints: str = "", nameserver: int = 0
) -> int:
    environment = {**os.environ, "GATEWAY_FAILPOINTS": failpoints}
    arguments = (url, str(port), str(certificate.path), str(minutes), str(nameserver or ""))
    child = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.notifying", *arguments, env=environment)
    return await child.wait()


@pytest.mark.parametrize(
    ("failpoint", "may_repeat"),
    [
        ("outbox.claim", False),
        ("store.commit.before@4", False),  # three commits plan, the fourth claims
        ("store.commit.after@4", False),
        ("courier.final_dot", True),
        ("outbox.settle", True),
        ("store.commit.before@5", True),
        ("store.commit.after@5", False),
    ],
)
async def test_a_kill_loses_no_notice_and_repeats_only_the_same_mail(
    tmp_path: Path, failpoint: str, may_repeat: bool
) -> None:
    url, database = peopled(tmp_path)
    row_id = database.call(tell)
    certificate, sink = Certificate(tmp_path), Sink()
    name, _, nth = failpoint.partition("@")
    armed = f"{name}=kill{'@' + nth if nth else ''}"
    async with relay(sink, certificate) as port:
        assert await send_once(url, port, certificate, 0, armed) == SIGKILL
        assert await send_once(url, port, certificate, 6) == 0
        assert await send_once(url, port, certificate, 12) == 0
    sent = [message_from_bytes(envelope.content)["Message-ID"] for envelope in sink.mail]  # type: ignore[arg-type]
    assert set(sent) == {f"<notice.{row_id}@gateway.example>"}
    assert len(sent) <= (2 if may_repeat else 1)
    assert database.read_now(waiting) == []
    database.close()


async def test_a_kill_of_what_makes_the_mails_only_delays_them(tmp_path: Path) -> None:
    url, database = peopled(tmp_path)
    ids = {database.call(tell, person_id) for person_id in ("agent", "owner")}
    certificate, sink = Certificate(tmp_path), Sink()
    async with relay(sink, certificate) as port:
        assert await send_once(url, port, certificate, 0, "workshop.made=kill") == 0
        assert sink.mail == []
        assert {row.id for row in database.read_now(waiting)} == ids
        assert await send_once(url, port, certificate, 6) == 0
    sent = [message_from_bytes(envelope.content)["Message-ID"] for envelope in sink.mail]  # type: ignore[arg-type]
    assert sorted(sent) == sorted(f"<notice.{row_id}@gateway.example>" for row_id in ids)
    assert database.read_now(waiting) == []
    database.close()


@pytest.mark.parametrize(
    ("failpoint", "may_repeat"),
    [
        ("outbox.claim", False),
        ("store.commit.after@4", False),
        ("store.commit.before@5", False),  # what TLS came to, before a word of the mail
        ("store.commit.after@5", False),
        ("courier.final_dot", True),
        ("outbox.settle", True),
        ("store.commit.before@6", True),
        ("store.commit.after@6", False),
    ],
)
async def test_a_kill_during_direct_delivery_loses_no_notice_either(
    tmp_path: Path, failpoint: str, may_repeat: bool
) -> None:
    url, database = peopled(tmp_path)
    row_id = database.call(tell)
    certificate, sink = Certificate(tmp_path, "mx.mail.example"), Sink()
    zone = {("mail.example", "MX"): ["10 mx.mail.example."], ("mx.mail.example", "A"): ["127.0.0.1"]}
    name, _, nth = failpoint.partition("@")
    armed = f"{name}=kill{'@' + nth if nth else ''}"
    async with nameserver(zone) as names, relay(sink, certificate) as port:
        at = names.place[1]
        assert await send_once(url, port, certificate, 0, armed, nameserver=at) == SIGKILL
        assert await send_once(url, port, certificate, 6, nameserver=at) == 0
        assert await send_once(url, port, certificate, 12, nameserver=at) == 0
    sent = [message_from_bytes(envelope.content)["Message-ID"] for envelope in sink.mail]  # type: ignore[arg-type]
    assert set(sent) == {f"<notice.{row_id}@gateway.example>"}
    assert len(sent) <= (2 if may_repeat else 1)
    assert database.read_now(waiting) == []
    database.close()


def owing(tx: Transaction) -> None:
    """Two notices that are told together, three readings that are owed, a place that ends: all of one person."""
    tx.execute(update(tables.person).where(tables.person.c.id == "agent").values(time_zone="Europe/London"))
    end_us, due_us = tx.now_us + 20 * DAY_US, tx.now_us - 2 * DAY_US
    tx.insert(tables.agreement, id="agreement", programme="cwa", created_us=0, ended_us=None)
    cover = {"id": "cover", "agreement_id": "agreement", "case_id": "cwa", "from_us": 0, "until_us": None, "version": 1}
    place = {
        "id": "place", "agreement_id": "agreement", "person_id": "agent", "right": "act", "from_us": 0,
        "until_us": end_us, "version": 1,
    }  # fmt: skip
    for table, row in ((tables.agreement_case, cover), (tables.designated_user, place)):
        tx.insert(table, **row, signature=sign(table, row, AUTHORITY))
    for number in range(3):
        message = {
            "id": f"unread-{number}",
            "case_id": "cwa",
            "reference": f"SM-7K2Q-{number + 2}XYZ",
            "side": "office",
        }
        tx.insert(
            tables.message, **message, author_id="clerk", composed=0, octets=1, sealed_summary=b"", received_us=due_us
        )
        tx.insert(
            tables.recipient, id=f"owed-{number}", message_id=message["id"], person_id="agent", addressed_as="to",
            remind_us=due_us,
        )  # fmt: skip
    tell(tx)
    tell(tx)


PASSED = (
    "reminders.plan@1", "endings.tell@1", "outbox.join@1", "outbox.join@2", "outbox.claim@1", "courier.final_dot@1",
    "courier.final_dot@2", "outbox.settle@1", "outbox.settle@2", "outbox.settle@3",
    *(f"store.commit.{when}@{nth}" for nth in range(1, 9) for when in ("before", "after")),
)  # fmt: skip
IN_SHORT = {"reminders.plan@1", "endings.tell@1", "outbox.join@2", "store.commit.after@3"}


@pytest.mark.parametrize(
    "failpoint", [one if one in IN_SHORT else pytest.param(one, marks=pytest.mark.sweep) for one in PASSED]
)
async def test_a_kill_while_planning_or_joining_tells_each_thing_in_one_mail(tmp_path: Path, failpoint: str) -> None:
    url, database = peopled(tmp_path)
    database.call(owing)
    certificate, sink = Certificate(tmp_path), Sink()
    name, _, nth = failpoint.partition("@")
    async with relay(sink, certificate) as port:
        assert await send_once(url, port, certificate, 0, f"{name}=kill@{nth}") in (SIGKILL, 0)
        for minutes in (1, 6, 12):
            assert await send_once(url, port, certificate, minutes) == 0
    mails = [message_from_bytes(envelope.content) for envelope in sink.mail]  # type: ignore[arg-type]
    by_subject: dict[str, list[str]] = {}
    for mail in mails:
        by_subject.setdefault(str(mail["Subject"]), []).append(str(mail["Message-ID"]))
    assert set(by_subject) == {
        "A message is waiting for you", "A message is still waiting for you", "Your access is ending"
    }  # fmt: skip
    assert all(len(set(ids)) == 1 for ids in by_subject.values())
    repeated = sum(len(ids) - 1 for ids in by_subject.values())
    assert repeated <= (3 if name.startswith(("courier", "outbox.settle", "store.commit")) else 0)
    assert database.read_now(waiting) == []
    texts = {str(mail["Subject"]): mail.get_payload(0).get_payload() for mail in mails}  # type: ignore[union-attr]
    assert "2 messages" in texts["A message is waiting for you"]
    assert "3 messages" in texts["A message is still waiting for you"]
    database.close()
