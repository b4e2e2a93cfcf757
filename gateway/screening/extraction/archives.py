"""Archives and packed streams: zip, tar, gz, bz2, xz, and by libarchive, where the machine has it, what else there is.

Names of members and comments are text like any other. Nothing is unpacked to disk, and no name is ever used as a path.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Final

from gateway.domain.verdict import Unread, Unreadable
from gateway.screening.chunk import Budget, Chunk, Form
from gateway.screening.extraction.descent import Descent, Document, Item, UnreadableError, guarded
from gateway.screening.extraction.packages import is_office, read_package
from gateway.screening.extraction.unpacking import unbzip2_all, ungzip, unxz
from gateway.screening.extraction.zips import Member, open_zip, unpack

_BLOCK: Final = 65_536
_SQUEEZED_ENDINGS: Final = {"tgz": "tar", "tbz": "tar", "tbz2": "tar", "txz": "tar", "svgz": "svg", "emz": "emf",
                            "wmz": "wmf", "taz": "tar"}  # fmt: skip


def read_zip(document: Document, descent: Descent) -> Iterator[Item]:
    """A zip file: an Office package by its parts, any other member by member."""
    package = open_zip(document.octets, descent.budget)
    if not package.members and not document.octets.startswith(b"PK\x05\x06"):
        raise UnreadableError(Unread.CORRUPT, "zip")
    if is_office(package.members):
        yield from read_package(document, package, descent)
    else:
        if package.comment:
            yield Chunk(package.comment, f"{document.place}, archive comment")
        for count, member in enumerate(package.members, 1):
            place = f"{document.place}, member {count}"
            yield from guarded(lambda: _read_member(member, document.octets, place, descent), place)  # noqa: B023
    if not package.is_whole:
        yield Unreadable(document.place, Unread.CORRUPT, "zip")


def _read_member(member: Member, octets: bytes, place: str, descent: Descent) -> Iterator[Item]:
    if member.comment:
        yield Chunk(member.comment, f"{place}, comment")
    if member.is_folder:
        descent.budget.spend("members")
        yield Chunk(member.name, place, Form.FILE_NAME)
        return
    try:
        content = unpack(member, octets, descent.budget)
    except UnreadableError:
        yield Chunk(member.name, place, Form.FILE_NAME)
        raise
    yield from descent.into(Document(content, "", member.name, place))


def read_tar(document: Document, descent: Descent) -> Iterator[Item]:
    """A tar file: its members, their names, owners' names and link targets."""
    descent.budget.expand(len(document.octets), len(document.octets), len(document.octets))
    count = 0
    with tarfile.open(fileobj=io.BytesIO(document.octets), mode="r:", errorlevel=1) as archive:
        for count, entry in enumerate(archive, 1):
            place = f"{document.place}, member {count}"
            words = [entry.linkname, entry.uname, entry.gname, *entry.pax_headers.values()]
            yield Chunk("\n".join(filter(None, words)), place)
            if not entry.isreg():
                descent.budget.spend("members")
                yield Chunk(entry.name, place, Form.FILE_NAME)
                continue
            content = archive.extractfile(entry)
            octets = content.read() if content is not None else b""
            yield from descent.into(Document(octets, "", entry.name, place))
        end = archive.offset
    if count == 0:
        raise UnreadableError(Unread.CORRUPT, "tar")
    rest = document.octets[end:].strip(b"\x00")
    if rest:
        yield from descent.into(Document(rest, "", "", f"{document.place}, behind the archive"))


def read_squeezed(document: Document, descent: Descent) -> Iterator[Item]:
    """One packed stream: gzip (with the name and comment that its header tells), bzip2, xz, lzma; others elsewhere."""
    octets = document.octets
    name = _inner_name(document)
    if octets.startswith(b"\x1f\x8b"):
        yield from _gzip_words(octets, document.place)
        content = ungzip(octets, descent.budget)
    elif octets.startswith(b"BZh"):
        content = unbzip2_all(octets, descent.budget)
    elif octets.startswith((b"\xfd7zXZ\x00", b"\x5d\x00\x00")):
        content = unxz(octets, descent.budget)
    else:
        yield from read_by_libarchive(document, descent)
        return
    yield from descent.into(Document(content, "", name, f"{document.place}, unpacked"))


def _inner_name(document: Document) -> str:
    stem, _, last = document.name.rpartition(".")
    other = _SQUEEZED_ENDINGS.get(last.lower())
    return f"{stem}.{other}" if other else stem


def _gzip_words(octets: bytes, place: str) -> Iterator[Item]:
    """The name and the comment in a gzip header (RFC 1952 section 2.3)."""
    flags, at = octets[3] if len(octets) > 10 else 0, 10
    if flags & 4:
        extra = int.from_bytes(octets[10:12], "little")
        yield Chunk(octets[12 : 12 + extra].decode("latin-1"), f"{place}, comment")
        at += 2 + extra
    for flag in (8, 16):
        if flags & flag:
            end = octets.find(b"\x00", at)
            yield Chunk(octets[at:end].decode("latin-1"), place, Form.FILE_NAME if flag == 8 else Form.TEXT)
            at = end + 1


def read_by_libarchive(document: Document, descent: Descent) -> Iterator[Item]:
    """What only libarchive reads; unscreenable where the machine has no libarchive."""
    library = libarchive()
    if library is None:
        raise UnreadableError(Unread.UNKNOWN_TYPE, "archive")
    try:
        with library.memory_reader(document.octets) as archive:
            yield from _entries(archive, document, descent)
    except library.exception.ArchiveError as problem:
        words = str(problem).lower()
        if "encrypt" in words or "passphrase" in words:
            raise UnreadableError(Unread.ENCRYPTED, "archive") from None
        why = Unread.UNKNOWN_TYPE if "unsupported" in words or "unrecognized" in words else Unread.CORRUPT
        raise UnreadableError(why, "archive") from None


def _entries(archive: Any, document: Document, descent: Descent) -> Iterator[Item]:
    size = len(document.octets)
    for count, entry in enumerate(archive, 1):
        place = f"{document.place}, member {count}"
        name = str(entry.pathname or "")
        if not entry.isfile:
            descent.budget.spend("members")
            yield Chunk(name, place, Form.FILE_NAME)
            continue
        content = _collected(entry.get_blocks(_BLOCK), size, descent.budget)
        yield from descent.into(Document(content, "", "" if name == "data" else name, place))


def _collected(blocks: Iterator[bytes], packed: int, budget: Budget) -> bytes:
    pieces, total = [], 0
    for block in blocks:
        total += len(block)
        budget.expand(packed, total, len(block))
        pieces.append(bytes(block))
    return b"".join(pieces)


def _load_libarchive() -> Callable[[], ModuleType | None]:
    """Looked for once: finding a library asks the linker's cache by a program, which no sandbox allows."""
    found: list[ModuleType | None] = []

    def load() -> ModuleType | None:
        if not found:
            try:
                import libarchive as library
            except (ImportError, OSError, AttributeError, TypeError):
                found.append(None)
            else:
                found.append(library)
        return found[0]

    return load


libarchive = _load_libarchive()
