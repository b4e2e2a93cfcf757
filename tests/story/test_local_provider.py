"""The demo's identity provider: who came in by it signs in by it, who is not verified does not, and it may be gone."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.demo.actors import Browser
from gateway.demo.provider import KEY, package
from gateway.demo.site import Ports
from gateway.demo.world import World
from tests.ports import demo_ports

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]


@asynccontextmanager
async def opened(folder: Path, ports: Ports, *, with_provider: bool) -> AsyncIterator[World]:
    world = World(folder, ports)
    try:
        await world.start(with_provider=with_provider)
        await world.enrolling.come_in()
        yield world
    finally:
        await world.close()


async def test_people_sign_in_at_it_and_have_a_way_back_when_it_is_gone() -> None:
    if shutil.which("node") is None or not package().is_dir():
        pytest.skip("needs oidc-provider: make peers")
    folder, ports = Path(tempfile.mkdtemp(prefix="demo-")), demo_ports()
    try:
        async with opened(folder, ports, with_provider=True) as world:
            raul = world.people["raul"]
            assert (raul.issuer, raul.password) == (world.issuer, "")
            async with Browser(world.portal, world.tls) as browser:
                page = await world.sign_in(browser, "raul")
                assert page.url.endswith("/cases")
                assert world.case in page.html
            async with Browser(world.portal, world.tls) as browser:
                unverified = await browser.sign_in_at(KEY, world.issuer, "raul unverified")
                assert "One more step there is needed" in unverified.html
            async with Browser(world.portal, world.tls) as browser:
                nobody = await browser.sign_in_at(KEY, world.issuer, "")
                assert "You have not signed in" in nobody.html
            place = raul.place
        async with opened(folder, ports, with_provider=False) as world:
            raul = world.people["raul"]
            assert world.issuer == raul.issuer == ""
            assert raul.place == place
            async with Browser(world.portal, world.tls) as browser:
                assert "Sign in with" not in (await browser.open("/sign-in")).html
                assert world.case in (await world.sign_in(browser, "raul")).html
    finally:
        shutil.rmtree(folder, ignore_errors=True)
