"""What the notifier never lets out, an address that is two or a row that holds words; and how it sends samples."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from gateway.casework.samples import order_sample
from gateway.domain.notice import NoticeKind
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.outbox import OutboxState
from gateway.store.transaction import Transaction
from tests.notifying import Time, notifier, tell
from tests.peers.test_notifier import certificate, database, port, read, sink, time  # noqa: F401 - fixtures
from tests.relay import Certificate, Sink

ODD = (
    "agent@mail.example\r\nBcc: victim@elsewhere.example",
    "agent@mail.example\nX: y",
    "agent\r\n@mail.example",
    "agent@mail.example, victim@elsewhere.example",
    "agent@mail.example> RCPT TO:<victim@elsewhere.example",
    "agent@mail.example\u2028x",
    "agënt@mail.example",
    "agent@mail.example\x00",
    "",
)


def give(tx: Transaction, address: str) -> None:
    tx.execute(
        update(tables.person_address).where(tables.person_address.c.person_id == "agent").values(address=address)
    )


@pytest.mark.parametrize("address", ODD)
async def test_an_address_that_is_not_one_gets_nothing_and_nobody_else_does(
    database: Database,
    sink: Sink,
    port: int,
    certificate: Certificate,
    time: Time,
    tmp_path: Path,
    address: str,  # noqa: F811
) -> None:
    database.call(give, address)
    row_id = database.call(tell)
    await notifier(database, port, certificate.path, tmp_path, time).send_due()
    told = {one for envelope in sink.mail for one in envelope.rcpt_tos}
    assert told <= {"clerk@mail.example"}  # who is told that it failed
    state = database.read_now(
        lambda connection: connection.execute(
            select(tables.outbox.c.state).where(tables.outbox.c.id == row_id)
        ).scalar_one()
    )
    assert state == OutboxState.FAILED


async def test_a_sample_is_a_mail_like_all_and_says_what_it_is(
    database: Database,
    sink: Sink,
    port: int,
    certificate: Certificate,
    time: Time,
    tmp_path: Path,  # noqa: F811
) -> None:
    for kind in NoticeKind:
        database.call(order_sample, "clerk", kind, "es", "operator")
    await notifier(database, port, certificate.path, tmp_path, time).send_due()
    assert {tuple(envelope.rcpt_tos) for envelope in sink.mail} == {("clerk@mail.example",)}
    mails = [read(envelope) for envelope in sink.mail]
    assert len(mails) == len(NoticeKind)
    for mail in mails:
        assert mail["Subject"].startswith("[MUESTRA] ")
        assert mail["Reply-To"] is None
        for subtype in ("plain", "html"):
            body = mail.get_body((subtype,))
            assert body is not None
            assert "Esta es una muestra que alguien pidió. No se refiere a nadie y nada espera." in body.get_content()


async def test_a_row_with_words_of_a_message_is_not_sent(
    database: Database,
    sink: Sink,
    port: int,
    certificate: Certificate,
    time: Time,
    tmp_path: Path,  # noqa: F811
) -> None:
    for fields in ('{"reference": "Passport of the singer"}', '{"state": "SSN 123-45-6789"}', '{"count": "many"}'):
        row = {"id": f"{len(fields):032x}", "programme": "cwa", "kind": "meeting", "person_id": "agent"}
        at = {"state": 0, "due_us": 0, "created_us": 0, "fields": fields}
        database.call(lambda tx, row=row, at=at: tx.execute(insert(tables.outbox).values(**row, **at)))
    await notifier(database, port, certificate.path, tmp_path, time).send_due()
    assert not [mail for mail in map(read, sink.mail) if mail["To"] == "agent@mail.example"]
