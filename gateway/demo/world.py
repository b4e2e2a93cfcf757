"""The demo's world in one folder: a whole site with invented people, its programs, and the mail beyond it.

Everything that makes the world is done again where it is missing, so that a demo killed anywhere goes on from there.
What only a demo may have, clear passwords and seeds of invented people, lies in `people.json`.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import pyotp
from sqlalchemy import select

from gateway.authenticator.client import OperatorClient as AuthenticatorOperator
from gateway.config import Settings, load
from gateway.demo.actors import Browser, MailTool, Page
from gateway.demo.catcher import MailCatcher
from gateway.demo.enrolling import Enrolling
from gateway.demo.ledger import Ledger
from gateway.demo.office import operators, read, rows, seed_in, write
from gateway.demo.people import DemoPerson, invented_people
from gateway.demo.programs import Programs
from gateway.demo.provider import KEY, LocalProvider
from gateway.demo.search import SearchResult, search, words
from gateway.demo.site import DOMAIN, HOST, Plan, Ports, found_site, require_free, settle_provider
from gateway.domain.errors import ConfigError, Unavailable
from gateway.domain.fax import Outcome
from gateway.keyholder.client import OperatorClient as KeyholderOperator
from gateway.process import ProgramLock
from gateway.store import outbox
from gateway.store.tables import case, fax_arrival, intake, message, person
from gateway.store.transaction import Transaction

WORDS = "gross income of the violinist"
STEP_SECONDS = 30
MAX_SOCKET_OCTETS = 107  # unix(7): sun_path, and its end
KEPT_AS = 3  # the shape of people.json


class World:
    """One demo folder and the processes on it. `environment` is given to the programs beside this process's own."""

    def __init__(
        self, folder: Path, ports: Ports, plan: Plan | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder.absolute()
        self.ports = ports
        self.plan = plan or Plan()
        self.people = invented_people()
        self.case = self.agreement = self.came = ""
        self.ledger = Ledger(self.folder / "sent.jsonl")
        self.programs = Programs(self.site, self.config, ports, {**os.environ, **(environment or {})})
        self.enrolling = Enrolling(self)
        self.provider: LocalProvider | None = None
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
        return self.programs.log

    @property
    def portal(self) -> str:
        """The portal's one address."""
        return f"https://localhost:{self.ports.portal}/"

    @property
    def issuer(self) -> str:
        """The address of the demo's identity provider; empty where there is none."""
        return self.provider.issuer if self.provider else ""

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
        """Make what is missing, start everything, let everybody come in. Raises GatewayError; OSError for a port."""
        await self.start()
        await self.enrolling.come_in()

    async def start(self, *, with_provider: bool = False) -> None:
        """Make what is missing of the office, and start everything. Raises as `open` does."""
        longest = self.site / "run" / "authenticator-operator.sock"
        if len(os.fsencode(longest)) > MAX_SOCKET_OCTETS:
            raise ConfigError(
                f"{self.folder} is too long a path: no socket can be made below it. Use a shorter --folder."
            )
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = ProgramLock(self.folder, "demo")
        self._recall()
        await self.programs.outlive_the_last()
        require_free(self.ports)
        found_site(self.site, self.ports, self.plan)
        if with_provider:
            await self._start_provider()
        table = self.provider.settings_text() if self.provider else ""
        settle_provider(self.site, self.ports, self.plan, KEY, self.issuer, table)
        await self.catcher.open(HOST, self.ports.mail)
        await write(self.settings, _release_leases)
        await self.programs.start()
        await self._settle_office()

    async def close(self) -> None:
        """Stop every program, the identity provider and the mail catcher."""
        if "catcher" in self.__dict__:
            await self.catcher.close()
        await self.programs.stop()
        if self.provider is not None:
            await self.provider.stop()
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
        """Sign a person in as they do, with a code that has not been used or at the provider."""
        who = self.people[name]
        if who.issuer:
            return await browser.agree(await browser.sign_in_at(KEY, who.issuer, who.key))
        if who.last_code_at + STEP_SECONDS > time.time() + STEP_SECONDS:  # all codes near now were used
            await self._give_seed(who)
        code_at = max(int(time.time()), who.last_code_at + STEP_SECONDS)
        who.last_code_at = code_at - code_at % STEP_SECONDS
        self.keep()
        return await browser.agree(await browser.sign_in(who.username, who.password, who.seed, code_at))

    def code(self, name: str) -> str:
        """Return a person's code of this half-minute."""
        return pyotp.TOTP(self.people[name].seed).now()

    def process_of(self, program: str) -> int:
        """Return the process id of a program. Raises Unavailable when it does not run."""
        return self.programs.process_of(program)

    async def serving(self, program: str) -> None:
        """Wait until a program that was killed serves again. Raises TimeoutError."""
        await self.programs.serving(program)

    async def references(self) -> list[str]:
        """Return the references of every message that came into a case, and of every fax in the tray."""
        filed = select(fax_arrival.c.message_id).where(fax_arrival.c.outcome == Outcome.FILED.value)
        cases = select(message.c.reference).where(message.c.reference.is_not(None), message.c.id.not_in(filed))
        faxes = select(intake.c.reference).where(intake.c.message_id.in_(filed))
        found = [*await rows(self.settings, cases), *await rows(self.settings, faxes)]
        return [row.reference for row in found]

    async def queue(self) -> int:
        """Count the notices that wait or have failed."""
        return len(await read(self.settings, outbox.waiting))

    async def revoke(self, name: str) -> None:
        """Take a person of the other side out of the agreement."""
        async with operators(self.settings) as (keyholder, _):
            await keyholder.enact("revoke_user", designated_user=self.people[name].place)

    async def undo_revocation(self, name: str) -> None:
        """Take that back."""
        async with operators(self.settings) as (keyholder, _):
            await keyholder.enact("undo_user", designated_user=self.people[name].place)

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

    def keep(self) -> None:
        """Write down what only a demo may keep."""
        people = {name: asdict(who) for name, who in self.people.items()}
        told = {"kept_as": KEPT_AS, "case": self.case, "agreement": self.agreement, "came": self.came}
        new = self.folder / "people.json.new"
        new.write_text(json.dumps({**told, "people": people}, indent=2), "utf-8")
        new.chmod(0o600)
        new.replace(self.folder / "people.json")

    async def _start_provider(self) -> None:
        provider = LocalProvider(self.site, self.ports.provider, self.portal)
        users = [who for who in self.people.values() if not who.office]
        if await provider.start(users, self.settings.tls.certificate, self.settings.tls.key):
            self.provider = provider

    async def _settle_office(self) -> None:
        """Make employees and the case where they are missing, and give each employee fresh credentials once."""
        async with operators(self.settings) as (keyholder, authenticator):
            for who in self.people.values():
                if who.office:
                    await self._settle_employee(who, keyholder, authenticator)
            opened = await rows(self.settings, select(case.c.reference).order_by(case.c.opened_us))
            if opened and not self.case:
                self.case = opened[0].reference
            if not self.case:
                dana = self.people["dana"].id
                what = {"programme": self.plan.key, "series": self.plan.series, "trial": True}
                self.case = str((await keyholder.enact("open_case", person=dana, **what))["reference"])
                self.keep()

    async def _settle_employee(
        self, who: DemoPerson, keyholder: KeyholderOperator, authenticator: AuthenticatorOperator
    ) -> None:
        who.username = who.key
        known = await rows(self.settings, select(person.c.id).where(person.c.username == who.username))
        if known:
            who.id = known[0].id
        else:
            what = {"programme": self.plan.key, "name": who.name, "address": who.address, "role": who.role}
            who.id = str((await keyholder.enact("add_employee", username=who.username, **what))["person"])
        if not who.seed:
            await self._give_credentials(who, keyholder, authenticator)

    async def _give_credentials(
        self, who: DemoPerson, keyholder: KeyholderOperator, authenticator: AuthenticatorOperator
    ) -> None:
        password = f"invented words for {who.key} {secrets.token_hex(4)}"
        data = await authenticator.make_password(who.id, password)
        await keyholder.enact("add_credential", person=who.id, kind="password", label="password", data=data)
        totp = await authenticator.make_totp(who.id)
        await keyholder.enact("add_credential", person=who.id, kind="totp", label="app", data=totp.data)
        made = await authenticator.make_app_password()
        await keyholder.enact(
            "add_credential", person=who.id, kind="app_password", label="demo", lookup=made.lookup, data=made.data
        )
        who.password, who.seed, who.last_code_at = password, seed_in(totp.uri), 0
        who.app_password = made.clear
        self.keep()

    async def _give_seed(self, who: DemoPerson) -> None:
        async with operators(self.settings) as (keyholder, authenticator):
            totp = await authenticator.make_totp(who.id)
            await keyholder.enact("add_credential", person=who.id, kind="totp", label="app", data=totp.data)
        who.seed, who.last_code_at = seed_in(totp.uri), 0
        self.keep()

    def _recall(self) -> None:
        try:
            kept = json.loads((self.folder / "people.json").read_text("utf-8"))
        except FileNotFoundError:
            return
        if kept.get("kept_as") != KEPT_AS:
            raise ConfigError(
                f"{self.folder} is of an earlier version of the demo. Delete it, or name another --folder."
            )
        self.case, self.agreement, self.came = kept["case"], kept["agreement"], kept["came"]
        self.people = {name: DemoPerson(**fields) for name, fields in kept["people"].items()}


def _release_leases(tx: Transaction) -> None:
    """Make due what a notifier of an earlier demo had in hand when it was killed: none runs on this folder now."""
    for row in outbox.waiting(tx.connection, sys.maxsize):
        outbox.retry(tx, row.id, "demo")
