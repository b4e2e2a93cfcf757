"""A fax line for tests: a site with its keyholder and the program fax, real processes, on a real Dovecot's mailbox."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Table, select, update

from gateway.cli.init import make_site
from gateway.config import Settings, load
from gateway.domain.summary import Summary
from gateway.keyholder.client import OperatorClient
from gateway.keyholder.protocol import OpenGrant
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from gateway.store.sealing import open_box, summary_context
from gateway.store.segments import SegmentReader
from gateway.store.tables import fax_recognition, intake, message, segment
from tests.dovecot import PASSWORD, USER, Dovecot

_SITE = """\
[site]
name = "Agency"
domain = "gateway.example"
portal_url = "https://gateway.example/"
environment = "trial"
data = "{data}"
run = "{run}"

[keys]
folder = "{keys}"

[tls]
certificate = "{keys}/../tls/certificate.pem"
key = "{keys}/../tls/key.pem"

[keyholder]
operator_socket = "{operator}"

[notifier]
relay = "localhost"
allow_list = []

[log]
format = "json"

[fax.mailboxes.line-one]
host = "127.0.0.1"
port = {port}
ca_file = "{ca}"
credentials_file = "{secret}"
poll = "1 s"
deadline = "20 s"
{more}"""


class FaxLine:
    """The site's folder and its processes. `second` is a file of settings for another gateway on the same vault."""

    def __init__(self, folder: Path, dovecot: Dovecot, more: str = "") -> None:
        self.folder = folder
        (folder / "fax.secret").write_text(f"{USER}\n{PASSWORD}\n")
        (folder / "fax.secret").chmod(0o600)
        site = folder / "site"
        words = {
            "data": site / "data", "keys": site / "keys", "port": dovecot.port, "ca": dovecot.certificate.path,
            "secret": folder / "fax.secret", "more": more, "operator": site / "run" / "operator.sock",
        }  # fmt: skip
        make_site(site, _SITE.format(run=site / "run", **words))
        self.config, self.second = site / "gateway.toml", folder / "second.toml"
        self.second.write_text(_SITE.format(run=folder / "run2", **words))
        self._started: list[subprocess.Popen[bytes]] = []
        self._log = (folder / "log").open("ab")
        self.start("keyholder")
        self._wait_for(lambda: self.has_key)

    @property
    def settings(self) -> Settings:
        return load(self.config)

    @property
    def has_key(self) -> bool:
        from gateway.store.tables import sealing_key

        return any(row.month for row in self.rows(sealing_key))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._started:
            if process.poll() is None:
                self.end(process)
        self._log.close()

    def start(
        self, program: str, *, config: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a program."""
        command = [sys.executable, "-m", "gateway", "run", "--config", str(config or self.config), program]
        process = subprocess.Popen(
            command, stderr=self._log, stdout=self._log, env={**os.environ, **(environment or {})}, cwd=self.folder
        )
        self._started.append(process)
        return process

    @staticmethod
    def end(process: subprocess.Popen[bytes]) -> None:
        """End a program, and wait for it."""
        process.terminate()
        process.wait(30)

    def rows(self, table: Table) -> Sequence[Any]:
        """All rows of a table."""
        database = Database(self.settings.store.url)
        try:
            return list(database.read_now(lambda connection: connection.execute(select(table)).all()))
        finally:
            database.close()

    def age_tries(self) -> None:
        """Let the tries at recognition have been begun a minute before: their leases are over."""
        database = Database(self.settings.store.url)
        try:
            earlier = update(fax_recognition).where(fax_recognition.c.tried_us.is_not(None))
            database.call(
                lambda tx: tx.connection.execute(earlier.values(tried_us=fax_recognition.c.tried_us - 60_000_000))
            )
        finally:
            database.close()

    def gateway(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        """Run a command."""
        noun, verb, *rest = words
        command = [sys.executable, "-m", "gateway", noun, verb, "--config", str(self.config), *rest]
        return subprocess.run(command, capture_output=True, timeout=90, check=False)

    def opened(self) -> list[tuple[Summary, bytes]]:
        """Every item of the tray, opened as an operator does."""
        return asyncio.run(self._opened())

    async def _opened(self) -> list[tuple[Summary, bytes]]:
        items = {row.message_id: row for row in self.rows(intake)}
        messages = {row.id: row for row in self.rows(message)}
        segments = {row.message_id: row for row in self.rows(segment)}
        client, blobs = OperatorClient(self.settings.keyholder.operator_socket), BlobFolder(self.settings.store.blobs)
        try:
            found: list[tuple[Summary, bytes]] = []
            for row_id, item in items.items():
                grant: OpenGrant = await client.intake_open(item.reference)
                box = open_box(grant.summary_key, bytes(messages[row_id].sealed_summary), summary_context(row_id))
                octets = b"".join(SegmentReader(blobs, segments[row_id], grant.key).read())
                found.append((Summary.from_bytes(box), octets))
            return found
        finally:
            await client.close()

    @staticmethod
    def _wait_for(holds: Any, seconds: float = 60.0) -> None:
        until = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > until:
                raise TimeoutError
            time.sleep(0.1)


@contextmanager
def fax_line(dovecot: Dovecot, more: str = "") -> Iterator[FaxLine]:
    """A fax line in a folder of its own, deleted at the end."""
    folder = Path(tempfile.mkdtemp(prefix="fax-"))  # short: addresses of sockets may not be long
    try:
        with FaxLine(folder, dovecot, more) as line:
            yield line
    finally:
        shutil.rmtree(folder, ignore_errors=True)
