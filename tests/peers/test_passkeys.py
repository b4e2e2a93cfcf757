"""Passkeys in a real browser with a virtual device: added, used, revoked; and what is not good enough."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from axe_playwright_python.async_playwright import Axe
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from playwright.async_api import CDPSession, ConsoleMessage, Page, async_playwright
from sqlalchemy import select

from gateway.domain.clock import to_microseconds
from gateway.store import tables
from tests.peers.test_browser import CHROMIUM, PATIENCE, SWITCHES
from tests.portal.browser import Browser, hidden
from tests.portal.conftest import Story, tell
from tests.portal.house import PASSWORD, House, Someone, open_house

pytestmark = pytest.mark.slow
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@dataclass
class Desk:
    """A browser with a device that keeps passkeys."""

    page: Page
    devices: CDPSession
    device: str
    story: Story
    complaints: list[str]

    @property
    def house(self) -> House:
        return self.story.house

    async def go(self, path: str) -> None:
        await self.page.goto(self.house.url + path)

    async def press(self, button: str, *, exact: bool = False) -> None:
        async with self.page.expect_navigation(wait_until="load"):
            await self.page.get_by_role("button", name=button, exact=exact).click()

    async def type_password(self, someone: Someone) -> None:
        await self.page.get_by_label("User name").fill(someone.username)
        await self.page.get_by_label("Password", exact=True).fill(PASSWORD)

    async def sign_in_by_code(self, someone: Someone) -> None:
        await self.go("/sign-in")
        await self.type_password(someone)
        await self.page.get_by_label("Code").fill(self.house.code(someone))
        await self.press("Sign in", exact=True)
        await self.page.wait_for_url("**/cases")

    async def sign_in_by_passkey(self, someone: Someone) -> None:
        await self.go("/sign-in")
        await self.type_password(someone)
        await self.press("Use a passkey")

    async def sign_out(self) -> None:
        await self.go("/cases")
        await self.press("Sign out")

    async def add_passkey(self, name: str) -> None:
        await self.go("/account/sign-in")
        async with self.page.expect_navigation(wait_until="load"):
            await self.page.get_by_role("link", name="Add a passkey").click()
        await self.page.get_by_label("Name").fill(name)
        await self.judge()
        await self.press("Add the passkey")
        await self.page.wait_for_url("**/account/sign-in")

    async def judge(self) -> None:
        found = await Axe().run(self.page)
        assert found.violations_count == 0, f"{self.page.url}\n{found.generate_report()}"
        assert self.complaints == []


@contextlib.asynccontextmanager
async def at_desk() -> AsyncIterator[Desk]:
    async with open_house() as house, async_playwright() as playwright:
        # A browser with a certificate's error to ignore has no passkeys: so it is told that this very key is good.
        switches = [*SWITCHES, f"--ignore-certificate-errors-spki-list={key_of(house.certificate)}"]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=switches, timeout=PATIENCE)
        page = await browser.new_page()
        page.set_default_timeout(PATIENCE)
        complaints: list[str] = []

        def said(message: ConsoleMessage) -> None:
            if "status of 4" not in message.text:
                complaints.append(message.text)

        page.on("console", said)
        devices = await page.context.new_cdp_session(page)
        await devices.send("WebAuthn.enable")
        made = await devices.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
        try:
            yield Desk(page, devices, made["authenticatorId"], await tell(house), complaints)
        finally:
            await browser.close()


async def test_a_passkey_is_added_and_signs_in_beside_the_password() -> None:
    async with at_desk() as desk:
        berg, page = desk.story.berg, desk.page
        await desk.sign_in_by_code(berg)
        await desk.add_passkey("blue telephone")
        assert "Passkey “blue telephone”" in await page.locator("main").inner_text()
        await desk.judge()
        await desk.sign_out()
        await desk.go("/sign-in")
        await desk.judge()
        await desk.sign_in_by_passkey(berg)
        assert page.url.endswith("/cases")
        session = await last_session(desk.house, berg)
        assert session.assurance == 2
        # The same person in the same browser, without the password.
        await desk.sign_out()
        await desk.go("/sign-in")
        await page.get_by_label("User name").fill(berg.username)
        await page.get_by_label("Password", exact=True).fill("not the password")
        await desk.press("Use a passkey")
        assert "That did not work" in await page.get_by_role("alert").first.inner_text()
        # Somebody else's name with this device.
        await desk.go("/sign-in")
        await desk.type_password(desk.story.sena)
        await desk.press("Use a passkey")
        assert "That did not work" in await page.get_by_role("alert").first.inner_text()


async def test_a_revoked_passkey_signs_nobody_in_and_the_last_factor_stays() -> None:
    async with at_desk() as desk:
        berg, page = desk.story.berg, desk.page
        await desk.sign_in_by_code(berg)
        await desk.go("/account/sign-in")
        assert "the only one" in await page.locator("main").inner_text()
        await desk.add_passkey("key ring")
        await desk.press("Revoke key ring")
        assert "/sign-in" in page.url
        await desk.sign_in_by_passkey(berg)
        assert "That did not work" in await page.get_by_role("alert").first.inner_text()


async def test_a_device_whose_count_goes_back_is_not_believed() -> None:
    async with at_desk() as desk:
        berg = desk.story.berg
        await desk.sign_in_by_code(berg)
        await desk.add_passkey("copied")
        await desk.sign_out()
        await desk.sign_in_by_passkey(berg)
        assert desk.page.url.endswith("/cases")
        await desk.sign_out()
        kept = await desk.devices.send("WebAuthn.getCredentials", {"authenticatorId": desk.device})
        older = {**kept["credentials"][0], "signCount": 1}
        await desk.devices.send("WebAuthn.clearCredentials", {"authenticatorId": desk.device})
        await desk.devices.send("WebAuthn.addCredential", {"authenticatorId": desk.device, "credential": older})
        await desk.sign_in_by_passkey(berg)
        assert "That did not work" in await desk.page.get_by_role("alert").first.inner_text()


async def test_an_answer_is_good_once_and_not_for_long() -> None:
    async with at_desk() as desk:
        berg, sent = desk.story.berg, asyncio.Queue[str]()
        await desk.sign_in_by_code(berg)
        await desk.add_passkey("watched")
        await desk.sign_out()
        desk.page.on("request", lambda one: sent.put_nowait(one.post_data or "") if one.method == "POST" else None)
        await desk.sign_in_by_passkey(berg)
        fields = dict(parse_qsl(await sent.get()))
        assert json.loads(fields["passkey"])["type"] == "public-key"
        async with Browser(desk.house) as thief:
            page = await thief.see("/sign-in")
            again = {**hidden(page.text), **{name: fields[name] for name in ("passkey", "question", "username")}}
            answer = await thief.http.post("/sign-in", data={**again, "password": PASSWORD, "code": ""})
            assert answer.status_code == 422
            # An answer to another question of ours.
            asked = hidden((await thief.see("/sign-in")).text)["question"]
            answer = await thief.http.post("/sign-in", data={**again, "question": asked, "password": PASSWORD})
            assert answer.status_code == 422


async def test_a_first_sign_in_with_a_code_a_password_and_a_passkey() -> None:
    async with at_desk() as desk:
        berg, page, house = desk.story.berg, desk.page, desk.house
        made = await house.authenticator_operator.make_first_code()
        expires = to_microseconds(house.clock()) + 24 * 3_600_000_000
        await house.operator.enact(
            "add_credential", person=berg.id, kind="first_code", label="x", lookup=made.lookup, expires_us=expires
        )
        await desk.go("/sign-in")
        async with page.expect_navigation(wait_until="load"):
            await page.get_by_role("link", name="I have a code").click()
        await desk.judge()
        await page.get_by_label("Your code").fill(made.clear)
        await desk.press("Use a user name and a password")
        await desk.judge()
        await page.set_viewport_size({"width": 360, "height": 740})
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        await page.get_by_label("Password", exact=True).fill("a few words of my own")
        await desk.press("Use a passkey of this device")
        await page.wait_for_url("**/cases")
        await desk.sign_out()
        await desk.go("/sign-in")
        await page.get_by_label("User name").fill(berg.username)
        await page.get_by_label("Password", exact=True).fill("a few words of my own")
        await desk.press("Use a passkey")
        assert page.url.endswith("/cases")


async def test_without_a_script_the_page_says_so_and_other_ways_work() -> None:
    async with at_desk() as desk, Browser(desk.house) as browser:
        await browser.sign_in(desk.story.berg)
        page = await browser.see("/account/sign-in/passkeys")
        assert "<noscript>" in page.text
        policy = page.headers["content-security-policy"]
        assert "script-src 'nonce-" in policy
        assert "default-src 'none'" in policy
        assert "script-src" not in (await browser.see("/cases")).headers["content-security-policy"]
        forged = {**hidden(page.text), "passkey": '{"id": "x"}', "label": "x"}
        assert (await browser.http.post("/account/sign-in/passkeys", data=forged)).status_code == 422


def key_of(certificate: Path) -> str:
    """Return what the browser knows a certificate's key by."""
    public = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    octets = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(octets).digest()).decode()


async def last_session(house: House, someone: Someone) -> Any:
    table = tables.session
    wanted = select(table).where(table.c.person_id == someone.id).order_by(table.c.issued_us.desc()).limit(1)
    return await house.database.read(lambda connection: connection.execute(wanted).one())
