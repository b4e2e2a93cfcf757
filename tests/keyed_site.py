"""A keyholder and an authenticator on real sockets over a real store, and the people that tests need."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pyotp
from sqlalchemy import select

from gateway.authenticator import client as authenticator_client
from gateway.authenticator import keys as authenticator_keys
from gateway.authenticator.server import AuthenticatorServer
from gateway.domain.clock import to_microseconds
from gateway.domain.errors import Unavailable
from gateway.domain.intake import month_of, new_reference
from gateway.domain.rights import Side
from gateway.failpoints import VARIABLE as failpoint_variable
from gateway.identity.sessions import SessionLimits, new_session
from gateway.keyholder import client as keyholder_client
from gateway.keyholder import keys as keyholder_keys
from gateway.keyholder.server import KeyholderServer
from gateway.programmes import load_programmes
from gateway.store import tables
from gateway.store.cases import case_sealing_key
from gateway.store.database import Database
from gateway.store.ids import new_id
from gateway.store.intake import intake_sealing_key
from gateway.store.keyfiles import authority_public
from gateway.store.keystore import KeyStore
from gateway.store.sealing import SealingKey, new_key, seal_box, summary_context, summary_key
from gateway.store.transaction import Transaction
from tests.agreed import write_agreed

ROOT = Path(__file__).parents[1]
PASSWORD = "correct horse battery staple"


class HandClock:
    """Real time, moved forward by hand, and, where its passing would matter to a test, by nothing else."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self._stands_at: datetime | None = None

    def __call__(self) -> datetime:
        return (self._stands_at or datetime.now(UTC)) + self.ahead

    def stand(self) -> None:
        """Let no time pass any more but by hand: what a test does takes none, however busy the machine is."""
        self._stands_at = datetime.now(UTC)

    def forward(self, **by: float) -> None:
        self.ahead += timedelta(**by)

    @property
    def now_us(self) -> int:
        return to_microseconds(self())


@dataclass
class Deposited:
    id: str
    content_key: bytes


