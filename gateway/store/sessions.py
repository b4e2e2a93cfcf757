"""Live sessions: the one check of a token against its row, for every program that asks."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from gateway.domain.errors import NotAuthenticated
from gateway.domain.rights import Side
from gateway.domain.session import session_id
from gateway.store.authority import AuthorityKey, genuine
from gateway.store.tables import person, session, session_use

TOUCH_US = 60_000_000
"""Use of a session is noted at most once in this time."""
STEP_UP_US = 10 * 60_000_000
"""So long after a sign-in it counts as fresh."""
_PERSON_ENDED = person.c.ended_us.label("ended_person_us")


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session that is open now, and whose. `seen_us` is its last noted use, `idle_us` how long it may go unused."""

    id: str
    person_id: str
    programme: str
    side: Side
    assurance: int
    seen_us: int
    absolute_us: int
    issued_us: int
    idle_us: int

    def is_fresh(self, now_us: int) -> bool:
        """Tell whether the person has proved who they are a moment ago: asked before a factor or a device is added."""
        return now_us < self.issued_us + STEP_UP_US

    def needs_touch(self, now_us: int) -> bool:
        """Tell whether this use should be noted."""
        return now_us >= self.seen_us + TOUCH_US


def live_session(connection: Connection, authority: AuthorityKey, token: bytes, now_us: int) -> LiveSession:
    """Return the session that a token opens.

    Raises NotAuthenticated, always the same, when there is none, it is forged (with an alarm), ended, over its
    absolute limit, idle for too long, or its person has been ended.
    """
    statement = (
        select(session, session_use.c.seen_us, person.c.side, person.c.programme, _PERSON_ENDED)
        .join(person, person.c.id == session.c.person_id)
        .outerjoin(session_use, session_use.c.session_id == session.c.id)
        .where(session.c.id == session_id(token))
    )
    for row in genuine(session, connection.execute(statement), authority):
        seen_us = max(row.issued_us, row.seen_us or 0)
        ended = row.ended_us is not None or row.ended_person_us is not None
        if not ended and now_us < row.absolute_us and now_us < seen_us + row.idle_us:
            side = Side(row.side)
            times = (seen_us, row.absolute_us, row.issued_us, row.idle_us)
            return LiveSession(row.id, row.person_id, row.programme, side, row.assurance, *times)
    raise NotAuthenticated("You are not signed in, or the sign-in has ended. Please sign in again.")


def sign_in_before(connection: Connection, authority: AuthorityKey, person_id: str, issued_us: int) -> int | None:
    """Return when a person signed in before a session that began at `issued_us`, None for a first one."""
    statement = (
        select(session)
        .where(session.c.person_id == person_id, session.c.issued_us < issued_us)
        .order_by(session.c.issued_us.desc())
        .limit(1)
    )
    rows = genuine(session, connection.execute(statement), authority)
    return int(rows[0].issued_us) if rows else None
