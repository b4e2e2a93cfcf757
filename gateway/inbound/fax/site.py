"""What a site says of its fax line: which mailboxes are watched, which servers bring mail, when silence is too long."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from gateway.config import FaxMailboxSettings, FaxServerSettings, FaxSettings, Settings, require_private
from gateway.domain.clock import to_microseconds
from gateway.domain.layout import joined
from gateway.inbound.fax.alarms import Alarms, figures
from gateway.inbound.fax.door import FaxDoor
from gateway.inbound.fax.finishing import Finishing
from gateway.inbound.fax.imap import Account
from gateway.inbound.fax.intake import FaxIntake, Source
from gateway.inbound.fax.mailbox import Habits, Watch
from gateway.inbound.fax.recogniser import Recogniser
from gateway.inbound.limits import OTHER_DESCRIPTORS, limits_of
from gateway.inbound.listener import Listener, Occupancy, TrustedHosts, open_listener
from gateway.metrics import Figure, telling
from gateway.process import allow_descriptors, listening
from gateway.programmes import load_programmes
from gateway.screening.pool import Patience, Pool, Sizes
from gateway.store import keyfiles
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from gateway.store.fax_reports import report_key

_COUNTING: Final = Patience(child=10.0)


def hosts_of(own: FaxSettings) -> dict[str, TrustedHosts]:
    """Return the hosts of each server that shows a certificate. Raises ConfigError where their files do not fit."""
    return {
        one.name: TrustedHosts(
            one.name, one.networks, one.client_ca, one.client_names, certificate=own.certificate, key=own.key
        )
        for one in own.servers
        if one.client_ca is not None
    }


@asynccontextmanager
async def watching(
    settings: Settings, own: FaxSettings, database: Database, blobs: BlobFolder
) -> AsyncIterator[Recogniser]:
    """Watch every mailbox, and have what is filed recognised, until the end.

    Raises ConfigError for a key's file, one that others can read, or a programme.
    """
    require_private(settings, [one.credentials_file for one in own.mailboxes])
    layouts = joined(one.layouts for one in load_programmes(settings.programmes).values())
    sizes = Sizes.by_cores(1, settings.screening.page_children)
    keys, pool = settings.keys.folder, Pool(sizes=sizes, patience=_COUNTING)
    intake = FaxIntake(
        database=database,
        blobs=blobs,
        authority=keyfiles.authority_public(keys),
        deposit_key=keyfiles.deposit_key(keys),
        report_key=report_key(keyfiles.return_path_key(keys)),
        pool=pool,
        profiles=own.profiles,
    )
    recogniser = Recogniser(intake, pool, layouts, sizes.pages)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(pool.close)
        pool.start_soon(pages=True)
        stages = [stage.run() for one in own.mailboxes for stage in _stages(one, own, recogniser)]
        work = (*stages, recogniser.backlog.run(), Alarms(own, database).run())
        tasks = [asyncio.create_task(one) for one in work]
        try:
            yield recogniser
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def open_servers(
    own: FaxSettings,
    recogniser: Recogniser,
    domain: str,
    context: ssl.SSLContext | None,
    hosts: Mapping[str, TrustedHosts],
) -> AsyncIterator[None]:
    """Open the listener of each fax server, and close them together. Raises Unavailable where a place cannot be had."""
    allow_descriptors(own.limits.connections * 3 + OTHER_DESCRIPTORS)
    limits = limits_of(own.limits, own.max_message_octets)
    occupancy = Occupancy(limits)
    domains = frozenset({domain, own.hostname})
    listeners: list[Listener] = []
    try:
        for server in own.servers:
            proven = hosts.get(server.name)
            for place in server.listen:
                with listening(f"fax.servers.{server.name}.listen", place):
                    listeners.append(
                        await open_listener(
                            FaxDoor(recogniser.intake, source_of(server), server.networks, domains, recogniser.backlog),
                            name=f"fax.{server.name}",
                            host=place.host,
                            port=place.port,
                            tls=context if proven is None else None,
                            implicit_tls=False,
                            limits=limits,
                            hostname=own.hostname,
                            require_auth=False,
                            occupancy=occupancy,
                            hosts=proven,
                            tls_required=proven is not None,
                            reports=bool(server.reports_to),
                        )
                    )
        yield
    finally:
        await asyncio.gather(*(listener.close() for listener in listeners))


@asynccontextmanager
async def telling_figures(own: FaxSettings, database: Database) -> AsyncIterator[int | None]:
    """Tell the figures of each source at the place that the site names; yields its port, None where it names none.

    Raises Unavailable where the place cannot be had.
    """
    if own.metrics is None:
        yield None
        return

    async def count() -> Sequence[Figure]:
        return await database.read(figures, own, to_microseconds(database.clock()))

    async with AsyncExitStack() as stack:
        with listening("fax.metrics", own.metrics):
            port = await stack.enter_async_context(telling(own.metrics.host, own.metrics.port, count))
        yield port


def source_of(own: FaxMailboxSettings | FaxServerSettings) -> Source:
    """Return a source as the intake knows it."""
    reports_to = own.reports_to if isinstance(own, FaxServerSettings) else ()
    return Source(own.name, own.profile, own.time_zone, reports_to)


def _stages(one: FaxMailboxSettings, own: FaxSettings, recogniser: Recogniser) -> tuple[Watch, Finishing]:
    account = Account(one.host, one.port, one.credentials_file, one.by_token, one.ca_file, one.deadline_seconds)
    most = own.max_message_octets
    habits = Habits(one.mailbox, one.filed, one.idle_seconds, one.poll_seconds, most)
    finishing = Finishing(one.name, account, one.filed, one.done, one.poll_seconds, most, recogniser)
    return Watch(source_of(one), account, habits, recogniser.intake, finishing), finishing
