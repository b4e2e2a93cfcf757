"""The fax program killed at every step, beside another one, while the mailbox's server starts again: each fax is filed
once, octet for octet, and none is lost.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from gateway.store.tables import fax_arrival, fax_recognition, intake, leaf
from tests.dovecot import WITHOUT_EXTENSIONS, Dovecot, serving
from tests.fax_line import FaxLine, fax_line
from tests.faxes import Sample, failure, sample

STEPS = (
    "fax.fetched", "fax.commit", "fax.enter", "fax.taken", "fax.moved", "store.commit.before", "store.commit.after",
    "blob.fsync",
)  # fmt: skip
STEPS_OF_OLD = ("fax.copied", "fax.deleted")
STEPS_OF_RECOGNITION = (
    "fax.tried", "fax.refetched", "screening.ask", "fax.recognition", "fax.recognised", "fax.done",
)  # fmt: skip
SEED = os.environ.get("CRASH_SEED", "1")
HURRIED = os.environ.get("SWEEP") != "all"
"""Whether leases are let run out at once: `make sweep` waits for their ends."""


def some(steps: Sequence[str], count: int) -> tuple[str, ...]:
    """Return as many of the steps, in their order: each costs the start of a program."""
    chosen = random.Random(SEED).sample(steps, count)
    return tuple(step for step in steps if step in chosen)


class Killed:
    """A fax program that is killed at one step after the other, and started again each time.

    `late`: so long afterwards that what was being recognised is nobody's any more.
    """

    def __init__(self, line: FaxLine, steps: Sequence[str], *, second: bool = False, late: bool = False) -> None:
        self._late = late
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
        if self._late:
            self._line.age_tries()
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


def filed(dovecot: Dovecot) -> int:
    """How many mails were moved out of the mailbox, whether their faxes are recognised or not."""
    return dovecot.count("Filed") + dovecot.count("Done")


def check_all_recognised_once(line: FaxLine, faxes: Sequence[Sample]) -> None:
    """Each fax has what was recognised of it, once, and one entry."""
    found = line.rows(fax_recognition)
    assert [row.version for row in found] == [1] * len(faxes)
    assert all(row.complete and row.sections for row in found)
    assert sum(row.kind == "fax_recognised" for row in line.rows(leaf)) == len(faxes)


def check_all_filed_once(line: FaxLine, faxes: Sequence[Sample]) -> None:
    """Each fax has one item, with the octets that came, and one entry."""
    digests = sorted(sha256(octets.replace(b"\r\n", b"\n")).hexdigest() for _, octets in line.opened())
    assert digests == sorted(sha256(one.mail.replace(b"\r\n", b"\n")).hexdigest() for one in faxes)
    assert len(line.rows(intake)) == len(faxes)
    assert sum(row.kind == "taken_in" for row in line.rows(leaf)) == len(faxes)
    assert sum(row.outcome == "filed" for row in line.rows(fax_arrival)) == len(faxes)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("capability", "steps"),
    [
        ("", some(STEPS, 3)),
        pytest.param("", STEPS, marks=pytest.mark.sweep),
        pytest.param(WITHOUT_EXTENSIONS, STEPS_OF_OLD, marks=pytest.mark.sweep),
    ],
    ids=["some", "all", "of old"],
)
def test_killed_at_each_step_every_fax_is_filed_once(capability: str, steps: Sequence[str]) -> None:
    faxes = [sample(number) for number in range(2 * len(steps) + 7)]
    with serving(capability) as dovecot, fax_line(dovecot) as line:
        program = Killed(line, steps)
        for fax in faxes:
            dovecot.deliver(fax.mail)
        until(lambda: program.is_done and filed(dovecot) >= len(faxes) and not dovecot.count(), program)
        program.end()
        assert program.deaths == len(steps)
        check_all_filed_once(line, faxes)


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("capability", "steps"),
    [
        ("", some(STEPS_OF_RECOGNITION, 2)),
        pytest.param("", STEPS_OF_RECOGNITION, marks=pytest.mark.sweep),
        pytest.param(WITHOUT_EXTENSIONS, STEPS_OF_RECOGNITION, marks=pytest.mark.sweep),
    ],
    ids=["some", "all", "of old"],
)
def test_killed_at_each_step_of_recognition_every_fax_is_recognised_once_and_done(
    capability: str, steps: Sequence[str]
) -> None:
    faxes = [sample(number, seed=5) for number in range(len(steps) + 3)]
    with serving(capability) as dovecot, fax_line(dovecot) as line:
        program = Killed(line, steps, late=HURRIED)
        for fax in faxes:
            dovecot.deliver(fax.mail)
        # Killed while its server moves a mail, that may be there twice, and is moved on twice.
        folders = "INBOX", "Filed"
        is_moved = lambda: dovecot.count("Done") >= len(faxes) and not any(map(dovecot.count, folders))
        until(lambda: program.is_done and is_moved(), program, seconds=300)
        program.end()
        assert program.deaths == len(steps)
        check_all_filed_once(line, faxes)
        check_all_recognised_once(line, faxes)


@pytest.mark.timeout(240)
def test_what_ends_its_program_each_time_is_entered_as_not_read_and_goes_on() -> None:
    with serving() as dovecot, fax_line(dovecot) as line:
        program = Killed(line, ("fax.tried",) * 3, late=HURRIED)
        dovecot.deliver(sample(0).mail)
        until(lambda: program.is_done and dovecot.count("Done") == 1, program, seconds=200)
        program.end()
        (row,) = line.rows(fax_recognition)
        assert (row.version, row.complete, row.sections) == (1, 0, 0)


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
                until(lambda number=number: filed(dovecot) > number // 2, *programs, seconds=300)
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
