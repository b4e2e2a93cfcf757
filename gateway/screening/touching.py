"""Pages of memory that a look writes to: found once by a fork that tries, then copied by each child at its birth.

After a fork a page is shared until somebody writes to it, and a child writes to the same thousand and more in every
mail: the counts of references beside each object see to that. To have them copied by a few calls of the kernel takes a
third of the time that a trial look takes, which meets them one by one.

What nobody writes to costs as well: a fork makes an entry for each page, and an end takes each away. Memory in huge
pages has one entry where small ones have 512, and comes apart only where a child writes.
"""

from __future__ import annotations

import ctypes
import json
import os
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Final

Span = tuple[int, int]
"""Address and length of neighbouring pages."""

_PAGE: Final = os.sysconf("SC_PAGESIZE")
_OF_FILE, _OWN, _PRESENT = 1 << 61, 1 << 56, 1 << 63  # bits of an entry of pagemap(5)
_NEAR: Final = _PAGE  # to copy a page more takes less than another call
_POPULATE_WRITE: Final = 23  # MADV_POPULATE_WRITE, Linux 5.14
_COLLAPSE: Final = 25  # MADV_COLLAPSE, Linux 6.1
_HUGE: Final = 2 << 20  # where a huge page is larger, the kernel refuses, and takes it as it was
_PR_SET_DUMPABLE: Final = 4
_MOST_TOLD: Final = 1 << 20

_libc: Final = ctypes.CDLL(None, use_errno=True)
_libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


def find_touched(work: Callable[[], object]) -> list[Span]:
    """Pages of this process that a fork of it writes to by `work`. None where the kernel does not tell."""
    ours, theirs = os.pipe()
    process = os.fork()
    if process == 0:
        _tell(work, theirs)
    os.close(theirs)
    with os.fdopen(ours, "rb") as told:
        answer = told.read(_MOST_TOLD)
    os.waitpid(process, 0)
    known = [(start, end) for start, end in _writable()]
    spans = json.loads(answer) if answer else []
    return [
        (max(start, first), min(end, after) - max(start, first))
        for start, end in spans
        for first, after in known
        if start < after and first < end
    ]


def copy_pages(spans: Sequence[Span]) -> bool:
    """Have pages of its own in place of shared ones. False where none are known or the kernel cannot copy them."""
    return bool(spans) and all(_libc.madvise(start, length, _POPULATE_WRITE) == 0 for start, length in spans)


def gather() -> int:
    """Put this process's own memory into huge pages, as far as the kernel can, and return how many it has now."""
    gathered = 0
    for start, end in list(_writable(anonymous=True)):
        for address in range(-(-start // _HUGE) * _HUGE, end - _HUGE + 1, _HUGE):
            gathered += _libc.madvise(address, _HUGE, _COLLAPSE) == 0
    return gathered


def _tell(work: Callable[[], object], to: int) -> None:
    """Be the fork that tries."""
    try:
        _libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)  # or its own memory would not be told to it; there is no secret in it
        work()
        with suppress(OSError), os.fdopen(to, "wb") as told:
            told.write(json.dumps(list(_own_pages())).encode("ascii"))
    finally:
        os._exit(os.EX_OK)


def _own_pages() -> Iterator[Span]:
    """First and last address of stretches of pages that nobody shares any more."""
    with open("/proc/self/pagemap", "rb", buffering=0) as pages:
        for start, end in list(_writable()):
            entries = array("Q", os.pread(pages.fileno(), (end - start) // _PAGE * 8, start // _PAGE * 8))
            begun = last = 0
            for at, entry in enumerate(entries):
                if entry & _PRESENT and entry & _OWN and not entry & _OF_FILE:
                    address = start + at * _PAGE
                    if begun and address - last > _NEAR:
                        yield begun, last
                        begun = 0
                    begun, last = begun or address, address + _PAGE
            if begun:
                yield begun, last


def _writable(*, anonymous: bool = False) -> Iterator[Span]:
    """First and last address of all memory that is this process's own to write to; `anonymous`: that is of no file."""
    with open("/proc/self/maps", encoding="ascii", errors="replace") as maps:
        for line in maps:
            span, rights, _, _, inode, *_ = line.split()
            if rights.startswith("rw") and rights.endswith("p") and not (anonymous and inode != "0"):
                start, end = span.split("-")
                yield int(start, 16), int(end, 16)
