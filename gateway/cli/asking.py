"""How commands ask the running gateway, and read its database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from gateway import config
from gateway.config import Settings
from gateway.domain.errors import (
    AuthenticatorUnavailable,
    ConfigError,
    KeyholderUnavailable,
    Malformed,
    NotAllowed,
    Unavailable,
    UnknownRecipient,
)
from gateway.domain.programme import Programme

if TYPE_CHECKING:
    from gateway.authenticator.client import OperatorClient
    from gateway.keyholder.client import OperatorClient as KeyholderOperator
    from gateway.store.transaction import Transaction

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", "OperatorClient", "KeyholderOperator")


def settings_of(path: Path) -> Settings:
    """Read the configuration. Raises ConfigError with every problem."""
    return config.load(path)


def programmes_of(settings: Settings) -> Mapping[str, Programme]:
    """Load the programmes that run here. Raises ConfigError with every problem."""
    from gateway.programmes import load_programmes

    return load_programmes(settings.programmes)


def programme_of(settings: Settings, key: str) -> Programme:
    """Return the programme with this key, or the only one where the key is empty. Raises Malformed."""
    programmes = programmes_of(settings)
    if not key and len(programmes) == 1:
        return next(iter(programmes.values()))
    if key not in programmes:
        named = f'There is no programme "{key}".' if key else "Several programmes run here."
        raise Malformed(f"{named} Name one: --programme {' | '.join(sorted(programmes))}")
    return programmes[key]


def authority_of(settings: Settings) -> Ed25519PublicKey:
    """Return the key that rows which give power are checked with. Raises ConfigError."""
    from gateway.store.keyfiles import authority_public

    return authority_public(settings.keys.folder)


def enact(settings: Settings, verb: str, **arguments: Any) -> dict[str, Any]:
    """Do one verb of administration as the local operator, at the keyholder.

    Raises KeyholderUnavailable when the gateway does not run, UnknownRecipient for a person, team or case that is not
    there, and what the verb refuses.
    """
    return operator_of_keyholder(settings, lambda keyholder: keyholder.enact(verb, **arguments))


def operator_of_keyholder(settings: Settings, ask: Callable[[KeyholderOperator], Awaitable[T]]) -> T:
    """Ask the keyholder as the local operator. Raises as `enact` does."""
    from gateway.keyholder.client import OperatorClient

    try:
        return asyncio.run(_asked(OperatorClient(settings.keyholder.operator_socket), ask))
    except KeyholderUnavailable as problem:
        raise KeyholderUnavailable(_is_it_running("keyholder", problem)) from None
    except NotAllowed as problem:  # to an operator nothing is forbidden: what is refused so is not there
        raise UnknownRecipient(problem.advice) from None


def operator_of_authenticator(settings: Settings, ask: Callable[[OperatorClient], Awaitable[T]]) -> T:
    """Ask the authenticator as the local operator. Raises AuthenticatorUnavailable when the gateway does not run."""
    from gateway.authenticator.client import OperatorClient

    try:
        return asyncio.run(_asked(OperatorClient(settings.authenticator.operator_socket), ask))
    except AuthenticatorUnavailable as problem:
        raise AuthenticatorUnavailable(_is_it_running("authenticator", problem)) from None


def read(settings: Settings, query: Callable[[Connection], T]) -> T:
    """Run a query in one read-only transaction. Raises StoreUnavailable or ConfigError."""
    from gateway.store.engines import open_engine
    from gateway.store.failures import store_error
    from gateway.store.migrations import require_current

    _require_database(settings)
    engine = open_engine(settings.store.url, read_only=True)
    try:
        require_current(engine)
        with engine.begin() as connection:
            return query(connection)
    except DBAPIError as problem:
        raise store_error(problem) from problem
    finally:
        engine.dispose()


def write(settings: Settings, verb: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run one verb durably. Raises StoreUnavailable or ConfigError, and what the verb raises."""
    from gateway.store.database import Database
    from gateway.store.migrations import require_current

    _require_database(settings)
    require_current(settings.store.url)
    database = Database(settings.store.url)
    try:
        return database.call(verb, *args, **kwargs)
    finally:
        database.close()


async def _asked(client: C, ask: Callable[[C], Awaitable[T]]) -> T:
    try:
        return await ask(client)
    finally:
        await client.close()


def _require_database(settings: Settings) -> None:
    """A read must not make an empty database where there is none."""
    from sqlalchemy import make_url

    address = make_url(settings.store.url)
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file():
        raise ConfigError(f"There is no database {address.database}. Make it: gateway init FOLDER")


def _is_it_running(program: str, problem: Unavailable) -> str:
    if "number" in problem.advice:
        return problem.advice
    return f"The {program} does not answer. Start the gateway (gateway run), or see gateway doctor."
