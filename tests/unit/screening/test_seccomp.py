from __future__ import annotations

import errno
import struct

import pytest

from gateway.screening import seccomp
from gateway.screening.seccomp import ABSENT, ALLOWED, DEADLY, MACHINES, NEVER_EXECUTABLE, Machine, program

ALLOW, REFUSE, MISSING, KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS, 0x80000000
THREAD = 0x3D0F00  # what glibc asks for
LOAD, EQUALS, AT_LEAST, HAS_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
EXEC = 4


def run(octets: bytes, word: int, number: int, arguments: tuple[int, ...] = ()) -> int:
    """What the kernel does with the program, in small: `struct seccomp_data` in, an action out."""
    data = struct.pack("<iIQ6Q", number, word, 0, *arguments, *([0] * (6 - len(arguments))))
    lines = list(struct.iter_unpack("=HBBI", octets))
    place, held = 0, 0
    while True:
        code, yes, no, value = lines[place]
        place += 1
        if code == RETURN:
            return value
        if code == LOAD:
            held = struct.unpack_from("<I", data, value)[0]
        else:
            met = {EQUALS: held == value, AT_LEAST: held >= value, HAS_BIT: bool(held & value)}[code]
            place += yes if met else no


@pytest.fixture(params=MACHINES, ids=str)
def machine(request: pytest.FixtureRequest) -> Machine:
    return MACHINES[request.param]


def test_what_is_listed_is_allowed_and_everything_else_fails(machine: Machine) -> None:
    octets = program(machine)
    allowed = {machine.numbers[name] for name in ALLOWED}
    deadly = {machine.numbers[name] for name in DEADLY}
    for number in range(600):
        expected = ALLOW if number in allowed else KILL if number in deadly else REFUSE
        if number == machine.numbers[ABSENT]:
            expected = MISSING
        assert run(octets, machine.word, number) == expected, number


@pytest.mark.parametrize("name", NEVER_EXECUTABLE)
def test_memory_never_becomes_executable(machine: Machine, name: str) -> None:
    octets = program(machine)
    number = machine.numbers[name]
    assert run(octets, machine.word, number, (0, 4096, 3)) == ALLOW
    assert run(octets, machine.word, number, (0, 4096, 3 | EXEC)) == REFUSE
    assert run(octets, machine.word, number, (EXEC, EXEC, 1)) == ALLOW


@pytest.mark.parametrize("more", [0, 0x400000])
def test_a_thread_may_be_started_and_nothing_else_that_is_cloned(machine: Machine, more: int) -> None:
    octets = program(machine)
    number = machine.numbers["clone"]
    assert run(octets, machine.word, number, (THREAD | more,)) == ALLOW
    for bit in range(32):
        assert run(octets, machine.word, number, ((THREAD | more) ^ (1 << bit),)) == REFUSE or bit == 22, bit
    for process in (17, 0x1200011, 0x4111, 0x10000000):  # a fork, vfork, a namespace
        assert run(octets, machine.word, number, (process,)) == REFUSE


def test_another_calling_convention_ends_the_process(machine: Machine) -> None:
    assert run(program(machine), 0x40000003, machine.numbers["read"]) == KILL


def test_x32_ends_the_process() -> None:
    machine = MACHINES["x86_64"]
    assert run(program(machine), machine.word, 0x40000000 | machine.numbers["read"]) == KILL


def test_a_program_fits_into_the_kernels_limit(machine: Machine) -> None:
    assert len(program(machine)) // 8 < 256


def test_both_machines_have_a_number_of_their_own_for_every_name() -> None:
    names = {*ALLOWED, *DEADLY, seccomp.THREADS_ONLY, ABSENT}
    for machine in MACHINES.values():
        assert machine.numbers.keys() == names
        assert len(set(machine.numbers.values())) == len(names)


@pytest.mark.parametrize(
    "name",
    "open openat socket connect bind accept clone clone3 fork vfork execve execveat kill tgkill tkill sendmsg sendto"
    " memfd_create prlimit64 setrlimit prctl chmod unlink rename mkdir link ioctl".split(),
)
def test_nothing_that_reaches_out_is_on_the_list(name: str) -> None:
    assert name not in seccomp.ALLOWED
