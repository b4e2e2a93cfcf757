"""Drive `gateway screen --stdin-paths --json`: one path in, one answer out, in as many processes as asked for."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.screening.sample import Label, Sample


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said of one mail. `wall` is milliseconds seen from here, `took` those that the screener tells."""

    label: Label
    verdict: str
    reason: str
    kinds: frozenset[str]
    took: float
    wall: float
    octets: int


class Screener:
    """One process, spoken to one path at a time, so that its times are of one mail."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def judge(self, sample: Sample) -> Answer:
        """The answer for `sample`, whose octets lie in the folder only as long as this takes."""
        path = self._folder / f"{sample.label.ident}.eml"
        path.write_bytes(sample.octets)
        started = time.perf_counter()
        said = self._ask(path)
        wall = (time.perf_counter() - started) * 1000
        path.unlink()
        kinds = frozenset(finding["kind"] for finding in said.get("findings") or ())
        return Answer(
            sample.label,
            said["verdict"],
            said.get("reason") or "",
            kinds,
            float(said.get("ms") or wall),
            wall,
            len(sample.octets),
        )

    def _ask(self, path: Path) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{path}\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the screener ended with {self._process.wait()} at {path.name}")
        said: dict[str, Any] = json.loads(line)
        if said.get("path") != str(path):
            raise RuntimeError(f"the screener answered for {said.get('path')!r}, not for {path.name}")
        return said

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended already, and that was told
            self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def run(
    command: Sequence[str],
    make: Callable[[int], Sample],
    count: int,
    jobs: int,
    folder: Path,
    tell: Callable[[int], None],
) -> list[Answer]:
    """Every answer, in the order of the corpus. `make` gives mail i; `tell` hears how many are done."""
    answers: list[Answer | None] = [None] * count
    failures: list[Exception] = []
    done = iter(range(1, count + 1))
    numbers = iter(range(count))
    lock = threading.Lock()

    def work() -> None:
        screener = Screener(command, folder)
        try:
            while not failures:
                with lock:
                    at = next(numbers, None)
                if at is None:
                    return
                answers[at] = screener.judge(make(at))
                with lock:
                    tell(next(done))
        except Exception as error:  # noqa: BLE001 - told below, by the thread that waits
            failures.append(error)
        finally:
            screener.close()

    workers = [threading.Thread(target=work) for _ in range(jobs)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if failures:
        raise failures[0]
    return [answer for answer in answers if answer is not None]
