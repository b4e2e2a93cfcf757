"""Sealed runs of octets on the disk: long ones are files of their own, those of middling length share packs.

Files are `blobs/<two digits>/<name>`. A long blob is written to `blobs/tmp`, synced, renamed, and its folder synced,
before any row names it: complete or absent. A failed sync is never tried again: the blob is given up and its caller
told. The name of a blob in a pack is the pack's and 16 hex digits of offset (`gateway.store.packs`). A file that no row
names after 48 hours is swept.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.domain.errors import StoreFull, StoreUnavailable, Tampered
from gateway.failpoints import failpoint
from gateway.store.disk import blob_error, let_go, sync_folder
from gateway.store.ids import new_id
from gateway.store.packs import OFFSET_DIGITS, Pack, Place

SWEEP_AGE_SECONDS = 48 * 3600
CHECK_OCTETS = 4 * 1024 * 1024
"""A blob that grows is held to the reserve after each so many octets."""
FILE_DIGITS = 32
SEND_OCTETS = 1024 * 1024
"""A blob that grows is sent on to the disk after each so many octets, not only at its sync."""
_NAME = re.compile(rf"[0-9a-f]{{{FILE_DIGITS}}}([0-9a-f]{{{OFFSET_DIGITS}}})?\Z")


@dataclass(frozen=True, slots=True)
class NamedBlob:
    """A blob as its row names it: its sealed length and the SHA-256 of its octets."""

    name: str
    octets: int
    sha256: str

    @property
    def file(self) -> str:
        """The name of the file it stands in."""
        return self.name[:FILE_DIGITS]

    def is_whole(self, path: Path) -> bool:
        """Tell whether this file, or a copy of it, has the blob as its row says. Raises OSError."""
        digest, left = hashlib.sha256(), self.octets
        with path.open("rb") as file:
            file.seek(start_of(self.name))
            while left and (octets := file.read(min(left, CHECK_OCTETS))):
                digest.update(octets)
                left -= len(octets)
        return not left and digest.hexdigest() == self.sha256


class BlobFolder:
    """A folder of blobs. `reserve_octets` of disk stay free: a write that would use them raises StoreFull."""

    def __init__(self, folder: Path, *, reserve_octets: int = 64 * 1024 * 1024) -> None:
        self._folder = folder
        self._reserve = reserve_octets
        self._known: set[str] = set()
        self._pack: Pack | None = None
        self._appending = threading.Lock()
        (folder / "tmp").mkdir(parents=True, exist_ok=True, mode=0o700)

    def create(self, name: str) -> BlobWriter:
        """Begin a blob. Raises StoreFull when the disk is nearly full, StoreUnavailable when it does not answer."""
        final = self._path(name)
        try:
            self.check_space()
            self._make_known(final.parent)
            return BlobWriter(self._folder / "tmp" / name, final, self.check_space)
        except OSError as problem:
            raise blob_error(problem) from problem

    def append(self, pieces: Sequence[bytes]) -> Place:
        """Write a sealed body into this run's pack; it is not durable before its place has been settled.

        Raises StoreFull when the disk is nearly full, StoreUnavailable when it does not answer.
        """
        with self._appending:
            try:
                self.check_space()
                if self._pack is None or not self._pack.takes_more:
                    self._pack = self._begin_pack(self._pack)
            except OSError as problem:
                raise blob_error(problem) from problem
            return self._pack.append(pieces)

    def check_space(self, needed: int = 0) -> None:
        """Raise StoreFull when fewer than `needed` octets beside the reserve are free."""
        found = os.statvfs(self._folder)
        if found.f_bavail * found.f_frsize < self._reserve + needed:
            raise StoreFull("The store is full. Please try again later.")

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Return `length` octets from `offset`.

        Raises Tampered when the blob is absent or shorter, StoreUnavailable when the disk does not give it.
        """
        try:
            with open(self._path(name), "rb") as blob:
                octets = os.pread(blob.fileno(), length, start_of(name) + offset)
        except FileNotFoundError:
            raise Tampered("A sealed segment is missing.") from None
        except OSError as problem:
            raise blob_error(problem) from problem
        if len(octets) != length:
            raise Tampered("A sealed segment is cut short.")
        return octets

    def names(self) -> Iterator[str]:
        """Yield the name of every file: a long blob's, or a pack's."""
        for folder in sorted(self._folder.iterdir()):
            if folder.name != "tmp" and folder.is_dir():
                yield from sorted(path.name for path in folder.iterdir())

    def path(self, name: str) -> Path:
        """Return the file in which a blob lies."""
        return self._path(name)

    def sweep(self, unknown: Iterable[str], now: float) -> int:
        """Delete the files of `unknown`, and unfinished ones, that are older than 48 hours; return how many."""
        swept = 0
        for path in [*(self._path(name) for name in unknown), *(self._folder / "tmp").iterdir()]:
            if _is_older(path, now - SWEEP_AGE_SECONDS):
                failpoint("sweep.delete")
                path.unlink(missing_ok=True)
                swept += 1
        return swept

    def _begin_pack(self, full: Pack | None) -> Pack:
        if full is not None:
            full.close()
            self._pack = None
        path = self._path(new_id())
        self._make_known(path.parent)
        pack = Pack(path)
        try:
            failpoint("blob.folder_fsync")
            sync_folder(path.parent)
        except OSError:
            pack.close()
            raise
        return pack

    def _make_known(self, folder: Path) -> None:
        """Make a folder and sync its name once a process: another may have made it and died before its sync."""
        if folder.name in self._known:
            return
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)
        if not self._known:
            sync_folder(folder.parent.parent)
        self._known.add(folder.name)

    def _path(self, name: str) -> Path:
        file = _checked(name)[:FILE_DIGITS]
        return self._folder / file[-2:] / file


