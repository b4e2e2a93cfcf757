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
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
from sqlalchemy import Row, Select, select

from gateway.authenticator.client import OperatorClient as AuthenticatorOperator
from gateway.config import Settings, load
from gateway.demo.actors import Browser, MailTool, Page
from gateway.demo.catcher import MailCatcher
from gateway.demo.search import SearchResult, search, words
from gateway.demo.site import DOMAIN, HOST, Plan, Ports, found_site
from gateway.domain.errors import Unavailable
from gateway.keyholder.client import OperatorClient as KeyholderOperator
from gateway.store.database import Database
from gateway.store.tables import designated_user, message, person
from gateway.supervisor import program_command, read_status

WORDS = "gross income of the violinist"
START_SECONDS = 60.0
STEP_SECONDS = 30
PROGRAMS = ("keyholder", "authenticator", "submission", "notifier", "portal")


@dataclass(slots=True)
class DemoPerson:
    """An invented person: sign-in and mail credentials in clear, which only a demo keeps."""

    name: str
    username: str
    address: str
    office: bool
    id: str = ""
    password: str = field(default="", repr=False)
    seed: str = field(default="", repr=False)
    app_password: str = field(default="", repr=False)
    last_code_at: int = 0


def invented_people() -> dict[str, DemoPerson]:
    """Return the people of the story, none of whom exists."""
    people = (
        DemoPerson("Dana Whitfield", "dana", "dana.whitfield@agency.example", office=True),
        DemoPerson("Eve Lindqvist", "eve", "eve.lindqvist@agency.example", office=True),
        DemoPerson("Ines Carvalho", "ines", "ines@tour-agency.example", office=False),
        DemoPerson("Raul Okafor", "raul", "raul@counsel.example", office=False),
    )
    return {one.username: one for one in people}


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
        self._supervisor: asyncio.subprocess.Process | None = None

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
        """Make what is missing and start everything. Raises GatewayError, or OSError when a port is taken."""
        found_site(self.site, self.ports, self.plan)
        require_free(self.ports)
        await self.catcher.open(HOST, self.ports.mail)
        await self._start()
        await self._settle_people()

    async def close(self) -> None:
        """Stop every program and the mail catcher."""
        await self.catcher.close()
        if self._supervisor is not None and self._supervisor.returncode is None:
            self._supervisor.terminate()
            await self._supervisor.wait()

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
        """Sign a person in with a code that has not been used; waits for the next one when it must."""
        who = self.people[name]
        code_at = max(int(time.time()), who.last_code_at + STEP_SECONDS)
        if code_at > time.time() + STEP_SECONDS:
            await asyncio.sleep(code_at - STEP_SECONDS - time.time())
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

    async def present(self, references: Iterable[str]) -> int:
        """Count the messages with these references that the vault has."""
        wanted = list(references)
        statement = select(message.c.reference).where(message.c.reference.in_(wanted))
        return len(await self._read(statement))

    async def revoke(self, name: str) -> None:
        """End every place of a person of the other side."""
        places = select(designated_user.c.id).where(
            designated_user.c.person_id == self.people[name].id, designated_user.c.until_us.is_(None)
        )
        async with self._operators() as (keyholder, _):
            for (place,) in await self._read(places):
                await keyholder.enact("revoke_designated_user", designated_user=place)

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
        subprocess.run(command, input=octets, check=True)

    async def _start(self) -> None:
        self.log.parent.mkdir(exist_ok=True, mode=0o700)
        with self.log.open("ab") as log:
            command = program_command(self.config)
            self._supervisor = await asyncio.create_subprocess_exec(
                *command, stdin=subprocess.DEVNULL, stderr=log, env=self._environment
            )
        async with asyncio.timeout(START_SECONDS):
            while not all(self._is_ready(program) for program in PROGRAMS):
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
        places = select(designated_user.c.id).where(
            designated_user.c.person_id == who.id, designated_user.c.until_us.is_(None)
        )
        if who.id and await self._read(places):
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
        who.password, who.seed = password, parse_qs(urlsplit(totp.uri).query)["secret"][0]
        if who.office:
            made = await authenticator.make_app_password()
            await keyholder.enact(
                "add_credential", person=who.id, kind="app_password", label="demo", lookup=made.lookup, data=made.data
            )
            who.app_password = made.clear
        self._keep()

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

    async def _read(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        database = Database(self.settings.store.url, readers=1)
        try:
            return await database.read(lambda connection: connection.execute(statement).all())
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


def require_free(ports: Ports) -> None:
    """Raise OSError naming the first port that another program holds."""
    for name, port in asdict(ports).items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                raise OSError(
                    f"Port {port} ({name}) is taken by another program. Stop it, or choose others: --ports BASE."
                ) from None
