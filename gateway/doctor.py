"""What is there, what is missing and what that turns off: one machine's look at one site, without changing anything."""

from __future__ import annotations

import asyncio
import os
import platform
import resource
import shutil
import sqlite3
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from sqlalchemy import make_url

from gateway.authenticator.client import AuthenticatorClient
from gateway.config import Settings, TrustedRelaySettings, file_problems
from gateway.config.full_copies import warning_of
from gateway.doctor_guard import wrong_client
from gateway.doctor_providers import providers
from gateway.domain.errors import GatewayError
from gateway.findings import Finding, State
from gateway.keyholder.client import KeyholderClient
from gateway.process import holder
from gateway.programmes import load_programmes
from gateway.public_door import fax_line, intake, public_door, way_of_mail
from gateway.screening import landlock, seccomp
from gateway.screening.pool import Pool, SelfTest, Sizes
from gateway.screening.protocol import Orders
from gateway.screening.site import orders_of
from gateway.store import migrations
from gateway.store.engines import open_engine
from gateway.store.site import require_environment
from gateway.supervisor import read_status

__all__ = ["Finding", "State", "examine"]

SOON = timedelta(days=30)
PLENTY = 1024**3
MAX_SOCKET_PATH = 107
OLDEST_SQLITE = (3, 37)
KEYRINGS = ("pubring.kbx", "pubring.gpg")


def examine(settings: Settings) -> list[Finding]:
    """Look at machine, files, database and programs."""
    findings: list[Finding] = []
    for look in (
        _machine,
        _tools,
        _files,
        _signing_keys,
        _certificates,
        _mail_door,
        _mail_systems,
        public_door,
        way_of_mail,
        _signed_mail,
        _vault,
        intake,
        fax_line,
        wrong_client,
        providers,
        _screening,
        _programs,
        _sockets,
    ):
        findings += _safely(look, settings)
    return findings


def _safely(look: Callable[[Settings], Iterator[Finding]], settings: Settings) -> list[Finding]:
    """One look that cannot be had says so and leaves the others alone."""
    name = look.__name__.strip("_")
    try:
        return list(look(settings))
    except GatewayError as problem:
        return [Finding(name, State.PROBLEM, problem.advice)]
    except OSError as problem:
        return [Finding(name, State.WARNING, f"cannot be looked at: {problem.strerror}")]


def _machine(settings: Settings) -> Iterator[Finding]:
    yield Finding("python", State.OK, f"{platform.python_version()}, {ssl.OPENSSL_VERSION}")
    old = sqlite3.sqlite_version_info < OLDEST_SQLITE
    yield Finding(
        "sqlite", State.WARNING if old else State.OK, sqlite3.sqlite_version, "Bring it up to date." if old else ""
    )
    free = shutil.disk_usage(_existing(settings.store.blobs)).free
    reserve = settings.store.reserve_octets
    state = State.PROBLEM if free < reserve else State.WARNING if free < reserve + PLENTY else State.OK
    advice = "" if state is State.OK else f"Mail is deferred below {reserve // 1024**2} MiB. Make room."
    yield Finding("disk", state, f"{free // 1024**2} MiB free", advice)
    yield _swap()
    locked = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY
    yield Finding(
        "memory lock", State.OK if locked else State.WARNING, "unlimited" if locked else "limited",
        "" if locked else "The keyholder's memory may be swapped. Set LimitMEMLOCK=infinity.",
    )  # fmt: skip
    core = resource.getrlimit(resource.RLIMIT_CORE)[0]
    yield Finding("core files", State.OK, "off" if core == 0 else "off in every program, whatever this shell allows")
    yield _clock()


def _swap() -> Finding:
    try:
        lines = Path("/proc/swaps").read_text("ascii").splitlines()[1:]
    except OSError:
        return Finding("swap", State.WARNING, "unknown")
    plain = [line.split()[0] for line in lines if "/dm-" not in line and "zram" not in line]
    if plain:
        return Finding("swap", State.WARNING, "on", "Memory may reach the disk in clear. Switch it off or encrypt it.")
    return Finding("swap", State.OK, "on, encrypted or in memory" if lines else "none")


