"""Synthetic faxes: pages as fax machines make them, in the mail of every system that is known, drawn by number.

Fax number *i* of a seed is always the same octets. Nothing here is anybody's: numbers and names are invented.
"""

from __future__ import annotations

import io
import random
from base64 import encodebytes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from PIL import Image, ImageDraw

WIDTH: Final = 1728
COARSE, FINE = (204, 98), (204, 196)
START: Final = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Sample:
    """One fax mail and what is in it. `pages` is what its document has, 0 where there is none."""

    profile: str
    mail: bytes
    pages: int
    calling: str = ""
    called: str = ""
    station: str = ""
    job: str = ""
    document: bytes = b""


@lru_cache(maxsize=4096)
def page(words: str, resolution: tuple[int, int] = COARSE) -> Image.Image:
    """A bilevel page with a few words on it."""
    height = 11 * resolution[1]
    drawn = Image.new("1", (WIDTH, height), 1)
    ImageDraw.Draw(drawn).text((100, height // 8), words, fill=0)
    ImageDraw.Draw(drawn).rectangle((100, height // 4, WIDTH - 100, height // 4 + 4), fill=0)
    return drawn


def tiff(words: Sequence[str], resolution: tuple[int, int] = COARSE, compression: str = "group4") -> bytes:
    """A TIFF file of one page for each text, G3 or G4."""
    first, *more = (page(one, resolution) for one in words)
    out = io.BytesIO()
    first.save(out, "TIFF", compression=compression, dpi=resolution, save_all=True, append_images=more)
    return out.getvalue()


def pdf(words: Sequence[str], resolution: tuple[int, int] = COARSE) -> bytes:
    """A PDF of one page for each text."""
    first, *more = (page(one, resolution) for one in words)
    out = io.BytesIO()
    # Without its times, which would make the same fax other octets at another moment.
    first.save(out, "PDF", save_all=True, append_images=more, creationDate=None, modDate=None)
    return out.getvalue()


def part(media_type: str, octets: bytes, *headers: str) -> bytes:
    """A part in base64."""
    fields = "\r\n".join([f"Content-Type: {media_type}", "Content-Transfer-Encoding: base64", *headers])
    return fields.encode("ascii") + b"\r\n\r\n" + encodebytes(octets).replace(b"\n", b"\r\n")


def words(text: str) -> bytes:
    """A part of plain text."""
    return b"Content-Type: text/plain; charset=us-ascii\r\n\r\n" + text.replace("\n", "\r\n").encode("ascii")


def mail(headers: Sequence[str], parts: Sequence[bytes], multipart: str = "mixed", boundary: str = "fax-42") -> bytes:
    """A mail of some parts."""
    fields = [*headers, "MIME-Version: 1.0", f'Content-Type: multipart/{multipart}; boundary="{boundary}"']
    line = f"\r\n--{boundary}".encode()
    return (
        "\r\n".join(fields).encode("ascii") + b"\r\n"
        + b"".join(line + b"\r\n" + one.rstrip(b"\r\n") for one in parts) + line + b"--\r\n"
    )  # fmt: skip


class Draw:
    """What is drawn for one fax."""

    def __init__(self, seed: int, number: int) -> None:
        chance = random.Random(f"{seed}/{number}")
        self.number = number
        self.calling = f"+1202555{chance.randrange(100, 10_000):04}"
        self.called = f"{chance.randrange(200, 1000)}"
        self.station = chance.choice(["ACME TOURS", "Law Office", "TOUR AGENCY 7", "Booking & Co"])
        self.count = chance.choice([1, 1, 2, 3, 5])
        self.at = START + timedelta(minutes=7 * number)
        self.texts = tuple(f"fax {seed}-{number} page {one}" for one in range(self.count))
        self.resolution = chance.choice([COARSE, FINE])
        self.compression = chance.choice(["group3", "group4"])
        self.job = f"{seed:03}{number:06}"

    @property
    def tiff(self) -> bytes:
        return tiff(self.texts, self.resolution, self.compression)

    @property
    def pdf(self) -> bytes:
        return pdf(self.texts, self.resolution)

    def headers(self, sender: str, to: str, subject: str) -> list[str]:
        return [
            f"From: {sender}", f"To: {to}", f"Subject: {subject}", f"Date: {self.at:%a, %d %b %Y %H:%M:%S} +0000",
            f"Message-ID: <{self.job}.{self.number}@fax.example.gov>",
        ]  # fmt: skip


def cisco(draw: Draw) -> Sample:
    headers = draw.headers(
        f'"{draw.calling}" <fax-admin@router.example.gov>',
        f'"{draw.called}" <FAX={draw.called}@gateway.example>',
        f"Fax ({draw.count} page{'s' if draw.count > 1 else ''})",
    )
    document = draw.tiff
    found = part('image/tiff; name="Cisco_fax.tif"; application=faxbw', document)
    return Sample(
        "cisco", mail(headers, [found], "fax-message"), draw.count, draw.calling, draw.called, "", "", document
    )


def t37(draw: Draw) -> Sample:
    headers = draw.headers(
        f"FAX={draw.calling}@onramp.example.gov", f"FAX={draw.called}/T33S=12@gateway.example", "Fax message"
    )
    document = draw.tiff
    found = part("image/tiff; application=faxbw", document)
    return Sample("t37", mail(headers, [found]), draw.count, draw.calling, draw.called, "", "", document)


def hylafax(draw: Draw) -> Sample:
    text = (
        f"Sender: {draw.station}\nPages: {draw.count}\nQuality: Normal\nSize: North American Letter\n"
        f"Received: {draw.at:%Y:%m:%d %H:%M:%S}\nTime To Receive: 1:02\nSignal Rate: 14400 bit/s\n"
        f"Data Format: 2-D MMR\nError Correct: Yes\nCallID1: {draw.calling}\nCallID2: {draw.station}\n"
        f"Received On: ttyS0\nCommID: {draw.job}\n"
    )
    headers = draw.headers("fax@hylafax.example.gov", "intake@gateway.example", f'Fax received from "{draw.station}"')
    document = draw.tiff
    parts = [
        words(text),
        part('application/postscript; name="fax.ps"', b"%!PS-Adobe-3.0\n" + draw.job.encode() * 50),
        part('image/tiff; name="fax.tif"', document, 'Content-Disposition: attachment; filename="fax.tif"'),
        part('application/pdf; name="fax.pdf"', draw.pdf, 'Content-Disposition: attachment; filename="fax.pdf"'),
    ]
    return Sample(
        "hylafax", mail(headers, parts), draw.count, draw.calling, "", draw.station, draw.job, document
    )  # fmt: skip


def efax(draw: Draw) -> Sample:
    subject = f'eFax from "{draw.station}" - {draw.count} page(s), caller ID: {draw.calling}'
    headers = draw.headers("message@inbound.efax.example", "intake@gateway.example", subject)
    text = f"<html><body><p>The reference number for this fax is dc_did1-{draw.job}.</p></body></html>"
    body = b"Content-Type: text/html; charset=utf-8\r\n\r\n" + text.encode("ascii")
    document = draw.pdf
    found = part('application/pdf; name="FAX.pdf"', document, "Content-Disposition: attachment")
    return Sample(
        "efax",
        mail(headers, [body, found]),
        draw.count,
        draw.calling,
        "",
        draw.station,
        f"dc_did1-{draw.job}",
        document,
    )


def rightfax(draw: Draw) -> Sample:
    text = (
        f"{draw.at:%m/%d/%Y %I:%M:%S %p}   Transmission Record\n   Received from remote ID: {draw.station}\n"
        f"   Inbound user ID FRED, routing code {draw.called}\n   Result: (0/352;0/0) Success\n"
        f"   Page record: 1 - {draw.count}\n   Elapsed time: 01:05 on channel 1\n"
    )
    headers = draw.headers(
        "rightfax@fax.example.gov", "intake@gateway.example", f"A fax has arrived from remote ID '{draw.station}'."
    )
    document = draw.tiff
    parts = [words(text), part('image/tiff; name="FAX.TIF"', document)]
    return Sample("rightfax", mail(headers, parts), draw.count, "", draw.called, draw.station, "", document)


def ricoh(draw: Draw) -> Sample:
    headers = draw.headers(
        "mfp3@office.example.gov", "intake@gateway.example",
        f"From {draw.station} (Fax Message No. {draw.number % 10_000:04})",
    )  # fmt: skip
    document = draw.tiff
    found = part('image/tiff; name="0001.tif"', document)
    return Sample(
        "ricoh", mail(headers, [found]), draw.count, "", "", draw.station, f"{draw.number % 10_000:04}", document
    )


def generic(draw: Draw) -> Sample:
    text = f"A document was received.\n\nFrom: {draw.calling}\nCSID: {draw.station}\nPages: {draw.count}\n"
    headers = draw.headers("scanner@office.example.gov", "intake@gateway.example", "New document")
    document = draw.tiff
    parts = [words(text), part("application/octet-stream", document)]
    return Sample("generic", mail(headers, parts), draw.count, draw.calling, "", draw.station, "", document)


SYSTEMS: Final[Sequence[Callable[[Draw], Sample]]] = (cisco, t37, hylafax, efax, rightfax, ricoh, generic)


def sample(number: int, seed: int = 1) -> Sample:
    """Fax number `number` of a seed: the systems in turn."""
    return SYSTEMS[number % len(SYSTEMS)](Draw(seed, number))


def failure(number: int, seed: int = 1) -> bytes:
    """A fax server's mail that a fax could not be received."""
    draw = Draw(seed, number)
    text = f"Sender: {draw.station}\nPages: 0\nCommID: {draw.job}\n\nThe reception failed: no carrier.\n"
    headers = draw.headers("fax@hylafax.example.gov", "intake@gateway.example", "Facsimile reception failed")
    return mail(headers, [words(text)])
