"""What a page may show beside a person's own cases: asked of the one table of rights, with the rows as they are now."""

from __future__ import annotations

from sqlalchemy import Connection

from gateway.domain.rights import Thing, Verb, may
from gateway.store.authority import AuthorityKey
from gateway.store.people import Person
from gateway.store.places import employee_or_user


def administers(connection: Connection, authority: AuthorityKey, person: Person, now_us: int) -> bool:
    """Tell whether a person administers their programme now."""
    return _may(connection, authority, person, Verb.ADMINISTER, now_us)


def enrols(connection: Connection, authority: AuthorityKey, person: Person, now_us: int) -> bool:
    """Tell whether a person enrols for their programme now."""
    return _may(connection, authority, person, Verb.ENROL, now_us)


def works_tray(connection: Connection, authority: AuthorityKey, person: Person, now_us: int) -> bool:
    """Tell whether a person works the intake tray of their programme now."""
    return _may(connection, authority, person, Verb.WORK_TRAY, now_us)


def _may(connection: Connection, authority: AuthorityKey, person: Person, verb: Verb, now_us: int) -> bool:
    holder = employee_or_user(connection, authority, person.id, now_us)
    return holder is not None and may(holder, verb, Thing(person.programme), now_us)
