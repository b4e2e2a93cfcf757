"""One act of administration: the transaction it runs in, the hand that signs for it, and who asks.

A row that is changed is checked first: what nobody signed is never signed by changing it. People of one programme do
not see the rows of another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Row, Table, and_, or_, select

from gateway.domain.errors import Malformed, NotAllowed
from gateway.domain.programme import Programme
from gateway.domain.rights import OPERATOR as RIGHTS_OF_OPERATOR
from gateway.domain.rights import Holder, Side, Thing, Verb, may
from gateway.store import tables
from gateway.store.authority import AuthorityKey, require_genuine
from gateway.store.ids import new_id
from gateway.store.sealing import SealingKey
from gateway.store.transaction import Transaction

MAX_LINE = 200
OPERATOR = "operator"


class Authority(Protocol):
    """The keyholder's hand: signs rows and makes sealing keys."""

    @property
    def key(self) -> AuthorityKey:
        """What rows are checked with."""
        ...

    def sign(self, table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the row with its next version and its signature."""
        ...

    def new_sealing_key(self) -> SealingKey:
        """Return the public half of a new sealing key whose private half is durable."""
        ...

    def blind(self, what: str, value: str) -> str:
        """Return a keyed hash by which a sealed value is found again; `what` parts kinds of values."""
        ...


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: a local operator (no person, but a user of the machine), or the person of a live session with what rows
    give them.
    """

    person_id: str | None = None
    programme: str = ""
    side: Side | None = None
    holder: Holder | None = None
    uid: int | None = None

    @property
    def identity(self) -> str:
        """Whom two people are told apart by: operators by the user of their process."""
        return self.person_id or f"{OPERATOR} {self.uid}"

    @property
    def name(self) -> str:
        """What the entry says."""
        return self.person_id or OPERATOR

    @property
    def is_operator(self) -> bool:
        """True for a local operator."""
        return self.person_id is None

    def may(self, verb: Verb, thing: Thing, now_us: int) -> bool:
        """Tell whether they may do a verb on a thing; an operator of no programme in particular may in any."""
        asks = RIGHTS_OF_OPERATOR if self.is_operator else self.holder
        return asks is not None and may(asks, verb, thing, now_us)


@dataclass(frozen=True, slots=True)
class Act:
    """What every verb of administration is handed."""

    tx: Transaction
    authority: Authority
    actor: Actor
    programmes: Mapping[str, Programme] = field(default_factory=dict)

    @property
    def administers(self) -> bool:
        """True for whoever may act for others."""
        return self.actor.may(Verb.ADMINISTER, Thing(self.actor.programme), self.tx.now_us)

    def programme(self, key: str) -> Programme:
        """Return a programme that runs here. Raises Malformed."""
        if key not in self.programmes:
            raise Malformed("There is no such programme here.")
        return self.programmes[key]

    def due_us(self, programme: str, *, privileged: bool = False) -> int | None:
        """Return until when access that is given or confirmed now holds without being confirmed; None: for good."""
        known = self.programmes.get(programme)
        rule = known.recertification if known else None
        length_us = (rule.privileged_us if privileged else rule.access_us) if rule else 0
        return self.tx.now_us + length_us if length_us else None

    def give(self, table: Table, **columns: Any) -> str:
        """Write a new signed row and return its id."""
        row = {"id": new_id(), **columns}
        self.tx.insert(table, **self.authority.sign(table, row))
        return str(row["id"])

    def change(self, table: Table, row: Row[Any], **columns: Any) -> None:
        """Write a signed row anew. Raises Tampered when the present one is not genuine."""
        present = require_genuine(table, row, self.authority.key)
        signed = self.authority.sign(table, {**present._mapping, **columns})
        self.tx.execute(table.update().where(table.c.id == row.id).values(signed))

    def end(self, table: Table, rows: Iterable[Row[Any]]) -> int:
        """End these rows now; return how many."""
        ended = list(rows)
        for row in ended:
            self.change(table, row, **{_end_of(table).name: self.tx.now_us})
        return len(ended)

    def not_ended(self, table: Table, **columns: str | None) -> list[Row[Any]]:
        """Return the rows with these columns that have not ended, those that begin later included."""
        end = _end_of(table)
        same = [table.c[name] == value for name, value in columns.items()]
        return list(self.tx.all(select(table).where(*same, or_(end.is_(None), end > self.tx.now_us))))

    def record(self, kind: str, **facts: str | int | list[str] | None) -> None:
        """Write the entry: ids and kinds."""
        self.tx.record(kind, self.actor.name, **facts)

    def person(self, known_as: str, side: Side | None = None) -> Row[Any]:
        """Return a person by id or username. Raises NotAllowed when there is none (of that side) here."""
        table = tables.person
        named = or_(table.c.id == known_as, table.c.username == known_as.strip().lower())
        conditions = [named, table.c.ended_us.is_(None)]
        if side is not None:
            conditions.append(table.c.side == side.value)
        return self._one(table, *conditions)

    def case(self, known_as: str) -> Row[Any]:
        """Return an open case by id or reference. Raises NotAllowed."""
        table = tables.case
        named = or_(table.c.id == known_as, table.c.reference == known_as.strip().upper())
        return self._one(table, named, table.c.closed_us.is_(None))

    def team(self, known_as: str) -> Row[Any]:
        """Return a team by id or address. Raises NotAllowed."""
        table = tables.team
        named = or_(table.c.id == known_as, table.c.key == known_as.strip().lower())
        return self._one(table, named, table.c.ended_us.is_(None))

    def _one(self, table: Table, *conditions: ColumnElement[bool]) -> Row[Any]:
        row = self.tx.one(select(table).where(and_(*conditions)))
        if row is None or (not self.actor.is_operator and row.programme != self.actor.programme):
            raise NotAllowed(f"There is no such {table.name.rstrip('_')} here.")
        return row


def line(text: str, what: str) -> str:
    """Return a name or label of one printable line. Raises Malformed."""
    text = text.strip()
    if not text or not text.isprintable() or len(text) > MAX_LINE:
        raise Malformed(f"A {what} is one line of at most {MAX_LINE} characters.")
    return text


def _end_of(table: Table) -> ColumnElement[int]:
    return next(table.c[name] for name in ("until_us", "revoked_us", "ended_us") if name in table.c)
