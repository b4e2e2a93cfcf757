"""seccomp: an allow-list of system calls for a child that reads one mail, as a BPF program made here.

What is not on the list fails with EPERM, so that a library's idle curiosity is no crash; what no library here ever asks
for ends the process. Memory that can be written is never made executable. A thread may be started, since one decoder of
pictures cannot work without: this filter, Landlock and every limit hold it as well; a process may not. Numbers are of
`asm/unistd_64.h` (x86-64) and `asm-generic/unistd.h` (aarch64); a call by another calling convention (32 bit, x32) ends
the process.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

_LOAD, _EQUALS, _AT_LEAST, _HAS_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE, _ABSENT, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS, 0x80000000
# Offsets in struct seccomp_data; both machines are little-endian.
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _THIRD_ARGUMENT = 0, 4, 16, 32
_PROT_EXEC = 4
# VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, SETTLS, PARENT_SETTID, CHILD_CLEARTID: as glibc and, with DETACHED, musl ask.
_THREAD = 0x003D0F00
_THREAD_OF_MUSL = _THREAD | 0x00400000
_PR_SET_SECCOMP, _MODE_FILTER, _PR_GET_SECCOMP = 22, 2, 21

_ENDS = (
    (_RETURN, 0, 0, _REFUSE),
    (_LOAD, 0, 0, _FIRST_ARGUMENT),  # flags, of clone
    (_EQUALS, 4, 0, _THREAD),
    (_EQUALS, 3, 2, _THREAD_OF_MUSL),
    (_LOAD, 0, 0, _THIRD_ARGUMENT),  # protection, of mmap and of mprotect
    (_HAS_BIT, 0, 1, _PROT_EXEC),
    (_RETURN, 0, 0, _REFUSE),
    (_RETURN, 0, 0, _ALLOW),
    (_RETURN, 0, 0, _ABSENT),
    (_RETURN, 0, 0, _KILL),
)
_TO_FLAGS, _TO_PROTECTION, _TO_ALLOW, _TO_ABSENT, _TO_KILL = 1, 4, 7, 8, 9  # lines of _ENDS

ALLOWED = tuple(
    """
    read pread64 readv write close lseek fstat recvmsg
    mmap munmap mprotect mremap madvise brk
    futex sched_yield sched_getaffinity nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday
    rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall
    getrandom getpid gettid getrusage times sysinfo exit exit_group
    set_robust_list rseq
    """.split()
)
"""What Python and the libraries of the extractors ask for while they read. Nothing here takes a path or a process."""

NEVER_EXECUTABLE = ("mmap", "mprotect")
"""Allowed without PROT_EXEC only."""

THREADS_ONLY = "clone"
"""Allowed with the flags of a thread only."""

ABSENT = "clone3"
"""Its flags stand where no filter sees them. It is said not to be there, so that the C library asks for a clone."""

DEADLY = tuple("ptrace process_vm_readv process_vm_writev bpf io_uring_setup mount kexec_load".split())
"""Nothing here asks for these but code that somebody else brought."""


@dataclass(frozen=True, slots=True)
class Machine:
    """An architecture: its AUDIT_ARCH word, its numbers, and the number from which a second convention begins."""

    word: int
    numbers: Mapping[str, int] = field(hash=False)
    foreign_from: int | None = None


def _numbers(text: str) -> Mapping[str, int]:
    words = text.split()
    return MappingProxyType(dict(zip(words[::2], map(int, words[1::2]), strict=True)))


_X86_64 = _numbers(
    """
    read 0 pread64 17 readv 19 write 1 close 3 lseek 8 fstat 5 recvmsg 47
    mmap 9 munmap 11 mprotect 10 mremap 25 madvise 28 brk 12
    futex 202 sched_yield 24 sched_getaffinity 204 nanosleep 35 clock_nanosleep 230 clock_gettime 228
    clock_getres 229 gettimeofday 96
    rt_sigaction 13 rt_sigprocmask 14 rt_sigreturn 15 sigaltstack 131 restart_syscall 219
    getrandom 318 getpid 39 gettid 186 getrusage 98 times 100 sysinfo 99 exit 60 exit_group 231
    set_robust_list 273 rseq 334 clone 56 clone3 435
    ptrace 101 process_vm_readv 310 process_vm_writev 311 bpf 321 io_uring_setup 425
    mount 165 kexec_load 246
    """
)
_AARCH64 = _numbers(
    """
    read 63 pread64 67 readv 65 write 64 close 57 lseek 62 fstat 80 recvmsg 212
    mmap 222 munmap 215 mprotect 226 mremap 216 madvise 233 brk 214
    futex 98 sched_yield 124 sched_getaffinity 123 nanosleep 101 clock_nanosleep 115 clock_gettime 113
    clock_getres 114 gettimeofday 169
    rt_sigaction 134 rt_sigprocmask 135 rt_sigreturn 139 sigaltstack 132 restart_syscall 128
    getrandom 278 getpid 172 gettid 178 getrusage 165 times 153 sysinfo 179 exit 93 exit_group 94
    set_robust_list 99 rseq 293 clone 220 clone3 435
    ptrace 117 process_vm_readv 270 process_vm_writev 271 bpf 280 io_uring_setup 425
    mount 40 kexec_load 104
    """
)
MACHINES: Mapping[str, Machine] = MappingProxyType(
    {"x86_64": Machine(0xC000003E, _X86_64, foreign_from=0x40000000), "aarch64": Machine(0xC00000B7, _AARCH64)}
)
"""By the name that `uname -m` gives."""

_libc = ctypes.CDLL(None, use_errno=True)
_prctl: Callable[..., int] = _libc.prctl


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


@cache
def machine() -> Machine | None:
    """Return the table of this machine, or None where there is none."""
    return MACHINES.get(platform.machine())


def is_present() -> bool:
    """Tell whether this kernel filters system calls, and by numbers that stand here."""
    return machine() is not None and _prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) >= 0


def restrict(known: Machine) -> None:
    """Lay the filter on this process for good. Needs `no_new_privs`. Raises OSError."""
    octets = program(known)
    laid = _Program(len(octets) // 8, octets)
    if _prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(laid), 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@cache
def program(known: Machine) -> bytes:
    """Return the BPF program: 8 octets an instruction (`struct sock_filter`)."""
    aims = {known.numbers[name]: _TO_ALLOW for name in ALLOWED}
    aims |= {known.numbers[name]: _TO_PROTECTION for name in NEVER_EXECUTABLE}
    aims |= {known.numbers[THREADS_ONLY]: _TO_FLAGS, known.numbers[ABSENT]: _TO_ABSENT}
    aims |= {known.numbers[name]: _TO_KILL for name in DEADLY}
    lines = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUALS, 1, 0, known.word), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, _NUMBER)]
    if known.foreign_from is not None:
        lines += [(_AT_LEAST, 0, 1, known.foreign_from), (_RETURN, 0, 0, _KILL)]
    for left, (number, aim) in zip(range(len(aims) - 1, -1, -1), aims.items(), strict=True):
        lines.append((_EQUALS, left + aim, 0, number))  # a jump counts from the next line; one octet holds it
    return b"".join(struct.pack("=HBBI", *line) for line in [*lines, *_ENDS])