class KeyedSite:
    """Use `running`. `operator` enacts as the local operator, `keyholder` is the portal's client."""

    def __init__(self, folder: Path, url: str, *, tick: float = 0.001) -> None:
        self.folder, self.url = folder, url
        self.keys = folder / "keys"
        if not self.keys.exists():
            keyholder_keys.generate(self.keys, None)
        self.clock = HandClock()
        self.database = Database(url, clock=self.clock)
        self.keystore = KeyStore(f"sqlite:///{folder}/keystore.db", clock=self.clock)
        self.authority = authority_public(self.keys)
        self.signing = authenticator_keys.load(self.keys)
        self.stop = asyncio.Event()
        self.loaded = keyholder_keys.load(self.keys, keyholder_keys.FileKeyProvider(self.keys))
        self.programmes = dict(load_programmes([ROOT / "programmes" / "cwa"]))
        self.server = KeyholderServer(
            self.database,
            self.keystore,
            self.loaded,
            socket=folder / "keyholder.sock",
            operator_socket=folder / "operator.sock",
            programmes=self.programmes,
            guard_socket=folder / "guard.sock",
            clock=self.clock,
        )
        self.sign_in_server = AuthenticatorServer(
            self.database,
            self.signing,
            self.authority,
            socket=folder / "authenticator.sock",
            operator_socket=folder / "authenticator-operator.sock",
            tick_seconds=tick,
            clock=self.clock,
        )
        self.keyholder = keyholder_client.KeyholderClient(folder / "keyholder.sock")
        self.guard = keyholder_client.GuardClient(folder / "guard.sock")
        self.operator = keyholder_client.OperatorClient(folder / "operator.sock")
        self.authenticator = authenticator_client.AuthenticatorClient(folder / "authenticator.sock")
        self.proofs = authenticator_client.OperatorClient(folder / "authenticator-operator.sock")

    # ---- people

    async def employee(self, username: str = "erin", role: str = "employee", programme: str = "cwa") -> str:
        made = await self.operator.enact(
            "add_employee",
            programme=programme,
            name=username.title(),
            address=f"{username}@agency.example",
            username=username,
            role=role,
        )
        return str(made["person"])

    async def case(self, person: str | None = None, programme: str = "cwa") -> str:
        made = await self.operator.enact("open_case", programme=programme, series="SM", trial=True, person=person)
        return str(made["case"])

    async def correspondent(self, *cases: str, username: str = "cora", **more: object) -> dict[str, str]:
        return await self.operator.enact(
            "add_designated_user",
            programme="cwa",
            cases=list(cases),
            name=username.title(),
            address=f"{username}@outside.example",
            username=username,
            **more,
        )

    async def enrol(self, person: str, password: str = PASSWORD) -> pyotp.TOTP:
        """Give a person a password and a code seed; return what makes codes."""
        data = await self.proofs.make_password(person, password)
        await self.operator.enact("add_credential", person=person, kind="password", label="password", data=data)
        made = await self.proofs.make_totp(person)
        await self.operator.enact("add_credential", person=person, kind="totp", label="phone", data=made.data)
        return pyotp.TOTP(parse_qs(urlsplit(made.uri).query)["secret"][0])

    async def signed_in(self, person: str, limits: SessionLimits | None = None, *, agreed: bool = True) -> bytes:
        """Return the token of a session that the authenticator signed, without the slow part.

        Who comes from the other side has agreed to the terms, unless they are not to have.
        """
        if agreed:
            await self.agree(person)
        credential = await self.operator.enact(
            "add_credential", person=person, kind="totp", label="for a test", data="none"
        )
        token, statement, signature = new_session(
            self.signing.session, person, (credential["credential"],), 2, self.clock.now_us, limits or SessionLimits()
        )
        await self.keyholder.admit(statement, signature)
        return token

    async def agree(self, person: str, terms: str = "") -> None:
        """Let it be so that somebody of the other side has agreed to the terms in force, or to others."""
        table = tables.person
        known = await self.database.read(
            lambda c: c.execute(select(table.c.side, table.c.programme).where(table.c.id == person)).one()
        )
        rules = self.programmes.get(known.programme)
        if known.side == Side.CORRESPONDENT and rules is not None:
            await self.database.run(write_agreed, self.loaded.authority, person, rules, terms)

    # ---- the store

    async def deposit(self, case_id: str, *recipients: str, side: str = "office", composed: bool = False) -> Deposited:
        key = await self.database.read(case_sealing_key, self.authority, case_id)
        made = Deposited(new_id(), new_key())
        await self.database.run(put_message, made, case_id, key, side, composed, recipients)
        return made

    async def take_in(self, proposed: str | None = None, *, tray: str = "cases", month: str = "") -> Deposited:
        """Put a message into the intake tray, sealed to a month's key, this one's by default."""
        key = await self.database.read(intake_sealing_key, self.authority, month or month_of(self.clock()))
        made = Deposited(new_id(), new_key())
        await self.database.run(put_message, made, None, key, "outside", False, ())
        await self.database.run(put_item, made, proposed, tray)
        return made

    async def leaves(self, kind: str) -> list[str]:
        wanted = select(tables.leaf.c.body).where(tables.leaf.c.kind == kind).order_by(tables.leaf.c.id)
        return list(await self.database.read(lambda connection: list(connection.execute(wanted).scalars())))

    async def execute(self, statement: object) -> None:
        """Do what anyone with the database's password could do."""
        await self.database.run(lambda tx: tx.execute(statement))  # type: ignore[arg-type]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[KeyedSite]:
        tasks = [
            asyncio.create_task(self.server.run(self.stop)),
            asyncio.create_task(self.sign_in_server.run(self.stop)),
        ]
        try:
            await asyncio.wait_for(asyncio.gather(self.server.ready.wait(), self.sign_in_server.ready.wait()), 60)
            yield self
        finally:
            self.stop.set()
            for client in (self.keyholder, self.guard, self.operator, self.authenticator, self.proofs):
                await client.close()
            await asyncio.gather(*tasks)
            self.close()

    @contextlib.asynccontextmanager
    async def in_a_process(self, failpoints: str = "") -> AsyncIterator[subprocess.Popen[bytes]]:
        """Run both programs in a process that dies where a failpoint says so."""
        child = start(self.folder, self.url, failpoints)
        try:
            for client in (self.keyholder, self.authenticator):
                await answering(client, child)
            yield child
        finally:
            child.kill()
            await asyncio.to_thread(child.wait)

    def close(self) -> None:
        self.database.close()
        self.keystore.close()


def start(folder: Path, url: str, failpoints: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.keyed_site", str(folder), url]
    return subprocess.Popen(command, env={**os.environ, failpoint_variable: failpoints}, cwd=ROOT)


async def answering(
    client: keyholder_client.KeyholderClient | authenticator_client.AuthenticatorClient, child: subprocess.Popen[bytes]
) -> None:
    async with asyncio.timeout(60):
        while child.poll() is None:
            try:
                await client.hello()
            except Unavailable:
                await asyncio.sleep(0.05)
            else:
                return


async def serve(folder: Path, url: str) -> None:
    site = KeyedSite(folder, url)
    await asyncio.gather(site.server.run(site.stop), site.sign_in_server.run(site.stop))


def put_message(
    tx: Transaction,
    made: Deposited,
    case_id: str | None,
    key: SealingKey,
    side: str,
    composed: bool,
    recipients: tuple[str, ...],
) -> None:
    tx.insert(
        tables.message,
        id=made.id,
        case_id=case_id,
        reference=None,
        side=side,
        author_id=None,
        team_id=None,
        parent_id=None,
        composed=int(composed),
        octets=1,
        sealed_summary=seal_box(summary_key(made.content_key, made.id), b"{}", summary_context(made.id)),
        received_us=int(time.time() * 1_000_000),
        withdrawn_us=None,
    )
    wrapped = key.wrap(made.content_key, made.id)
    tx.insert(tables.message_wrap, message_id=made.id, key_id=key.id, suite=key.suite, wrapped=wrapped)
    for person in recipients:
        tx.insert(tables.recipient, id=new_id(), message_id=made.id, person_id=person, addressed_as="to")


def put_item(tx: Transaction, made: Deposited, proposed: str | None, tray: str) -> None:
    tx.insert(
        tables.intake,
        message_id=made.id,
        reference=new_reference(),
        tray=tray,
        sender_result="none",
        proposed_case_id=proposed,
        proposed_by="subject" if proposed else None,
    )


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2]))
