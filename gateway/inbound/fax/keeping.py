"""Keeping a session with a mailbox's server: whatever ends it, it is begun anew, after pauses that grow."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

from gateway import maillog
from gateway.domain.errors import GatewayError
from gateway.inbound.fax.imap import Account, Lost, Session, open_session

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0

Work = Callable[[Session, Callable[[], None]], Awaitable[None]]
"""What is done in a session; it says by a call that the session is good, and returns never."""


async def keep_session(source: str, account: Account, work: Work) -> None:
    """Do the work in one session after the other until cancelled. The vault away ends one like a server that is."""
    pause = FIRST_PAUSE

    def begin() -> None:
        nonlocal pause
        pause = FIRST_PAUSE

    while True:
        try:
            session = await open_session(account)
            try:
                await work(session, begin)
            finally:
                await session.close()
        except Lost as problem:
            maillog.fax_mailbox_away(source, problem.reason)
        except GatewayError as problem:
            maillog.fax_mailbox_away(source, type(problem).__name__)
        except Exception as problem:  # noqa: BLE001 - whatever a server does, the mailbox is watched again
            maillog.incident("fax.mailbox", problem)
        await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # two gateways need not come at once
        pause = min(pause * 2, LONGEST_PAUSE)
