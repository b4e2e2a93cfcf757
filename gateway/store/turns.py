"""Leased rows of the outbox that are given back, as it was not their turn: no attempt, and no entry in the record."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, bindparam, case, text, update

from gateway.failpoints import failpoint
from gateway.store.outbox import Entry
from gateway.store.tables import outbox
from gateway.store.transaction import Transaction


def postpone(tx: Transaction, later: Sequence[tuple[Entry, int]]) -> None:
    """Let leased rows wait until the instants given with them. One whose lease was lost stays as it is.

    The attempt that the claim has counted is taken back, but for the first: a row that was claimed once is no new one.
    """
    if later:
        rows = [{"row": entry.id, "lease": entry.lease_us, "due": due_us} for entry, due_us in later]
        tx.flush()
        tx.connection.execute(_POSTPONE, rows)
        failpoint("outbox.postpone")


_POSTPONE = (
    update(outbox)
    .where(
        and_(outbox.c.id == bindparam("row"), text("outbox.state = 0"), outbox.c.lease_until_us == bindparam("lease"))
    )
    .values(
        due_us=bindparam("due"),
        lease_until_us=None,
        attempts=case((outbox.c.attempts > 1, outbox.c.attempts - 1), else_=1),
    )
)
