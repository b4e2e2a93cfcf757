"""A notifier as a site would have it, on a database and a relay of the test's own. Run as a program, it sends once."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.domain.address import parse_address
from gateway.domain.notice import NoticeKind
from gateway.outbound.backoff import Schedule
from gateway.outbound.courier import AllowList, Courier
from gateway.outbound.direct import DirectWay
from gateway.outbound.dkim import Signer
from gateway.outbound.hosts import HostFinder
from gateway.outbound.making import Maker, Making, Thread, Workshop
from gateway.outbound.names import Names
from gateway.outbound.notification import Renderer
from gateway.outbound.notifier import Notifier, NotifierKeys, NotifierSite
from gateway.outbound.relay import Relay, RelayWay
from gateway.outbound.standing import Standings
from gateway.outbound.templates import Templates
from gateway.outbound.tls_policy import TlsContexts
from gateway.outbound.workshop import workshop as forked
from gateway.programmes import load_programmes
from gateway.resources import programmes_folder, templates_folder
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.outbox import put
from gateway.store.transaction import Transaction

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AUTHORITY = Ed25519PrivateKey.from_private_bytes(b"a" * 32)
SIGNER = Signer("gateway.example", "e1", Ed25519PrivateKey.from_private_bytes(b"d" * 32))
PROGRAMMES = load_programmes([programmes_folder() / "cwa", Path(__file__).parent / "programmes" / "county"])
TEMPLATES = Templates(templates_folder() / "notifications", frozenset({"en", "es"}))
RENDERER = Renderer(TEMPLATES, parse_address("notices@gateway.example"))
MAKER = Maker(PROGRAMMES, RENDERER, (SIGNER,))


class Time:
    """A clock that stands until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def notifier(
    database: Database,
    port: int,
    ca_file: Path,
    run: Path,
    clock: Callable[[], datetime],
    *,
    environment: str = "production",
    allow_list: AllowList | None = None,
    courier: Courier | None = None,
    workshop: Workshop | None = None,
    authority: Ed25519PublicKey | None = None,
    full_copies: frozenset[str] = frozenset(),
) -> Notifier:
    relay = Relay("127.0.0.1", port, "gateway.example", ca_file=ca_file, deadline=20.0)
    return Notifier(
        database,
        PROGRAMMES,
        Making(workshop or Thread(MAKER)),
        courier or Courier(RelayWay(relay), allow_list, clock=clock, jitter=lambda: 0.0),
        NotifierSite("https://gateway.example/", "gateway.example", environment, run, full_copies=full_copies),
        NotifierKeys(authority or AUTHORITY.public_key(), b"h" * 32, b"r" * 32),
        clock=clock,
        schedule=Schedule(),
        jitter=lambda: 0.0,
    )


def settle_in(tx: Transaction) -> None:
    """An employee, a designated user of each programme, a case of each, and a message by the employee in each."""
    people = {"clerk": ("cwa", "office"), "agent": ("cwa", "correspondent"), "owner": ("lindgrove", "correspondent")}
    for name, (programme, side) in people.items():
        new = {"id": name, "programme": programme, "side": side, "name": name, "username": name, "created_us": 0}
        tx.insert(tables.person, **new)
        address = f"{name}@mail.example"
        row = {"id": name, "person_id": name, "address": address, "key": address, "from_us": 0, "until_us": None}
        tx.insert(tables.person_address, **row)
    for programme, reference in (("cwa", "SM-7K2Q"), ("lindgrove", "LG-3M4N")):
        tx.insert(tables.case, id=programme, programme=programme, reference=reference, opened_us=0, closed_us=None)
        tx.insert(
            tables.message, id=f"{programme}-message", case_id=programme, reference=f"{reference}-9F4T", side="office",
            author_id="clerk", composed=0, octets=1, sealed_summary=b"", received_us=0,
        )  # fmt: skip


def tell(
    tx: Transaction, person_id: str = "agent", kind: NoticeKind = NoticeKind.MESSAGE_WAITING, programme: str = "cwa"
) -> str:
    reference = {"cwa": "SM-7K2Q-9F4T", "lindgrove": "LG-3M4N-9F4T"}[programme]
    return put(
        tx, programme=programme, kind=kind, person_id=person_id, case_id=programme, message_id=f"{programme}-message",
        fields={"reference": reference},
    )  # fmt: skip


async def _send_once(workshop: Workshop, url: str, port: str, ca_file: str, minutes: str, nameserver: str = "") -> None:
    """Send what is due: by a relay, or, where the port of a name server is given, directly."""
    clock = Time(NOON + timedelta(minutes=int(minutes)))
    database = Database(url, clock=clock)
    courier = _direct(database, int(port), Path(ca_file), clock, int(nameserver)) if nameserver else None
    mine = notifier(
        database,
        int(port),
        Path(ca_file),
        Path(),
        clock,
        courier=courier,
        workshop=workshop,
        full_copies=frozenset({"cwa"}),
    )
    await mine.send_due()
    database.close()


def _direct(database: Database, port: int, ca_file: Path, clock: Time, nameserver: int) -> Courier:
    names, tls = Names([("127.0.0.1", nameserver)]), TlsContexts(ca_file)
    hosts = HostFinder(names, frozenset(), (ip_network("127.0.0.0/8"),), port)
    standings = Standings(database, names, hosts, {}, tls.verified, 1, clock)
    way = DirectWay(hosts, standings, tls, helo="gateway.example", port=port, connections=4, clock=clock)
    return Courier(way, None, clock=clock, jitter=lambda: 0.0)


if __name__ == "__main__":
    with forked(MAKER) as made:
        asyncio.run(_send_once(made, *sys.argv[1:]))
