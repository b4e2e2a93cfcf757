"""What blobs and packs share of the disk: how its errors are told, and how a folder's names are made durable."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from gateway.domain.errors import StoreFull, StoreUnavailable


def blob_error(problem: OSError) -> StoreUnavailable:
    """Return the error that callers see for a disk that failed."""
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFull("The store is full. Please try again later.")
    return StoreUnavailable("The store is not available. Please try again later.")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def let_go(descriptor: int, start: int = 0, octets: int = 0) -> None:
    """Have what was written sent on to the disk, and what is there already leave the memory: nobody reads it soon.

    `octets` 0 means to the end. Only a hint: what is durable, a sync tells.
    """
    with suppress(OSError):
        os.posix_fadvise(descriptor, start, octets, os.POSIX_FADV_DONTNEED)
