"""The whole way in, in a real browser: a faxed form in the tray, the desk, a meeting, a code, a sign-in, the inbox.

A clerk and the person sit at two windows. What the clerk reads out is all that passes between them.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, ConsoleMessage, Page, Playwright, async_playwright
from sqlalchemy import select

from gateway.domain.intake import month_of
from gateway.portal.site import Way
from gateway.store import tables
from tests.openid_provider import AAL2, FACIAL, TestProvider, running_provider
from tests.papers import CONSENT
from tests.peers.test_browser import CHROMIUM, PATIENCE, SWITCHES
from tests.peers.test_passkeys import DEVICE, key_of
from tests.portal.clerks import CHECKS, USER, Clerks
from tests.portal.conftest import FIRST
from tests.portal.house import PASSWORD, House, Someone, make_certificate, open_house

pytestmark = pytest.mark.slow
LABELS = {
    "agent-name": "Legal name of the withholding agent",
    "agent-tin": "Taxpayer identification number",
    "agent-address": "Address",
    "matter": "Matter or case",
    "signer-name": "Name of the person who signed",
    "signer-title": "Title of the person who signed",
    "signature-date": "Date of signature",
    "notification-address": "E-mail address for notifications",
    "terms-version": "Version of the terms agreed to",
}
HALF = ("agent-name", "agent-tin", "agent-address", "matter")
OWN_WORDS = "a few words of my own"


@dataclass
class Window:
    """One person's window; `screens` are the pages of the portal on which they had to do something."""

    page: Page
    house: House
    complaints: list[str] = field(default_factory=list)
    screens: list[str] = field(default_factory=list)

    async def go(self, path: str) -> None:
        await self.page.goto(self.house.url + path)

    async def follow(self, link: str) -> None:
        async with self.page.expect_navigation(wait_until="load"):
            await self.page.get_by_role("link", name=link).first.click()

    async def press(self, button: str) -> None:
        """Press a button that leads somewhere else."""
        self.screens.append(await self.page.get_by_role("heading", level=1).inner_text())
        async with self.page.expect_navigation(wait_until="load"):
            await self.page.get_by_role("button", name=button, exact=True).click()

    async def fill(self, typed: dict[str, str]) -> None:
        for label, text in typed.items():
            await self.page.get_by_label(label, exact=True).fill(text)

    async def words(self) -> str:
        return " ".join((await self.page.locator("main").inner_text()).split())

    async def judge(self) -> None:
        found = await Axe().run(self.page)
        assert found.violations_count == 0, f"{self.page.url}\n{found.generate_report()}"
        assert self.complaints == []


@dataclass
class Scene:
    """A house with a clerk, a case, and a provider whose account is the person's."""

    clerks: Clerks
    provider: TestProvider
    browser: Browser

    @property
    def house(self) -> House:
        return self.clerks.house

    @contextlib.asynccontextmanager
    async def window(self) -> AsyncIterator[Window]:
        context = await self.browser.new_context()
        context.set_default_timeout(PATIENCE)
        window = Window(await context.new_page(), self.house)

        def said(message: ConsoleMessage) -> None:
            window.complaints.append(message.text)

        window.page.on("console", said)
        try:
            yield window
        finally:
            await context.close()


@contextlib.asynccontextmanager
async def opened(folder: Path, playwright: Playwright) -> AsyncIterator[Scene]:
    certificate = make_certificate(folder)
    async with running_provider(folder, certificate, folder / "tls.key", "127.0.0.1") as provider:
        key = provider.client_key
        async with open_house(
            providers=lambda portal: [provider.way("login", portal, "login.gov", "private_key_jwt", key)],
            ways=(Way("login", "The Login"),),
        ) as house:
            jwks = {"keys": [provider.client_jwk]}
            client = provider.client("login", house.url, token_endpoint_auth_method="private_key_jwt", jwks=jwks)
            told = {"email": USER["address"], "email_verified": True, "aal": AAL2}
            await provider.set(build=True, clients=[client], acrValues=[FACIAL, AAL2])
            await provider.set(account="cora", acr=FACIAL, claims=told)
            await house.operator.enact("add_intake_key", month=month_of(house.clock()))
            edda, ines = (
                await house.add_employee("Edda Enroller", role="enroller"),
                await house.add_employee("Ines Adler"),
            )
            case_id, case = await house.open_case(ines)
            # A browser with a certificate's error to ignore has no passkeys: so it is told that these keys are good.
            known = f"{key_of(house.certificate)},{key_of(certificate)}"
            switches = [*SWITCHES, f"--ignore-certificate-errors-spki-list={known}"]
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=switches, timeout=PATIENCE)
            try:
                yield Scene(Clerks(house, edda, edda, ines, case_id, case), provider, browser)
            finally:
                await browser.close()


async def sign_in(window: Window, someone: Someone) -> None:
    await window.go("/sign-in")
    await window.fill({"User name": someone.username, "Password": PASSWORD, "Code": window.house.code(someone)})
    await window.press("Sign in")
    await window.page.wait_for_url("**/cases")


