"""The composition root: for each program one function that builds its objects from the settings and runs it.

Every program starts alike: it ends with its supervisor, closes its memory to others, takes its place in the run folder,
and refuses a vault of another environment, a schema that it does not know, and keys that others can read.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gateway import hardening, maillog
from gateway.authenticator.client import AuthenticatorClient
from gateway.config import Sealing, Settings
from gateway.domain.errors import ConfigError
from gateway.keyholder.client import GuardClient, KeyholderClient
from gateway.opening import door_tls, open_blobs, open_database
from gateway.process import (
    ProgramLock,
    end_with_supervisor,
    ignore_hangup,
    listening,
    make_run_folder,
    say_ready,
    settle_heap,
)
from gateway.programmes import load_programmes
from gateway.store import keyfiles
from gateway.wake import Caller, notify

if TYPE_CHECKING:
    from gateway.inbound.listener.handover import HandedPeers
    from gateway.outbound.making import Workshop

Program = Callable[..., Awaitable[None]]
"""Of the settings, and the event that tells it to stop."""

PATIENCE_SECONDS = 20.0
"""How long a new program waits for the one before it on the same folder to end."""


def run_program(name: str, settings: Settings) -> None:
    """Run one program in this process until SIGTERM or SIGINT. Raises GatewayError when it cannot start or go on."""
    end_with_supervisor()
    ignore_hangup()
    os.umask(0o077)
    hardening.harden(lock_memory=name == "keyholder")
    as_json = settings.log.is_json(terminal=sys.stderr.isatty())
    maillog.configure(name, stream=sys.stderr, level=settings.log.level, json=as_json)
    make_run_folder(settings.site.run)
    lock = ProgramLock(settings.site.run, name, patience=PATIENCE_SECONDS)
    try:
        if name == "submission":
            from gateway.workers import share_submission

            share_submission(settings, partial(_run, name, settings))
        elif name == "notifier":
            _run_notifier(settings)
        else:
            _run(name, settings)
    finally:
        lock.release()


def _run(name: str, settings: Settings, **more: object) -> None:
    with asyncio.Runner(loop_factory=_loop_factory(name)) as runner:
        runner.run(_until_told(partial(PROGRAMS[name], **more), settings))


def _run_notifier(settings: Settings) -> None:
    """Run it beside the process in which its mails are made; by itself where there is nothing to make."""
    from gateway.outbound.site import maker_of
    from gateway.outbound.workshop import workshop

    maker = maker_of(settings)
    if maker is None:
        _run("notifier", settings)
        return
    with workshop(maker) as made:
        _run("notifier", settings, workshop=made)


async def run_keyholder(settings: Settings, stop: asyncio.Event) -> None:
    """Run the program that opens."""
    from gateway.config.security import with_recertification
    from gateway.keyholder import keys
    from gateway.keyholder.rates import Rates
    from gateway.keyholder.server import KeyholderServer
    from gateway.store.keystore import KeyStore
    from gateway.store.sealing import MLKEM1024_P384

    passphrase = keys.find_passphrase(settings.keys.passphrase_file, os.environ)
    loaded = keys.load(settings.keys.folder, keys.FileKeyProvider(settings.keys.folder, passphrase))
    if settings.security.sealing is Sealing.FIPS:
        loaded = replace(loaded, suite=MLKEM1024_P384)
    async with open_database(settings, stop, "keyholder") as database:
        keystore = KeyStore(settings.keyholder.store_url)
        try:
            server = KeyholderServer(
                database,
                keystore,
                loaded,
                socket=settings.keyholder.socket,
                operator_socket=settings.keyholder.operator_socket,
                operators=settings.keyholder.operators,
                programmes=with_recertification(load_programmes(settings.programmes), settings.security),
                rates=Rates(
                    session_per_minute=settings.keyholder.session_per_minute,
                    person_per_day=settings.keyholder.person_per_day,
                ),
                guard_socket=settings.keyholder.guard_socket if settings.guard else None,
            )
            await _serve(settings, server.run(stop), server.ready)
        finally:
            keystore.close()


async def run_authenticator(settings: Settings, stop: asyncio.Event) -> None:
    """Run the program that judges proofs of identity."""
    from gateway.authenticator import keys
    from gateway.authenticator.policy import policy_of
    from gateway.authenticator.providers import load_providers, sender_of
    from gateway.authenticator.server import AuthenticatorServer

    own = settings.authenticator
    async with open_database(settings, stop, "authenticator") as database:
        server = AuthenticatorServer(
            database,
            keys.load(settings.keys.folder),
            keyfiles.authority_public(settings.keys.folder),
            socket=own.socket,
            operator_socket=own.operator_socket,
            operators=own.operators,
            policy=policy_of(settings.security, load_programmes(settings.programmes).values()),
            second_factor=own.second_factor,
            issuer=settings.site.name,
            providers=load_providers(own.providers, settings.site.portal_url),
            origin=settings.site.portal_url.rstrip("/"),
            sender=sender_of(own.codes, settings.site),
            certificates=settings.submission.sign_in.certificates,
        )
        await _serve(settings, server.run(stop), server.ready)


async def run_submission(settings: Settings, stop: asyncio.Event, peers: HandedPeers | None = None) -> None:
    """Run the employees' mail door, and the hourly tidying of the vault beside it.

    With `peers` this process is a worker, and the first one tidies.
    """
    from gateway.casework.addressing import Mailroom
    from gateway.domain.thread_address import ThreadAddresses
    from gateway.inbound.doors import DoorTls, hosts_of, open_doors, people_of
    from gateway.inbound.site import asking_of, drafts_of, reports_of
    from gateway.inbound.submission import SubmissionDoor
    from gateway.store.maintenance import keep_tidy

    own, site = settings.submission, settings.site
    hosts = hosts_of(own)
    people = people_of(own)
    renewals = [one.renew for one in hosts.values()] + ([people.renew] if people else [])
    context = door_tls("submission", settings, own.certificate, own.key, *renewals)
    authority = keyfiles.authority_public(settings.keys.folder)
    threads = ThreadAddresses(site.domain, keyfiles.return_path_key(settings.keys.folder))
    programmes = load_programmes(settings.programmes)
    mailrooms = {
        key: Mailroom(site.domain, frozenset(site.employee_domains), programme.ask, authority, threads)
        for key, programme in programmes.items()
    }
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings, stop, "submission"))
        blobs = open_blobs(settings)
        authenticator = AuthenticatorClient(settings.authenticator.socket)
        stack.push_async_callback(authenticator.close)
        caller = Caller(site.run, "notifier", *(["guard"] if settings.guard else []))
        stack.callback(caller.close)
        door = SubmissionDoor(
            database=database,
            blobs=blobs,
            authenticator=authenticator,
            mailrooms=mailrooms,
            deposit_key=keyfiles.deposit_key(settings.keys.folder),
            wake_notifier=caller,
            names_required=own.names_required,
            reports=reports_of(settings, database),
            asking=asking_of(settings, programmes.values()),
            draft_us=drafts_of(settings, programmes.values()),
        )
        await stack.enter_async_context(open_doors(door, own, DoorTls(context, hosts, people), site.domain, peers))
        if peers is None or peers.is_first:
            await stack.enter_async_context(_beside(keep_tidy(database, blobs)))
        settle_heap()
        _tell_ready(settings)
        await stop.wait()


async def run_mx(settings: Settings, stop: asyncio.Event) -> None:
    """Run the public door. Nothing is listened to before a child has seen what it must in the known documents."""
    from gateway.inbound.outside import open_outside
    from gateway.inbound.site import outside_door
    from gateway.screening.pool import Pool, Sizes
    from gateway.screening.site import orders_of

    own, screening = settings.mx, settings.screening
    if own is None:
        raise ConfigError(f"{settings.file}: has no table [mx], and mx does not run without: say mx.position.")
    context = door_tls("mx", settings, own.certificate, own.key)
    orders = orders_of(screening, load_programmes(settings.programmes).values())
    pool = Pool(orders, Sizes.by_cores(screening.text_children, screening.page_children))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(pool.close)
        await pool.start(tested=True)
        database = await stack.enter_async_context(open_database(settings, stop, "mx"))
        door = await stack.enter_async_context(outside_door(settings, own, database, open_blobs(settings), pool))
        await stack.enter_async_context(open_outside(door, own, context))
        settle_heap()
        _tell_ready(settings)
        await stop.wait()


async def run_fax(settings: Settings, stop: asyncio.Event) -> None:
    """Watch the fax mailboxes and listen for fax servers. Nothing is begun before the vault is open."""
    from gateway.inbound.fax.site import hosts_of, open_servers, telling_figures, watching

    own = settings.fax
    if own is None:
        raise ConfigError(f"{settings.file}: has no table [fax], and fax does not run without: name a source.")
    hosts = hosts_of(own)
    renewals = [one.renew for one in hosts.values()]
    context = door_tls("fax", settings, own.certificate, own.key, *renewals) if own.servers else None
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings, stop, "fax"))
        recogniser = await stack.enter_async_context(watching(settings, own, database, open_blobs(settings)))
        await stack.enter_async_context(open_servers(own, recogniser, settings.site.domain, context, hosts))
        await stack.enter_async_context(telling_figures(own, database))
        settle_heap()
        _tell_ready(settings)
        await stop.wait()


async def run_guard(settings: Settings, stop: asyncio.Event) -> None:
    """Have outgoing messages looked at before they are released. A child has proved its locks before the first."""
    from gateway.guard.looking import Guard
    from gateway.screening.numbers_template import COMMAND, POLICY
    from gateway.screening.pool import Pool, Sizes
    from gateway.screening.site import orders_of
    from gateway.wake import Waker

    own, screening = settings.guard, settings.screening
    if own is None:
        raise ConfigError(f"{settings.file}: has no table [guard], and guard does not run without.")
    orders = replace(orders_of(screening, load_programmes(settings.programmes).values()), policy=POLICY)
    sizes = Sizes.by_cores(own.children or screening.text_children, screening.page_children)
    pool = Pool(orders, sizes, command=COMMAND)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(pool.close)
        await pool.start(tested=True)
        keyholder = GuardClient(settings.keyholder.guard_socket)
        stack.push_async_callback(keyholder.close)
        database = await stack.enter_async_context(open_database(settings, stop, "guard"))
        waker = stack.enter_context(Waker(settings.site.run, "guard"))
        wake = partial(notify, settings.site.run, "notifier")
        guard = Guard(database, open_blobs(settings), keyholder, pool, own.largest_octets, wake)
        settle_heap()
        _tell_ready(settings)
        await guard.run(stop, waker)


async def run_notifier(settings: Settings, stop: asyncio.Event, workshop: Workshop | None = None) -> None:
    """Run the program that tells people by plain mail. Without a way for its mail what is to be sent waits."""
    from gateway.outbound.site import bounces_of, fax_reporter_of, notifier_of, reporter_of

    async with open_database(settings, stop, "notifier") as database:
        notifier = None if workshop is None else notifier_of(settings, database, workshop)
        settle_heap()
        _tell_ready(settings)
        if notifier is None:
            await stop.wait()
            return
        reporters = (reporter_of(settings, database), fax_reporter_of(settings, database))
        async with AsyncExitStack() as beside:
            await beside.enter_async_context(_beside(bounces_of(settings, database).run()))
            for reporter in reporters:
                if reporter is not None:
                    await beside.enter_async_context(_beside(reporter.run()))
            await notifier.run(stop)


async def run_portal(settings: Settings, stop: asyncio.Event) -> None:
    """Run the pages."""
    from gateway.outbound.wording import specimens_of
    from gateway.portal.app import Portal
    from gateway.portal.full_copy import key_desk_of
    from gateway.portal.key_directory import published_of
    from gateway.portal.openpgp import Keyring
    from gateway.portal.revocation import parcelling_at
    from gateway.portal.signatures import Signatures, Trust, load_anchors
    from gateway.portal.site import site_of
    from gateway.portal.uploads import UploadLimits

    own, site = settings.portal, settings.site
    programmes = load_programmes(settings.programmes)
    async with AsyncExitStack() as stack:
        keyholder = KeyholderClient(settings.keyholder.socket)
        authenticator = AuthenticatorClient(settings.authenticator.socket)
        stack.push_async_callback(keyholder.close)
        stack.push_async_callback(authenticator.close)
        database = await stack.enter_async_context(open_database(settings, stop, "portal"))
        desk, wake_notifier = key_desk_of(settings), partial(notify, site.run, "notifier")
        portal = Portal(
            listen=[(place.host, place.port) for place in own.listen],
            tls=door_tls("portal", settings, own.certificate, own.key),
            site=site_of(settings, programmes),
            programmes=programmes,
            database=database,
            blobs=open_blobs(settings),
            keyholder=keyholder,
            authenticator=authenticator,
            authority=keyfiles.authority_public(settings.keys.folder),
            deposit_key=keyfiles.deposit_key(settings.keys.folder),
            wake_notifier=wake_notifier,
            limits=UploadLimits(octets=own.max_upload_octets),
            policy=settings.mx.policy if settings.mx else "",
            specimens=specimens_of(settings),
            parcelling=parcelling_at(settings, desk, database, programmes, wake_notifier),
            key_desk=desk,
            published=published_of(settings),
            signatures=Signatures(Trust(load_anchors(own.smime_anchors), Keyring(own.openpgp_home))),
        )
        with listening("portal.listen", *own.listen):
            portal.bind()
        say_ready()
        await portal.run(stop)


PROGRAMS: Mapping[str, Program] = MappingProxyType(
    {
        "keyholder": run_keyholder,
        "authenticator": run_authenticator,
        "submission": run_submission,
        "mx": run_mx,
        "fax": run_fax,
        "guard": run_guard,
        "notifier": run_notifier,
        "portal": run_portal,
    }
)


async def _until_told(program: Program, settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await program(settings, stop)


async def _serve(settings: Settings, serving: Coroutine[Any, Any, None], ready: asyncio.Event) -> None:
    """Run a server; say so when it can be asked."""
    running = asyncio.create_task(serving)
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not running.done():
        _tell_ready(settings)
    await running


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _tell_ready(settings: Settings) -> None:
    maillog.program_started(settings.site.environment)
    say_ready()


def _loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What speaks SMTP much of its time is fastest on uvloop; the others wait for others."""
    if name not in ("submission", "notifier"):
        return None
    import uvloop

    return uvloop.new_event_loop
