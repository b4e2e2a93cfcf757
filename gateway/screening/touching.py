"""Pages of memory that a look writes to: found once by a fork that tries, then copied by each child at its birth.

After a fork a page is shared until somebody writes to it, and a child writes to the same thousand and more in every
mail: the counts of references beside each object see to that. To have them copied by a few calls of the kernel takes a
third of the time that a trial look takes, which meets them one by one. Code and tables of libraries are not copied, but
a fork has no entries for them and makes them as it meets them: those are made by a few calls as well.

What nobody writes to costs as well: a fork makes an entry for each page, and an end takes each away. Memory in huge
pages has one entry where small ones have 512, and comes apart only where a child writes.
"""

from __future__ import annotations

import ctypes
import json
import os
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

Span = tuple[int, int]
"""Address and length of neighbouring pages."""


class Touched(NamedTuple):
    """Pages of its own memory that a fork writes to, and those of files that it reads."""

    written: Sequence[Span] = ()
    read: Sequence[Span] = ()


_PAGE: Final = os.sysconf("SC_PAGESIZE")
_OF_FILE, _OWN, _PRESENT = 1 << 61, 1 << 56, 1 << 63  # bits of an entry of pagemap(5)
_NEAR: Final = _PAGE  # to copy a page more takes less than another call
_POPULATE_READ, _POPULATE_WRITE = 22, 23  # MADV_POPULATE_…, Linux 5.14
_COLLAPSE: Final = 25  # MADV_COLLAPSE, Linux 6.1
_HUGE: Final = 2 << 20  # where a huge page is larger, the kernel refuses, and takes it as it was
_PR_SET_DUMPABLE: Final = 4
_MOST_TOLD: Final = 1 << 20

_libc: Final = ctypes.CDLL(None, use_errno=True)
_libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


def find_touched(work: Callable[[], object]) -> Touched:
    """Pages of this process that a fork of it touches by `work`. None where the kernel does not tell."""
    ours, theirs = os.pipe()
    process = os.fork()
    if process == 0:
        _tell(work, theirs)
    os.close(theirs)
    with os.fdopen(ours, "rb") as told:
        answer = told.read(_MOST_TOLD)
    os.waitpid(process, 0)
    if not answer:
        return Touched()
    written, read = json.loads(answer)
    return Touched(_within(written, list(_writable())), _within(read, list(_of_files())))


def _within(spans: Iterable[Span], known: Sequence[Span]) -> list[Span]:
    """What of some stretches, each given by its first and last address, this process has too."""
    return [
        (max(start, first), min(end, after) - max(start, first))
        for start, end in spans
        for first, after in known
        if start < after and first < end
    ]


def copy_pages(touched: Touched) -> bool:
    """Have pages of its own in place of shared ones. False where none are known or the kernel cannot copy them."""
    for start, length in touched.read:
        _libc.madvise(start, length, _POPULATE_READ)  # what is refused is met later
    return bool(touched.written) and all(
        _libc.madvise(start, length, _POPULATE_WRITE) == 0 for start, length in touched.written
    )


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
            told.write(
                json.dumps([list(_pages(_writable(), _is_own)), list(_pages(_of_files(), _is_of_file))]).encode("ascii")
            )
    finally:
        os._exit(os.EX_OK)


def _is_own(entry: int) -> bool:
    """Whether nobody shares a page any more."""
    return bool(entry & _PRESENT and entry & _OWN and not entry & _OF_FILE)


def _is_of_file(entry: int) -> bool:
    return bool(entry & _PRESENT and entry & _OF_FILE)


def _pages(memory: Iterable[Span], counts: Callable[[int], bool]) -> Iterator[Span]:
    """First and last address of stretches of those pages that count."""
    with open("/proc/self/pagemap", "rb", buffering=0) as pages:
        for start, end in list(memory):
            entries = array("Q", os.pread(pages.fileno(), (end - start) // _PAGE * 8, start // _PAGE * 8))
            begun = last = 0
            for at, entry in enumerate(entries):
                if counts(entry):
                    address = start + at * _PAGE
                    if begun and address - last > _NEAR:
                        yield begun, last
                        begun = 0
                    begun, last = begun or address, address + _PAGE
            if begun:
                yield begun, last


def _writable(*, anonymous: bool = False) -> Iterator[Span]:
    """First and last address of all memory that is this process's own to write to; `anonymous`: that is of no file."""
    for span, rights, inode in _memory():
        if rights.startswith("rw") and rights.endswith("p") and not (anonymous and inode != "0"):
            yield span


def _of_files() -> Iterator[Span]:
    """First and last address of what files hold and nobody writes to: code, and tables of libraries."""
    for span, rights, inode in _memory():
        if rights[:2] == "r-" and inode != "0":
            yield span


def _memory() -> Iterator[tuple[Span, str, str]]:
    """All that is mapped: first and last address, rights, and the number of the file or 0."""
    with open("/proc/self/maps", encoding="ascii", errors="replace") as maps:
        for line in maps:
            span, rights, _, _, inode, *_ = line.split()
            start, end = span.split("-")
            yield (int(start, 16), int(end, 16)), rights, inode
