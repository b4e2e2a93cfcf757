"""How much one session and one person may be given: 60 openings a minute, 1,000 a day; a list entry counts 1/100."""

from __future__ import annotations

import json
from collections import Counter

from sqlalchemy import Connection, select

from gateway.casework.openings import OPENING
from gateway.domain.errors import RateExceeded
from gateway.store.tables import leaf

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
_FORGET_AT = 4096


class Window:
    """Units spent by each key within a sliding span, counted in steps of it."""

    def __init__(self, limit: int, step_us: int, steps: int) -> None:
        self.limit = limit
        self._step_us = step_us
        self._steps = steps
        self._spent: dict[str, Counter[int]] = {}

    def has_room(self, key: str, units: int, now_us: int) -> bool:
        """Tell whether `units` more stay within the limit."""
        step = now_us // self._step_us
        spent = self._spent.get(key, Counter())
        return units + sum(count for at, count in spent.items() if at > step - self._steps) <= self.limit

    def spend(self, key: str, units: int, now_us: int) -> None:
        """Count units, and forget what has left the span."""
        oldest = now_us // self._step_us - self._steps
        spent = self._spent.setdefault(key, Counter())
        spent[now_us // self._step_us] += units
        for at in [at for at in spent if at <= oldest]:
            del spent[at]
        if len(self._spent) > _FORGET_AT:
            self._spent = {name: counts for name, counts in self._spent.items() if max(counts) > oldest}


class Rates:
    """The two limits together. What a person was given in the last day is read back from the record at the start."""

    def __init__(self, *, session_per_minute: int = 60, person_per_day: int = 1_000) -> None:
        self._sessions = Window(session_per_minute * OPENING, MINUTE_US // 60, 60)
        self._people = Window(person_per_day * OPENING, HOUR_US, 24)

    def spend(self, session_id: str, person_id: str, units: int, now_us: int) -> None:
        """Count what is about to be given. Raises RateExceeded, and counts nothing, when it is over a limit."""
        if not self._sessions.has_room(session_id, units, now_us):
            raise RateExceeded("That was a lot at once. Please wait a minute.")
        if not self._people.has_room(person_id, units, now_us):
            raise RateExceeded("The limit of messages for one day is reached. Please go on tomorrow.")
        self._sessions.spend(session_id, units, now_us)
        self._people.spend(person_id, units, now_us)

    def recall(self, connection: Connection, now_us: int) -> None:
        """Count again what the record says was given in the last day."""
        oldest = f"{max(now_us - DAY_US, 0) // 1000:012x}"
        kinds = leaf.c.kind.in_(("opened", "listed", "intake_listed", "document_opened", "paper_opened"))
        given = select(leaf.c.at_us, leaf.c.body).where(leaf.c.id >= oldest, kinds)
        for row in connection.execute(given):
            entry = json.loads(row.body)
            self._people.spend(entry["by"], int(entry["facts"].get("units", OPENING)), row.at_us)