class BlobWriter:
    """One blob being written. End it with `commit` or `abandon`; both may be called from a thread."""

    def __init__(self, temporary: Path, final: Path, check_space: Callable[[], None]) -> None:
        self._temporary = temporary
        self._check_space = check_space
        self._unchecked = 0
        self._unsent = 0
        self._final = final
        self._descriptor: int | None = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, octets: bytes) -> None:
        """Append sealed octets. Raises StoreFull or StoreUnavailable; the blob is then given up."""
        if self._descriptor is None:
            raise StoreUnavailable("The blob was given up.")
        view = memoryview(octets)
        try:
            self._unchecked += len(view)
            if self._unchecked >= CHECK_OCTETS:
                self._unchecked = 0
                self._check_space()
            failpoint("blob.write.before")
            while view:
                view = view[os.write(self._descriptor, view) :]
            failpoint("blob.write.after")
            self._unsent += len(octets)
            if self._unsent >= SEND_OCTETS:
                self._unsent = 0
                let_go(self._descriptor)
        except StoreFull:
            self.abandon()
            raise
        except OSError as problem:
            self.abandon()
            raise blob_error(problem) from problem

    def commit(self) -> None:
        """Make the blob durable under its name. Raises StoreFull or StoreUnavailable."""
        if self._descriptor is None:
            raise StoreUnavailable("The blob was given up.")
        try:
            failpoint("blob.fsync")
            os.fsync(self._descriptor)
            let_go(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None
            failpoint("blob.rename")
            self._temporary.rename(self._final)
            failpoint("blob.folder_fsync")
            sync_folder(self._final.parent)
        except OSError as problem:
            self.abandon()
            raise blob_error(problem) from problem

    def abandon(self) -> None:
        """Give the blob up and delete what there is of it; what a failing disk keeps is left to the sweep."""
        descriptor, self._descriptor = self._descriptor, None
        with suppress(OSError):
            if descriptor is not None:
                os.close(descriptor)
        with suppress(OSError):
            self._temporary.unlink(missing_ok=True)


def start_of(name: str) -> int:
    """Return where in its file a blob begins."""
    return int(_checked(name)[FILE_DIGITS:] or "0", 16)


def _is_older(path: Path, instant: float) -> bool:
    try:
        return path.stat().st_mtime < instant
    except FileNotFoundError:
        return False


def _checked(name: str) -> str:
    if not _NAME.match(name):
        raise ValueError("a blob's name has 32 hex digits, or 48 in a pack")
    return name
