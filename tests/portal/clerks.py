"""An enrolment desk to test: a house with two clerks, a case, and faxed forms in the tray."""

from __future__ import annotations

import base64
import contextlib
import html
import io
import re
import textwrap
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import httpx2
from PIL import Image, ImageDraw

from gateway.domain.address import Address
from gateway.domain.intake import month_of
from gateway.domain.summary import Arrival
from gateway.inbound.tray import IntakeTray, OutsideMail
from tests.papers import CONSENT
from tests.portal.browser import Browser, hidden
from tests.portal.house import DOMAIN, House, Someone, open_house

PATH = "/desk/agreements"
USER = {"name": "Cora Vale", "address": "cora@vale.example", "telephone": "+1 202 555 0100", "role": "agent"}
CHECKS = ("live-picture", "face-matches", "name-matches", "document-in-date", "role-confirmed")


@dataclass
class Clerks:
    """`edda` and `emil` enrol, `ines` does not; `case` is a case of hers."""

    house: House
    edda: Someone
    emil: Someone
    ines: Someone
    case_id: str
    case: str
    faxes: list[str] = field(default_factory=list)

    async def fax(self, pages: int = 1, words: str = "") -> str:
        """Put a faxed form into the tray as the door does; return its reference."""
        house = self.house
        tray = IntakeTray(house.database, house.blobs, house.authority, DOMAIN, house.deposit_key)
        arrival = Arrival("fax@server.example", (f"forms@{DOMAIN}",), "fax.server.example", "192.0.2.9", "spf=none")
        mail = fax_mail(pages, words or f"Form {len(self.faxes)}")
        reply = await tray.take(OutsideMail(mail, arrival, (Address("forms", DOMAIN),)))
        self.faxes.append(reply.text.split()[0])
        return self.faxes[-1]

    @contextlib.asynccontextmanager
    async def at_work(self, someone: Someone | None = None) -> AsyncIterator[Desk]:
        """A clerk in front of the desk."""
        async with Browser(self.house) as browser:
            await browser.sign_in(someone or self.edda)
            yield Desk(browser, self)


@dataclass
class Desk:
    """A browser at the desk: sends the forms that its pages have, as a person would."""

    browser: Browser
    clerks: Clerks

    async def see(self, path: str = "") -> str:
        answer = await self.browser.see(path if path.startswith("/") else f"{PATH}{path and '/'}{path}")
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text

    async def send(self, action: str, page: str = "", **fields: str) -> httpx2.Response:
        """Send a form: the hidden fields of the page's form with this action, and what was typed."""
        address = action if action.startswith("/") else f"{PATH}/{action}"
        shown = page or await self.see(_page_of(address))
        return await self.browser.http.post(address, data={**form_of(shown, address), **fields})

    async def done(self, action: str, page: str = "", **fields: str) -> str:
        """Send a form and see the page that it leads to."""
        answer = await self.send(action, page, **fields)
        assert answer.status_code == 303, html.unescape(re.sub(r"<[^>]+>", " ", answer.text))[-3000:]
        return await self.see(answer.headers["location"])

    async def opened(self, *, case: bool = True, fields: dict[str, str] | None = None) -> str:
        """Open an agreement by hand; return its reference."""
        typed = {f"f-{key}": value for key, value in (CONSENT if fields is None else fields).items()}
        page = await self.see("new?by-hand")
        cases = self.clerks.case if case else ""
        answer = await self.send("new?by-hand", page, **typed, cases=cases, received=self.today())
        assert answer.status_code == 303, answer.text
        return re.search(r"/(E-[^/?]+)", answer.headers["location"])[1]

    async def accepted(self, **user: str) -> str:
        """Open an agreement with one user, and accept it."""
        reference = await self.opened()
        await self.named(reference, **user)
        await self.done(f"{reference}/steps", step="review")
        return reference

    async def named(self, reference: str, **user: str) -> str:
        return await self.done(f"{reference}/users/new", **{**USER, "person": "new", **user})

    async def met(self, reference: str, number: int = 1) -> None:
        user = f"{reference}/users/{number}"
        await self.done(f"{user}/meeting", at=self.at(days=1), minutes="30", link="https://video.example/room")
        ticked = {f"check-{one}": "yes" for one in CHECKS}
        await self.done(f"{user}/outcome", outcome="identified", document="passport", **ticked)

    async def code(self, reference: str, number: int = 1) -> str:
        """Invite; return the code that the page shows."""
        answer = await self.send(f"{reference}/users/{number}/code", hours="48")
        assert answer.status_code == 200, answer.text
        return re.search(r'<span class="secret">([^<]+)</span>', answer.text)[1]

    def today(self, days: int = 0) -> str:
        zone = self.clerks.house.programmes["cwa"].zone
        return (self.clerks.house.clock() + timedelta(days=days)).astimezone(zone).date().isoformat()

    def at(self, **ahead: float) -> str:
        zone = self.clerks.house.programmes["cwa"].zone
        return (self.clerks.house.clock() + timedelta(**ahead)).astimezone(zone).strftime("%Y-%m-%dT%H:%M")


@contextlib.asynccontextmanager
async def open_desk() -> AsyncIterator[Clerks]:
    async with open_house() as house:
        await house.operator.enact("add_intake_key", month=month_of(house.clock()))
        edda = await house.add_employee("Edda Enroller", role="enroller")
        emil = await house.add_employee("Emil Enroller", role="enroller")
        ines = await house.add_employee("Ines Adler")
        case_id, case = await house.open_case(ines)
        yield Clerks(house, edda, emil, ines, case_id, case)


def fax_mail(pages: int, words: str) -> bytes:
    """A mail as a fax server sends it: one TIFF of coarse resolution, no Content-Disposition."""
    drawn = []
    for number in range(1, pages + 1):
        image = Image.new("1", (864, 550), 1)
        ImageDraw.Draw(image).text((60, 60), f"{words}, page {number}", fill=0)
        drawn.append(image)
    octets = io.BytesIO()
    drawn[0].save(octets, "TIFF", save_all=True, append_images=drawn[1:], compression="group4", dpi=(204, 98))
    encoded = "\r\n".join(textwrap.wrap(base64.b64encode(octets.getvalue()).decode(), 76))
    return (
        f'From: "2125550100" <fax@server.example>\r\nTo: forms@{DOMAIN}\r\nSubject: Fax ({pages} pages)\r\n'
        f"Message-ID: <{words.replace(' ', '-')}@server.example>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: image/tiff; name="fax.tif"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        f"{encoded}\r\n"
    ).encode()


def form_of(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the first form with this action."""
    for found in re.finditer(r'<form[^>]* action="([^"]*)"[^>]*>(.*?)</form>', page, re.DOTALL):
        if html.unescape(found[1]).partition("?")[0] == action.partition("?")[0]:
            return {name: html.unescape(value) for name, value in hidden(found[2]).items()}
    return {}


def words_of(page: str) -> str:
    """What a page says, without its marks."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.partition("<main")[2])).split())


def _page_of(action: str) -> str:
    """The page that has the form with this action."""
    address = action.partition("?")[0]
    if address.endswith(("/form", "/new", "/revoke")):
        return action
    return re.sub(r"/(steps|cases|documents|meeting|outcome|code|address|find)\Z", "", address)