def _clock() -> Finding:
    synchronised = Path("/run/systemd/timesync/synchronized").exists() or Path("/run/chrony").exists()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    if synchronised:
        return Finding("clock", State.OK, f"{now}, kept by NTP")
    return Finding("clock", State.WARNING, f"{now}, no NTP seen", "Codes and receipts need the right time.")


def _tools(_settings: Settings) -> Iterator[Finding]:
    for program, what in (("gpg", "OpenPGP"), ("pg_dump", "backups of a PostgreSQL database")):
        where = shutil.which(program)
        if where:
            yield Finding(program, State.OK, where)
        else:
            yield Finding(program, State.OFF, "not installed", f"Off: {what}. Nothing else needs it.")


def _files(settings: Settings) -> Iterator[Finding]:
    problems = file_problems(settings)
    for problem in problems:
        yield Finding("files", State.PROBLEM, f"{problem.key}: {problem.what}", problem.do)
    if not problems:
        yield Finding("files", State.OK, f"keys in {settings.keys.folder}, readable by their owner only")
    load_programmes(settings.programmes)
    names = ", ".join(folder.name for folder in settings.programmes)
    yield Finding("programmes", State.OK, names)
    if settings.notifier.relay is None and settings.notifier.direct is None:
        yield Finding(
            "relay", State.OFF, "none named", "Off: notifications. They wait in the queue. Set notifier.relay."
        )
    if warning := warning_of(settings.full_copies):
        yield Finding("full copies", State.WARNING, ", ".join(settings.full_copies.programmes), warning)
        yield _copy_key(settings)
    if settings.site.is_trial:
        to = ", ".join(settings.notifier.allow_list) or "nobody"
        yield Finding("environment", State.OK, f"{settings.site.environment}: mail goes to {to} only")
    own = settings.keyholder
    for path in (own.socket, own.guard_socket, settings.authenticator.socket, own.operator_socket):
        if len(os.fsencode(path)) > MAX_SOCKET_PATH:
            yield Finding(
                "run folder", State.PROBLEM, f"{path} is too long for a socket", "Set site.run to a shorter path."
            )


def _signing_keys(settings: Settings) -> Iterator[Finding]:
    """What signs outgoing mail; whether DNS agrees, `gateway doctor dns` says."""
    from gateway.outbound.dkim_keys import KeyFolder

    dkim = settings.notifier.dkim
    signers = KeyFolder(dkim.folder, dkim.domain).signers()
    if signers:
        words = ", ".join(f"{one.selector} ({one.algorithm})" for one in signers)
        yield Finding("DKIM", State.OK, f"{dkim.domain}: {words}")
    else:
        yield Finding("DKIM", State.OFF, "no key signs", "Mail leaves unsigned. Make one: gateway dkim new")


def _certificates(settings: Settings) -> Iterator[Finding]:
    further = {own.certificate for own in (settings.mx, settings.fax, settings.notifier.smime) if own is not None}
    for path in sorted({settings.submission.certificate, settings.portal.certificate, *further}):
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        until = certificate.not_valid_after_utc
        words = f"{path.name} until {until.date().isoformat()}"
        if until < datetime.now(UTC):
            yield Finding("certificate", State.PROBLEM, words, "It has expired: mail tools and browsers refuse it.")
        elif until < datetime.now(UTC) + SOON:
            yield Finding("certificate", State.WARNING, words, "Bring a new one soon.")
        elif certificate.issuer == certificate.subject:
            yield Finding("certificate", State.WARNING, f"{words}, signed by itself", "For a trial only.")
        else:
            yield Finding("certificate", State.OK, words)