async def open_agreement(clerk: Window, clerks: Clerks, item: str) -> None:
    """From the paper to an accepted form: first what the clerk can read, then what came later."""
    await clerk.follow("Enrolment")
    await clerk.follow("Open an agreement")
    await clerk.follow(f"Look at {item}")
    assert await clerk.page.get_by_role("img", name=re.compile("Page 1 of 1")).is_visible()
    await clerk.fill({LABELS[key]: CONSENT[key] for key in HALF})
    await clerk.page.get_by_label("Cases").fill(clerks.case)
    await clerk.press("Open the agreement")
    await clerk.follow("Back to the agreement")
    missing = await clerk.page.locator("section[aria-labelledby=next-title] li").all_inner_texts()
    assert set(missing) == {label for key, label in LABELS.items() if key not in HALF} | {"a designated user"}
    assert await clerk.page.get_by_role("button", name="Accept the form").count() == 0
    await clerk.press("Note that I ask for it")
    await clerk.follow("Check the form")
    assert CONSENT["agent-tin"] not in await clerk.page.content()
    await clerk.fill({LABELS[key]: value for key, value in CONSENT.items() if key not in HALF})
    await clerk.press("Keep the fields")
    await clerk.follow("Back to the agreement")
    await clerk.follow("Name a designated user")
    await clerk.fill({"Name": USER["name"], "E-mail address": USER["address"], "Telephone": USER["telephone"]})
    await clerk.press("Name this user")
    await clerk.press("Accept the form")
    assert "The form is accepted." in await clerk.words()


async def meet(clerk: Window, clerks: Clerks) -> str:
    """From the accepted form to a code that the clerk reads out."""
    await clerk.follow(USER["name"])
    zone = clerks.house.programmes["cwa"].zone
    begins = (clerks.house.clock() + timedelta(hours=1)).astimezone(zone).strftime("%Y-%m-%dT%H:%M")
    await clerk.page.get_by_label("Begins").fill(begins)
    await clerk.page.get_by_label("Address of the video meeting").fill("https://video.example/room")
    await clerk.press("Arrange the meeting")
    async with clerk.page.expect_download() as started:
        await clerk.page.get_by_role("link", name="Download it for a calendar").click()
    calendar = Path(await (await started.value).path()).read_text("utf-8")
    assert "BEGIN:VEVENT" in calendar
    assert not any(word in calendar for word in ("Vale", "Cora", clerks.case))
    await clerk.page.get_by_label("identified", exact=True).check()
    await clerk.page.get_by_label("Kind of document shown").select_option("passport")
    for one in CHECKS:
        await clerk.page.get_by_label(one.replace("-", " "), exact=True).check()
    await clerk.press("Note the outcome")
    await clerk.press("Invite and show the code")
    return await clerk.page.locator("main .secret").inner_text()


async def by_provider(person: Window, code: str) -> None:
    await person.page.get_by_label("Your code").fill(code)
    await person.press("Sign in with The Login")
    await person.page.wait_for_url("**/terms")


async def by_passkey(person: Window, code: str) -> None:
    devices = await person.page.context.new_cdp_session(person.page)
    await devices.send("WebAuthn.enable")
    await devices.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    await person.page.get_by_label("Your code").fill(code)
    await person.press("Use a user name and a password")
    assert await person.page.get_by_label("Your user name").input_value() == USER["address"]
    await person.page.get_by_label("Password", exact=True).fill(OWN_WORDS)
    await person.press("Use a passkey of this device")
    await person.page.wait_for_url("**/terms")


async def again_by_provider(person: Window) -> None:
    await person.press("Sign in with The Login")


async def again_by_passkey(person: Window) -> None:
    await person.fill({"User name": USER["address"], "Password": OWN_WORDS})
    await person.press("Use a passkey in place of the code")


Ending = tuple[Callable[[Window, str], Awaitable[None]], Callable[[Window], Awaitable[None]], int]
ENDINGS: dict[str, Ending] = {
    "by a provider": (by_provider, again_by_provider, 2),
    "by a password and a passkey": (by_passkey, again_by_passkey, 3),
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_from_a_faxed_form_to_the_inbox(tmp_path: Path, ending: str) -> None:
    first, again, screens = ENDINGS[ending]
    async with async_playwright() as playwright, opened(tmp_path, playwright) as scene:
        clerks, house = scene.clerks, scene.house
        async with scene.window() as clerk, scene.window() as person:
            await sign_in(clerk, clerks.edda)
            await open_agreement(clerk, clerks, await clerks.fax())
            code = await meet(clerk, clerks)
            assert {"meeting", "invitation"} <= await notices_of(house, USER["address"])
            await clerk.follow("I have told the code")
            assert "invited" in await clerk.words()

            await person.go("/first-sign-in")
            await first(person, code.lower().replace("-", " "))
            await person.judge()  # the desk's pages have tests of their own for this
            assert clerks.case not in await person.page.content()
            await person.press("I have read this and agree")
            await person.page.wait_for_url("**/cases")
            assert len(person.screens) == screens <= 3, person.screens
            assert clerks.case in await person.words()
            await clerk.page.reload()
            assert "Active. Nothing is to be done." in await clerk.words()

            cora = Someone(await person_of(house, USER["address"]), USER["name"], USER["address"], "", "")
            await house.receive(clerks.ines, clerks.case_id, [cora], FIRST)
            await person.go("/cases")
            assert "1 unread" in await person.words()
            await person.follow(clerks.case)
            await person.follow("Budget for Zürich")
            assert "Two things are still missing." in await person.words()

            await person.press("Sign out")
            await person.go("/sign-in")
            await again(person)
            await person.page.wait_for_url("**/cases")
            assert person.complaints == []

            # The code was good once, in any window.
            async with scene.window() as finder:
                await finder.go("/first-sign-in")
                await finder.page.get_by_label("Your code").fill(code)
                await finder.press("Use a user name and a password")
                assert "This code is not valid" in await finder.words()


async def notices_of(house: House, address: str) -> set[str]:
    wanted = select(tables.outbox.c.kind).where(tables.outbox.c.person_id == await person_of(house, address))
    return set(await house.database.read(lambda connection: connection.execute(wanted).scalars()))


async def person_of(house: House, username: str) -> str:
    wanted = select(tables.person.c.id).where(tables.person.c.username == username)
    return str(await house.database.read(lambda connection: connection.execute(wanted).scalar_one()))
