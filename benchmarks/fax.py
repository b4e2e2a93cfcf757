"""The fax line on a real Dovecot: from a fax's arrival in the mailbox to its being filed; a backlog worked off.

The program *fax* is a process of its own, with the keyholder beside it, as in the tests of the line. Recognition goes
on meanwhile, as it always does.
"""

from __future__ import annotations

import os
import statistics
import time
from base64 import encodebytes
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont
from sqlalchemy import func, select

from gateway.store.database import Database
from gateway.store.tables import fax_arrival
from tests.dovecot import Dovecot, serving
from tests.fax_line import FaxLine, fax_line

PAGES: Final = 10
FAXES: Final = 20
BACKLOG: Final = 10_000
WARM: Final = 2000
DEADLINE_SECONDS: Final = 3600.0
_SIZE: Final = (1728, 2156)


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds from the arrival of each fax to its being filed, and how many octets each mail had."""

    seconds: list[float]
    octets: int

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.seconds)


@dataclass(frozen=True, slots=True)
class Backlog:
    """Faxes that waited: how many, filed in how many seconds, and the octets by which the program grew meanwhile, from
    when it was warm.
    """

    faxes: int
    seconds: float
    growth: int


def why_absent() -> str:
    """Say why there is nothing to measure on, "" where there is."""
    if not Path("/usr/sbin/dovecot").exists():
        return "needs Dovecot: make peers"
    return "" if os.getuid() == 0 else "needs root, to become another user"


def file_each(count: int) -> Waits:
    """Let one fax after the other arrive in an idle mailbox."""
    document = pages(PAGES)
    mails = [mail(document, number) for number in range(count + 1)]
    seconds: list[float] = []
    with serving() as dovecot, fax_line(dovecot) as line:
        line.start("fax")
        for one in mails:
            begun = time.monotonic()
            dovecot.deliver(one)
            _until(lambda: dovecot.count() == 0)
            seconds.append(time.monotonic() - begun)
            time.sleep(0.2)  # the program is back in IDLE
    return Waits(seconds[1:], len(mails[0]))  # the first waited for the program's start


def work_off(count: int) -> Backlog:
    """Start the program beside so many faxes."""
    with serving() as dovecot, fax_line(dovecot) as line:
        _deliver(dovecot, count)
        process, filed = line.start("fax"), _filed(line)
        _until(lambda: next(filed) > 0)
        begun = time.monotonic()
        _until(lambda: next(filed) >= min(WARM, count // 2))
        warm = _resident(process.pid)
        _until(lambda: next(filed) >= count)
        return Backlog(count, time.monotonic() - begun, _resident(process.pid) - warm)


def pages(count: int) -> bytes:
    """Return a TIFF of fine fax pages, full of words."""
    font = ImageFont.load_default(30)
    drawn: list[Image.Image] = []
    for number in range(count):
        page = Image.new("1", _SIZE, 1)
        pen = ImageDraw.Draw(page)
        for row in range(45):
            words = f"{number}.{row} what somebody has written about a tour, its dates, its venues, what it is to bring"
            pen.text((100, 100 + 44 * row), words, fill=0, font=font)
        drawn.append(page)
    out = BytesIO()
    drawn[0].save(out, "TIFF", compression="group4", dpi=(204, 196), save_all=True, append_images=drawn[1:])
    return out.getvalue()


def mail(document: bytes, number: int) -> bytes:
    """Return the T.37 mail of a fax; each number is another caller's, and so another fax."""
    head = (
        f"From: FAX=+1202{number:07}@onramp.example.gov\r\nTo: FAX=+12025550199@gateway.example\r\n"
        f"Subject: Fax\r\nMessage-ID: <{number}@onramp.example.gov>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: image/tiff; application=faxbw\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode("ascii") + encodebytes(document).replace(b"\n", b"\r\n")


def _deliver(dovecot: Dovecot, count: int) -> None:
    document = pages(1)
    for number in range(count):
        dovecot.deliver(mail(document, number))


def _filed(line: FaxLine) -> Iterator[int]:
    wanted = select(func.count()).select_from(fax_arrival)
    database = Database(line.settings.store.url, readers=1)
    try:
        while True:
            yield int(database.read_now(lambda rows: rows.execute(wanted).scalar_one()))
    finally:
        database.close()


def _resident(process: int) -> int:
    """Return the octets of memory that a process has (proc(5))."""
    lines = Path(f"/proc/{process}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def _until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        if time.monotonic() > ends:
            raise TimeoutError("the fax line did not come to an end with it")
        time.sleep(0.01)
