"""The verb of releasing, whole or not at all: a message that waited is in the other side's view, and they are told.

Until then nobody of the other side sees that there is one, by no list, no count and no address; withdrawn in that time
it leaves no trace for them. A notifier that is away releases later, never earlier: there is no clock in any view.
"""

from __future__ import annotations

from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Integer, Row, bindparam, select, text, update

from gateway.domain.notice import NoticeKind
from gateway.failpoints import failpoint
from gateway.store.cases import correspondents, office
from gateway.store.confirmations import is_news
from gateway.store.outbox import NOTIFIER, put
from gateway.store.reminders import FIRST_LOOK_US, take_turns
from gateway.store.tables import case, message, recipient
from gateway.store.transaction import Transaction

AT_ONCE: Final = 100


def release_due(tx: Transaction, authority: Ed25519PublicKey, at_once: int = AT_ONCE) -> int:
    """Release up to so many messages whose time has come, the longest due first; return how many."""
    take_turns(tx)
    rows = tx.all(_DUE, {"now": tx.now_us, "most": at_once})
    for row in rows:
        _release(tx, authority, row)
    if rows:
        failpoint("releases.due")
    return len(rows)


def _release(tx: Transaction, authority: Ed25519PublicKey, row: Row[Any]) -> None:
    """Let one message be seen; who has lost their place in the case meanwhile is not told."""
    tx.execute(update(message).where(message.c.id == row.id).values(held_until_us=None))
    others = correspondents(tx.connection, authority, row.case_id, tx.now_us)
    colleagues = office(tx.connection, authority, row.case_id, tx.now_us)
    for served in tx.all(select(recipient.c.id, recipient.c.person_id).where(recipient.c.message_id == row.id)):
        if served.person_id not in others and served.person_id not in colleagues:
            continue
        kind = NoticeKind.REPLY_RECEIVED
        if served.person_id in others:
            kind = NoticeKind.MESSAGE_WAITING
            owed = update(recipient).where(recipient.c.id == served.id)
            tx.execute(owed.values(remind_us=tx.now_us + FIRST_LOOK_US))
        put(
            tx,
            programme=row.programme,
            kind=kind,
            person_id=served.person_id,
            case_id=row.case_id,
            message_id=row.id,
            fields={"reference": row.reference, "count": 1},
        )
    is_news(tx, [row.id])
    tx.record("released", NOTIFIER, message=row.id, case=row.case_id)


_DUE = (
    select(message.c.id, message.c.case_id, message.c.reference, case.c.programme)
    .join(case, case.c.id == message.c.case_id)
    .where(
        text("message.held_until_us IS NOT NULL"),
        message.c.held_until_us <= bindparam("now"),
        message.c.guard.is_(None),
        message.c.withdrawn_us.is_(None),
    )
    .order_by(message.c.held_until_us, message.c.id)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(of=message, skip_locked=True)
)
