"""A local identity provider for the demo, where Node and npm's oidc-provider are: people sign in there by a click.

It proves nothing of anybody: whoever comes says which of the invented people they are. `scripts/provider` fetches the
package; the demo itself fetches nothing. It ends with the demo, however that ends: its standard input closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from gateway.demo.people import DemoPerson
from gateway.demo.site import HOST
from gateway.store.keyfiles import write_private

KEY, TITLE, CLIENT = "demo", "the demo's provider", "secure-messages"
VERIFIED = "urn:demo:verified"
START_SECONDS = 60.0
_SCRIPT = Path(__file__).with_name("provider.mjs")


class LocalProvider:
    """One provider for the demo of one folder, on one port."""

    def __init__(self, site: Path, port: int, portal: str) -> None:
        self.issuer = f"https://{HOST}:{port}"
        self._site = site
        self._port = port
        self._portal = portal.rstrip("/")
        self._process: asyncio.subprocess.Process | None = None

    @property
    def secret(self) -> Path:
        """Where the secret rests that the gateway proves itself by."""
        return self._site / "provider.secret"

    def settings_text(self) -> str:
        """Return its table of `gateway.toml`."""
        return _TOML.format(key=KEY, title=TITLE, client=CLIENT, issuer=self.issuer, verified=VERIFIED)

    async def start(self, people: Sequence[DemoPerson], certificate: Path, key: Path) -> bool:
        """Start it; False where it cannot be had here."""
        node = shutil.which("node")
        if node is None or not package().is_dir():
            return False
        if not self.secret.exists():
            write_private(self.secret, secrets.token_urlsafe(32).encode("ascii"))
        self._process = await asyncio.create_subprocess_exec(
            node,
            str(_SCRIPT),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "NODE_EXTRA_CA_CERTS": str(certificate)},  # it tells the portal of sign-outs
            start_new_session=True,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(self._told(people, certificate, key)).encode() + b"\n")
        with contextlib.suppress(TimeoutError, ConnectionError):
            if await asyncio.wait_for(self._process.stdout.readline(), START_SECONDS):
                return True
        await self.stop()
        return False

    async def stop(self) -> None:
        """Stop it; nothing happens where it does not run."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            self._process = None

    def _told(self, people: Sequence[DemoPerson], certificate: Path, key: Path) -> dict[str, object]:
        at = f"{self._portal}/sign-in/at/{KEY}"
        return {
            "package": str(package()),
            "certificate": str(certificate),
            "key": str(key),
            "host": HOST,
            "port": self._port,
            "issuer": self.issuer,
            "verified": VERIFIED,
            "accounts": [{"key": who.key, "name": who.name, "email": who.address} for who in people],
            "client": {
                "client_id": CLIENT,
                "client_secret": self.secret.read_text("ascii"),
                "token_endpoint_auth_method": "client_secret_basic",
                "redirect_uris": [f"{at}/return"],
                "post_logout_redirect_uris": [f"{self._portal}/signed-out"],
                "backchannel_logout_uri": f"{at}/logout",
                "backchannel_logout_session_required": True,
                "response_types": ["code"],
                "grant_types": ["authorization_code"],
            },
        }


def package() -> Path:
    """Return where `scripts/provider` puts npm's oidc-provider."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "secure-mail-gateway" / "npm" / "node_modules" / "oidc-provider"


_TOML = """\
[authenticator.providers.{key}]
title = "{title}"
issuer = "{issuer}"
client_id = "{client}"
client_authentication = "client_secret_basic"
secret = "provider.secret"
ca_file = "tls/certificate.pem"
acr_values = ["{verified}"]
levels = {{ "{verified}" = "ial2 aal2" }}

"""
