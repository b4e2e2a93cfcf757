"""The table of a 7z archive (7zFormat.txt): folders of packed streams, and the names of files in them."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.domain.verdict import Unread
from gateway.screening.chunk import Budget
from gateway.screening.extraction.descent import UnreadableError

_CODERS = 32


@dataclass(slots=True)
class Folder:
    """One packed stream through its coders, and the sizes of the files that lie in it one after another."""

    coders: list[tuple[bytes, bytes]] = field(default_factory=list)  # method, properties
    is_plain: bool = True  # each coder takes one stream and gives one
    inputs: int = 1
    sizes: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Octets when unpacked, as promised."""
        return max(self.sizes, default=0)


@dataclass(slots=True)
class Archive:
    """`position` of the first packed stream behind the 32 octets of the start, sizes of all of them."""

    position: int = 0
    packed: list[int] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    empty: list[bool] = field(default_factory=list)


class Table:
    """Reads the table octet by octet. Raises UnreadableError(CORRUPT) or OverBudgetError."""

    def __init__(self, octets: bytes, budget: Budget) -> None:
        self._octets = octets
        self._place = 0
        self._budget = budget

    def archive(self) -> Archive:
        """The whole table, which begins with 0x01."""
        archive = Archive()
        self.byte()
        while (kind := self.byte()) != 0x00:
            if kind == 0x02:
                while self.byte() != 0x00:
                    self._take(self.number())
            elif kind in (0x03, 0x04):
                archive = self.streams()
            elif kind == 0x05:
                self._files(archive)
            else:
                raise UnreadableError(Unread.CORRUPT, "7z")
        return archive

    def streams(self) -> Archive:
        """Packed streams, folders, and what lies in them."""
        archive = Archive()
        while (kind := self.byte()) != 0x00:
            if kind == 0x06:
                self._packed(archive)
            elif kind == 0x07:
                self._folders(archive)
            elif kind == 0x08:
                self._substreams(archive)
            else:
                raise UnreadableError(Unread.CORRUPT, "7z")
        for folder in archive.folders:
            folder.files = folder.files or [folder.size]
        return archive

    def byte(self) -> int:
        """The next octet."""
        return self._take(1)[0]

    def number(self) -> int:
        """An integer whose first octet tells how many follow."""
        first, value = self.byte(), 0
        for count in range(8):
            if not first & (0x80 >> count):
                return value | (first & ((0x80 >> count) - 1)) << 8 * count
            value |= self.byte() << 8 * count
        return value

    def bits(self, count: int) -> list[bool]:
        """A flag each, the first in the highest bit."""
        octets = self._take((count + 7) // 8)
        return [bool(octets[index // 8] & 0x80 >> index % 8) for index in range(count)]

    def _take(self, size: int) -> bytes:
        piece = self._octets[self._place : self._place + size]
        if len(piece) < size or size < 0:
            raise UnreadableError(Unread.CORRUPT, "cut")
        self._place += size
        return piece

    def _count(self) -> int:
        count = self.number()
        self._budget.check("members", count)
        return count

    def _digests(self, count: int) -> None:
        defined = count if self.byte() else sum(self.bits(count))
        self._take(4 * defined)

    def _packed(self, archive: Archive) -> None:
        archive.position = self.number()
        count = self._count()
        while (kind := self.byte()) != 0x00:
            if kind == 0x09:
                archive.packed = [self.number() for _ in range(count)]
            elif kind == 0x0A:
                self._digests(count)
            else:
                raise UnreadableError(Unread.CORRUPT, "7z")

    def _folders(self, archive: Archive) -> None:
        if self.byte() != 0x0B:
            raise UnreadableError(Unread.CORRUPT, "7z")
        count = self._count()
        if self.byte() != 0x00:
            raise UnreadableError(Unread.UNKNOWN_TYPE, "7z")
        outputs = []
        for _ in range(count):
            folder, made = self._folder()
            archive.folders.append(folder)
            outputs.append(made)
        while (kind := self.byte()) != 0x00:
            if kind == 0x0C:
                for folder, made in zip(archive.folders, outputs, strict=True):
                    folder.sizes = [self.number() for _ in range(made)]
            elif kind == 0x0A:
                self._digests(count)
            else:
                raise UnreadableError(Unread.CORRUPT, "7z")

    def _folder(self) -> tuple[Folder, int]:
        folder = Folder()
        inputs = outputs = 0
        coders = self.number()
        if not 0 < coders <= _CODERS:
            raise UnreadableError(Unread.CORRUPT, "7z")
        for _ in range(coders):
            flags = self.byte()
            method = self._take(flags & 0x0F)
            takes, gives = (self.number(), self.number()) if flags & 0x10 else (1, 1)
            properties = self._take(self.number()) if flags & 0x20 else b""
            folder.coders.append((method, properties))
            folder.is_plain = folder.is_plain and takes == gives == 1
            inputs, outputs = inputs + takes, outputs + gives
        if max(inputs, outputs) > _CODERS:
            raise UnreadableError(Unread.CORRUPT, "7z")
        for _ in range(2 * (outputs - 1)):
            self.number()
        folder.inputs = inputs - (outputs - 1)
        for _ in range(folder.inputs if folder.inputs > 1 else 0):
            self.number()
        return folder, outputs

    def _substreams(self, archive: Archive) -> None:
        counts = [1] * len(archive.folders)
        kind = self.byte()
        if kind == 0x0D:
            counts = [self._count() for _ in archive.folders]
            self._budget.check("members", sum(counts))
            kind = self.byte()
        has_sizes = kind == 0x09
        for folder, count in zip(archive.folders, counts, strict=True):
            sizes = [self.number() for _ in range(count - 1)] if has_sizes else [0] * (count - 1)
            folder.files = [*sizes, max(folder.size - sum(sizes), 0)] if count else []
        # What follows are checksums, whose number hangs on what was defined before: all is skipped up to the end.
        if has_sizes:
            kind = self.byte()
        if kind == 0x0A:
            self._digests(sum(counts))
            kind = self.byte()
        if kind != 0x00:
            raise UnreadableError(Unread.CORRUPT, "7z")

    def _files(self, archive: Archive) -> None:
        count = self._count()
        archive.empty = [False] * count
        archive.names = [""] * count
        while (kind := self.byte()) != 0x00:
            body = self._take(self.number())
            if kind == 0x0E:
                archive.empty = Table(body, self._budget).bits(count)
            elif kind == 0x11:
                names = body[1:].decode("utf-16-le", "replace").split("\x00")
                archive.names = [*names, *[""] * count][:count]
