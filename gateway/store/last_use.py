"""When somebody was here last: the newest of their sign-ins, of the uses of what they sign in with, and of what they
were given to sign in with. So who was away for too long is let in again by being given something new.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, RowMapping, func, select

from gateway.store.tables import credential, credential_use, person, session

_NAMES = ("last_session_us", "last_given_us", "last_use_us")


def last_columns() -> tuple[ColumnElement[int | None], ...]:
    """Return columns for a statement that has `person` in it; `last_us` reads them."""
    of_person = credential.alias("of_person")
    asked = (
        select(func.max(session.c.issued_us)).where(session.c.person_id == person.c.id),
        select(func.max(of_person.c.created_us)).where(of_person.c.person_id == person.c.id),
        select(func.max(credential_use.c.last_used_us))
        .join(of_person, of_person.c.id == credential_use.c.credential_id)
        .where(of_person.c.person_id == person.c.id),
    )
    return tuple(one.correlate(person).scalar_subquery().label(name) for one, name in zip(asked, _NAMES, strict=True))


def last_us(row: RowMapping) -> int:
    """Return the instant that the columns of `last_columns` come to, 0 where there is none."""
    return max((row[name] or 0 for name in _NAMES), default=0)


def last_seen(connection: Connection, person_id: str) -> int:
    """Return when a person was here last, in microseconds; 0 for nobody."""
    row = connection.execute(select(*last_columns()).select_from(person).where(person.c.id == person_id)).first()
    return 0 if row is None else last_us(row._mapping)
