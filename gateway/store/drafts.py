"""Drafts: messages that fit several cases and wait for their author to choose. Whose they are, and what still fits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, select, text

from gateway.domain.rights import Side, Verb
from gateway.store.authority import AuthorityKey
from gateway.store.cases import Case, case_by_id, correspondents, office, standing
from gateway.store.delegations import has_case, members_of
from gateway.store.memory import Source
from gateway.store.people import teams_of
from gateway.store.tables import draft, message


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft's row beside its message's. `facts` is what was written down as it came: see `gateway.casework.drafts`.

    Where a team wrote it and nobody says who of it, `nameless_team` names that team.
    """

    row: Row[Any]
    facts: Mapping[str, Any]

    @property
    def is_open(self) -> bool:
        """True while somebody has still to choose."""
        return self.row.chosen_us is None and self.row.discarded_us is None

    @property
    def nameless_team(self) -> str | None:
        """The team whose any member decides; None where one person does."""
        return self.row.team_id if self.facts["nameless"] else None

    def is_of(self, source: Source, authority: AuthorityKey, person_id: str, now_us: int) -> bool:
        """Tell whether it is this person's to read and to decide."""
        if self.nameless_team is None:
            return bool(self.row.person_id == person_id)
        return person_id in members_of(source, authority, self.nameless_team, now_us)

    def people(self, source: Source, authority: AuthorityKey, now_us: int) -> list[str]:
        """Return whose it is."""
        if self.nameless_team is None:
            return [str(self.row.person_id)]
        return sorted(members_of(source, authority, self.nameless_team, now_us))


def draft_of(connection: Connection, message_id: str) -> Draft | None:
    """Return the draft that a message is or was, or None."""
    return _one(connection, _DRAFTS.where(draft.c.message_id == message_id))


def draft_by_reference(connection: Connection, reference: str, *, for_update: bool = False) -> Draft | None:
    """Return the draft with this reference, or None; `for_update` lets nobody else decide until this has ended."""
    found = _DRAFTS.where(draft.c.reference == reference.strip().upper())
    return _one(connection, found.with_for_update(of=draft) if for_update else found)


def open_drafts(connection: Connection, person_id: str | None = None, limit: int = 10_000) -> list[Draft]:
    """Return the drafts for which nobody has chosen (those in one person's hands), the oldest first."""
    waiting = _DRAFTS.where(draft.c.chosen_us.is_(None), draft.c.discarded_us.is_(None))
    if person_id is not None:
        waiting = waiting.where(draft.c.person_id == person_id)
    return [
        _read(row) for row in connection.execute(waiting.order_by(message.c.received_us, message.c.id).limit(limit))
    ]


def drafts_of(connection: Connection, authority: AuthorityKey, person_id: str, now_us: int) -> list[Draft]:
    """Return the drafts that are this person's to decide, the oldest first."""
    waiting = _DRAFTS.where(draft.c.chosen_us.is_(None), draft.c.discarded_us.is_(None))
    teams = teams_of(connection, authority, person_id, now_us)
    own = waiting.where((draft.c.person_id == person_id) | message.c.team_id.in_(sorted(teams)))
    found = [_read(row) for row in connection.execute(own.order_by(message.c.received_us, message.c.id))]
    return [one for one in found if one.is_of(connection, authority, person_id, now_us)]


def due_drafts(connection: Connection, now_us: int, limit: int) -> list[Draft]:
    """Return the drafts to be looked at now, without what is sealed, the longest due first; nobody else decides these
    until this has ended.
    """
    due = _DUE.where(text("draft.look_us IS NOT NULL"), draft.c.look_us <= now_us)
    rows = connection.execute(due.order_by(draft.c.look_us).limit(limit).with_for_update(of=draft, skip_locked=True))
    return [_read(row) for row in rows]


def fitting_cases(source: Source, authority: AuthorityKey, one: Draft, person_id: str, now_us: int) -> list[Case]:
    """Return the cases that a person can choose for a draft now: of those that fitted when it came, the ones still
    open, theirs to write to, and every recipient's.
    """
    found = (case_by_id(source, case_id) for case_id in one.facts["cases"])
    people = {str(served[0]) for served in one.facts["recipients"]}
    return [
        entered
        for entered in found
        if entered is not None
        and entered.is_open
        and fits(source, authority, entered.id, person_id, people, one.nameless_team, now_us)
    ]


def fits(
    source: Source,
    authority: AuthorityKey,
    case_id: str,
    person_id: str,
    people: set[str],
    team_id: str | None,
    now_us: int,
) -> bool:
    """Tell whether a person of the office may write to all of these people in a case (and their team has it)."""
    place = standing(source, authority, case_id, person_id, now_us)
    if place is None or place.side is not Side.OFFICE or not place.may(Verb.WRITE):
        return False
    if team_id is not None and not has_case(source, authority, team_id, case_id, now_us):
        return False
    left = people.difference(correspondents(source, authority, case_id, now_us))
    return not left or left.issubset(office(source, authority, case_id, now_us))


def _one(connection: Connection, statement: Select[Any]) -> Draft | None:
    row = connection.execute(statement).first()
    return None if row is None else _read(row)


def _read(row: Row[Any]) -> Draft:
    return Draft(row, json.loads(row.facts))


_PLACE: Sequence[Any] = (
    message.c.case_id, message.c.reference.label("message_reference"), message.c.team_id, message.c.received_us,
)  # fmt: skip
_SEALED: Sequence[Any] = (message.c.id, message.c.side, message.c.composed, message.c.octets, message.c.sealed_summary)
_JOINED = draft.join(message, message.c.id == draft.c.message_id)
_DRAFTS: Select[Any] = select(draft, *_PLACE, *_SEALED).select_from(_JOINED)
_DUE: Select[Any] = select(draft, *_PLACE).select_from(_JOINED)
