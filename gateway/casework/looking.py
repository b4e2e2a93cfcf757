"""What is looked up of papers: sealed fields to be shown, documents that show them, values. Nothing is unwrapped here.

Each look is entered before its answer. What is absent and what is forbidden look the same to a session.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from gateway.casework.act import Actor
from gateway.casework.handling import may_work
from gateway.casework.openings import Wrap
from gateway.casework.papers import field_context
from gateway.domain.errors import NotAllowed
from gateway.domain.intake import Tray
from gateway.domain.programme import FormKind
from gateway.domain.rights import Thing, Verb
from gateway.store.authority import AuthorityKey, genuine
from gateway.store.intake import item
from gateway.store.sealing import SealingKey
from gateway.store.tables import agreement, enrolment, form, form_document, form_field, message_wrap, sealing_key
from gateway.store.transaction import Transaction

_NOT_YOURS = "There is no such paper here."
_NO_DOCUMENT = "There is no such document here."


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper for whoever may see it: its sealed fields by key, each a wrap and a box, and the agreement's key."""

    form_id: str
    agreement_id: str
    sealed: tuple[tuple[str, Wrap, bytes], ...]
    to: SealingKey


@dataclass(frozen=True, slots=True)
class Document:
    """A message that shows a paper, or may do so: it waits in the tray as long as `form_id` is None."""

    item: str
    wrap: Wrap
    form_id: str | None
    row: Row[Any]


def find_paper(connection: Connection, key: AuthorityKey, actor: Actor, known_as: str, now_us: int) -> Paper:
    """Return a paper by its id, or the consent form of an agreement by its reference or id. Raises NotAllowed."""
    named = (enrolment.c.reference == known_as.strip().upper()) | (enrolment.c.agreement_id == known_as)
    consent = named & (form.c.kind == FormKind.CONSENT.value)
    row = connection.execute(
        select(form, agreement.c.programme)
        .join(agreement, agreement.c.id == form.c.agreement_id)
        .join(enrolment, enrolment.c.agreement_id == form.c.agreement_id)
        .where((form.c.id == known_as) | consent)
    ).first()
    if row is None or not actor.may(Verb.ENROL, Thing(row.programme), now_us):
        raise NotAllowed(_NOT_YOURS)
    keys = connection.execute(select(sealing_key).where(sealing_key.c.agreement_id == row.agreement_id))
    public = {one.id: one for one in genuine(sealing_key, keys, key)}
    fields = connection.execute(select(form_field).where(form_field.c.form_id == row.id).order_by(form_field.c.key))
    sealed = tuple(
        (
            one.key,
            Wrap(field_context(row.id, one.key), False, one.key_id, one.suite, bytes(one.wrapped)),
            bytes(one.sealed),
        )
        for one in fields
        if one.sealed is not None and one.key_id in public
    )
    present = next((one for one in public.values() if one.retired_us is None), None)
    if present is None:
        raise NotAllowed(_NOT_YOURS)
    return Paper(row.id, row.agreement_id, sealed, SealingKey(present.id, present.suite, bytes(present.public)))


def find_document(
    connection: Connection, key: AuthorityKey, actor: Actor, known_as: str, now_us: int, paper: str = ""
) -> Document:
    """Return an item that waits in a tray of documents, or shows a paper of the actor's programme (`paper`, by id).

    What was addressed to the operators, filed in a case alone, discarded, or proposed for a case of another programme
    is no document of the actor's. Raises NotAllowed.
    """
    row = item(connection, known_as)
    if row is None or row.tray == Tray.OPERATORS.value or row.discarded_us is not None:
        raise NotAllowed(_NO_DOCUMENT)
    links = connection.execute(
        select(form_document.c.form_id, form.c.agreement_id, agreement.c.programme)
        .join(form, form.c.id == form_document.c.form_id)
        .join(agreement, agreement.c.id == form.c.agreement_id)
        .where(form_document.c.message_id == row.id)
        .order_by(form_document.c.linked_us, form_document.c.form_id)
    ).all()
    theirs = [one for one in links if actor.may(Verb.ENROL, Thing(one.programme), now_us)]
    linked = next((one for one in theirs if paper in {"", one.form_id}), None)
    if linked is None and (paper or links or row.filed_us is not None or not may_work(connection, actor, row, now_us)):
        raise NotAllowed(_NO_DOCUMENT)
    to = None if linked is None else linked.agreement_id
    wraps = [one for one in _wraps(connection, key, row) if _agreement_of(connection, one.key_id) == to]
    if not wraps:
        raise NotAllowed(_NO_DOCUMENT)
    return Document(row.reference, wraps[0], None if linked is None else str(linked.form_id), row)


def enter_document(tx: Transaction, by: str, document: Document) -> None:
    """Write the entry of a look at a document."""
    tx.record("document_opened", by, message=document.wrap.message_id, form=document.form_id)


def enter_look(tx: Transaction, by: str, paper: Paper) -> None:
    """Write the entry of a look at the sealed fields of a paper."""
    keys = [key for key, _, _ in paper.sealed]
    tx.record("paper_opened", by, agreement=paper.agreement_id, form=paper.form_id, fields=keys)


def find_blind(connection: Connection, blind: Mapping[str, str]) -> list[str]:
    """Return the references of agreements with a sealed field whose blind index is this; `blind` is by programme."""
    found = select(enrolment.c.reference).distinct().join(agreement, agreement.c.id == enrolment.c.agreement_id)
    found = found.join(form, form.c.agreement_id == agreement.c.id).join(form_field, form_field.c.form_id == form.c.id)
    references: set[str] = set()
    for programme, value in blind.items():
        rows = connection.execute(found.where(agreement.c.programme == programme, form_field.c.blind == value))
        references |= set(rows.scalars())
    return sorted(references)


def enter_search(tx: Transaction, by: str, found: list[str]) -> None:
    """Write the entry of a search; what was searched for stands nowhere."""
    tx.record("papers_searched", by, found=found)


def _wraps(connection: Connection, key: AuthorityKey, row: Row[Any]) -> list[Wrap]:
    """Return the wraps of an item to keys that are genuine and no case's."""
    stored = connection.execute(select(message_wrap).where(message_wrap.c.message_id == row.id)).all()
    keys = connection.execute(select(sealing_key).where(sealing_key.c.id.in_([one.key_id for one in stored])))
    known = {one.id for one in genuine(sealing_key, keys, key) if one.case_id is None}
    return [
        Wrap(row.id, bool(row.composed), one.key_id, one.suite, bytes(one.wrapped))
        for one in stored
        if one.key_id in known
    ]


def _agreement_of(connection: Connection, key_id: str) -> str | None:
    """Return the agreement whose key this is; the row was checked when the wrap was found."""
    return connection.execute(select(sealing_key.c.agreement_id).where(sealing_key.c.id == key_id)).scalar()
