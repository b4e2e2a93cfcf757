"""Backups of a running gateway: a snapshot of the database first, the blobs it names after, keys apart.

Everything copied is ciphertext. The rows of the snapshot name blobs that are durable already and that no sweep takes
away, so both fit together whatever goes on meanwhile. A manifest with the SHA-256 of every file is written last, after
each was read back: a folder without one is no backup. Keys and the keyholder's store go to a folder of their own, which
belongs on another medium: with both, everything can be read.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

from sqlalchemy import make_url

from gateway.domain.errors import Malformed, Refused, StoreUnavailable, Tampered
from gateway.failpoints import failpoint
from gateway.store.blobs import BlobFolder, NamedBlob
from gateway.store.disk import blob_error
from gateway.store.snapshot import dump_postgres, snapshot_sqlite

MANIFEST = "manifest.json"
_FORMAT = 1
_BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Copied:
    """What a backup holds or a restore wrote: files and octets, and of these the blobs."""

    files: int
    octets: int
    blobs: int


class Backup:
    """One backup being made, into a folder that is empty or made now. End it with `finish`."""

    def __init__(self, folder: Path, kind: str) -> None:
        """Make the folder. Raises Refused when something is in it."""
        make_empty(folder)
        self._folder = folder
        self._kind = kind
        self._files: dict[str, tuple[int, str]] = {}

    def add_database(self, url: str, name: str) -> Path:
        """Copy a consistent snapshot of a database that is in use. Raises ConfigError or StoreUnavailable."""
        target = self._folder / name
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        if make_url(url).get_backend_name() == "sqlite":
            snapshot_sqlite(Path(make_url(url).database or ""), target)
        else:
            dump_postgres(url, target)
        self._note(name)
        return target

    def add_blobs(self, named: Iterable[NamedBlob], blobs: BlobFolder) -> int:
        """Copy the files of blobs, those of one file together; return how many blobs they are.

        Raises Tampered, saying how many, when blobs are missing or are not what their rows say.
        """
        damaged = count = 0
        for file, group in groupby(named, lambda blob: blob.file):
            failpoint("backup.blobs")
            relative, inside = f"blobs/{file[-2:]}/{file}", list(group)
            try:
                self.add_file(blobs.path(file), relative)
            except FileNotFoundError:
                damaged += len(inside)
                continue
            damaged += sum(not self._has_whole(blob, relative) for blob in inside)
            count += len(inside)
        if damaged:
            raise Tampered(f"{damaged} sealed segments are missing or damaged. Restore them from an earlier backup.")
        return count

    def add_file(self, source: Path, name: str) -> None:
        """Copy one file. Raises FileNotFoundError, StoreFull or StoreUnavailable."""
        target = self._folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            copy_private(source, target)
        except FileNotFoundError:
            raise
        except OSError as problem:
            raise blob_error(problem) from problem
        self._note(name)

    def finish(self, at: datetime, facts: Mapping[str, str]) -> Copied:
        """Read everything back, then write the manifest. Raises Tampered when a copy is not what was written."""
        for name, expected in self._files.items():
            if _digest(self._folder / name) != expected:
                raise Tampered(f"{name} does not read back as it was written: the medium is not reliable.")
        files = {name: {"octets": octets, "sha256": digest} for name, (octets, digest) in sorted(self._files.items())}
        manifest = {"format": _FORMAT, "kind": self._kind, "made": at.isoformat(), **facts, "files": files}
        write_durably(self._folder / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode("utf-8"))
        return _count(self._files)

    def _has_whole(self, blob: NamedBlob, relative: str) -> bool:
        return self._files[relative] == (blob.octets, blob.sha256) or blob.is_whole(self._folder / relative)

    def _note(self, name: str) -> None:
        self._files[name] = _digest(self._folder / name)


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup as found on disk: its manifest's words and its files with octets and SHA-256."""

    folder: Path
    facts: Mapping[str, str]
    files: Mapping[str, tuple[int, str]]

    def restore(self, places: Callable[[str], Path | None]) -> Copied:
        """Copy each file to where `places` says, None for nowhere. Raises Refused when something is there already."""
        targets = {name: place for name in self.files if (place := places(name)) is not None}
        for target in targets.values():
            if target.exists():
                raise Refused(f"{target} is there already. Restore into an empty folder.")
        for name, target in targets.items():
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            copy_private(self.folder / name, target)
        return _count({name: self.files[name] for name in targets})


def verified(folder: Path, kind: str) -> Kept:
    """Return the backup in `folder` after reading all of it.

    Raises Malformed when it is none of this kind, Tampered when a file is missing or is not what the manifest says.
    """
    kept = _read_manifest(folder, kind)
    for name, expected in kept.files.items():
        try:
            found = _digest(folder / name)
        except OSError:
            raise Tampered(f"{name} is missing in {folder} or cannot be read. Use another backup.") from None
        if found != expected:
            raise Tampered(f"{name} in {folder} is not what was backed up. Use another backup.")
    return kept


def missing_blobs(named: Iterable[NamedBlob], blobs: BlobFolder) -> int:
    """Return how many of these blobs are not there or are not what their rows say."""
    return sum(not _is_whole(blob, blobs) for blob in named)


def make_empty(folder: Path) -> None:
    """Make a folder, or take one that is empty. Raises Refused or StoreUnavailable."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(folder.iterdir()):
            raise Refused(f"{folder} is not empty. Name a new folder.")
    except OSError as problem:
        raise StoreUnavailable(f"{folder} cannot be written: {problem.strerror}.") from None


def copy_private(source: Path, target: Path) -> None:
    """Copy one file durably; only its owner reads the copy. Raises OSError; the target must not exist."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as writer, source.open("rb") as reader:
        shutil.copyfileobj(reader, writer, _BLOCK)
        writer.flush()
        os.fsync(writer.fileno())


def write_durably(path: Path, octets: bytes) -> None:
    """Write a small file whole or not at all."""
    new = path.with_name(f".{path.name}.new")
    with new.open("wb") as writer:
        writer.write(octets)
        writer.flush()
        os.fsync(writer.fileno())
    new.rename(path)
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_manifest(folder: Path, kind: str) -> Kept:
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        files = {name: (int(one["octets"]), str(one["sha256"])) for name, one in manifest["files"].items()}
    except OSError:
        raise Malformed(f"{folder} is not a finished backup: it has no {MANIFEST}.") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Malformed(f"{folder / MANIFEST} cannot be read.") from None
    if manifest.get("format") != _FORMAT or manifest.get("kind") != kind:
        raise Malformed(f"{folder} is not a backup of the {kind}.")
    if any(Path(name).is_absolute() or ".." in Path(name).parts for name in files):
        raise Malformed(f"{folder / MANIFEST} names files outside of it.")
    facts = {name: value for name, value in manifest.items() if isinstance(value, str)}
    return Kept(folder, facts, files)


def _is_whole(blob: NamedBlob, blobs: BlobFolder) -> bool:
    try:
        return blob.is_whole(blobs.path(blob.name))
    except OSError:
        return False


def _digest(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest


def _count(files: Mapping[str, tuple[int, str]]) -> Copied:
    octets = sum(octets for octets, _ in files.values())
    return Copied(len(files), octets, sum(name.startswith("blobs/") for name in files))
