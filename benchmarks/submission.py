"""Submission beside a private Postfix on HOLD: alternating rounds, every reply checked, every message found again."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from benchmarks import postfix, rows
from benchmarks.crowd import Crowd
from benchmarks.load import Load, Outcome
from benchmarks.postfix import Postfix
from benchmarks.rows import MIB, Row
from benchmarks.site import GatewaySite
from benchmarks.stock import Stock
from benchmarks.waiting import free_port

Say = Callable[[str], None]


@dataclass(slots=True)
class Figures:
    """What one side reached, round by round: messages a second, and the 99th percentile in milliseconds."""

    rates: list[float] = field(default_factory=list)
    p99s: list[float] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.rates.append(outcome.acknowledged / outcome.seconds)
        self.p99s.append(percentile(outcome.latencies, 0.99) * 1000)


@dataclass(slots=True)
class Large:
    """The 4 × 150 MiB: memory in MiB, stalls in milliseconds, round by round."""

    growths: list[float] = field(default_factory=list)
    stalls: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Crowded:
    """A good peer's 99th percentiles before and during a crowd of bad ones, in milliseconds, and what that costs."""

    before: list[float] = field(default_factory=list)
    during: list[float] = field(default_factory=list)
    growths: list[float] = field(default_factory=list)
    stalls: list[float] = field(default_factory=list)


def percentile(values: list[float], share: float) -> float:
    """Return the smallest value that at least this share of all is not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(len(ordered) * share * 1000) // 1000) - 1))]


def ratios(ours: list[float], theirs: list[float]) -> tuple[float, float, float]:
    """Return the ratio of the medians, and the least and greatest ratio of a round to its neighbour."""
    pairs = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return statistics.median(ours) / statistics.median(theirs), min(pairs), max(pairs)


@contextmanager
def peers(folder: Path) -> Iterator[tuple[GatewaySite, Postfix | None, Stock]]:
    """Run the gateway, a Postfix where there is one, and stock aiosmtpd, all on one disk."""
    folder.chmod(0o755)  # Postfix's own user has to get in
    site = GatewaySite(folder / "site")
    other = None if postfix.why_absent() else Postfix(folder / "postfix", free_port(), *certificate_of(site))
    stock = Stock()
    try:
        site.start()
        if other is not None:
            other.start()
        stock.start()
        yield site, other, stock
    finally:
        stock.stop()
        if other is not None:
            other.stop()
        site.stop()


def certificate_of(site: GatewaySite) -> tuple[Path, Path]:
    """Both sides show the same certificate."""
    return site.settings.tls.certificate, site.settings.tls.key


class Bench:
    """The loads, run one after the other against the two sides."""

    def __init__(self, site: GatewaySite, other: Postfix | None, stock: Stock, seconds: float) -> None:
        self._site = site
        self._other = other
        self._stock = stock
        self._seconds = seconds
        self._rounds = 0

    def compare(self, row: Row, rounds: int) -> tuple[Figures, Figures, float]:
        """Return our figures, Postfix's, and stock aiosmtpd's rate in one round (0 where the row has TLS)."""
        ours, theirs, stock = Figures(), Figures(), 0.0
        for number in range(-1, rounds):  # the round before the first warms both sides up
            mine = self._at_gateway(row)
            other = self._at_postfix(row)
            if number >= 0:
                ours.add(mine)
                if other is not None:
                    theirs.add(other)
        if not row.tls:
            outcome = run_load(self._load(row, self._stock.port))
            stock = outcome.acknowledged / outcome.seconds
        return ours, theirs, stock

    def send_large(self, rounds: int) -> Large:
        """Send 4 × 150 MiB at once and watch the submission program's memory and event loop."""
        result = Large()
        row = Row(rows.LARGE, "", rows.LARGE_OCTETS, rows.LARGE_CONNECTIONS, None, None)
        for _ in range(rounds):
            watch = MemoryWatch(self._site.doors)
            self._site.watch_stalls()
            outcome = self._at_gateway(row, messages=rows.LARGE_CONNECTIONS)
            result.stalls.append(self._site.longest_stall() * 1000)
            result.growths.append(watch.growth() / MIB)
            result.seconds.append(outcome.seconds)
        return result

    def compare_bdat(self, rounds: int) -> tuple[Figures, Figures]:
        """Return our figures by BDAT and by DATA."""
        chunks, data = Figures(), Figures()
        row = Row(rows.BDAT, "", 10 * MIB, 2, None, None)
        for _ in range(rounds):
            data.add(self._at_gateway(row))
            chunks.add(self._at_gateway(row, bdat=True))
        return chunks, data

    def bear_crowd(self, rounds: int) -> Crowded:
        """Send one message a connection, alone and then while slow, idle and guessing peers are on."""
        result = Crowded()
        row = Row(rows.CROWD, "", 10 * rows.KIB, 1, None, None, tls=True)
        crowd = Crowd(self._site.tls_port, str(self._site.certificate), self._site.account.username)
        for _ in range(rounds):
            result.before.append(percentile(self._at_gateway(row).latencies, 0.99) * 1000)
            watch = MemoryWatch(self._site.doors)
            with _gathered(crowd):
                self._site.watch_stalls()
                result.during.append(percentile(self._at_gateway(row).latencies, 0.99) * 1000)
                result.stalls.append(self._site.longest_stall() * 1000)
            result.growths.append(watch.growth() / MIB)
        return result

    def _at_gateway(self, row: Row, messages: int = 0, *, bdat: bool = False) -> Outcome:
        account = self._site.account
        before = self._site.count()
        port = self._site.tls_port if row.tls else self._site.port
        load = self._load(row, port, username=account.username, password=account.password, messages=messages)
        load = replace(load, bdat=bdat)
        outcome = run_load(load)
        if self._site.count() - before != outcome.acknowledged:
            raise ValueError("the vault does not have as many messages as were acknowledged")
        self._site.require_kept(load, outcome.sample[: 20 if row.octets < MIB else 2])
        return outcome

    def _at_postfix(self, row: Row) -> Outcome | None:
        if self._other is None:
            return None
        self._other.forget()
        outcome = run_load(self._load(row, self._other.tls_port if row.tls else self._other.port))
        if len(self._other.held()) != outcome.acknowledged:
            raise ValueError("Postfix does not hold as many messages as it acknowledged")
        self._other.forget()
        return outcome

    def _load(self, row: Row, port: int, *, username: str = "", password: str = "", messages: int = 0) -> Load:
        self._rounds += 1
        return Load(
            port=port,
            connections=row.connections,
            octets=row.octets,
            sender=self._site.account.username,
            recipient=self._site.account.recipient,
            tag=f"{time.time_ns():x}.{self._rounds}",
            seconds=1000.0 if messages else self._seconds,
            messages=messages,
            username=username,
            password=password,
            tls=row.tls,
            ca=str(self._site.certificate),
            one_each=row.tls,
        )


