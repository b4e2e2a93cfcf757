"""Pages of documents as pictures: drawn by a locked process of its own, which gets octets by a pipe alone."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.domain.partmap import Part, PartMap
from gateway.domain.recognition import Box

MAX_OCTETS: Final = 32 * 1024 * 1024
"""Of a document that is drawn; one that is larger is downloaded."""
AT_ONCE: Final = 2
SECONDS: Final = 30.0
TURNS: Final = (0, 90, 180, 270)
_PROGRAM: Final = "gateway.screening.page_image"
_PASSED_ON: Final = ("LANG", "LC_ALL", "COVERAGE_PROCESS_START")
_DRAWN_ENDINGS: Final = (".tif", ".tiff", ".pdf", ".png", ".jpg", ".jpeg")
_DRAWN_TYPES: Final = frozenset({"application/pdf", "image/tiff", "image/png", "image/jpeg", "image/gif", "image/bmp"})


@dataclass(frozen=True, slots=True)
class PageImage:
    """One page as a PNG, and how many pages its document has."""

    pages: int
    png: bytes


class PageImages:
    """Draws pages, so many at once; who comes later waits."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._room = asyncio.Semaphore(at_once)

    async def draw(
        self, octets: bytes, media_type: str, page: int = 1, turn: int = 0, box: Box | None = None
    ) -> PageImage | None:
        """Return a page, turned clockwise by one of `TURNS`; None for what cannot be drawn.

        With a box the page is levelled, as it is when it is recognised, and that part of it returned.
        """
        part = [f"{box.left},{box.top},{box.right},{box.bottom}"] if box else []
        command = (sys.executable, "-m", _PROGRAM, media_type, str(page), str(turn), *part)
        async with self._room:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=_environment(),
            )
            try:
                async with asyncio.timeout(SECONDS):
                    answer, _ = await process.communicate(octets)
            except TimeoutError:
                answer = b""
            finally:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        pages, _, png = answer.partition(b"\n")
        if process.returncode != 0 or not pages.isdigit() or not png:
            return None
        return PageImage(int(pages), png)


def drawable(part_map: PartMap) -> list[Part]:
    """Return the parts of a message whose pages can be drawn: pictures and PDFs, whatever they are called."""
    return [
        part
        for part in part_map.own_leaves
        if part.media_type in _DRAWN_TYPES or (part.filename or "").lower().endswith(_DRAWN_ENDINGS)
    ]


def _environment() -> dict[str, str]:
    here = str(Path(__file__).resolve().parents[2])
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**kept, "PYTHONPATH": here, "PYTHONDONTWRITEBYTECODE": "1", "OMP_THREAD_LIMIT": "1"}
