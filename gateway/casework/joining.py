"""How far each designated user has come between invitation and inbox: instants that are counted and give nothing.

Each is set once, in the transaction of the act that it stands for. Only the code that was typed is noted by the
authenticator, which alone knows of it.
"""

from __future__ import annotations

from sqlalchemy import select

from gateway.casework.act import Act
from gateway.domain.rights import Side
from gateway.store.tables import joining
from gateway.store.terms import has_agreed
from gateway.store.transaction import Transaction


def note_invited(act: Act, designated_user: str, person_id: str) -> None:
    """Note that somebody was invited; a second invitation is the same one."""
    if act.tx.one(select(joining.c.person_id).where(joining.c.designated_user_id == designated_user)) is None:
        place = {"designated_user_id": designated_user, "person_id": person_id}
        act.tx.insert(joining, **place, invited_us=act.tx.now_us)


def note_not_invited(act: Act, designated_user: str) -> None:
    """Forget an invitation that was a slip."""
    act.tx.execute(joining.delete().where(joining.c.designated_user_id == designated_user))


def note_started(tx: Transaction, person_id: str, code: str) -> None:
    """Note that a person has typed the right code, whose row is `code`; of the office's people nothing is counted."""
    waits = (joining.c.person_id == person_id, joining.c.started_us.is_(None))
    if tx.execute(joining.update().where(*waits).values(started_us=tx.now_us)):
        tx.record("first_code_typed", person_id, person=person_id, code=code)


def note_chosen(act: Act, designated_user: str, person_id: str, way: str) -> None:
    """Note that a way of signing in stands; who agreed to the terms before is through with it."""
    waits = (joining.c.designated_user_id == designated_user, joining.c.chosen_us.is_(None))
    act.tx.execute(joining.update().where(*waits).values(chosen_us=act.tx.now_us, way=way[:64]))
    person = act.person(person_id, Side.CORRESPONDENT)
    rules = act.programmes.get(person.programme)
    if rules is not None and has_agreed(act.tx.connection, act.authority.key, person.id, rules):
        note_agreed(act, person.id)


def note_agreed(act: Act, person_id: str) -> None:
    """Note that a person has agreed to the terms: for every place of theirs that has a way of signing in."""
    waits = (joining.c.person_id == person_id, joining.c.chosen_us.is_not(None), joining.c.agreed_us.is_(None))
    act.tx.execute(joining.update().where(*waits).values(agreed_us=act.tx.now_us, finished_us=act.tx.now_us))