def run_load(load: Load) -> Outcome:
    """Run one load in a process of its own. Raises ValueError unless every reply was as it has to be."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        input=json.dumps(asdict(load)).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    outcome = Outcome(**json.loads(done.stdout))
    if outcome.wrong or not outcome.acknowledged:
        raise ValueError(f"wrong replies: {outcome.wrong[:3]}")
    return outcome


@contextmanager
def _gathered(crowd: Crowd) -> Iterator[None]:
    """Have a crowd there meanwhile. Raises ValueError when it did not gather or its guessers did not go on."""
    command = [sys.executable, "-m", "benchmarks.crowd"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(asdict(crowd)) + "\n")
        process.stdin.flush()
        if process.stdout.readline() != "ready\n":
            raise ValueError("the crowd did not gather")
        yield
        process.stdin.close()
        if int(process.stdout.readline()) <= crowd.guessers:
            raise ValueError("the guessers did not go on")
    finally:
        process.kill()
        process.wait()


class MemoryWatch:
    """The resident memory of processes, added up: how far it grows above where it stood."""

    def __init__(self, processes: list[int]) -> None:
        self._files = [Path(f"/proc/{process}/status") for process in processes]
        self._first = self._peak = self._resident()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def growth(self) -> float:
        """End the watch and return the growth in octets."""
        self._over.set()
        self._thread.join()
        return self._peak - self._first

    def _look(self) -> None:
        while not self._over.wait(0.02):
            self._peak = max(self._peak, self._resident())

    def _resident(self) -> float:
        return sum(map(_resident_octets, self._files))


def _resident_octets(status: Path) -> float:
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return float(line.split()[1]) * 1024
