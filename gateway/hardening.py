"""Keeps the memory of this process to itself: no core dump, no debugger of the same user, no swap where allowed."""

from __future__ import annotations

import ctypes
import resource
from dataclasses import dataclass

_PR_SET_DUMPABLE = 4
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Hardening:
    """What was reached: no core files, closed to ptrace and /proc/PID/mem, never in swap."""

    no_core: bool
    not_dumpable: bool
    locked: bool


def harden(*, lock_memory: bool = False) -> Hardening:
    """Close this process and return what the kernel granted. Called before any key is loaded.

    Memory is locked page by page as it is touched, and only where no limit would make a later allocation fail.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    not_dumpable = libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0
    unlimited = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY
    locked = lock_memory and unlimited and libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0
    return Hardening(no_core=True, not_dumpable=not_dumpable, locked=locked)
