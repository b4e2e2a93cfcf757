"""Packs: files to which one run of a program appends sealed bodies of middling length, so that one sync serves many.

A body is written, then settled, then a row may name it: by the pack's id and the offset. A pack is appended to for an
hour at most, and by nobody else; after a restart a new one is begun, so that what a power cut left torn at an end is
never read and never written over. A failed sync is never tried again: the pack is given up, and with it every body in
it that was not settled before.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gateway.domain.errors import StoreUnavailable
from gateway.failpoints import failpoint
from gateway.store.disk import blob_error, let_go

PACK_OCTETS = 256 * 1024 * 1024
PACK_SECONDS = 3600.0
"""How long a pack takes bodies: far below the age at which the sweep takes packs that no row names."""
OFFSET_DIGITS = 16
PAGE_OCTETS = 4096
"""Each body begins on a page of its own: what was settled is never written again, not even the end of its page."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a body stands in a pack: its blob's name for the row. It is durable once `settle` has returned."""

    name: str
    end: int
    pack: Pack = field(repr=False)

    def settle(self) -> None:
        """Make the body durable, with all that was appended before. In a thread: it syncs. Raises StoreUnavailable."""
        self.pack.settle(self.end)


class Pack:
    """One file that takes bodies: appended by one thread at a time, settled by any."""

    def __init__(self, path: Path) -> None:
        """Make the file. Raises OSError; the caller syncs the folder."""
        self._path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._until = time.monotonic() + PACK_SECONDS
        self._syncing = threading.Lock()
        self._written = 0
        self._durable = 0
        self._is_lost = False

    @property
    def takes_more(self) -> bool:
        """False when a new pack has to be begun."""
        return not self._is_lost and self._written < PACK_OCTETS and time.monotonic() < self._until

    def append(self, pieces: Sequence[bytes]) -> Place:
        """Write a body, given in pieces, behind the last one. Raises StoreFull or StoreUnavailable."""
        start = -(-self._written // PAGE_OCTETS) * PAGE_OCTETS
        try:
            failpoint("blob.write.before")
            end = _write_all(self._descriptor, pieces, start)
            failpoint("blob.write.after")
        except OSError as problem:  # what was written of it, the next body overwrites
            raise blob_error(problem) from problem
        self._written = end
        return Place(f"{self._path.name}{start:0{OFFSET_DIGITS}x}", end, self)

    def settle(self, end: int) -> None:
        """Make durable what stands before `end`; one sync serves all who wait. Raises StoreFull or StoreUnavailable."""
        if self._durable >= end:
            return
        with self._syncing:
            if self._durable >= end:
                return
            if self._is_lost:
                raise StoreUnavailable("The store is not available. Please try again later.")
            written = self._written
            try:
                failpoint("blob.fsync")
                os.fdatasync(self._descriptor)
                if not os.fstat(self._descriptor).st_nlink:
                    raise StoreUnavailable("The store has lost a pack. Please try again later.")
            except BaseException as problem:
                self._is_lost = True
                raise (blob_error(problem) if isinstance(problem, OSError) else problem) from problem
            let_go(self._descriptor, self._durable, written - self._durable)
            self._durable = written

    def close(self) -> None:
        """Settle what is in it and give its file back. Nothing may be appended any more."""
        with suppress(StoreUnavailable):
            self.settle(self._written)
        with self._syncing:
            self._is_lost = True
            os.close(self._descriptor)


def _write_all(descriptor: int, pieces: Sequence[bytes], at: int) -> int:
    """Write the pieces at an offset, whole; return the offset behind them."""
    end = at + sum(map(len, pieces))
    at += os.pwritev(descriptor, pieces, at)
    if at < end:  # the kernel may take less, and then does again
        rest = memoryview(b"".join(pieces))[at - end :]
        while rest:
            rest = rest[os.pwrite(descriptor, rest, end - len(rest)) :]
    return end
