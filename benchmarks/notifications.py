"""Notifications: made, signed by RSA and Ed25519, handed over, settled; beside Postfix, and beside the usual libraries.

Ours is the program *notifier* as a process of its own, on a store that is filled before; Postfix drains a queue of
mails of the same size, unsigned, by as many connections. All give to one sink, Postfix's own `smtp-sink`. What counts
is the time from the first mail that has gone to the last.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import dkim
from sqlalchemy import func, select, update

from benchmarks.postfix import Postfix, why_absent
from benchmarks.waiting import free_port, wait_for_port
from gateway.cli.init import make_site
from gateway.config import Settings
from gateway.domain.delivery import Delivery, DeliveryState
from gateway.domain.notice import NoticeKind
from gateway.outbound.dkim_keys import Algorithm, KeyFolder, KeyState
from gateway.store import keyfiles, tables
from gateway.store.claims import claim
from gateway.store.database import Database
from gateway.store.outbox import OutboxState, put
from gateway.store.settlements import settle
from gateway.store.transaction import Transaction

CONNECTIONS = 20
"""Postfix's own default for one destination."""
NOTICES = 4000
PLAIN_NOTICES = 200
DEADLINE_SECONDS = 200.0
LEASE_US = 300_000_000
OCTETS = 4400
"""About as long as a signed notification is."""
_SINK = "/usr/sbin/smtp-sink"
_SOURCE = "/usr/sbin/smtp-source"
_SERVICES = """\
smtp unix - - n - - smtp
scache unix - - n - 1 scache
pickup unix n - n 60 1 pickup
flush unix n - n 1000? 0 flush
"""
_TOML = """\
[site]
name = "Agency for Figures"
domain = "secure.agency.example"
portal_url = "https://localhost:1/"
environment = "benchmark"
[programmes]
use = ["cwa"]
[submission]
starttls = ["127.0.0.1:1"]
[portal]
listen = ["127.0.0.1:1"]
[log]
level = "warning"
format = "json"
[notifier]
connections = {connections}
allow_list = ["@sink.example", "@dead.example"]
"""
_RELAY = """\
relay = "127.0.0.1"
port = {port}
tls = "none"
"""
_DIRECT = """\
[notifier.direct]
port = {port}
nameservers = ["127.0.0.1:{nameserver}"]
private_networks = ["127.0.0.0/8"]
"""


@dataclass(slots=True)
class Drained:
    """Rates of rounds, a second; ratios of neighbours are the figures to look at."""

    ours: list[float] = field(default_factory=list)
    postfix: list[float] = field(default_factory=list)
    usual: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Claimed:
    """Seconds to claim and settle ten due rows, in a table of so many."""

    few: list[float] = field(default_factory=list)
    many: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Backlog:
    """Seconds from the program's start: until the first notice is sent, and all those behind a dead domain's."""

    first: list[float] = field(default_factory=list)
    behind: list[float] = field(default_factory=list)


class NotifierSite:
    """A site whose outbox is filled, and whose notifier is started when it is to be measured."""

    def __init__(self, folder: Path, sink: int, nameserver: int = 0) -> None:
        way = _DIRECT.format(port=sink, nameserver=nameserver) if nameserver else _RELAY.format(port=sink)
        self.settings: Settings = make_site(folder, _TOML.format(connections=CONNECTIONS) + way)
        self._folder = folder
        now = datetime.now(UTC)
        keys = KeyFolder(self.settings.notifier.dkim.folder, self.settings.notifier.dkim.domain)
        for selector, algorithm in (("r1", Algorithm.RSA), ("e1", Algorithm.ED25519)):
            keys.make(selector, algorithm, now)
            for state in (KeyState.PUBLISHED, KeyState.SIGNING):
                keys.mark(selector, state, now)
        self.database = Database(self.settings.store.url, readers=1)
        self.database.call(_settle_in)
        self._people = 0

    def drain(self, notices: int) -> float:
        """Fill the outbox, start the notifier, and return how many it sent a second."""
        self.fill(notices)
        before = self.sent()
        with self.notifier():
            return _rate(lambda: notices - (self.sent() - before), notices)

    @contextmanager
    def notifier(self) -> Iterator[None]:
        """Run the program."""
        with (self._folder / "notifier.log").open("ab") as log:
            command = [sys.executable, "-m", "gateway", "run", "notifier", "--config", str(self.settings.file)]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait()

    def fill(self, notices: int, domain: str = "sink.example") -> None:
        """Enter notices to so many people of a domain, one each."""
        for start in range(0, notices, 500):
            self.database.call(_tell_people, self._people, min(500, notices - start), domain)
            self._people += min(500, notices - start)

    def close(self) -> None:
        self.database.close()

    def sent(self) -> int:
        """Return how many notices the store calls delivered."""
        return self.database.read_now(lambda connection: connection.execute(_SENT).scalar_one())


