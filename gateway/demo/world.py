"""The demo's world in one folder: a whole site with invented people, its programs, and the mail beyond it.

Everything that makes the world is done again where it is missing, so that a demo killed anywhere goes on from there.
What only a demo may have, clear passwords and seeds of invented people, lies in `people.json`.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
from sqlalchemy import Connection, Row, Select, select

from gateway.authenticator.client import OperatorClient as AuthenticatorOperator
from gateway.config import Settings, load
from gateway.demo.actors import Browser, MailTool, Page
from gateway.demo.catcher import MailCatcher
from gateway.demo.ledger import Ledger
from gateway.demo.people import DemoPerson, invented_people
from gateway.demo.search import SearchResult, search, words
from gateway.demo.site import DOMAIN, HOST, Plan, Ports, found_site, require_free
from gateway.domain.errors import ConfigError, Unavailable
from gateway.keyholder.client import OperatorClient as KeyholderOperator
from gateway.process import PARENT_VARIABLE, ProgramLock, holder
from gateway.store import outbox
from gateway.store.database import Database
from gateway.store.tables import case, designated_user, message, person
from gateway.store.transaction import Transaction
from gateway.supervisor import STATUS, program_command, read_status

WORDS = "gross income of the violinist"
START_SECONDS = 60.0
ENDING_SECONDS = 25.0
STEP_SECONDS = 30
MAX_SOCKET_OCTETS = 107  # unix(7): sun_path, and its end


class World:
    """One demo folder and the processes on it. `environment` is given to the programs beside this process's own."""

    def __init__(
        self, folder: Path, ports: Ports, plan: Plan | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder.absolute()
        self.ports = ports
        self.plan = plan or Plan()
        self._environment = {**os.environ, **(environment or {})}
        self.people = invented_people()
        self.case = ""
        self.ledger = Ledger(self.folder / "sent.jsonl")
        self._supervisor: asyncio.subprocess.Process | None = None
        self._lock: ProgramLock | None = None

    @property
    def site(self) -> Path:
        """The site's own folder: configuration, keys, data."""
        return self.folder / "site"

    @property
    def config(self) -> Path:
        """The site's `gateway.toml`."""
        return self.site / "gateway.toml"

    @property
    def vault(self) -> Path:
        """Where the vault rests: database, write-ahead log, blobs."""
        return self.site / "data"

    @property
    def log(self) -> Path:
        """What the programs log."""
        return self.site / "logs" / "gateway.log"

    @property
    def portal(self) -> str:
        """The portal's one address."""
        return f"https://localhost:{self.ports.portal}/"

    @property
    def case_address(self) -> str:
        """The address that means the other side of the story's case."""
        return f"{self.case.lower()}@{DOMAIN}"

    @property
    def settings(self) -> Settings:
        """The site's settings."""
        return load(self.config)

    @property
    def tls(self) -> ssl.SSLContext:
        """What the people's tools check the site's certificate with."""
        return ssl.create_default_context(cafile=self.settings.tls.certificate)

    @cached_property
    def catcher(self) -> MailCatcher:
        """The mail beyond the gateway, under the site's own certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.settings.tls.certificate, self.settings.tls.key)
        return MailCatcher(self.folder / "outside-world", context)

    async def open(self) -> None:
        """Make what is missing and start everything. Raises GatewayError; OSError when a port is taken."""
        longest = self.site / "run" / "authenticator-operator.sock"
        if len(os.fsencode(longest)) > MAX_SOCKET_OCTETS:
            raise ConfigError(
                f"{self.folder} is too long a path: no socket can be made below it. Use a shorter --folder."
            )
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = ProgramLock(self.folder, "demo")
        await self._outlive_the_last()
        require_free(self.ports)
        found_site(self.site, self.ports, self.plan)
        await self.catcher.open(HOST, self.ports.mail)
        await self._write(_release_leases)
        await self._start()
        await self._settle_people()

    async def close(self) -> None:
        """Stop every program and the mail catcher."""
        if "catcher" in self.__dict__:
            await self.catcher.close()
        if self._supervisor is not None and self._supervisor.returncode is None:
            self._supervisor.terminate()
            await self._supervisor.wait()
        if self._lock is not None:
            self._lock.release()

    @cached_property
    def attachment(self) -> bytes:
        """An invented spreadsheet: text that would compress, and octets that do not."""
        table = "".join(f"venue {number};{WORDS}\n" for number in range(200))
        return table.encode() + hashlib.shake_128(b"attachment").digest(100_000)

    def mail_tool(self, name: str, password: str = "", *, implicit: bool = False) -> MailTool:
        """Return a person's mail tool, with another password when one is given; `implicit`: TLS from the start."""
        who = self.people[name]
        port = self.ports.tls if implicit else self.ports.starttls
        return MailTool(who.address, password or who.app_password, "localhost", port, self.tls, implicit)

    async def sign_in(self, browser: Browser, name: str) -> Page:
        """Sign a person in with a code that has not been used, from a new authenticator app when all near ones were."""
        who = self.people[name]
        if who.last_code_at + STEP_SECONDS > time.time() + STEP_SECONDS:
            await self._give_seed(who)
        code_at = max(int(time.time()), who.last_code_at + STEP_SECONDS)
        who.last_code_at = code_at - code_at % STEP_SECONDS
        self._keep()
        return await browser.sign_in(who.username, who.password, who.seed, code_at)

    def code(self, name: str) -> str:
        """Return a person's code of this half-minute."""
        return pyotp.TOTP(self.people[name].seed).now()

    def process_of(self, program: str) -> int:
        """Return the process id of a program. Raises Unavailable when it does not run."""
        pid = read_status(self.settings.site.run).get(program, {}).get("pid")
        if not isinstance(pid, int):
            raise Unavailable(f"{program} is not running.")
        return pid

    async def serving(self, program: str) -> None:
        """Wait until a program that was killed serves again. Raises TimeoutError."""
        async with asyncio.timeout(START_SECONDS):
            while not await asyncio.to_thread(self._answers, program):  # noqa: ASYNC110 - another process's state
                await asyncio.sleep(0.1)

    async def references(self) -> list[str]:
        """Return the references of every message that the vault has."""
        return [row.reference for row in await self._read(select(message.c.reference))]

    async def queue(self) -> int:
        """Count the notices that wait or have failed."""
        return len(await self._read(outbox.waiting))

    async def revoke(self, name: str) -> None:
        """End every place of a person of the other side."""
        async with self._operators() as (keyholder, _):
            for place in await self.places_of(name):
                await keyholder.enact("revoke_designated_user", designated_user=place)

    async def places_of(self, name: str) -> list[str]:
        """Return the ids of a person's places in agreements, those that have not ended."""
        table = designated_user
        mine = table.c.person_id == self.people[name].id, table.c.until_us.is_(None)
        return [row.id for row in await self._read(select(table.c.id).where(*mine))]

    async def admit_again(self, name: str) -> None:
        """Give a person of the other side a place in the case again."""
        async with self._operators() as (keyholder, _):
            await keyholder.enact(
                "add_designated_user",
                programme=self.plan.key,
                cases=[self.case],
                person=self.people[name].id,
                right="see",
            )

    def search(self, text: str) -> SearchResult:
        """Search the site's disk, logs and keys too, for words, and the disk of a vault that is not sealed."""
        sought = words(text)
        sealed = search(sought, [self.site])
        unsealed = search(sought, [self.folder / "unsealed"])
        return SearchResult(text, len(sealed.hits), len(unsealed.hits), sealed.files, sealed.octets)

    def deposit_unsealed(self, octets: bytes) -> None:
        """Put a message into a vault whose sealing is switched off, in a process and folder of its own."""
        command = [sys.executable, "-m", "gateway.demo.unsealed", str(self.folder / "unsealed")]
        if subprocess.run(command, input=octets, check=False).returncode:
            raise Unavailable("The vault without sealing, to compare with, could not be filled.")

    async def _start(self) -> None:
        self.log.parent.mkdir(exist_ok=True, mode=0o700)
        (self.site / "run" / STATUS).unlink(missing_ok=True)  # of a supervisor that was killed
        with self.log.open("ab") as log:
            self._supervisor = await asyncio.create_subprocess_exec(
                *program_command(self.config),
                stdin=subprocess.DEVNULL,
                stderr=log,
                env={**self._environment, PARENT_VARIABLE: str(os.getpid())},  # killed, we leave nobody behind
                start_new_session=True,  # Ctrl-C is for the demo, which stops the programs in order
            )
        programs = self.settings.programs
        async with asyncio.timeout(START_SECONDS):
            while not all(self._is_ready(program) for program in programs):
                if self._supervisor.returncode is not None:
                    raise Unavailable(f"The gateway did not start. Its log says why: {self.log}")
                await asyncio.sleep(0.05)

    def _is_ready(self, program: str) -> bool:
        found = read_status(self.settings.site.run).get(program, {})
        return found.get("ready") is True

    def _answers(self, program: str) -> bool:
        port = self.ports.starttls if program == "submission" else self.ports.portal
        with socket.socket() as probe:
            return self._is_ready(program) and probe.connect_ex((HOST, port)) == 0

    async def _settle_people(self) -> None:
        """Make people, team and case where they are missing, and give each person fresh credentials once."""
        self._recall()
        async with self._operators() as (keyholder, authenticator):
            for who in self.people.values():
                await self._settle_person(who, keyholder, authenticator)
            opened = await self._read(select(case.c.reference).order_by(case.c.opened_us))
            if opened and not self.case:
                self.case = opened[0].reference
            if not self.case:
                made = await keyholder.enact(
                    "open_case",
                    programme=self.plan.key,
                    series=self.plan.series,
                    trial=True,
                    person=self.people["dana"].id,
                )
                self.case = str(made["reference"])
                self._keep()
        for name, right in (("ines", "act"), ("raul", "see")):
            await self._settle_place(name, right)

    async def _settle_person(
        self, who: DemoPerson, keyholder: KeyholderOperator, authenticator: AuthenticatorOperator
    ) -> None:
        rows = await self._read(select(person.c.id).where(person.c.username == who.username))
        if rows:
            who.id = rows[0].id
        elif who.office:
            added = await keyholder.enact(
                "add_employee", programme=self.plan.key, name=who.name, address=who.address, username=who.username
            )
            who.id = str(added["person"])
        if who.id and not who.seed:
            await self._give_credentials(who, keyholder, authenticator)

    async def _settle_place(self, name: str, right: str) -> None:
        who = self.people[name]
        if who.id and await self.places_of(name):
            return
        known = {"person": who.id} if who.id else {"name": who.name, "address": who.address, "username": who.username}
        async with self._operators() as (keyholder, authenticator):
            made = await keyholder.enact(
                "add_designated_user", programme=self.plan.key, cases=[self.case], right=right, **known
            )
            who.id = str(made["person"])
            if not who.seed:
                await self._give_credentials(who, keyholder, authenticator)

    async def _give_credentials(
        self, who: DemoPerson, keyholder: KeyholderOperator, authenticator: AuthenticatorOperator
    ) -> None:
        password = f"invented words for {who.username} {secrets.token_hex(4)}"
        data = await authenticator.make_password(who.id, password)
        await keyholder.enact("add_credential", person=who.id, kind="password", label="password", data=data)
        totp = await authenticator.make_totp(who.id)
        await keyholder.enact("add_credential", person=who.id, kind="totp", label="app", data=totp.data)
        who.password, who.seed, who.last_code_at = password, _seed_in(totp.uri), 0
        if who.office:
            made = await authenticator.make_app_password()
            await keyholder.enact(
                "add_credential", person=who.id, kind="app_password", label="demo", lookup=made.lookup, data=made.data
            )
            who.app_password = made.clear
        self._keep()

    async def _give_seed(self, who: DemoPerson) -> None:
        async with self._operators() as (keyholder, authenticator):
            totp = await authenticator.make_totp(who.id)
            await keyholder.enact("add_credential", person=who.id, kind="totp", label="app", data=totp.data)
        who.seed, who.last_code_at = _seed_in(totp.uri), 0
        self._keep()

    async def _outlive_the_last(self) -> None:
        """Wait until the programs of a demo that was killed have ended, as they do by themselves."""
        async with asyncio.timeout(ENDING_SECONDS):
            while holder(self.site / "run", "supervisor") is not None:  # noqa: ASYNC110 - another process's state
                await asyncio.sleep(0.1)

    @asynccontextmanager
    async def _operators(self) -> AsyncIterator[tuple[KeyholderOperator, AuthenticatorOperator]]:
        settings = self.settings
        keyholder = KeyholderOperator(settings.keyholder.operator_socket)
        authenticator = AuthenticatorOperator(settings.authenticator.operator_socket)
        try:
            yield keyholder, authenticator
        finally:
            await keyholder.close()
            await authenticator.close()

    async def _read(self, wanted: Select[Any] | Callable[[Connection], Sequence[Row[Any]]]) -> Sequence[Row[Any]]:
        database = Database(self.settings.store.url, readers=1)
        try:
            if callable(wanted):
                return await database.read(wanted)
            return await database.read(lambda connection: connection.execute(wanted).all())
        finally:
            await asyncio.to_thread(database.close)

    async def _write(self, verb: Callable[[Transaction], None]) -> None:
        database = Database(self.settings.store.url, readers=1)
        try:
            await database.run(verb)
        finally:
            await asyncio.to_thread(database.close)

    def _recall(self) -> None:
        try:
            kept = json.loads((self.folder / "people.json").read_text("utf-8"))
        except FileNotFoundError:
            return
        self.case = kept["case"]
        self.people = {name: DemoPerson(**fields) for name, fields in kept["people"].items()}

    def _keep(self) -> None:
        value = {"case": self.case, "people": {name: asdict(who) for name, who in self.people.items()}}
        new = self.folder / "people.json.new"
        new.write_text(json.dumps(value, indent=2), "utf-8")
        new.chmod(0o600)
        new.replace(self.folder / "people.json")


def _seed_in(uri: str) -> str:
    return parse_qs(urlsplit(uri).query)["secret"][0]


def _release_leases(tx: Transaction) -> None:
    """Make due what a notifier of an earlier demo had in hand when it was killed: none runs on this folder now."""
    for row in outbox.waiting(tx.connection, sys.maxsize):
        outbox.retry(tx, row.id, "demo")
