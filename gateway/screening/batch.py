"""Many files, several at once, their verdicts in the order in which they were named."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass

from gateway.domain.errors import ScreeningUnavailable
from gateway.domain.verdict import Unread, Unreadable, Verdict
from gateway.screening.pool import Judgement, Pool
from gateway.screening.protocol import MAIL

MAX_FILE_OCTETS = 160 * 1024**2
"""A longer file is over a limit without being read."""

_AHEAD = 64  # verdicts that wait for an earlier one
_TRIES = 3  # the template may die over another mail
_SMALL = 256 * 1024


@dataclass(frozen=True, slots=True)
class Screened:
    """One path: the verdict of its mail, or `error` where it could not be read or judged. `seconds` of screening."""

    path: str
    octets: int = 0
    verdict: Verdict | None = None
    seconds: float = 0.0
    error: str = ""

    @property
    def reason(self) -> str:
        """What the verdict rests on, in words of ours; empty for a clean mail."""
        if self.verdict is None:
            return self.error
        for found in self.verdict.findings:
            return f"{found.kind} in {found.place}"
        for lost in self.verdict.unreadable:
            return f"{lost.why}: {lost.place}" + (f", {lost.detail}" if lost.detail else "")
        return ""

    def as_fields(self) -> dict[str, object]:
        """Return what a line of JSON holds: kinds and places, never values."""
        verdict = self.verdict
        findings = [
            {"kind": one.kind.value, "place": one.place, "strength": one.strength.value}
            for one in (verdict.findings if verdict else ())
        ]
        fields: dict[str, object] = {
            "path": self.path,
            "verdict": verdict.outcome.value if verdict else None,
            "reason": self.reason,
            "findings": findings,
            "ms": round(self.seconds * 1000, 2),
        }
        return fields if verdict else {**fields, "error": self.error}


async def screen_files(pool: Pool, paths: AsyncIterable[str], *, first: bool = False) -> AsyncIterator[Screened]:
    """Yield one Screened for each path, in their order, while later ones are looked at already."""
    width = asyncio.Semaphore(pool.sizes.text + pool.sizes.pages)
    begun: asyncio.Queue[asyncio.Task[Screened] | None] = asyncio.Queue(_AHEAD)

    async def feed() -> None:
        try:
            async for path in paths:
                await begun.put(asyncio.create_task(_screen_file(pool, path, width, first=first)))
        finally:
            await begun.put(None)

    feeder = asyncio.create_task(feed())
    try:
        while (task := await begun.get()) is not None:
            yield await task
        await feeder
    finally:
        feeder.cancel()
        while not begun.empty():
            if (task := begun.get_nowait()) is not None:
                task.cancel()


async def _screen_file(pool: Pool, path: str, width: asyncio.Semaphore, *, first: bool) -> Screened:
    async with width:
        try:
            size = _size(path)
            if size > MAX_FILE_OCTETS:
                return Screened(path, size, Verdict(unreadable=(Unreadable(MAIL, Unread.OVER_LIMIT, "size"),)))
            octets = _read(path) if size <= _SMALL else await asyncio.to_thread(_read, path)
        except (OSError, ValueError) as problem:
            return Screened(path, error=getattr(problem, "strerror", None) or "not a path")
        for _ in range(_TRIES):
            try:
                found: Judgement = await pool.look(octets, first=first, last=True)
            except ScreeningUnavailable:
                continue
            return Screened(path, len(octets), found.verdict, found.seconds)
        return Screened(path, len(octets), error="Screening is not available")


def _size(path: str) -> int:
    found = os.stat(path)  # noqa: PTH116 - a path may be octets that are no text
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(0, "Is a directory")
    if not stat.S_ISREG(found.st_mode):
        raise OSError(0, "Not a file")
    return found.st_size


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read(MAX_FILE_OCTETS)