class DrainingPostfix(Postfix):
    """A Postfix that holds what it takes, and gives it to the sink when it is let go."""

    def __init__(self, folder: Path, port: int, certificate: Path, key: Path, sink: int) -> None:
        super().__init__(folder, port, certificate, key)
        main = self._configuration / "main.cf"
        more = f"relayhost = [127.0.0.1]:{sink}\ndefault_destination_concurrency_limit = {CONNECTIONS}\n"
        main.write_text(main.read_text() + more + f"initial_destination_concurrency = {CONNECTIONS}\n")
        master = self._configuration / "master.cf"
        (self._queue / "maildrop").mkdir()
        master.write_text(master.read_text() + _SERVICES)

    def drain(self, notices: int, octets: int) -> float:
        """Take so many mails, let them go, and return how many went a second."""
        source = [_SOURCE, "-m", str(notices), "-s", "10", "-l", str(octets), "-f", "a@agency.example"]
        subprocess.run(
            [*source, "-t", "b@sink.example", f"inet:127.0.0.1:{self.port}"], check=True, capture_output=True
        )
        configuration = ["-c", str(self._configuration)]
        subprocess.run(["/usr/sbin/postsuper", *configuration, "-H", "ALL"], check=True, stderr=subprocess.DEVNULL)
        subprocess.run(["/usr/sbin/postqueue", *configuration, "-f"], check=True)
        return _rate(self._left, notices)

    def _left(self) -> int:
        folders = [self._queue / name for name in ("incoming", "active", "deferred", "hold")]
        return sum(1 for folder in folders for path in folder.rglob("*") if path.is_file())


@contextmanager
def sink() -> Iterator[int]:
    """Run Postfix's own sink: it takes everything and keeps nothing."""
    port = free_port()
    process = subprocess.Popen([_SINK, "-u", "postfix", f"inet:127.0.0.1:{port}", "1000"], stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def compare(folder: Path, rounds: int, notices: int = NOTICES) -> Drained:
    """Drain by turns. Without Postfix there is no sink: raises ValueError with what is absent."""
    if (absent := why_absent()) is not None:
        raise ValueError(absent)
    result = Drained()
    folder.chmod(0o755)
    with sink() as port:
        site = NotifierSite(folder / "notifications", port)
        tls = site.settings.tls
        postfix = DrainingPostfix(folder / "drain", free_port(), tls.certificate, tls.key, port)
        (folder / "drain").chmod(0o755)
        postfix.start()
        try:
            for _ in range(rounds):
                result.ours.append(site.drain(notices))
                result.postfix.append(postfix.drain(notices, OCTETS))
            result.usual.append(asyncio.run(_by_libraries(port, site)))
        finally:
            postfix.stop()
            site.close()
    return result


def compare_claims(folder: Path, rounds: int, many: int = 1_000_000) -> Claimed:
    """Claim and settle ten rows of a small and of a large table, by turns."""
    result = Claimed()
    sites = [NotifierSite(folder / name, 1) for name in ("few", "many")]
    for site, rows in zip(sites, (1000, many), strict=True):
        site.database.call(_fill_up, rows)
    for _ in range(rounds):
        for site, times in zip(sites, (result.few, result.many), strict=True):
            site.fill(10)
            times.append(_claim_and_settle(site))
    for site in sites:
        site.close()
    return result


def start_with_backlog(folder: Path, notices: int) -> Backlog:
    """Start with so many notices due, all but a hundredth to a domain whose host is away; these come due last."""
    result = Backlog()
    with sink() as port, _nameserver() as nameserver:
        site = NotifierSite(folder / "backlog", port, nameserver)
        wanted = notices // 100
        site.fill(wanted)
        site.fill(notices - 2 * wanted, "dead.example")
        site.fill(wanted)
        begun = time.monotonic()
        with site.notifier():
            for times, many in ((result.first, 1), (result.behind, 2 * wanted)):
                while site.sent() < many:
                    _until(begun + DEADLINE_SECONDS)
                times.append(time.monotonic() - begun)
        site.close()
    return result


@contextmanager
def _nameserver() -> Iterator[int]:
    """Run a name server that knows two domains: one whose host is the sink, one whose host is away."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.nameserver", str(port)])
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


def _rate(left: Callable[[], int], notices: int) -> float:
    """Return how many went a second, from the first that is seen to have gone until none is left."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (rest := left()) >= notices:
        _until(deadline)
    begun, first = time.monotonic(), rest
    while left():
        _until(deadline)
    return first / (time.monotonic() - begun)


def _until(deadline: float) -> None:
    time.sleep(0.05)
    if time.monotonic() > deadline:
        raise TimeoutError("the queue did not drain")


async def _by_libraries(port: int, site: NotifierSite) -> float:
    """Return how many go a second by EmailMessage, dkimpy and aiosmtplib, one connection kept."""
    keys = KeyFolder(site.settings.notifier.dkim.folder, site.settings.notifier.dkim.domain)
    pem = (keys.folder / "r1.pem").read_bytes()
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False)
    await client.connect()
    begun = time.monotonic()
    for number in range(PLAIN_NOTICES):
        mail = EmailMessage()
        mail["From"], mail["To"] = "Agency <a@secure.agency.example>", "b@sink.example"
        mail["Subject"], mail["Message-ID"] = "A message waits for you", f"<{number}@secure.agency.example>"
        mail.set_content("A message waits for you. Sign in to read it.\n" * 20)
        mail.add_alternative("<p>A message waits for you. Sign in to read it.</p>\n" * 20, subtype="html")
        octets = mail.as_bytes().replace(b"\n", b"\r\n")
        signed = dkim.sign(octets, b"r1", b"secure.agency.example", pem) + octets
        await client.sendmail("a@secure.agency.example", ["b@sink.example"], signed)
    rate = PLAIN_NOTICES / (time.monotonic() - begun)
    await client.quit()
    return rate


