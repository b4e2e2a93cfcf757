"""The story's proofs: lines that a stranger can copy into a shell, and pages with who signs in there."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from gateway.demo.provider import TITLE
from gateway.demo.site import HOST
from gateway.demo.world import World


@dataclass(frozen=True, slots=True)
class Proof:
    """Lines with the real values of one demo."""

    world: World

    def gateway(self, *arguments: str) -> str:
        """Return the line that runs a `gateway` command on the demo's site."""
        return f"{program()} {shlex.join(arguments)} --config {self.path(self.world.config)}"

    def case(self) -> str:
        """Return the line that shows the story's case."""
        return self.gateway("case", "show", self.world.case)

    def mail(self, name: str, recipient: str, password: str = "") -> str:
        """Return the line by which curl submits a mail of a person and prints what the gateway answers."""
        who = self.world.people[name]
        user = shlex.quote(f"{who.address}:{password or who.app_password}")
        lines = (f"From: {who.address}", f"To: {recipient}", "Subject: Hello", "", "Hello.", "")
        mail = shlex.quote(r"\r\n".join(lines))
        certificate = self.path(self.world.settings.tls.certificate)
        return (
            f"printf {mail} | curl -sSv --ssl-reqd --cacert {certificate} --user {user} --mail-from {who.address} "
            f"--mail-rcpt {recipient} -T - smtp://localhost:{self.world.ports.starttls} 2>&1 "
            r"| grep '^< [45]\|^< 250 2.6'"
        )

    def page(self, path: str, name: str) -> str:
        """Return a page of the portal, and how a person signs in there."""
        who = self.world.people[name]
        if who.issuer:
            return f"{self.world.portal}{path}   as {who.name}, by “Sign in with {TITLE}”"
        code = f"http://{HOST}:{self.world.ports.page}/code/{name}"
        return f"{self.world.portal}{path}   as {who.username}, password “{who.password}”, code from {code}"

    def first_sign_in(self, name: str) -> str:
        """Return the page where a person types the code that was told to them."""
        return f"{self.world.portal}first-sign-in   with the code {self.world.people[name].first_code}"

    def search(self, text: str) -> str:
        """Return the line that names the files in which words stand: of the site, and of the vault without sealing."""
        site, unsealed = self.path(self.world.site), self.path(self.world.folder / "unsealed")
        return f"grep -ral {shlex.quote(text)} {site} {unsealed}"

    def path(self, path: Path) -> str:
        """Return a path as a shell takes it, short where it lies below the current folder."""
        folder = Path.cwd()
        return shlex.quote(str(path.relative_to(folder) if path.is_relative_to(folder) else path))


def program() -> str:
    """Return how this program was called, as a shell takes it."""
    called = Path(sys.argv[0])
    return shlex.quote(sys.argv[0]) if called.name == "gateway" else f"{shlex.quote(sys.executable)} -m gateway"
