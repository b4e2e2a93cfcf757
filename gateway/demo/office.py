"""The demo's ways into a running site as its operator has them: its database, the keyholder, the authenticator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import Connection, Row, Select

from gateway.authenticator.client import OperatorClient as AuthenticatorOperator
from gateway.config import Settings
from gateway.keyholder.client import OperatorClient as KeyholderOperator
from gateway.store.database import Database
from gateway.store.transaction import Transaction

T = TypeVar("T")


@asynccontextmanager
async def operators(settings: Settings) -> AsyncIterator[tuple[KeyholderOperator, AuthenticatorOperator]]:
    """Ask the keyholder and the authenticator, as a local operator."""
    keyholder = KeyholderOperator(settings.keyholder.operator_socket)
    authenticator = AuthenticatorOperator(settings.authenticator.operator_socket)
    try:
        yield keyholder, authenticator
    finally:
        await keyholder.close()
        await authenticator.close()


async def rows(settings: Settings, wanted: Select[Any]) -> Sequence[Row[Any]]:
    """Return the rows of a query."""
    return await read(settings, lambda connection: connection.execute(wanted).all())


async def read(settings: Settings, query: Callable[[Connection], T]) -> T:
    """Run a query in one transaction."""
    database = Database(settings.store.url, readers=1)
    try:
        return await database.read(query)
    finally:
        await asyncio.to_thread(database.close)


async def write(settings: Settings, verb: Callable[[Transaction], None]) -> None:
    """Run a verb durably."""
    database = Database(settings.store.url, readers=1)
    try:
        await database.run(verb)
    finally:
        await asyncio.to_thread(database.close)


def seed_in(uri: str) -> str:
    """Return the seed of an authenticator app's address."""
    return parse_qs(urlsplit(uri).query)["secret"][0]
