"""How the fax line does: alarms for a source that is silent or whose faxes wait too long, and figures of each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from sqlalchemy import Connection

from gateway import maillog
from gateway.config import FaxMailboxSettings, FaxServerSettings, FaxSettings
from gateway.domain.clock import to_microseconds
from gateway.domain.errors import GatewayError
from gateway.domain.fax import Outcome, Rhythm
from gateway.metrics import Figure
from gateway.store.database import Database
from gateway.store.fax import SourceCount, clock_offset_us, rhythm, source_counts

LOOK_SECONDS: Final = 60.0
"""How often it is looked whether a source is silent for longer than usual, or something waits for too long."""

_HOUR_US: Final = 3600 * 1_000_000
_DAY_US: Final = 24 * _HOUR_US


class Alarms:
    """Raises an alarm once for each silence of a source that is longer than usual, and once a day while faxes of it
    wait for longer than the site allows.
    """

    def __init__(self, own: FaxSettings, database: Database) -> None:
        self._own = own
        self._database = database
        self._silences: dict[str, int] = {}
        self._overdue: dict[str, int] = {}

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            with suppress(GatewayError):
                await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Look once. Raises StoreUnavailable."""
        now_us = to_microseconds(self._database.clock())
        for source in self._own.sources:
            found = await self._database.read(rhythm, source.name, now_us)
            if found is not None and found.is_silent(now_us, silent_after_us(source)):
                self._tell_silence(source.name, found, now_us)
        for count in await self._database.read(source_counts, [one.name for one in self._own.sources]):
            if is_overdue(count, self._own, now_us):
                self._tell_overdue(count, now_us)

    def _tell_silence(self, name: str, found: Rhythm, now_us: int) -> None:
        if self._silences.get(name) != found.last_us:
            self._silences[name] = found.last_us
            maillog.fax_source_silent(name, (now_us - found.last_us) // _HOUR_US)

    def _tell_overdue(self, count: SourceCount, now_us: int) -> None:
        if now_us - self._overdue.get(count.source, 0) >= _DAY_US:
            self._overdue[count.source] = now_us
            maillog.fax_overdue(count.source, count.waiting, (now_us - (count.oldest_us or now_us)) // _HOUR_US)


def silent_after_us(own: FaxMailboxSettings | FaxServerSettings) -> int | None:
    """Return after how long a source is silent, in microseconds, None where that is longer than usual."""
    return None if own.silent_after_seconds is None else own.silent_after_seconds * 1_000_000


def is_overdue(count: SourceCount, own: FaxSettings, now_us: int) -> bool:
    """Tell whether the oldest fax of a source that waits has waited for longer than the site allows."""
    return count.oldest_us is not None and now_us - count.oldest_us > own.overdue_after_seconds * 1_000_000


def figures(connection: Connection, own: FaxSettings, now_us: int) -> list[Figure]:
    """Return what is counted of each source that the site names, for a monitoring system."""
    named = {one.name: one for one in own.sources}
    counts = [one for one in source_counts(connection, list(named)) if one.source in named]
    silent = {name: _is_silent(connection, one, now_us) for name, one in named.items()}
    clocks = [(name, found / 1e6) for name in named if (found := clock_offset_us(connection, name)) is not None]
    return [
        Figure("gateway_fax_received", "Mails that a source brought.", True, "source", _of(counts, "received")),
        *(_outcome(counts, outcome) for outcome in Outcome),
        Figure("gateway_fax_recognised", "Faxes that were recognised.", True, "source", _of(counts, "recognised")),
        Figure(
            "gateway_fax_unrecognised", "Faxes to be recognised.", False, "source", _of(counts, "unrecognised")
        ),
        Figure("gateway_fax_waiting", "Faxes that wait in the tray.", False, "source", _of(counts, "waiting")),
        Figure(
            "gateway_fax_oldest_seconds", "For how long the oldest of these has waited.", False, "source",
            [(one.source, (now_us - one.oldest_us) / 1e6 if one.oldest_us is not None else 0.0) for one in counts],
        ),
        Figure(
            "gateway_fax_last_seconds", "How long ago a source brought something.", False, "source",
            [(one.source, (now_us - one.last_us) / 1e6) for one in counts if one.last_us is not None],
        ),
        Figure("gateway_fax_silent", "1 for a source that is silent for longer than usual.", False, "source",
               [(name, float(found)) for name, found in silent.items()]),
        Figure("gateway_fax_clock_seconds", "By how much a source's clock is before ours.", False, "source", clocks),
    ]  # fmt: skip


def _of(counts: Sequence[SourceCount], what: str) -> list[tuple[str, float]]:
    return [(one.source, float(getattr(one, what))) for one in counts]


def _outcome(counts: Sequence[SourceCount], outcome: Outcome) -> Figure:
    values = [(one.source, float(one.outcomes.get(outcome, 0))) for one in counts]
    return Figure(f"gateway_fax_{outcome.value}", _WORDS[outcome], True, "source", values)


def _is_silent(connection: Connection, own: FaxMailboxSettings | FaxServerSettings, now_us: int) -> bool:
    found = rhythm(connection, own.name, now_us)
    return found is not None and found.is_silent(now_us, silent_after_us(own))


_WORDS: Final = {
    Outcome.FILED: "Faxes that were filed.",
    Outcome.REPEATED: "Faxes that were filed already.",
    Outcome.FAILURE: "Notices that a fax was not received.",
    Outcome.LEFT: "Mails over the limit that stay where they are.",
}
