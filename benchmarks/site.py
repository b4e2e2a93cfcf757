"""The gateway as a peer: a site in a folder, its back programs and its submission program as processes of their own.

The notifier is not started, as the other side delivers nothing either; the keyholder positions the record's leaves
meanwhile, as it always does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Row, func, select

from benchmarks.load import Load, compose
from benchmarks.waiting import free_port, wait_for_port
from gateway.authenticator.client import OperatorClient as AuthenticatorOperator
from gateway.cli.init import make_site
from gateway.config import Settings
from gateway.domain.errors import Unavailable
from gateway.keyholder.client import OperatorClient as KeyholderOperator
from gateway.keyholder.keys import FileKeyProvider
from gateway.keyholder.unsealing import PrivateKey
from gateway.store import keyfiles
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from gateway.store.keystore import KeyStore
from gateway.store.messages import message_id_hash, segments_of
from gateway.store.sealing import body_key
from gateway.store.segments import SegmentReader
from gateway.store.tables import message, message_wrap

SENDER = "ann@agency.example"
_TOML = """\
[site]
name = "Agency for Figures"
domain = "secure.agency.example"
portal_url = "https://localhost:{portal}/"
environment = "benchmark"
employee_domains = ["agency.example"]
[programmes]
use = ["cwa"]
[submission]
starttls = ["127.0.0.1:{starttls}"]
tls = ["127.0.0.1:{plain}"]
hostname = "localhost"
[submission.limits]
connections = 2000
[portal]
listen = ["127.0.0.1:{portal}"]
[log]
level = "info"
format = "json"
{more}"""


@dataclass(frozen=True, slots=True)
class Account:
    """Who sends and to whom."""

    username: str
    password: str
    recipient: str


class GatewaySite:
    """One site. `url` names another store than SQLite in its folder."""

    name = "gateway"

    def __init__(self, folder: Path, url: str = "") -> None:
        self.tls_port, self.port = free_port(), free_port()
        more = f'[store]\nurl = "{url}"\n' if url else ""
        text = _TOML.format(portal=free_port(), starttls=self.tls_port, plain=self.port, more=more)
        self.folder = folder
        self.settings: Settings = make_site(folder, text)
        self.account = Account("", "", "")
        self._programs: list[subprocess.Popen[bytes]] = []
        self._stall_file = folder / "stall"
        self._database = Database(self.settings.store.url, readers=1)

    def start(self) -> None:
        """Start the programs and make an employee, a case and one person of the other side."""
        config = str(self.settings.file)
        log = (self.folder / "gateway.log").open("ab")
        commands = [[sys.executable, "-m", "gateway", "run", name, "--config", config] for name in _BACK]
        commands.append([sys.executable, "-m", "benchmarks.door", config, str(self._stall_file)])
        self._programs = [subprocess.Popen(each, stdin=subprocess.DEVNULL, stderr=log) for each in commands]
        wait_for_port(self.port)
        self.account = asyncio.run(self._settle())

    @property
    def doors(self) -> list[int]:
        """The ids of the processes that serve the submission program's doors."""
        first = self._programs[-1].pid
        return [int(child) for child in Path(f"/proc/{first}/task/{first}/children").read_text().split()] or [first]

    @property
    def certificate(self) -> Path:
        """What clients check the site's TLS with."""
        return self.settings.tls.certificate

    def count(self) -> int:
        """Return how many messages the vault has."""
        return self._database.read_now(lambda connection: connection.execute(_COUNT).scalar_one())

    def require_kept(self, load: Load, sample: list[tuple[str, str]]) -> None:
        """Open every message of the sample and compare it with what was sent. Raises ValueError."""
        for message_id, reply in sample:
            header, body = compose(load, message_id)
            if self._opened(message_id, reply) != header + body:
                raise ValueError("a message in the vault is not the one that was acknowledged")

    def watch_stalls(self) -> None:
        """Begin to watch the submission program's event loops."""
        for process in self.doors:
            os.kill(process, signal.SIGUSR1)

    def longest_stall(self) -> float:
        """End the watch and return the longest stall of any of them in seconds."""
        self.watch_stalls()
        return max(self._stall_of(process) for process in self.doors)

    def _stall_of(self, process: int) -> float:
        file = Path(f"{self._stall_file}.{process}")
        while not file.exists() or not file.read_text():
            time.sleep(0.02)
        longest = float(file.read_text())
        file.unlink()
        return longest

    def stop(self) -> None:
        """End every program."""
        for program in reversed(self._programs):
            program.terminate()
        for program in self._programs:
            program.wait()
        self._database.close()

    async def _settle(self) -> Account:
        keyholder = KeyholderOperator(self.settings.keyholder.operator_socket)
        authenticator = AuthenticatorOperator(self.settings.authenticator.operator_socket)
        try:
            await _answering(keyholder)
            await _answering(authenticator)
            made = await keyholder.enact(
                "add_employee", programme="cwa", name="Ann Lee", address=SENDER, username="ann"
            )
            person = str(made["person"])
            opened = await keyholder.enact("open_case", programme="cwa", series="SM", trial=True, person=person)
            reference = str(opened["reference"])
            await keyholder.enact(
                "add_designated_user", programme="cwa", cases=[reference], right="act", name="Ines Sol",
                address="ines@tours.example", username="ines",
            )  # fmt: skip
            app = await authenticator.make_app_password()
            await keyholder.enact(
                "add_credential", person=person, kind="app_password", label="tool", lookup=app.lookup, data=app.data
            )
        finally:
            await keyholder.close()
            await authenticator.close()
        return Account(SENDER, app.clear, f"{reference.lower()}@secure.agency.example")

    def _opened(self, message_id: str, reply: str) -> bytes:
        hashed = message_id_hash(keyfiles.deposit_key(self.settings.keys.folder), message_id)
        row, wrap, segment = self._database.read_now(_rows_of, hashed)
        if row.reference not in reply:
            raise ValueError("a reply names another message")
        vault_key = FileKeyProvider(self.settings.keys.folder, None).vault_key()
        store = KeyStore(self.settings.keyholder.store_url)
        try:
            [wrapped] = store.wrapped([wrap.key_id]).values()
        finally:
            store.close()
        content_key = PrivateKey(wrap.key_id, vault_key, wrapped).unwrap(bytes(wrap.wrapped), wrap.suite, row.id)
        reader = SegmentReader(BlobFolder(self.settings.store.blobs), segment, body_key(content_key, row.id))
        return b"".join(reader.read())


_BACK = ("keyholder", "authenticator")
_COUNT = select(func.count()).select_from(message)


def _rows_of(connection: Connection, hashed: str) -> tuple[Row[tuple[object, ...]], ...]:
    row = connection.execute(select(message).where(message.c.message_id_hash == hashed)).one()
    wrap = connection.execute(select(message_wrap).where(message_wrap.c.message_id == row.id)).one()
    [segment] = segments_of(connection, row.id)
    return row, wrap, segment


async def _answering(client: KeyholderOperator | AuthenticatorOperator) -> None:
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(Unavailable):
                await client.hello()
                return
            await asyncio.sleep(0.05)
