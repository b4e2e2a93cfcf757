"""What the doctor looks at where others' mail comes in: the door's position, the way of mail, trays, the fax line."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy.exc import DBAPIError

from gateway.config import CLEAN_CONSEQUENCES, Position, Settings, consequence
from gateway.domain.clock import from_microseconds, to_microseconds
from gateway.domain.fax import CLOCK_US, Outcome
from gateway.domain.intake import month_of
from gateway.findings import Finding, State
from gateway.inbound.exchanges import exchanges_of
from gateway.inbound.fax.alarms import is_overdue, silent_after_us
from gateway.process import holder
from gateway.store.engines import open_engine
from gateway.store.failures import store_error
from gateway.store.fax import SourceCount, clock_offset_us, rhythm, source_counts
from gateway.store.intake import intake_key_is_there, waiting
from gateway.store.keyfiles import authority_public

LATE_DAYS = 3


def public_door(settings: Settings) -> Iterator[Finding]:
    """The door for mail from outside, and what its position means."""
    if settings.mx is None:
        yield Finding("public door", State.OFF, "no table [mx]", "Off: mail from outside. Set mx.position.")
        return
    weaker = settings.mx.position is Position.BEHIND_RELAY
    words = consequence(settings.mx).removeprefix("mx: ")
    advice = "Put the door in front of that relay, or before its queue." if weaker else ""
    yield Finding("public door", State.WARNING if weaker else State.OK, words, advice)


def way_of_mail(settings: Settings) -> Iterator[Finding]:
    """Whether DNS sends the domain's mail where the door's position says that it comes from."""
    own, domain = settings.mx, settings.site.domain
    if own is None:
        return
    found = asyncio.run(exchanges_of(domain, own.nameservers))
    if found is None:
        yield Finding("way of mail", State.WARNING, f"no name server tells of {domain}", "Look again with DNS at hand.")
    elif not found.here and not found.elsewhere:
        advice = f"Nobody outside finds this door. Give {domain} an MX record."
        yield Finding("way of mail", State.WARNING, f"{domain} has neither MX nor address", advice)
    elif own.position is Position.FIRST_HOP and found.elsewhere:
        words = f"mail for {domain} goes to {', '.join(found.elsewhere)}, which is not this machine"
        advice = (
            "If a host stands there that queues mail, what is refused here has lain on its disk, and it bounces it in "
            "clear: then the position is behind-relay. If the address is only translated to this machine, all is well."
        )
        yield Finding("way of mail", State.WARNING, words, advice)
    elif own.position is not Position.FIRST_HOP and found.here:
        words = f"mail for {domain} also comes straight here, to {', '.join(found.here)}"
        advice = f"The position is {own.position}: let MX name the host in front alone, or say first-hop."
        yield Finding("way of mail", State.WARNING, words, advice)
    else:
        yield Finding("way of mail", State.OK, f"as {own.position} says: {', '.join(found.here or found.elsewhere)}")


def intake(settings: Settings) -> Iterator[Finding]:
    """Whether mail from outside can be sealed today, and what waits in the trays for somebody to look."""
    if settings.mx is None and settings.fax is None:
        return
    if settings.mx is not None:
        yield Finding("clean mail", State.OK, CLEAN_CONSEQUENCES[settings.mx.clean].removeprefix("mx: "))
    engine, now = open_engine(settings.store.url, read_only=True), datetime.now(UTC)
    try:
        with engine.begin() as connection:
            authority = authority_public(settings.keys.folder)
            has_key = intake_key_is_there(connection, authority, month_of(now))
            found = waiting(connection)
    except DBAPIError as problem:
        raise store_error(problem) from problem
    finally:
        engine.dispose()
    if has_key:
        yield Finding("intake key", State.OK, f"of {month_of(now)}")
    else:
        runs = holder(settings.site.run, "keyholder") is not None
        advice = "Mail and faxes for the tray are put off. Start the keyholder: it makes the key."
        yield Finding("intake key", State.PROBLEM if runs else State.WARNING, f"none for {month_of(now)}", advice)
    for tray in found:
        name = f"{tray.tray} tray"
        if tray.oldest_us is None:
            yield Finding(name, State.OK, "empty")
            continue
        days = (now - from_microseconds(tray.oldest_us)).days
        late = days >= LATE_DAYS
        words = f"{_those_waiting(tray.count)}, the oldest for {_days(days)}"
        yield Finding(name, State.WARNING if late else State.OK, words, "See: gateway intake list" if late else "")


def _those_waiting(count: int) -> str:
    return "1 waits" if count == 1 else f"{count} wait"


def _days(count: int) -> str:
    return "less than a day" if count < 1 else "a day" if count == 1 else f"{count} days"


def fax_line(settings: Settings) -> Iterator[Finding]:
    """Where faxes come from: when each source last brought anything, and what it left outside."""
    if settings.fax is None:
        yield Finding("fax line", State.OFF, "no table [fax]", "Off: faxes. Name a mailbox or a fax server.")
        return
    engine, now = open_engine(settings.store.url, read_only=True), datetime.now(UTC)
    try:
        with engine.begin() as connection:
            counts = {one.source: one for one in source_counts(connection, [])}
            for source in settings.fax.sources:
                found = rhythm(connection, source.name, to_microseconds(now))
                is_silent = found is not None and found.is_silent(to_microseconds(now), silent_after_us(source))
                count = counts.get(source.name)
                yield _fax_source(source.name, count, now, is_silent=is_silent)
                if count is not None and is_overdue(count, settings.fax, to_microseconds(now)):
                    hours = settings.fax.overdue_after_seconds // 3600
                    words = f"{_those_waiting(count.waiting)}, for longer than {hours} h"
                    yield Finding(f"fax desk {source.name}", State.PROBLEM, words, "See: gateway intake list")
                yield from _clock(source.name, clock_offset_us(connection, source.name))
    except DBAPIError as problem:
        raise store_error(problem) from problem
    finally:
        engine.dispose()


def _clock(name: str, before_us: int | None) -> Iterator[Finding]:
    if before_us is not None and abs(before_us) > CLOCK_US:
        minutes = abs(before_us) // 60_000_000
        words = f"its clock is {minutes} minutes {'before' if before_us > 0 else 'behind'} ours"
        advice = "Times of receipt are the fax server's: set its clock, or time_zone of the source."
        yield Finding(f"fax clock {name}", State.WARNING, words, advice)


def _fax_source(name: str, count: SourceCount | None, now: datetime, *, is_silent: bool) -> Finding:
    named = f"fax source {name}"
    if count is None or count.last_us is None:
        return Finding(named, State.WARNING, "nothing has come", "Send a fax to it, and see: gateway intake sources")
    hours = (now - from_microseconds(count.last_us)).total_seconds() / 3600
    words = f"{count.received} received, {count.waiting} wait, the last one came {hours:.0f} h ago"
    if is_silent:
        return Finding(named, State.PROBLEM, words, "It is silent for longer than usual: look at line, server and log.")
    if left := count.outcomes.get(Outcome.LEFT, 0):
        advice = "They lie in the mailbox: look there, and raise fax.max_message if they are faxes."
        return Finding(named, State.WARNING, f"{words}; {left} too long", advice)
    return Finding(named, State.OK, words)
