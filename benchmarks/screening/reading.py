"""How well and in how much room pages are read: digits in combs, photographs, and how long the event loop stands still."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from email.message import EmailMessage
from random import Random

import pillow_heif
from PIL import Image, ImageDraw

from benchmarks.screening import pages
from benchmarks.screening.forms import Form
from benchmarks.screening.score import Goal
from gateway.domain.verdict import Outcome
from gateway.screening.chunk import Budget, Chunk
from gateway.screening.extraction.documents import Document, extract_document
from gateway.screening.pool import Pool, Sizes

_SHEETS, _ROWS = 12, 6
_SIZES = ((4000, 3000), (6000, 4000), (8160, 6120))
_KINDS = ("JPEG", "HEIF")
_HUGE = 100 * 1024**2
_WORDS = ("Kim Miller, 12 High Street", "Social security number: 536-41-2879")


def goals() -> Iterator[Goal]:
    """The figures with what they are to be."""
    right, all_of_them = comb_digits()
    yield Goal(
        "comb digits", "≥ 93%", f"{100 * right / all_of_them:.1f} % of {all_of_them}", right >= 0.93 * all_of_them
    )
    yield from asyncio.run(_in_children())


def comb_digits() -> tuple[int, int]:
    """Digits of nine-digit numbers, a box each, that are read at their place, and all of them: scans and faxes."""
    rng = Random("combs")
    right = 0
    for at in range(_SHEETS):
        numbers = ["".join(rng.choices("0123456789", k=9)) for _ in range(_ROWS)]
        fields = tuple((f"{row + 1}a  Identifying number", number) for row, number in enumerate(numbers))
        sheet = pages.form_page(rng, Form("4711", "Statement", fields), comb=True)
        octets = (
            pages.saved(pages.scanned(rng, sheet), "PNG")
            if at % 3 == 0
            else pages.as_fax(sheet, fine=at % 3 == 1, coding="group4")
        )
        read = extract_document(Document(octets, "", "", "page"), Budget(), 0)
        told = [re.sub(r"[^0-9\n]", "", item.text).split("\n") for item in read if isinstance(item, Chunk)]
        lines = [line for lines in told for line in lines]
        right += sum(max((_alike(number, line) for line in lines), default=0) for number in numbers)
    return right, _SHEETS * _ROWS * 9


def _alike(number: str, line: str) -> int:
    """How many digits of a number stand in a line one behind the other, at the place where most do."""
    places = range(max(len(line) - len(number), 0) + 1)
    return max(sum(a == b for a, b in zip(number, line[at:], strict=False)) for at in places)


async def _in_children() -> list[Goal]:
    pool = Pool(sizes=Sizes(2, 1))
    await pool.start()
    try:
        seen = [await _photograph(pool, size, kind) for size in _SIZES for kind in _KINDS]
        held_up = await _stall(pool)
    finally:
        await pool.close()
    read = sum(tainted for tainted, _ in seen)
    longest = max(seconds for _, seconds in seen)
    told = f"{read} of {len(seen)}, {longest:.1f} s at most"
    return [
        Goal("photographs", "12–50 Mpx read", told, read == len(seen)),
        Goal("stall of the loop", "≤ 50 ms", f"{1000 * held_up:.0f} ms at 4 × 100 MiB", held_up <= 0.05),
    ]


async def _photograph(pool: Pool, size: tuple[int, int], kind: str) -> tuple[bool, float]:
    """Whether a photographed page of so many pixels is read, in a child with its limits of memory, and the seconds."""
    pillow_heif.register_heif_opener()
    image = Image.new("RGB", size, (214, 208, 196))
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(_WORDS):
        place = size[0] // 10, size[1] // 6 + row * size[1] // 12
        draw.text(place, line, fill=(40, 38, 36), font=pages.font("DejaVuSans", size[1] // 40))
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "somebody@example.org", "Photograph"
    mail.set_content("See the photograph.\n")
    mail.add_attachment(pages.saved(image, kind), maintype="image", subtype=kind.lower(), filename="IMG_0001")
    judged = await pool.look(bytes(mail), last=True)
    return judged.verdict.outcome is Outcome.TAINTED, judged.seconds


async def _stall(pool: Pool) -> float:
    """Seconds of the longest turn of the event loop while four huge mails are handed over and answered."""
    mail = b"From: a@example.org\r\nSubject: x\r\nContent-Type: application/octet-stream\r\n\r\n" + bytes(_HUGE)
    longest = 0.0

    async def beat() -> None:
        nonlocal longest
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - began - 0.001)

    beating = asyncio.create_task(beat())
    await asyncio.gather(*(pool.look(mail, last=True) for _ in range(4)))
    beating.cancel()
    with suppress(asyncio.CancelledError):
        await beating
    return longest
