"""What the doctor says of the wrong client guard: whether messages wait for their look, and for their author's word."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy.exc import DBAPIError

from gateway.config import Settings
from gateway.domain.clock import to_microseconds
from gateway.findings import Finding, State
from gateway.store.engines import open_engine
from gateway.store.failures import store_error
from gateway.store.guard import figures


def wrong_client(settings: Settings) -> Iterator[Finding]:
    """Nothing where the site has no guard; a problem where messages wait for longer than they may."""
    if settings.guard is None:
        return
    engine = open_engine(settings.store.url, read_only=True)
    try:
        with engine.begin() as connection:
            waiting, seconds, asked = figures(connection, to_microseconds(datetime.now(UTC)))
    except DBAPIError as problem:
        raise store_error(problem) from problem
    finally:
        engine.dispose()
    is_late = seconds > settings.guard.overdue_after_seconds
    first = f", the first for {seconds // 60} minutes" if waiting else ""
    words = f"{waiting} wait for their look{first}; {asked} for their author's yes"
    advice = "Does the program guard run, and the keyholder? Their logs say why." if is_late else ""
    yield Finding("wrong client guard", State.PROBLEM if is_late else State.OK, words, advice)
