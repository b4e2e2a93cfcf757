"""A fax for the demo: a signed form on paper, drawn as the line brings it, and the fax server that mails it (T.37).

The form is the programme's own, with the invented answers of `demo.toml`.
"""

from __future__ import annotations

import asyncio
import os
import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from io import BytesIO
from textwrap import wrap
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from gateway.cli.intake import open_item
from gateway.demo.actors import Reply, patiently
from gateway.demo.proof import Proof
from gateway.demo.site import DOMAIN, HOST
from gateway.demo.telling import Told, require
from gateway.demo.world import World
from gateway.domain.programme import FormKind

SERVER: Final = "fax.agency.example"
CALLER, CALLED = "+12025550142", "+12025550199"
WIDTH, HEIGHT, RESOLUTION = 1728, 2156, (204, 196)
_LETTERS, _MARGIN, _STEP, _COLUMNS = 34, 140, 52, 76


@dataclass(frozen=True, slots=True)
class FaxServer:
    """The agency's fax server: it has received a fax, and brings it to the gateway's listener."""

    port: int

    async def bring(self, octets: bytes) -> Reply:
        """Hand over one mail; return the reply that ended the attempt. Raises OSError where nobody answers."""
        return await asyncio.to_thread(self._bring, octets)

    def _bring(self, octets: bytes) -> Reply:
        with smtplib.SMTP(HOST, self.port, timeout=60, local_hostname=SERVER) as client:
            client.ehlo()
            code, text = client.mail(f"fax-admin@{SERVER}", [f"SIZE={len(octets)}"])
            if code < 400:
                code, text = client.rcpt(f"FAX={CALLED}@{DOMAIN}")
            if code < 400:
                code, text = client.data(octets)
            return Reply(code, text.decode("ascii", "replace"))


@dataclass(slots=True)
class FaxLine:
    """The story's step with the fax."""

    world: World

    async def fax_arrives(self) -> Told:
        """A signed form comes by fax: it is sealed into the intake tray, once, with the octets that came."""
        mark = os.urandom(4).hex()
        octets = _mail(drawn([*self._form(), f"Fax {mark}"]), mark)
        self.world.ledger.begin(mark)
        server = FaxServer(self.world.ports.fax)
        reply = await patiently(lambda: server.bring(octets))
        reference = reply.text.split()[1] if reply.code == 250 else ""
        require(reference.startswith("U-"), f"the fax got {reply}")
        self.world.ledger.keep(mark, reference)
        again = await patiently(lambda: server.bring(octets))
        require(again.text == reply.text, f"the fax brought twice got {again}, after {reply}")
        summary, sealed = await asyncio.to_thread(open_item, self.world.settings, reference)
        require(b"".join(sealed.read(0, sealed.length)) == octets, "the fax in the tray is not the fax that came")
        fax = summary.fax
        require(fax is not None and fax.pages_counted == 1 and fax.called == CALLED, "the fax was not read as it is")
        return Told(
            f"A fax arrives, a signed form on one page, and waits sealed in the intake tray as {reference}; brought "
            "twice it is there once. Who called proves nothing.",
            Proof(self.world).gateway("intake", "show", reference),
        )

    def _form(self) -> list[str]:
        """Return what stands on the paper."""
        enrolling = self.world.enrolling
        form = next(one for one in enrolling.programme.forms if one.kind is FormKind.CONSENT)
        today = datetime.now(enrolling.programme.zone).date()
        answers = enrolling.papers.answers(form, today)
        fields = [f"{one.label}: {answers[one.key]}" for one in form.fields if one.key in answers]
        return [form.number, form.title, "", *fields, ""]


def drawn(lines: Sequence[str]) -> bytes:
    """Return a TIFF of one page, Group 4, as a fine fax has it, with these lines and a signature."""
    page = Image.new("1", (WIDTH, HEIGHT), 1)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(_LETTERS)
    down = _MARGIN
    for line in lines:
        for piece in wrap(line, _COLUMNS) or [""]:
            pen.text((_MARGIN, down), piece, fill=0, font=font)
            down += _STEP
    pen.line([(_MARGIN + 9 * at, down + 60 + (at * at * 37) % 71) for at in range(60)], fill=0, width=4)
    out = BytesIO()
    page.save(out, "TIFF", compression="group4", dpi=RESOLUTION)
    return out.getvalue()


def _mail(document: bytes, mark: str) -> bytes:
    mail = EmailMessage(SMTP)
    mail["From"] = f"FAX={CALLER}@{SERVER}"
    mail["To"] = f"FAX={CALLED}@{DOMAIN}"
    mail["Subject"] = "Fax (1 page)"
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = f"<{mark}@{SERVER}>"
    mail.set_content(document, maintype="image", subtype="tiff", params={"application": "faxbw"}, cte="base64")
    return mail.as_bytes()