def _signed_mail(settings: Settings) -> Iterator[Finding]:
    """Whose signatures on mail the portal can vouch for."""
    anchors, home = settings.portal.smime_anchors, settings.portal.openpgp_home
    if anchors is None:
        yield Finding("S/MIME", State.OFF, "no anchors", "Signers are not known here. Set portal.smime_anchors.")
    elif anchors.is_file():
        yield _anchors(anchors)
    if home is None:
        yield Finding("OpenPGP", State.OFF, "no keyring", "Signatures are not checked. Set portal.openpgp_home.")
    elif not any((home / name).is_file() for name in KEYRINGS):
        advice = f"Bring keys in: gpg --homedir {home} --import FILE, as the user of the portal."
        yield Finding("OpenPGP", State.WARNING, f"no keys in {home}", advice)
    elif shutil.which("gpg") is None:
        yield Finding("OpenPGP", State.WARNING, "gpg is not installed", "Install gpg: signatures are not checked.")
    else:
        yield Finding("OpenPGP", State.OK, f"keys in {home}")


def _copy_key(settings: Settings) -> Finding:
    """What full copies are signed with."""
    from gateway.parcels.own_key import load_own_key
    from gateway.parcels.site import user_id_of

    if shutil.which("gpg") is None:
        return Finding("copy key", State.WARNING, "gpg is not installed", "Install gpg: it encrypts by OpenPGP.")
    own = load_own_key(settings.full_copies.keys.openpgp, user_id_of(settings))
    if own is None:
        return Finding("copy key", State.WARNING, "none", "Copies by OpenPGP are not signed. Run: gateway openpgp make")
    return Finding("copy key", State.OK, own.fingerprint)


def _anchors(path: Path) -> Finding:
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except ValueError:
        advice = "Name a file of certificates in PEM: portal.smime_anchors."
        return Finding("S/MIME", State.PROBLEM, f"{path.name} is not one", advice)
    old = sum(each.not_valid_after_utc < datetime.now(UTC) for each in found)
    if old:
        return Finding("S/MIME", State.WARNING, f"{len(found)} anchors, {old} expired", "Bring new ones.")
    return Finding("S/MIME", State.OK, f"{len(found)} anchors")


def _mail_door(settings: Settings) -> Iterator[Finding]:
    from gateway.inbound.doors import processes_of

    processes, cores = processes_of(settings.submission), len(os.sched_getaffinity(0))
    words, more = f"processes: {processes}, cores: {cores}", processes > cores
    yield Finding(
        "mail door", State.WARNING if more else State.OK, words, "Lower submission.processes." if more else ""
    )


def _mail_systems(settings: Settings) -> Iterator[Finding]:
    """The ways in for mail systems that vouch for their senders: the LMTP socket, and trusted relays."""
    own = settings.submission
    runs = holder(settings.site.run, "submission") is not None
    if own.lmtp is None:
        yield Finding("lmtp", State.OFF, "no socket", "Off: mail by LMTP. Set submission.lmtp.")
    elif len(os.fsencode(own.lmtp)) > MAX_SOCKET_PATH:
        yield Finding("lmtp", State.PROBLEM, f"{own.lmtp} is too long for a socket", "Set submission.lmtp shorter.")
    elif runs and not own.lmtp.is_socket():
        yield Finding("lmtp", State.PROBLEM, f"there is no socket {own.lmtp}", "Start again: gateway run submission")
    else:
        yield Finding("lmtp", State.OK, f"{own.lmtp}, for {len(own.lmtp_users)} users of this machine")
    if not own.relays:
        yield Finding("relays", State.OFF, "none named", "Off: mail by a trusted relay. Add a table [relay.NAME].")
    yield from map(_relay, own.relays)


def _relay(relay: TrustedRelaySettings) -> Finding:
    name = f"relay {relay.name}"
    try:
        listed = x509.load_pem_x509_certificates(relay.client_ca.read_bytes())
    except (OSError, ValueError):
        return Finding(name, State.PROBLEM, f"no certificates in {relay.client_ca}", "Give it certificates in PEM.")
    until = min(certificate.not_valid_after_utc for certificate in listed)
    words = f"{len(relay.networks)} networks, {relay.client_ca.name} until {until.date().isoformat()}"
    if until < datetime.now(UTC):
        return Finding(name, State.PROBLEM, words, "One has expired. Put the new one there, then send SIGHUP.")
    if until < datetime.now(UTC) + SOON:
        return Finding(name, State.WARNING, words, "Put the new one beside it soon.")
    return Finding(name, State.OK, words)


