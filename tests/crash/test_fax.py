"""The fax program killed at every step, beside another one, while the mailbox's server starts again: each fax is filed
once, octet for octet, and none is lost.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from gateway.store.tables import fax_arrival, intake, leaf
from tests.dovecot import WITHOUT_EXTENSIONS, serving
from tests.fax_line import FaxLine, fax_line
from tests.faxes import Sample, failure, sample

STEPS = (
    "fax.fetched", "fax.commit", "fax.enter", "fax.taken", "fax.moved", "store.commit.before", "store.commit.after",
    "blob.fsync",
)  # fmt: skip
STEPS_OF_OLD = ("fax.copied", "fax.deleted")


class Killed:
    """A fax program that is killed at one step after the other, and started again each time."""

    def __init__(self, line: FaxLine, steps: Sequence[str], *, second: bool = False) -> None:
        self._line, self._steps = line, list(steps)
        self._config = line.second if second else None
        self._folder = line.folder / ("armed-second" if second else "armed")
        self.deaths = 0
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        if not self._steps:
            return self._line.start("fax", config=self._config)
        return self._line.start(
            "fax", config=self._config, environment={"GATEWAY_FAILPOINTS": f"{self._steps[0]}=kill"}
        )

    def look(self) -> bool:
        """Start it again where it was killed, and tell whether it was; what it does not come by is no step of this."""
        code = self.process.poll()
        if code is None:
            return False
        assert code == -9, code
        self.deaths += 1
        self._steps.pop(0)
        self.process = self._start()
        return True

    @property
    def is_done(self) -> bool:
        return not self._steps

    def end(self) -> None:
        self._line.end(self.process)


def until(holds: Callable[[], bool], *programs: Killed, seconds: float = 100) -> None:
    """Wait, and start again what was killed meanwhile. `seconds` are those since the last death: there are so many."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends
        if any(program.look() for program in programs):
            ends = time.monotonic() + seconds
        time.sleep(0.05)


def check_all_filed_once(line: FaxLine, faxes: Sequence[Sample]) -> None:
    """Each fax has one item, with the octets that came, and one entry."""
    digests = sorted(sha256(octets.replace(b"\r\n", b"\n")).hexdigest() for _, octets in line.opened())
    assert digests == sorted(sha256(one.mail.replace(b"\r\n", b"\n")).hexdigest() for one in faxes)
    assert len(line.rows(intake)) == len(faxes)
    assert sum(row.kind == "taken_in" for row in line.rows(leaf)) == len(faxes)
    assert sum(row.outcome == "filed" for row in line.rows(fax_arrival)) == len(faxes)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("capability", "steps"), [("", STEPS), pytest.param(WITHOUT_EXTENSIONS, STEPS_OF_OLD, marks=pytest.mark.sweep)]
)
def test_killed_at_each_step_every_fax_is_filed_once(capability: str, steps: Sequence[str]) -> None:
    faxes = [sample(number) for number in range(2 * len(steps) + 7)]
    with serving(capability) as dovecot, fax_line(dovecot) as line:
        program = Killed(line, steps)
        for fax in faxes:
            dovecot.deliver(fax.mail)
        until(lambda: program.is_done and dovecot.count("Filed") >= len(faxes) and not dovecot.count(), program)
        program.end()
        assert program.deaths == len(steps)
        check_all_filed_once(line, faxes)


@pytest.mark.sweep
@pytest.mark.timeout(3000)
def test_five_hundred_faxes_of_all_systems_are_filed_once_whatever_happens(tmp_path: Path) -> None:
    faxes = [sample(number, seed=7) for number in range(500)]
    with serving() as dovecot, fax_line(dovecot) as line:
        programs = [Killed(line, STEPS * 3), Killed(line, STEPS[::-1] * 3, second=True)]
        for number, fax in enumerate(faxes):
            dovecot.deliver(fax.mail)
            if number % 100 == 99:
                dovecot.deliver(failure(number))
                until(lambda number=number: dovecot.count("Filed") > number // 2, *programs, seconds=300)
                dovecot.stop()
                dovecot.start()
        until(lambda: not dovecot.count(), *programs, seconds=600)
        for program in programs:
            program.end()
        check_all_filed_once(line, faxes)
        assert sum(row.outcome == "failure" for row in line.rows(fax_arrival)) == 5


@pytest.mark.sweep
def test_two_programs_at_once_file_each_fax_once() -> None:
    faxes = [sample(number, seed=3) for number in range(21)]
    with serving() as dovecot, fax_line(dovecot) as line:
        for fax in faxes:
            dovecot.deliver(fax.mail)
        programs = [Killed(line, ()), Killed(line, (), second=True)]
        until(lambda: not dovecot.count(), *programs)
        for program in programs:
            program.end()
        check_all_filed_once(line, faxes)