def _claim_and_settle(site: NotifierSite) -> float:
    authority = keyfiles.authority_public(site.settings.keys.folder)
    taken = Delivery(DeliveryState.DELIVERED, 250, "2.0.0", "ok")
    begun = time.perf_counter()
    entries = site.database.call(claim, LEASE_US, 10)
    waiting = [site.database.submit(settle, authority, b"k" * 32, entry, taken, None) for entry in entries]
    for one in waiting:
        one.result()
    if len(entries) != 10:
        raise ValueError("not as many rows were due as were entered")
    return time.perf_counter() - begun


def _settle_in(tx: Transaction) -> None:
    new = {"programme": "cwa", "side": "office", "name": "Ann Lee", "username": "ann", "created_us": 0}
    tx.insert(tables.person, id="ann", **new)
    tx.insert(tables.case, id="case", programme="cwa", reference="T-SM-7K2Q", opened_us=0, closed_us=None)
    tx.insert(
        tables.message, id="message", case_id="case", reference="T-SM-7K2Q-9F4T", side="office", author_id="ann",
        composed=0, octets=1, sealed_summary=b"", received_us=0,
    )  # fmt: skip


def _tell_people(tx: Transaction, first: int, people: int, domain: str) -> None:
    for number in range(first, first + people):
        name = f"p{number}"
        new = {"programme": "cwa", "side": "correspondent", "name": name, "username": name, "created_us": 0}
        tx.insert(tables.person, id=name, **new)
        address = f"{name}@{domain}"
        row = {"person_id": name, "address": address, "key": address, "from_us": 0, "until_us": None}
        tx.insert(tables.person_address, id=name, **row)
        put(
            tx, programme="cwa", kind=NoticeKind.MESSAGE_WAITING, person_id=name, case_id="case", message_id="message",
            fields={"reference": "T-SM-7K2Q-9F4T"},
        )  # fmt: skip


def _fill_up(tx: Transaction, rows: int) -> None:
    """Enter rows that are not due for a long time, and as many again that are over."""
    for state, share in ((OutboxState.WAITING, 2), (OutboxState.DELIVERED, 2)):
        for start in range(0, rows // share, 10_000):
            for _ in range(min(10_000, rows // share - start)):
                put(tx, programme="cwa", kind=NoticeKind.MESSAGE_WAITING, person_id="ann", case_id="case")
            tx.flush()
        mine = update(tables.outbox).where(tables.outbox.c.attempts == 0)
        later = {"due_us": tx.now_us + 3_600_000_000, "attempts": 1, "state": state.value}
        tx.execute(mine.values(later))


_SENT = select(func.count()).select_from(tables.outbox).where(tables.outbox.c.state == OutboxState.DELIVERED.value)
