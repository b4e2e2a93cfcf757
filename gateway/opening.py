"""What programs open alike: the database of their environment, the blobs, and what their doors prove with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import make_url

from gateway import maillog
from gateway.config import Settings, require_private
from gateway.domain.errors import ConfigError, StoreUnavailable
from gateway.process import on_hangup
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from gateway.store.migrations import require_current
from gateway.store.site import require_environment

if TYPE_CHECKING:
    from ssl import SSLContext

WHERE_IS_THE_DATABASE = "Bring its disk back, correct site.data or store.url, or make it: gateway init FOLDER"


@asynccontextmanager
async def open_database(settings: Settings, stop: asyncio.Event, program: str) -> AsyncIterator[Database]:
    """Open the database of this environment for what `program` may do; when its writer dies the program has to stop.

    Raises ConfigError for a database of another environment or schema, StoreUnavailable when it is away, also at the
    end when its writer has died.
    """
    loop = asyncio.get_running_loop()
    url = settings.store.url

    def stop_soon() -> None:
        with suppress(RuntimeError):  # the loop has ended before its writer
            loop.call_soon_threadsafe(stop.set)

    _require_file(url)
    await asyncio.to_thread(require_current, url)
    database = Database(url, readers=settings.store.readers, program=program, on_death=stop_soon)
    try:
        await database.read(require_environment, settings.site.environment)
        yield database
        if not database.is_writing:
            raise StoreUnavailable("The store stopped writing, and the program with it.")
    finally:
        await asyncio.to_thread(database.close)


def missing_database(url: str) -> str | None:
    """Return the path of a database that is a file and is not there."""
    address = make_url(url)
    is_missing = address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file()
    return address.database or "" if is_missing else None


def _require_file(url: str) -> None:
    """A program must not make an empty database where a disk is missing, or a path is wrong."""
    path = missing_database(url)
    if path is not None:
        raise StoreUnavailable(f"There is no database {path}. {WHERE_IS_THE_DATABASE}")


def open_blobs(settings: Settings) -> BlobFolder:
    """Open the folder of blobs. Raises ConfigError when it cannot be made."""
    try:
        return BlobFolder(settings.store.blobs, reserve_octets=settings.store.reserve_octets)
    except OSError as problem:
        raise ConfigError(f"{settings.store.blobs}: {problem.strerror}. Check store.blobs and who owns it.") from None


def door_tls(program: str, settings: Settings, certificate: Path, key: Path, *others: Callable[[], None]) -> SSLContext:
    """Return the context of a program's doors. At SIGHUP it takes what the files then hold, if they fit; then `others`.

    Each of these raises ConfigError where it kept what it had.
    """
    from gateway.inbound.listener.tls import renew, server_context

    def renew_all() -> None:
        renewals: tuple[Callable[[], None], ...] = (partial(renew, context, certificate, key), *others)
        for renew_one in renewals:
            try:
                require_private(settings, [key])
                renew_one()
            except ConfigError:
                maillog.certificate_kept(program)
            else:
                maillog.certificate_renewed(program)

    require_private(settings, [key])
    context = server_context(certificate, key)
    on_hangup(renew_all)
    return context
