"""The doctor's look at a real OpenID provider, and at what may be wrong with one: each says what to do."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
import pytest_asyncio

from gateway.doctor_providers import examine
from gateway.findings import State
from gateway.identity.providers import Provider
from tests.openid_provider import AAL2, FACIAL, IAL2, TestProvider, running_provider
from tests.portal.house import make_certificate

pytestmark = pytest.mark.asyncio(loop_scope="module")
PORTAL = "https://portal.example.gov"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestProvider]:
    folder = tmp_path_factory.mktemp("provider")
    certificate = make_certificate(folder)
    async with running_provider(folder, certificate, folder / "tls.key") as running:
        client = running.client(
            "facial", PORTAL, token_endpoint_auth_method="private_key_jwt", jwks={"keys": [running.client_jwk]}
        )
        await running.set(build=True, clients=[client], acrValues=[FACIAL, IAL2, AAL2])
        yield running


@pytest.fixture
def way(provider: TestProvider) -> Provider:
    return provider.way("facial", PORTAL, "login.gov", "private_key_jwt", provider.client_key)


async def told(way: Provider) -> list[tuple[State, str, str]]:
    return [(one.state, one.found, one.advice) for one in await examine(way)]


async def test_a_provider_in_order_is_found_so(way: Provider) -> None:
    found = await told(way)
    assert {state for state, _, _ in found} == {State.OK}, found
    words = " | ".join(what for _, what, _ in found)
    for part in (
        "signs with a key of thumbprint",
        "its configuration is there",
        "clock and ours agree",
        "keys to check",
    ):
        assert part in words


async def test_a_key_that_cannot_sign_is_said_before_anybody_tries(way: Provider) -> None:
    found = await told(replace(way, secret=b"not a key"))
    assert found[0][:2] == (State.PROBLEM, "the client's key cannot sign")
    assert "2048 bits" in found[0][2]
    empty = await told(replace(way, client_authentication="client_secret_basic", secret=b""))
    assert empty[0][0] is State.PROBLEM


async def test_another_issuer_and_a_provider_that_is_away_are_told_apart(way: Provider) -> None:
    away = await told(replace(way, issuer="https://localhost:9"))
    assert any(what.startswith("does not answer") and "curl" in advice for _, what, advice in away)
    other = await told(replace(way, issuer=f"{way.issuer.rstrip('/')}/elsewhere"))
    assert any(state is State.PROBLEM for state, _, _ in other[1:])
    untrusted = await told(replace(way, trust=None))
    assert any(what.startswith("does not answer") for _, what, _ in untrusted)


async def test_what_the_provider_does_not_offer_is_a_warning(way: Provider) -> None:
    found = await told(replace(way, acr_values=("urn:example:gold",)))
    assert (State.WARNING, "does not list urn:example:gold in acr_values_supported") in [one[:2] for one in found]


class Wrong(http.server.BaseHTTPRequestHandler):
    """A provider of the test's own making."""

    document: ClassVar[dict[str, Any]] = {}
    date: ClassVar[str] = ""

    def do_GET(self) -> None:
        body = json.dumps({"keys": []} if self.path == "/jwks" else self.document).encode()
        self.send_response_only(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.send_header("date", self.date)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: Any) -> None:
        """Nothing goes to the terminal."""


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ssl.SSLContext]]:
    folder: Path = tmp_path_factory.mktemp("wrong")
    certificate = make_certificate(folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Wrong)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, folder / "tls.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}", ssl.create_default_context(cafile=certificate)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def test_clock_keys_and_endpoints_that_do_not_fit_are_each_named(
    way: Provider, wrong: tuple[str, ssl.SSLContext]
) -> None:
    issuer, trust = wrong
    Wrong.document = {
        "issuer": issuer,
        "authorization_endpoint": "https://elsewhere.example/authorize",
        "jwks_uri": f"{issuer}/jwks",
        "code_challenge_methods_supported": ["plain"],
    }
    Wrong.date = format_datetime(datetime.now(UTC) + timedelta(seconds=600), usegmt=True)
    found = await told(replace(way, issuer=issuer, trust=trust))
    problems = {what for state, what, advice in found if state is State.PROBLEM and advice}
    assert "authorization_endpoint stands on a host that is not called" in problems
    assert "has no token_endpoint" in problems
    assert "no key of its own that counts here" in problems
    assert any("s apart" in what for what in problems)
    assert (State.WARNING, "does not list S256 in code_challenge_methods_supported") in [one[:2] for one in found]
    Wrong.date = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    again = await told(replace(way, issuer=issuer, trust=trust))
    assert any(state is State.WARNING and "s apart" in what for state, what, _ in again)
