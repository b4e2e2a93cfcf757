"""A certified OpenID provider, run for tests: npm's oidc-provider in a process of its own, over HTTPS on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwk

from gateway.demo.provider import package
from gateway.domain.assurance import Assurance
from gateway.identity.providers import PROFILES, Provider

SCRIPT = Path(__file__).with_suffix(".mjs")
PACKAGE = package()
IAL2 = "http://idmanagement.gov/ns/assurance/ial/2/aal/2"
FACIAL = "urn:acr.login.gov:verified-facial-match-required"
AAL2 = "http://idmanagement.gov/ns/assurance/aal/2"


@dataclass
class TestProvider:
    """The running provider. `client_key` is the private key of clients that prove themselves by one."""

    __test__ = False

    issuer: str
    certificate: Path
    process: asyncio.subprocess.Process
    client_key: bytes
    client_jwk: dict[str, Any]
    clients: list[dict[str, Any]] = field(default_factory=list)

    async def do(self, what: str, **more: Any) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"do": what, **more}).encode() + b"\n")
        answer = json.loads(await asyncio.wait_for(self.process.stdout.readline(), 60))
        assert "error" not in answer, answer["error"]
        return dict(answer)

    async def set(self, *, build: bool = False, **state: Any) -> None:
        await self.do("set", state=state, build=build)

    async def forge(self, claims: Mapping[str, Any], **more: Any) -> str:
        return str((await self.do("forge", claims=dict(claims), **more))["token"])

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.certificate)

    def client(self, key: str, portal: str, **more: Any) -> dict[str, Any]:
        """What the provider is told of a client; `more` are its own metadata."""
        return {
            "client_id": f"client-{key}",
            "redirect_uris": [f"{portal}/sign-in/at/{key}/return"],
            "post_logout_redirect_uris": [f"{portal}/signed-out"],
            "backchannel_logout_uri": f"{portal}/sign-in/at/{key}/logout",
            "backchannel_logout_session_required": True,
            "response_types": ["code"],
            "grant_types": ["authorization_code"],
            **more,
        }

    def way(self, key: str, portal: str, profile: str, authentication: str, secret: bytes, **more: Any) -> Provider:
        """What the gateway is told of the provider."""
        known = PROFILES[profile]
        settled: dict[str, Any] = {
            "key": key,
            "title": f"The {key} provider",
            "issuer": self.issuer,
            "client_id": f"client-{key}",
            "client_authentication": authentication,
            "secret": secret,
            "scopes": ("openid", "email"),
            "acr_values": known.acr_values,
            "prompt": "login",
            "levels": known.levels,
            "least": Assurance(2, 2),
            "least_by_programme": {},
            "sides": frozenset({"correspondent", "office"}),
            "return_to": f"{portal}/sign-in/at/{key}/return",
            "leave_to": f"{portal}/signed-out",
            "confirms_addresses": known.confirms_addresses,
            "trust": self.trust,
        }
        return Provider(**{**settled, **more})


@contextlib.asynccontextmanager
async def running_provider(
    folder: Path, certificate: Path, key: Path, host: str = "localhost"
) -> AsyncIterator[TestProvider]:
    """Run one with this certificate. Calling the portal itself, it asks for no certificate."""
    node = shutil.which("node")
    if node is None or not PACKAGE.is_dir():
        pytest.skip("needs oidc-provider: make peers")
    log = (folder / "provider.log").open("wb")
    process = await asyncio.create_subprocess_exec(
        node,
        str(SCRIPT),
        str(PACKAGE),
        str(certificate),
        str(key),
        host,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=log,
        env={**os.environ, "NODE_TLS_REJECT_UNAUTHORIZED": "0"},
    )
    try:
        assert process.stdout
        first = json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public = {**jwk.RSAKey.import_key(pem).as_dict(private=False), "use": "sig", "alg": "RS256"}
        yield TestProvider(first["issuer"], certificate, process, pem, dict(public))
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        log.close()


class AtProvider:
    """A person's browser at the provider: follows it until it is sent back to the portal."""

    def __init__(self, provider: TestProvider) -> None:
        self.http = httpx2.AsyncClient(verify=provider.trust, timeout=120)

    async def go(self, address: str, portal: str) -> str:
        """Return the address of the portal that the provider sends the browser to."""
        for _ in range(12):
            if address.startswith(portal):
                return address
            answer = await self.http.get(address)
            if answer.status_code not in {302, 303}:
                raise AssertionError(f"{answer.status_code} {answer.text}")
            address = str(httpx2.URL(address).join(answer.headers["location"]))
        raise AssertionError("the provider sends the browser about")

    async def press(self, address: str) -> str:
        """Open a page with one form, press its button that says yes, and return where that leads."""
        page = await self.http.get(address)
        action = re.search(r'action="([^"]+)"', page.text)
        fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page.text))
        assert action, page.text
        answer = await self.http.post(action[1].replace("&amp;", "&"), data={**fields, "logout": "yes"})
        return str(answer.headers.get("location", answer.text))

    async def close(self) -> None:
        await self.http.aclose()


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
