"""Who of a group whose passwords end signs in by one still: the report, and whom the notifier tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, select

from gateway.domain.credential import CredentialKind
from gateway.domain.sunset import Sunset, Sunsets
from gateway.store.authority import AuthorityKey, genuine
from gateway.store.last_use import last_columns, last_us
from gateway.store.tables import credential, person

_KINDS = (CredentialKind.PASSWORD, CredentialKind.IDENTITY, CredentialKind.EXTENSION)


class Moved(StrEnum):
    """How far somebody is: signs in at a provider; by a password alone; by one, with longer than the others."""

    MOVED = "moved"
    NOT_MOVED = "not-moved"
    EXTENDED = "extended"


@dataclass(frozen=True, slots=True)
class Mover:
    """One person of a group. `password_id` is their password's row, `ends_us` when theirs counts no more."""

    person_id: str
    username: str
    name: str
    programme: str
    sunset: Sunset
    state: Moved
    password_id: str | None
    ends_us: int
    last_us: int


def movers(connection: Connection, authority: AuthorityKey, sunsets: Sunsets, now_us: int) -> Iterator[Mover]:
    """Yield everybody of the groups who has a password or a provider, in the order of their usernames."""
    if not sunsets.listed:
        return
    held = _held(connection, authority, now_us)
    people = select(person, *last_columns()).where(person.c.ended_us.is_(None)).order_by(person.c.username)
    for row in connection.execute(people):
        sunset, kinds = sunsets.of(row.side, row.programme), held.get(row.id, {})
        if sunset is None or not kinds.keys() & {CredentialKind.PASSWORD, CredentialKind.IDENTITY}:
            continue
        own_us, extended_us = (
            sunset.ends_us(sunsets.zone(row.programme)),
            kinds.get(CredentialKind.EXTENSION, ("", 0))[1],
        )
        state = Moved.NOT_MOVED
        if CredentialKind.IDENTITY in kinds:
            state = Moved.MOVED
        elif extended_us > own_us:
            state = Moved.EXTENDED
        password_id = kinds.get(CredentialKind.PASSWORD, (None, 0))[0]
        seen_us = last_us(row._mapping)
        yield Mover(
            row.id, row.username or "", row.name, row.programme, sunset, state, password_id,
            max(own_us, extended_us), seen_us,
        )  # fmt: skip


def _held(
    connection: Connection, authority: AuthorityKey, now_us: int
) -> Mapping[str, dict[CredentialKind, tuple[str, int]]]:
    """Return id and end of what people sign in with now, by person and kind."""
    rows = connection.execute(
        select(credential).where(
            credential.c.kind.in_([kind.value for kind in _KINDS]), credential.c.revoked_us.is_(None)
        )
    )
    found: dict[str, dict[CredentialKind, tuple[str, int]]] = {}
    for row in genuine(credential, rows, authority):
        if row.expires_us is None or row.expires_us > now_us:
            found.setdefault(row.person_id, {})[CredentialKind(row.kind)] = (row.id, row.expires_us or 0)
    return found
