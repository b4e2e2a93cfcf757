"""A sign-in at an identity provider in a real browser, which the provider is another site to."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import ConsoleMessage, async_playwright

from gateway.domain.clock import to_microseconds
from gateway.portal.site import Way
from tests.openid_provider import AAL2, FACIAL, running_provider
from tests.peers.test_browser import CHROMIUM, PATIENCE, SWITCHES
from tests.peers.test_passkeys import key_of
from tests.portal.house import make_certificate, open_house


@pytest.mark.slow
@pytest.mark.parametrize("with_script", [True, False], ids=["script", "no-script"])
async def test_from_the_code_by_the_provider_into_the_inbox_and_out_again(tmp_path: Path, with_script: bool) -> None:
    certificate = make_certificate(tmp_path)
    async with running_provider(tmp_path, certificate, tmp_path / "tls.key", "127.0.0.1") as provider:
        key = provider.client_key
        async with (
            open_house(
                providers=lambda portal: [provider.way("login", portal, "login.gov", "private_key_jwt", key)],
                ways=(Way("login", "The Login"),),
            ) as house,
            async_playwright() as playwright,
        ):
            jwks = {"keys": [provider.client_jwk]}
            client = provider.client("login", house.url, token_endpoint_auth_method="private_key_jwt", jwks=jwks)
            await provider.set(build=True, clients=[client], acrValues=[FACIAL, AAL2])
            ines = await house.add_employee("Ines Adler")
            case_id, case = await house.open_case(ines)
            berg = await house.add_user("Berg Tobias", [case_id])
            told = {"email": berg.address, "email_verified": True, "aal": AAL2}
            await provider.set(account="berg", acr=FACIAL, claims=told)
            made = await house.authenticator_operator.make_first_code()
            expires = to_microseconds(house.clock()) + 24 * 3_600_000_000
            await house.operator.enact(
                "add_credential", person=berg.id, kind="first_code", label="x", lookup=made.lookup, expires_us=expires
            )
            known = f"{key_of(house.certificate)},{key_of(certificate)}"
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM,
                args=[*SWITCHES, f"--ignore-certificate-errors-spki-list={known}"],
                timeout=PATIENCE,
            )
            window = await browser.new_context(java_script_enabled=with_script, viewport={"width": 360, "height": 740})
            window.set_default_timeout(PATIENCE)
            page, complaints = await window.new_page(), list[str]()

            def said(message: ConsoleMessage) -> None:
                complaints.append(message.text)

            async def judge() -> None:
                if with_script:
                    found = await Axe().run(page)
                    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
                    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
                assert complaints == []

            page.on("console", said)
            try:
                await page.goto(f"{house.url}/sign-in")
                await judge()
                async with page.expect_navigation(wait_until="load"):
                    await page.get_by_role("link", name="I have a code").click()
                await judge()
                await page.get_by_label("Your code").fill(made.clear)
                await page.get_by_role("button", name="Sign in with The Login").click()
                await page.wait_for_url(f"{house.url}/cases")
                assert case in await page.locator("main").inner_text()
                await page.get_by_role("button", name="Sign out").click()
                await page.wait_for_url("**/signed-out?at=login")
                await judge()
                await page.goto(f"{house.url}/sign-in")
                await page.get_by_role("button", name="Sign in with The Login").click()
                await page.wait_for_url(f"{house.url}/cases")
                await page.get_by_role("button", name="Sign out").click()
                await page.get_by_role("link", name="Sign out at The Login, too").click()
                await page.wait_for_url(f"{provider.issuer}/**")
            finally:
                await browser.close()
