"""What the doctor looks at where mail from outside comes in: the door's position, the way of mail, the trays."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy.exc import DBAPIError

from gateway.config import CLEAN_CONSEQUENCES, Position, Settings, consequence
from gateway.domain.clock import from_microseconds
from gateway.domain.intake import month_of
from gateway.findings import Finding, State
from gateway.inbound.exchanges import exchanges_of
from gateway.process import holder
from gateway.store.database import store_error
from gateway.store.engines import open_engine
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
    if settings.mx is None:
        return
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
        advice = "Mail for the tray is put off (451). Start the keyholder: it makes the key."
        yield Finding("intake key", State.PROBLEM if runs else State.WARNING, f"none for {month_of(now)}", advice)
    for tray in found:
        name = f"{tray.tray} tray"
        if tray.oldest_us is None:
            yield Finding(name, State.OK, "empty")
            continue
        days = (now - from_microseconds(tray.oldest_us)).days
        late = days >= LATE_DAYS
        words = f"{tray.count} wait, the oldest for {days} days"
        yield Finding(name, State.WARNING if late else State.OK, words, "See: gateway intake list" if late else "")
