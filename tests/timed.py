"""The invented site of `tests.settled` with a clock in the test's hand: messages posted, opened, and told of.

The notifier's verbs run on a connection that may do what that program may, and no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, select, update

from gateway.casework.correspondence import Posting, Served, post
from gateway.casework.deposit import SealedMessage
from gateway.casework.endings import tell_endings
from gateway.casework.reminding import plan_reminders
from gateway.domain.delivery import Delivery, DeliveryState
from gateway.domain.programme import Programme
from gateway.programmes import load_programmes
from gateway.resources import programmes_folder
from gateway.store import tables
from gateway.store.cases import case_sealing_key
from gateway.store.claims import claim
from gateway.store.database import Database
from gateway.store.ids import new_id
from gateway.store.outbox import Entry
from gateway.store.reminders import read_by
from gateway.store.settlements import settle
from tests.settled import Settled

LEASE_US = 300_000_000
HASH_KEY = b"h" * 32
PROGRAMMES: Mapping[str, Programme] = load_programmes([programmes_folder() / "cwa"])
ZONE = PROGRAMMES["cwa"].zone
DELIVERED = Delivery(DeliveryState.DELIVERED, 250, "2.0.0", "queued")
DELAYED = Delivery(DeliveryState.DELAYED, 451, "4.3.0", "later")
REFUSED = Delivery(DeliveryState.FAILED, 550, "5.1.1", "unknown")
MONDAY = "2026-03-02T10:00"


class Time:
    """A clock that stands until it is moved."""

    def __init__(self, local: str = MONDAY, zone: ZoneInfo = ZONE) -> None:
        self.now = datetime.now(UTC)
        self.set(local, zone)

    def __call__(self) -> datetime:
        return self.now

    def set(self, local: str, zone: ZoneInfo = ZONE) -> None:
        self.now = datetime.fromisoformat(local).replace(tzinfo=zone).astimezone(UTC)

    def pass_by(self, **amount: float) -> None:
        self.now += timedelta(**amount)


class Timed:
    """`dana` and `omar` of the office, `ines` who may act in the tour, `raul` who may see both cases."""

    def __init__(self, database: Database, notifier: Database, time: Time) -> None:
        self.database, self.notifier, self.time = database, notifier, time
        self.site = Settled(database)
        self.people = self.site.people
        self.programmes = dict(PROGRAMMES)

    @property
    def authority(self) -> Any:
        return self.site.authority.key

    def post(self, *to: str, case: Mapping[str, Any] | None = None, author: str = "dana") -> str:
        """Post a message to people; return its id. What was told before is done with, so that only this is new."""
        case_id = (case or self.site.tour)["case"]
        key = self.database.read_now(lambda c: case_sealing_key(c, self.authority, case_id))
        sealed = SealedMessage(new_id(), True, 1, b"s", key.id, key.suite, b"w", (), None, "c")
        served = tuple(Served(self.people[name], "to") for name in to or ("ines", "raul"))
        self.database.call(post, self.authority, Posting(sealed, case_id, self.people[author], served))
        return sealed.id

    def open(self, name: str, message_id: str) -> None:
        """Do what an opening in the keyholder does, by the right the person has."""
        self.database.call(read_by, message_id, self.people[name], may_act=name != "raul")

    def claim(self, limit: int = 50) -> list[Entry]:
        timings = {key: programme.timing for key, programme in self.programmes.items()}
        return self.notifier.call(claim, LEASE_US, limit, timings, self.authority)

    def settle(self, entry: Entry, delivery: Delivery = DELIVERED, due_us: int | None = None) -> bool:
        return self.notifier.call(settle, self.authority, HASH_KEY, entry, delivery, due_us)

    def plan(self) -> None:
        """Plan all that is due, as the notifier does."""
        while self.notifier.call(plan_reminders, self.authority, self.programmes):
            pass
        while self.notifier.call(tell_endings, self.authority, self.programmes):
            pass

    def send(self) -> list[Entry]:
        """Plan and deliver everything that is due now; return it."""
        self.plan()
        sent: list[Entry] = []
        while entries := self.claim():
            for entry in entries:
                assert self.settle(entry)
            sent += entries
        return sent

    def told(self) -> list[tuple[str, str, int]]:
        """Do as `send`; return who was told what, and of how many."""
        names = {person: name for name, person in self.people.items()}
        return sorted((names[entry.person_id], entry.kind.value, entry.count) for entry in self.send())

    def days(self, until: str, *, hours: int = 4) -> list[tuple[str, str, str, int]]:
        """Let time pass until a day, looking now and then; return on which day and hour who was told what."""
        end = datetime.fromisoformat(until).replace(tzinfo=ZONE)
        found: list[tuple[str, str, str, int]] = []
        while self.time.now < end:
            at = self.time.now.astimezone(ZONE).strftime("%m-%d %H:%M")
            found += [(at, *one) for one in self.told()]
            self.time.pass_by(hours=hours)
        return found

    def rows(self) -> Sequence[Row[Any]]:
        return self.database.read_now(_rows)

    def states(self) -> dict[str, list[int]]:
        """Return the states of the outbox's rows by message."""
        found: dict[str, list[int]] = {}
        for row in self.rows():
            found.setdefault(row.message_id, []).append(row.state)
        return found

    def change(self, table: Any, row_id: str, **columns: Any) -> None:
        """Change a row as the keyholder would, signed where it must be."""
        row = self.database.read_now(lambda c: c.execute(select(table).where(table.c.id == row_id)).one())
        values = {**row._mapping, **columns}
        if "signature" in table.c:
            values = self.site.authority.sign(table, values)
        self.database.call(lambda tx: tx.execute(update(table).where(table.c.id == row_id).values(**values)))


def _rows(connection: Connection) -> Sequence[Row[Any]]:
    return connection.execute(select(tables.outbox).order_by(tables.outbox.c.id)).all()
