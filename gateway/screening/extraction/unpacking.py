"""Packed octets unpacked under the budget, counted as they grow: nothing is believed of what a header promises."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from gateway.domain.verdict import Unread
from gateway.screening.chunk import Budget
from gateway.screening.extraction.descent import UnreadableError

_BLOCK: Final = 262_144
_LZMA_MEMORY: Final = 100_000_000


class _Unpacker(Protocol):
    """What bz2 and lzma give, and what `_Inflater` makes of zlib."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Inflater:
    """zlib's object behind the same face as bz2's and lzma's."""

    def __init__(self, bits: int) -> None:
        self._inner = zlib.decompressobj(bits)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max(max_length, 0))


def inflate(packed: bytes, budget: Budget) -> bytes:
    """Raw deflate (RFC 1951). Raises UnreadableError(CORRUPT) when cut or broken, OverBudgetError."""
    return _whole(_Inflater(-15), packed, budget)


def unzlib(packed: bytes, budget: Budget) -> bytes:
    """The format of zlib (RFC 1950); raises as `inflate` does."""
    return _whole(_Inflater(15), packed, budget)


def unbzip2(packed: bytes, budget: Budget) -> bytes:
    """One bzip2 stream; raises as `inflate` does."""
    return _whole(bz2.BZ2Decompressor(), packed, budget)


def unlzma(packed: bytes, budget: Budget, filters: list[dict[str, int]]) -> bytes:
    """Raw LZMA by its filters; raises as `inflate` does, also for a dictionary beyond what a child may hold."""
    if any(one.get("dict_size", 0) > _LZMA_MEMORY for one in filters):
        raise UnreadableError(Unread.OVER_LIMIT, "memory")
    return _whole(lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters), packed, budget, needs_end=False)


def ungzip(packed: bytes, budget: Budget) -> bytes:
    """All members of a gzip file in a row (RFC 1952); raises as `inflate` does."""
    return _streams(lambda: _Inflater(31), packed, budget)


def unbzip2_all(packed: bytes, budget: Budget) -> bytes:
    """All streams of a bzip2 file in a row; raises as `inflate` does."""
    return _streams(bz2.BZ2Decompressor, packed, budget)


def unxz(packed: bytes, budget: Budget) -> bytes:
    """All streams of an .xz or .lzma file in a row; raises as `inflate` does."""
    return _streams(lambda: lzma.LZMADecompressor(memlimit=_LZMA_MEMORY), packed, budget)


def _streams(make: Callable[[], _Unpacker], packed: bytes, budget: Budget) -> bytes:
    """Streams after each other; what follows the last and is no stream is kept at the end: it may be read by others."""
    pieces: list[bytes] = []
    rest, total = packed, 0
    while rest.strip(b"\x00"):
        unpacker = make()
        try:
            for piece in _pieces(unpacker, rest, len(packed), budget, total):
                total += len(piece)
                pieces.append(piece)
        except (zlib.error, OSError, lzma.LZMAError, EOFError) as problem:
            if not pieces:
                raise UnreadableError(Unread.CORRUPT, "packed") from problem
            pieces.append(rest)
            break
        if not unpacker.eof:
            raise UnreadableError(Unread.CORRUPT, "cut")
        rest = unpacker.unused_data
    return b"".join(pieces)


def _whole(unpacker: _Unpacker, packed: bytes, budget: Budget, *, needs_end: bool = True) -> bytes:
    try:
        octets = b"".join(_pieces(unpacker, packed, len(packed), budget, 0))
    except (zlib.error, OSError, lzma.LZMAError, EOFError) as problem:
        raise UnreadableError(Unread.CORRUPT, "packed") from problem
    if needs_end and not unpacker.eof:
        raise UnreadableError(Unread.CORRUPT, "cut")
    return octets


def _pieces(unpacker: _Unpacker, packed: bytes, size: int, budget: Budget, total: int) -> Iterator[bytes]:
    place = 0
    while not unpacker.eof:
        block = b""
        if unpacker.needs_input:
            block = packed[place : place + _BLOCK]
            place += len(block)
            if not block:
                return
        piece = unpacker.decompress(block, _BLOCK)
        total += len(piece)
        budget.expand(size, total, len(piece))
        yield piece
