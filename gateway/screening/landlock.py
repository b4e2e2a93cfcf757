"""Landlock (Linux ≥ 5.13): the kernel takes from this process every file, TCP port, and signal to others.

By `ctypes`, from the kernel's own header `linux/landlock.h`: three system calls whose numbers are one on every machine.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Callable

_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_ASK_VERSION = 1
_FILES = {1: 13, 2: 14, 3: 15, 5: 16}  # from this version of the interface on, so many rights to files are known
_TCP_SINCE, _TCP = 4, 0b11  # bind, connect
_SCOPE_SINCE, _SCOPES = 6, 0b11  # abstract sockets, signals
_ABSENT = (errno.ENOSYS, errno.EOPNOTSUPP)

_libc = ctypes.CDLL(None, use_errno=True)
_syscall: Callable[..., int] = _libc.syscall


def version() -> int:
    """Return the version of the interface that this kernel has, 0 when it has none or it is switched off."""
    found = _syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_ASK_VERSION))
    if found < 0 and ctypes.get_errno() not in _ABSENT:
        _fail()
    return max(found, 0)


def restrict() -> int:
    """Refuse this process all that the kernel's version knows, for good, and return that version: 0 is nothing.

    Needs `no_new_privs`, or CAP_SYS_ADMIN. Raises OSError when a kernel that has Landlock does not do it.
    """
    known = version()
    if known == 0:
        return 0
    octets = ruleset(known)
    handle = _syscall(_CREATE_RULESET, octets, ctypes.c_size_t(len(octets)), ctypes.c_uint32(0))
    if handle < 0:
        _fail()
    try:
        if _syscall(_RESTRICT_SELF, ctypes.c_int(handle), ctypes.c_uint32(0)) != 0:
            _fail()
    finally:
        os.close(handle)
    return known


def ruleset(known: int) -> bytes:
    """Return `struct landlock_ruleset_attr` as far as this version knows it: everything handled, nothing allowed."""
    files = (1 << max(rights for since, rights in _FILES.items() if since <= known)) - 1
    if known >= _SCOPE_SINCE:
        return struct.pack("=QQQ", files, _TCP, _SCOPES)
    if known >= _TCP_SINCE:
        return struct.pack("=QQ", files, _TCP)
    return struct.pack("=Q", files)


def _fail() -> None:
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number))
