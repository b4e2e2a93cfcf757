"""A sample of a notification, for the employee who asks for it: it goes the way of all the others."""

from __future__ import annotations

from datetime import timedelta

from gateway.domain.errors import NotAllowed, RateExceeded
from gateway.domain.notice import NoticeKind
from gateway.domain.rights import Side
from gateway.store.outbox import put
from gateway.store.people import addresses_of, person_by_id
from gateway.store.told import samples_since
from gateway.store.transaction import Transaction

MOST = 60
WITHIN = timedelta(hours=1)
ALONE = "sample"
"""A row that has a lead is told by itself: a sample is never told together with something real."""


def order_sample(
    tx: Transaction, person_id: str, kind: NoticeKind, language: str, by: str, address: str | None = None
) -> str:
    """Enter a sample to an employee's own address (the first, where none is named); return the row's id.

    Raises NotAllowed for anyone else's, RateExceeded after MOST within an hour.
    """
    person = person_by_id(tx.connection, person_id)
    own = addresses_of(tx.connection, [person_id], tx.now_us).get(person_id, [])
    to = next((one for one in own if address in (None, one)), None)
    if person is None or person.side is not Side.OFFICE or to is None:
        raise NotAllowed("A sample goes to an address of an employee.")
    if samples_since(tx.connection, person_id, tx.now_us - WITHIN // timedelta(microseconds=1)) >= MOST:
        raise RateExceeded("These are many samples. Please wait an hour.")
    fields: dict[str, str | int] = {"sample": language, "address": to}
    row_id = put(tx, programme=person.programme, kind=kind, person_id=person_id, fields=fields, lead_id=ALONE)
    tx.record("sample-ordered", by, outbox=row_id, notice=kind.value, person=person_id)
    return row_id
