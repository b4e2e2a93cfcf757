"""What was recognised of an open document, put as a person has put its pages."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import Connection, Row

from gateway import maillog
from gateway.domain.errors import Tampered
from gateway.domain.programme import Programme
from gateway.domain.recognition import Recognition
from gateway.domain.summary import Summary
from gateway.portal.desk.leaves import Leaves, leaves_of
from gateway.portal.page_images import drawable
from gateway.store.database import Database
from gateway.store.handling import Arrangement, arrangement_of
from gateway.store.recognition import open_recognition, recognition_row


async def read_leaves(database: Database, message_id: str, summary: Summary, programme: Programme) -> Leaves:
    """Return the pages of an open document in their bundles, with what may stand on them."""

    def ask(connection: Connection) -> tuple[Row[Any] | None, Arrangement]:
        return recognition_row(connection, message_id), arrangement_of(connection, message_id)

    row, arrangement = await database.read(ask)
    recognition = await asyncio.to_thread(recognised, summary, row)
    parts = [part.path for part in drawable(summary.part_map)]
    return leaves_of(recognition, summary.fax, parts, arrangement, programme)


def recognised(summary: Summary, row: Row[Any] | None) -> Recognition | None:
    """Return what was recognised; where somebody has put something else there, nothing, and an alarm was raised."""
    try:
        return open_recognition(summary, row)
    except Tampered as problem:
        maillog.incident("recognition", problem)
        return None