def _vault(settings: Settings) -> Iterator[Finding]:
    address = make_url(settings.store.url)
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file():
        yield Finding("database", State.PROBLEM, f"there is no {address.database}", "Make it: gateway init FOLDER")
        return
    engine = open_engine(settings.store.url, read_only=True)
    try:
        migrations.require_current(engine)
        with engine.begin() as connection:
            require_environment(connection, settings.site.environment)
    finally:
        engine.dispose()
    found, head = migrations.current(settings.store.url), migrations.head()
    if found != head:
        words = f"{address.get_backend_name()}, schema {found}, this version has {head}"
        yield Finding("database", State.WARNING, words, "Make a backup, then run gateway init, to bring it up to date.")
        return
    yield Finding("database", State.OK, f"{address.get_backend_name()}, schema {head}")


def _screening(settings: Settings) -> Iterator[Finding]:
    """What the kernel has to lock a child up with, and a child's look at one document of each main type."""
    known = landlock.version()
    if known:
        yield Finding("landlock", State.OK, f"version {known}")
    else:
        advice = (
            "Screening children are held by seccomp alone: bring Linux to 5.13 or newer, with Landlock switched on."
        )
        yield Finding("landlock", State.WARNING, "not in this kernel", advice)
    if seccomp.is_present():
        yield Finding("seccomp", State.OK, "filters the system calls of screening children")
    else:
        advice = "Screening children may make any system call. Tables are there for x86_64 and aarch64."
        yield Finding("seccomp", State.WARNING, f"not here ({platform.machine()})", advice)
    orders = orders_of(settings.screening, load_programmes(settings.programmes).values())
    found = asyncio.run(_self_test(orders))
    if found.reached:
        state = State.PROBLEM if found.locks.seccomp else State.WARNING
        yield Finding("screening", state, f"a child can {', '.join(found.reached)}", "Let in no mail from outside.")
    if found.missed:
        words = f"nothing seen in: {', '.join(found.missed)}"
        yield Finding("screening", State.PROBLEM, words, "Install the gateway again, with its dependencies.")
    else:
        yield Finding("screening", State.OK, f"{len(orders.policy.kinds)} kinds, every main type is read")


async def _self_test(orders: Orders) -> SelfTest:
    pool = Pool(orders, Sizes(1, 1))
    try:
        await pool.start()
        return await pool.test()
    finally:
        await pool.close()


def _programs(settings: Settings) -> Iterator[Finding]:
    run = settings.site.run
    supervisor = holder(run, "supervisor")
    status = read_status(run) if supervisor else {}
    running = {name: holder(run, name) for name in settings.programs}
    if not any(running.values()) and supervisor is None:
        yield Finding("programs", State.OFF, "none runs", "Start them: gateway run")
        return
    for name, process in running.items():
        if process is None:
            yield Finding(name, State.PROBLEM, "does not run", f"Its log says why. Start it: gateway run {name}")
            continue
        restarts = int(status.get(name, {}).get("restarts", 0))
        words = f"process {process}" + (f", started again {_times(restarts)}" if restarts else "")
        yield Finding(name, State.WARNING if restarts else State.OK, words, "Its log says why." if restarts else "")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _sockets(settings: Settings) -> Iterator[Finding]:
    if not any(holder(settings.site.run, name) for name in settings.programs):
        return
    greetings = {
        "keyholder socket": KeyholderClient(settings.keyholder.socket).hello,
        "authenticator socket": AuthenticatorClient(settings.authenticator.socket).hello,
    }
    for name, greet in greetings.items():
        try:
            asyncio.run(greet())
        except GatewayError:
            yield Finding(name, State.PROBLEM, "does not answer", "Its log says why.")
        else:
            yield Finding(name, State.OK, "answers")


def _existing(path: Path) -> Path:
    return next(place for place in (path, *path.parents) if place.exists())
