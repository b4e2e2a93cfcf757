"""`gateway demo --check` as a process of its own, killed where a test says, and what its folder says afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import astuple, dataclass, field
from email import message_from_bytes
from pathlib import Path

from sqlalchemy import Connection, select

from gateway.demo.ledger import Ledger
from gateway.demo.site import Ports
from gateway.store.database import Database
from gateway.store.outbox import OutboxState
from gateway.store.tables import fax_arrival, intake, message, outbox
from tests.ports import free_ports

ROOT = Path(__file__).parents[2]
SECONDS = 240.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How one run of the demo ended: its exit code (None: it had to be ended) and all that it printed."""

    code: int | None
    told: str


def free_base() -> int:
    """Return a base above which the demo's ports are free, and nobody else is given them."""
    distances = astuple(Ports.above(0))
    return free_ports(max(distances) - min(distances) + 1)[0] - min(distances)


@dataclass(slots=True)
class DemoFolder:
    """One demo folder, on ports of its own."""

    folder: Path
    base: int = field(default_factory=free_base)

    def start(self, *more: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start the demo; `environment` is added to ours."""
        return subprocess.Popen(
            [sys.executable, "-m", "gateway", "demo", "--folder", str(self.folder), "--ports", str(self.base), *more],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def play(self, environment: Mapping[str, str] | None = None, seconds: float = SECONDS) -> Ended:
        """Run `gateway demo --check` to its end; after so many seconds it is killed, and its code is None."""
        return self.end(self.start("--check", environment=environment), seconds)

    @staticmethod
    def end(child: subprocess.Popen[str], seconds: float = SECONDS) -> Ended:
        """Let a demo run to its end, as `play` does."""
        try:
            told, _ = child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            told, _ = child.communicate()
            return Ended(None, told)
        return Ended(child.returncode, told)

    def programs(self) -> dict[int, str]:
        """Return the processes that run on this folder, by id, with their arguments."""
        found: dict[int, str] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    arguments = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                    if str(self.folder) in arguments:
                        found[int(entry.name)] = arguments
        return found

    def left_behind(self, seconds: float = 20.0) -> dict[int, str]:
        """Return those that still run when the demo has ended; what ends with its parent is given its moment."""
        ends = time.monotonic() + seconds
        while (found := self.programs()) and time.monotonic() < ends:
            time.sleep(0.1)
        return found

    def is_whole(self) -> list[str]:
        """Return what is lost, doubled or left undone in the vault, going by what the people know they sent."""
        ledger = Ledger(self.folder / "sent.jsonl")
        database = Database(f"sqlite:///{self.folder}/site/data/gateway.db", readers=1)
        try:
            messages = database.read_now(_messages)
            undone = database.read_now(_undone)
        finally:
            database.close()
        references = [reference for reference, _ in messages]
        hashes = Counter(hashed for _, hashed in messages if hashed)
        problems = [f"lost: {lost}" for lost in sorted(set(ledger.kept.values()) - set(references))]
        problems += [f"doubled: {hashed}" for hashed, count in hashes.items() if count > 1]
        if len(references) > len(ledger.begun):
            problems.append(f"{len(references)} messages, and {len(ledger.begun)} were begun")
        return problems + [f"notice {row} is not delivered" for row in undone]

    def copies(self) -> dict[str, int]:
        """Return how often each notification reached its mailbox, by its Message-ID and addressee."""
        mails = (path.read_bytes() for path in (self.folder / "outside-world").glob("*.eml"))
        parsed = [message_from_bytes(octets) for octets in mails]
        return dict(Counter(str(mail["Message-ID"]) for mail in parsed))


def _messages(connection: Connection) -> list[tuple[str, str | None]]:
    """Return the messages of cases, and faxes: other mail in the intake tray, or an agreement's papers, is none."""
    columns = message.c.reference, message.c.message_id_hash
    found = connection.execute(select(*columns).where(message.c.reference.is_not(None)))
    of_faxes = select(intake.c.reference).join(fax_arrival, fax_arrival.c.message_id == intake.c.message_id)
    faxes = connection.execute(of_faxes)
    return [*((row.reference, row.message_id_hash) for row in found), *((row.reference, None) for row in faxes)]


def _undone(connection: Connection) -> list[str]:
    return list(connection.execute(select(outbox.c.id).where(outbox.c.state != OutboxState.DELIVERED.value)).scalars())
