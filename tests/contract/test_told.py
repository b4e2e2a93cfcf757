"""What a person was told, as they see it; samples, which disturb nothing real; wishes. Over SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import update

from gateway.casework.act import Actor
from gateway.casework.administration import enact
from gateway.casework.samples import MOST, order_sample
from gateway.domain.delivery import Delivery, DeliveryState
from gateway.domain.errors import Malformed, NotAllowed, RateExceeded
from gateway.domain.notice import NoticeKind
from gateway.domain.reach import Reason, ReportKind
from gateway.domain.rights import Holder, Side
from gateway.domain.timing import Timing
from gateway.store import tables
from gateway.store.claims import claim
from gateway.store.database import Database
from gateway.store.outbox import Entry, OutboxState, put
from gateway.store.people import Wishes, wishes_of
from gateway.store.reach import enter_report
from gateway.store.settlements import settle
from gateway.store.told import Outcome, sent_at, told, told_of, told_once
from gateway.store.transaction import Transaction
from tests.notifying import settle_in
from tests.settled import Settled

AUTHORITY = Ed25519PrivateKey.from_private_bytes(b"a" * 32).public_key()
GOOD = Delivery(DeliveryState.DELIVERED, 250, "2.0.0", "queued")
BAD = Delivery(DeliveryState.FAILED, 550, "5.1.1", "no such user")
SLOW = Delivery(DeliveryState.DELAYED, 451, "4.3.0", "later")
MERGED = {"cwa": Timing(merge_seconds=60)}


@pytest.fixture
def store(database: Database) -> Database:
    database.call(settle_in)
    return database


def tell(tx: Transaction, kind: NoticeKind = NoticeKind.MESSAGE_WAITING, person: str = "agent", **fields: Any) -> str:
    return put(tx, programme="cwa", kind=kind, person_id=person, case_id="cwa", fields=fields)


def send(store: Database, delivery: Delivery = GOOD, timings: Any = MERGED) -> list[Entry]:
    entries = store.call(claim, 60_000_000, 100, timings)
    for entry in entries:
        store.call(settle, AUTHORITY, b"h" * 32, entry, delivery, None if delivery is not SLOW else entry.lease_us)
    return entries


def seen(store: Database, person: str = "agent") -> list[tuple[str, str, int, Outcome]]:
    found = store.read_now(told, person, 100)
    return [(one.kind.value, one.reference, one.count, one.outcome) for one in found]


def test_each_outcome_is_told_as_it_is(store: Database) -> None:
    row = store.call(tell, reference="SM-7K2Q-9F4T")
    assert seen(store) == [("message_waiting", "SM-7K2Q-9F4T", 1, Outcome.WAITING)]
    assert store.read_now(sent_at, row) is None
    send(store, SLOW)
    assert seen(store)[0][3] is Outcome.DELAYED
    store.call(lambda tx: tx.execute(update(tables.outbox).values(due_us=0, lease_until_us=None)))
    send(store)
    assert seen(store)[0][3] is Outcome.ACCEPTED
    assert store.read_now(sent_at, row)
    for kind, outcome in ((ReportKind.DELIVERED, Outcome.DELIVERED), (ReportKind.FAILED, Outcome.RETURNED)):
        store.call(enter_report, row, kind, Reason.FULL)
        assert seen(store)[0][3] is outcome
    store.call(tell, NoticeKind.ACCOUNT_CHANGED)
    send(store, BAD)
    assert seen(store)[0] == ("account_changed", "SM-7K2Q", 1, Outcome.FAILED)
    one = store.read_now(told_once, "agent", row)
    assert one is not None
    assert one.address == "agent@mail.example"
    assert store.read_now(told_once, "owner", row) is None


def test_what_was_told_together_is_one_line_and_what_was_withheld_is_none(store: Database) -> None:
    for message in ("9F4T", "3M4N"):
        store.call(tell, reference=f"SM-7K2Q-{message}")
    send(store)
    assert seen(store) == [("message_waiting", "SM-7K2Q", 2, Outcome.ACCEPTED)]
    row = store.call(tell)
    store.call(lambda tx: tx.execute(update(tables.outbox).where(tables.outbox.c.id == row).values(state=3)))
    assert len(seen(store)) == 1


def test_mail_is_found_by_its_reference_among_one_s_own_alone(store: Database) -> None:
    store.call(tell, reference="SM-7K2Q-9F4T")
    store.call(tell, NoticeKind.REMINDER, reference="SM-7K2Q-9F4T")
    store.call(tell, NoticeKind.ACCOUNT_CHANGED, reference="")
    store.call(tell, NoticeKind.ACCESS_ENDING)
    store.call(tell, NoticeKind.REPLY_RECEIVED, "clerk", reference="SM-7K2Q-3M4N")

    def found(person: str, reference: str) -> list[str]:
        return sorted(one.kind.value for one in store.read_now(told_of, person, reference, 10))

    assert found("agent", "SM-7K2Q-9F4T") == ["message_waiting", "reminder"]
    assert found("agent", "SM-7K2Q") == ["access_ending"]
    assert found("agent", "SM-7K2Q-3M4N") == []
    assert found("agent", "SM-____-9F4T") == []
    assert found("clerk", "SM-7K2Q-3M4N") == ["reply_received"]


def test_a_row_that_nobody_can_read_hides_no_other(store: Database) -> None:
    row = store.call(tell)
    store.call(tell, NoticeKind.MEETING)
    store.call(lambda tx: tx.execute(update(tables.outbox).where(tables.outbox.c.id == row).values(fields="[")))
    assert [one[0] for one in seen(store)] == ["meeting"]


def test_a_sample_is_sent_by_itself_and_disturbs_nothing_real(store: Database) -> None:
    real = store.call(tell, NoticeKind.REPLY_RECEIVED, "clerk", reference="SM-7K2Q-9F4T")
    for kind in (NoticeKind.REPLY_RECEIVED, NoticeKind.REMINDER, NoticeKind.REPLY_RECEIVED):
        store.call(order_sample, "clerk", kind, "es", "operator")
    entries = {entry.id: entry for entry in send(store)}
    assert (entries[real].joined, entries[real].count, entries[real].sample) == (0, 1, "")
    samples = [entry for entry in entries.values() if entry.sample]
    assert sorted(entry.kind.value for entry in samples) == ["reminder", "reply_received", "reply_received"]
    assert {(entry.sample, entry.address, entry.joined) for entry in samples} == {("es", "clerk@mail.example", 0)}
    lines = store.read_now(told, "clerk", 100)
    assert sorted((one.kind.value, one.is_sample) for one in lines) == [
        ("reminder", True), ("reply_received", False), ("reply_received", True), ("reply_received", True),
    ]  # fmt: skip


def test_a_sample_that_fails_tells_nobody(store: Database) -> None:
    store.call(order_sample, "clerk", NoticeKind.MESSAGE_WAITING, "en", "operator")
    send(store, BAD)
    assert seen(store, "clerk") == [("message_waiting", "", 1, Outcome.FAILED)]


def test_samples_go_to_employees_alone_and_so_many_an_hour(store: Database) -> None:
    for person, address in (("agent", None), ("clerk", "agent@mail.example"), ("nobody", None)):
        with pytest.raises(NotAllowed):
            store.call(order_sample, person, NoticeKind.REMINDER, "en", "operator", address)
    for _ in range(MOST):
        store.call(order_sample, "clerk", NoticeKind.REMINDER, "en", "operator", "clerk@mail.example")
    with pytest.raises(RateExceeded):
        store.call(order_sample, "clerk", NoticeKind.REMINDER, "en", "operator")
    assert {OutboxState(row.state) for row in store.read_now(_rows)} == {OutboxState.WAITING}


def _rows(connection: Any) -> Any:
    return connection.execute(tables.outbox.select()).all()


def test_people_choose_for_themselves_and_nobody_for_another(database: Database) -> None:
    site = Settled(database)
    person = site.people["ines"]
    ines = Actor(person, "cwa", Side.CORRESPONDENT, Holder(person, Side.CORRESPONDENT, "cwa"))

    def choose(actor: Actor, **arguments: Any) -> None:
        database.call(lambda tx: enact(tx, site.authority, actor, "choose_notices", arguments))

    own = {"person": person}
    choose(ines, **own, language="es", wants_link=False, time_zone="Europe/Zurich")
    assert database.read_now(wishes_of, person) == Wishes("es", False, "Europe/Zurich")
    choose(ines, **own, wants_link=True)
    assert database.read_now(wishes_of, person) == Wishes("es", True, "Europe/Zurich")
    choose(Actor(), **own, time_zone="", language="en")
    assert database.read_now(wishes_of, person) == Wishes("en", True, "")
    with pytest.raises(NotAllowed):
        choose(ines, person=site.people["raul"], language="es")
    for wrong in ({"language": "english"}, {"language": "e\n"}, {"time_zone": "Mars/Base"}, {"wants_link": "yes"}):
        with pytest.raises(Malformed):
            choose(ines, **own, **wrong)
