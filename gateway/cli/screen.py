"""`gateway screen`: look into mails as the door for mail from outside does, by the same pool and code."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.output import say
from gateway.domain.verdict import Outcome

if TYPE_CHECKING:
    from gateway.screening.batch import Screened
    from gateway.screening.pool import Pool

_PATIENCE = 3600.0  # seconds: here nobody waits at a door
_ANSWER = 600.0  # seconds: what a child may use is processor time, and on a busy machine that takes long to get
_BLOCK = 64 * 1024
_MEGABYTE = 1_000_000


def screen(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="[PATH]...", help="Mails, and folders of .eml.")] = None,
    stdin_paths: Annotated[
        bool, typer.Option("--stdin-paths", help="One path a line on standard input; with --json.")
    ] = False,
    first: Annotated[bool, typer.Option("--first", help="End each look at its first certain finding.")] = False,
    config: Annotated[
        Path | None, typer.Option("--config", help="Screen by this site's policy; without it for every kind.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Judge mails: clean, tainted, or unscreenable. Prints kinds and places, never values; stores nothing.

    Exit codes: 0 all are clean, 65 some are not, 66 some could not be read.
    """
    if stdin_paths == bool(paths) or (stdin_paths and not as_json):
        raise typer.BadParameter("Name mails or folders, or say --stdin-paths --json.")
    try:
        code = asyncio.run(_screen(paths or [], first=first, config=config, as_json=as_json))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    if code and not stdin_paths:
        raise typer.Exit(code)


async def _screen(paths: list[Path], *, first: bool, config: Path | None, as_json: bool) -> int:
    from gateway.screening.batch import screen_files

    if (task := asyncio.current_task()) is not None:
        # Unlike asyncio.run by itself, this wakes the loop for a signal that came to the thread that waits for paths.
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)
    pool = _pool(config)
    await pool.start()
    try:
        if not paths:
            source, total = _stdin_paths(), 0
        else:
            files = [file for path in paths for file in _files_of(path)]
            source, total = _each(files), len(files)
        summary = _Summary()
        with _progress(total, shown=not as_json and bool(paths)) as progress:
            async for one in screen_files(pool, source, first=first):
                summary.add(one)
                _tell(one, as_json=as_json)
                if progress is not None:
                    progress.advance(progress.task_ids[0])
    finally:
        await pool.close()
    if not as_json:
        summary.tell()
    return summary.code


def _pool(config: Path | None) -> Pool:
    from gateway.screening.pool import Patience, Pool, Sizes

    patience = Patience(child=_PATIENCE, answer=_ANSWER)
    if config is None:
        return Pool(patience=patience)
    from gateway.cli.asking import programmes_of, settings_of
    from gateway.screening.site import orders_of

    settings = settings_of(config)
    sizes = Sizes.by_cores(settings.screening.text_children, settings.screening.page_children)
    return Pool(orders_of(settings.screening, programmes_of(settings).values()), sizes, patience)


def _files_of(path: Path) -> list[str]:
    """Return the mails of a folder and of those below it, or the path itself."""
    found = sorted(path.rglob("*.eml")) if path.is_dir() else []
    return [os.fspath(one) for one in found or [path]]


async def _each(paths: Iterable[str]) -> AsyncIterator[str]:
    for path in paths:
        yield path


async def _stdin_paths() -> AsyncIterator[str]:
    """Yield the lines of standard input as they come. A thread waits for them, which holds no end of ours up."""
    loop = asyncio.get_running_loop()
    blocks: asyncio.Queue[bytes] = asyncio.Queue(4)

    def read() -> None:
        block = b"-"
        while block:
            block = os.read(sys.stdin.fileno(), _BLOCK)  # not the file object: its lock would be held at our end
            try:
                asyncio.run_coroutine_threadsafe(blocks.put(block), loop).result()
            except (RuntimeError, CancelledError):  # the loop has ended
                return

    threading.Thread(target=read, daemon=True).start()
    begun = b""
    while block := await blocks.get():
        *lines, begun = (begun + block).split(b"\n")
        for line in lines:
            if path := os.fsdecode(line.removesuffix(b"\r")):
                yield path
    if begun:
        yield os.fsdecode(begun)


def _tell(one: Screened, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(one.as_fields()) + "\n")
        sys.stdout.flush()
        return
    if one.verdict is None:
        say(f"{'not read':<12}  {_shown(one.path)}  {one.error}")
    elif one.verdict.outcome is not Outcome.CLEAN:
        found = [f"{finding.kind} in {finding.place}" for finding in one.verdict.findings]
        say(f"{one.verdict.outcome:<12}  {_shown(one.path)}  {', '.join(dict.fromkeys(found)) or one.reason}")


def _shown(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode("utf-8")


class _Summary:
    """What all of it came to."""

    def __init__(self) -> None:
        self._outcomes: Counter[str] = Counter()
        self._kinds: Counter[str] = Counter()
        self._ms: list[float] = []
        self._octets = 0

    def add(self, one: Screened) -> None:
        self._octets += one.octets
        if one.verdict is None:
            self._outcomes["not read"] += 1
            return
        self._outcomes[one.verdict.outcome] += 1
        self._kinds.update({finding.kind.value for finding in one.verdict.findings})
        self._ms.append(one.seconds * 1000)

    def tell(self) -> None:
        """Print a table, a line each."""
        say()
        for outcome in (*Outcome, "not read"):
            if self._outcomes[outcome]:
                say(f"{outcome:<12}  {self._outcomes[outcome]}")
        if self._kinds:
            say(f"{'kinds':<12}  " + ", ".join(f"{kind} {count}" for kind, count in self._kinds.most_common()))
        if self._ms:
            ms = sorted(self._ms)
            rate = self._octets / _MEGABYTE / max(sum(ms) / 1000, 1e-9)
            p99 = ms[min(len(ms) - 1, len(ms) * 99 // 100)]
            say(f"{'time':<12}  p50 {ms[len(ms) // 2]:.1f} ms, p99 {p99:.1f} ms, {rate:.1f} MB/s a child")

    @property
    def code(self) -> int:
        """The exit code for all of it."""
        if self._outcomes["not read"]:
            return os.EX_NOINPUT
        return os.EX_DATAERR if self._outcomes[Outcome.TAINTED] or self._outcomes[Outcome.UNSCREENABLE] else os.EX_OK


def _progress(total: int, *, shown: bool) -> AbstractContextManager[Any]:
    if not shown or not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    progress = Progress(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=Console(stderr=True))
    progress.add_task("mails", total=total)
    return progress
