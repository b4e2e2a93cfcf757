"""A canary put through every path of a running gateway, success and failure; see tests/crash/test_canary.py."""

from __future__ import annotations

import asyncio
import base64
import gzip
import os
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import httpx2

from gateway.demo import office
from gateway.demo.actors import Browser, Form, Page
from gateway.demo.site import Ports
from gateway.demo.world import World
from gateway.domain.errors import GatewayError
from gateway.parcels.gpg import is_installed
from gateway.parcels.openpgp_key import check_openpgp
from gateway.supervisor import read_status
from tests.canary import new_canary, word_of
from tests.ports import demo_ports
from tests.ring import open_ring, write_proven
from tests.worlds import children_of

ROOT = Path(__file__).parents[1]
UNSEALED_BUILD = ROOT / "tests" / "unsealed_build"
LARGE = 1_200_000
OVER = 3_000_000
FULL_COPIES = '\n[full_copies]\nprogrammes = ["cwa"]\n'
PATIENCE = 300.0  # a program that is killed again and again is started again after growing pauses
FOUND = """
import sys
from pathlib import Path
from gateway.demo.site import Plan, Ports, found_site
found_site(Path(sys.argv[1]), Ports(*map(int, sys.argv[2:])), Plan())
"""


@dataclass(slots=True)
class CanaryStory:
    """One site, one canary, and every path by which it goes in. `environment` is that of the programs."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    canary: bytes = field(default_factory=new_canary)
    ports: Ports = field(default_factory=demo_ports)

    def __post_init__(self) -> None:
        self.scratch.mkdir()
        self.environment = {"TMPDIR": str(self.scratch), "SQLITE_TMPDIR": str(self.scratch), **self.environment}
        self.world = World(self.folder / "demo", self.ports, environment=self.environment)

    world: World = field(init=False)

    @property
    def copies(self) -> bool:
        """True where replies go to Dana whole, too: for that there must be a gpg, and keys that this build can open."""
        return is_installed() and "GATEWAY_TEST_UNSEALED" not in self.environment

    @property
    def scratch(self) -> Path:
        """Where the programs would put temporary files."""
        return self.folder / "scratch"

    @property
    def backup(self) -> Path:
        """Where the backup goes; the keys' is beside it."""
        return self.folder / "backup"

    def word(self, tag: str) -> str:
        """Return the canary as a word, with the name of the place it is put in."""
        return f"{word_of(self.canary)}.{tag}"

    def planted(self, tag: str, noise: int = 0) -> bytes:
        """Return a file's content: noise, and the canary as text, hex, base64, UTF-16, gzip and as it is."""
        word = self.word(tag)
        lines = (word, self.canary.hex(), base64.b64encode(self.canary).decode())
        text = "\n".join(lines).encode() + b"\n"
        inside = gzip.compress(os.urandom(100) + self.word(f"{tag}-gzip").encode() + os.urandom(100))
        return os.urandom(noise) + text + self.word(f"{tag}-utf16").encode("utf-16-le") + inside + self.canary + b"\n"

    async def open(self) -> None:
        """Make the site in a process of the same build as the programs, with small limits, and start it."""
        arguments = [str(self.world.site), *(str(getattr(self.ports, name)) for name in _PORTS)]
        environment = {**os.environ, **self.environment, "GATEWAY_FAILPOINTS": ""}
        command = [sys.executable, "-c", FOUND, *arguments]
        await asyncio.to_thread(subprocess.run, command, env=environment, cwd=ROOT, check=True)
        config = self.world.config
        text = config.read_text().replace("[submission]\n", '[submission]\nmax_message = "2 MiB"\n')
        config.write_text(text.replace("[portal]\n", '[portal]\nmax_upload = "2 MiB"\n') + FULL_COPIES)
        await self.world.open()
        await self._choose_full_copies()

    async def play(self) -> None:
        """Put the canary through everything."""
        for step in (
            self.mail_is_kept,
            self.mail_is_refused,
            self.mail_breaks_off,
            self.junk_on_the_wire,
            self.sign_in_fails,
            self.portal_replies,
            self.portal_refuses,
            self.pages_are_asked_for,
            self.everything_is_read,
            self.back_up,
            self.program_is_killed,
            self.copy_comes,
        ):
            await step()

    async def mail_is_kept(self) -> None:
        """A small message that rests in its row, and a large one that rests in a file."""
        for tag, noise in (("small", 0), ("large", LARGE)):
            await self._send(self.mail(tag, noise))
        await asyncio.to_thread(self._send_by_bdat, self.mail("bdat"))

    async def mail_is_refused(self) -> None:
        """Wrong passwords, forbidden senders and recipients, wrong octets, too much of them."""
        dana, case = self.world.people["dana"].address, self.world.case_address
        word = word_of(self.canary)
        for username, password in ((dana, word), (f"{word}@agency.example", self.canary.hex()), (word, word)):
            await asyncio.to_thread(self._refused_sign_in, username, password)
        for sender, recipient in (
            (f"{word}@agency.example", case),
            (dana, f"{word}@counsel.example"),
            (dana, f"{word}@x"),
        ):
            await asyncio.to_thread(self._converse, sender, recipient, self.mail("refused"))
        octets = self.mail("odd", LARGE)
        forged = octets.replace(f"<{dana}>".encode(), f"<{word}@agency.example>".encode(), 1)
        for broken in (
            octets.replace(b"\r\n\r\n", b"\r\n\n", 1),
            octets + b"\0\r\n",
            octets.replace(b"\r\n", b"\r", 1),
        ):
            await asyncio.to_thread(self._converse, dana, case, broken)
        await asyncio.to_thread(self._converse, dana, case, forged)
        await asyncio.to_thread(self._converse, dana, case, self.mail("over", OVER))
        await asyncio.to_thread(self._converse, dana, case, b"X: " + octets[:2000].replace(b"\r\n", b"") * 100 + octets)

    async def mail_breaks_off(self) -> None:
        """The peer leaves in the middle of DATA, before and after the first sealed frame."""
        for octets in (self.mail("left"), self.mail("left-late", LARGE)):
            await asyncio.to_thread(self._break_off, octets[:-200])

    async def junk_on_the_wire(self) -> None:
        """Commands that are none."""
        word = word_of(self.canary)
        lines = (
            word,
            f"EHLO {word}.example",
            f"MAIL FROM:<{word}",
            f"AUTH PLAIN {word}",
            f"GET /{word} HTTP/1.1",
            "QUIT",
        )
        await asyncio.to_thread(self._say, lines)

    async def sign_in_fails(self) -> None:
        """What a person types wrongly."""
        word = word_of(self.canary)
        async with Browser(self.world.portal, self.world.tls) as browser:
            for username, password in (("ines", word), (word, word), ("ines", self.canary.hex())):
                page = await browser.open("/sign-in")
                fields = {"username": username, "password": password, "code": word[:6]}
                await browser.submit(page.form("/sign-in"), fields)

    async def portal_replies(self) -> None:
        """Text and files of both sizes, whole."""
        async with Browser(self.world.portal, self.world.tls) as browser:
            form = await self._form(browser)
            fields = {"subject": self.word("reply-subject"), "text": self.planted_text("reply-text")}
            files = [
                ("files", f"{self.word('reply-name')}.txt", self.planted("reply-small")),
                ("files", "large.bin", self.planted("reply-large", LARGE)),
            ]
            async with asyncio.timeout(PATIENCE):
                page = await browser.submit_patiently(form, fields, files)
            assert page.status == 200, page.status

    async def portal_refuses(self) -> None:
        """A form without a subject, one with too much, one without its token, one that breaks off."""
        small, over = self.planted("form-refused"), self.planted("form-over", OVER)
        text = {"text": self.planted_text("form-text")}
        async with Browser(self.world.portal, self.world.tls) as browser:
            form = await self._form(browser)
            await browser.submit(form, {**text, "subject": ""}, [("files", self.word("form-name"), small)])
            with suppress(httpx2.TransportError):  # the portal may end a connection that brings too much
                await browser.submit(form, {**text, "subject": self.word("x")}, [("files", "over.bin", over)])
            await browser.submit(Form(form.action, {}), {**text, "subject": "x"}, [("files", "x", small)])
            await self._abort_upload(browser, form)

    async def pages_are_asked_for(self) -> None:
        """The canary where a log of requests would keep it, and in the demo's search."""
        word = word_of(self.canary)
        async with Browser(self.world.portal, self.world.tls) as browser:
            await self.world.sign_in(browser, "ines")
            for path in (f"/{word}", f"/cases?q={word}", f"/messages/{word}", f"/cases/{word}/write?answers={word}"):
                await browser.open(path)
        async with httpx2.AsyncClient(base_url=self.world.portal, verify=self.world.tls) as client:
            headers = {"Referer": f"https://x/{word}", "User-Agent": word, "Cookie": f"a={word}", "X-Word": word}
            await client.get(f"/{word}?{self.canary.hex()}", headers=headers)
        await asyncio.to_thread(self.world.search, word)

    async def everything_is_read(self) -> None:
        """Both sides open each message, each part, and the octets as received."""
        for name in ("ines", "dana"):
            async with Browser(self.world.portal, self.world.tls) as browser:
                await self._form(browser, name)
                seen = 0
                for reference in await self.world.references():
                    page = await self._page(browser, f"/messages/{reference}")
                    seen += word_of(self.canary) in page.html
                    for link in page.links:
                        if link.startswith(f"/messages/{reference}/"):
                            await self._page(browser, link)
                assert seen, f"{name} reads nothing of it: the canary went nowhere"

    async def back_up(self) -> None:
        """`gateway backup`, with everything running."""
        keys = self.folder / "backup-keys"
        arguments = ["backup", str(self.backup), "--keys-to", str(keys), "--config", str(self.world.config)]
        command = [sys.executable, "-m", "gateway", *arguments]
        environment = {**os.environ, "TMPDIR": str(self.scratch)}
        await asyncio.to_thread(subprocess.run, command, env=environment, cwd=ROOT, check=True, capture_output=True)

    async def program_is_killed(self) -> None:
        """SIGKILL of submission and portal with a message in each one's hands."""
        client = await asyncio.to_thread(self._in_data)
        octets = self.mail("killed", LARGE)
        await asyncio.to_thread(client.send, octets[:-500])
        os.kill(self.world.process_of("submission"), signal.SIGKILL)
        client.close()
        async with Browser(self.world.portal, self.world.tls) as browser:
            form = await self._form(browser)
            await self._abort_upload(browser, form, kill=True)
        await self.world.serving("submission")
        await self.world.serving("portal")
        await self._send(self.mail("afterwards"))

    async def copy_comes(self) -> None:
        """The reply, whole, to the employee who chose that."""
        async with asyncio.timeout(PATIENCE):
            while self.copies and not any(b"multipart/encrypted" in one.octets for one in self.world.catcher.mails()):
                await asyncio.sleep(0.2)

    def processes(self) -> list[int]:
        """Return the ids of the supervisor, every program, and what these have forked; some may end meanwhile."""
        status = read_status(self.world.settings.site.run)
        pids = [int(program["pid"]) for program in status.values()]
        pids += [worker for pid in pids for worker in children_of(pid)]
        return [*pids, *({_parent_of(pid) for pid in pids} - {0})]

    def planted_text(self, tag: str) -> str:
        """Return text for a page: the canary as a word, hex and base64."""
        return f"{self.word(tag)}\n{self.canary.hex()}\n{base64.b64encode(self.canary).decode()}\n"

    def mail(self, tag: str, noise: int = 0) -> bytes:
        """Return a message with the canary in every place of a mail."""
        mail = EmailMessage(SMTP)
        mail["From"] = f'"{self.word(f"{tag}-author")}" <{self.world.people["dana"].address}>'
        mail["To"] = f'"{self.word(f"{tag}-display")}" <{self.world.case_address}>'
        mail["Bcc"] = f'"{self.word(f"{tag}-bcc")}" <{self.world.people["raul"].address}>'
        mail["Subject"] = self.word(f"{tag}-subject")
        mail["Message-ID"] = f"<{self.word(tag)}.{os.urandom(4).hex()}@agency.example>"
        mail["In-Reply-To"] = f"<{self.word('parent')}@agency.example>"
        mail["X-Mailer"] = self.word(f"{tag}-mailer")
        mail.set_content(self.planted_text(f"{tag}-body"))
        binary = {"maintype": "application", "subtype": "octet-stream"}
        mail.add_attachment(self.planted(f"{tag}-file", noise), filename=f"{self.word(f'{tag}-name')}.bin", **binary)
        mail.add_attachment(gzip.compress(self.word(f"{tag}-gz").encode()), filename="a.gz", **binary)
        mail.add_attachment(self.word(f"{tag}-wide").encode("utf-16-le"), filename="wide.txt", **binary)
        return mail.as_bytes()

    async def _choose_full_copies(self) -> None:
        if not self.copies:
            return
        dana, settings = self.world.people["dana"], self.world.settings
        with open_ring(self.folder / "ring") as ring:
            public = await asyncio.to_thread(lambda: ring.public(ring.key(f"D <{dana.address}>", "cv25519 encr 1y")))
        key = await asyncio.to_thread(check_openpgp, public, [dana.address], datetime.now(UTC))
        await office.write(settings, lambda tx: write_proven(tx, settings.keys.folder, dana.id, key))
        async with office.operators(settings) as (keyholder, _):
            await keyholder.enact("choose_notices", person=dana.id, full_copies=True)

    async def _send(self, octets: bytes) -> None:
        recipients = [self.world.case_address, self.world.people["raul"].address]
        async with asyncio.timeout(PATIENCE):
            while True:
                with suppress(OSError):
                    reply = await self.world.mail_tool("dana").send(recipients, octets)
                    if reply.code == 250:
                        return
                    assert reply.code < 500, reply
                await asyncio.sleep(0.2)

    async def _page(self, browser: Browser, path: str) -> Page:
        """Open a page, again while a part of the gateway is away."""
        async with asyncio.timeout(PATIENCE):
            while True:
                with suppress(httpx2.TransportError):
                    page = await browser.open(path)
                    if page.status < 500:
                        return page
                await asyncio.sleep(0.2)

    async def _form(self, browser: Browser, name: str = "ines") -> Form:
        """Sign in, as often as it takes, and return the form for a new message."""
        async with asyncio.timeout(PATIENCE):
            while True:
                with suppress(httpx2.TransportError, LookupError, GatewayError):
                    await self.world.sign_in(browser, name)
                    page = await browser.open(f"/cases/{self.world.case}/write")
                    return page.form("/write")
                await asyncio.sleep(0.2)

    def _connected(self) -> smtplib.SMTP:
        client = smtplib.SMTP("localhost", self.ports.starttls, timeout=60)
        client.starttls(context=self.world.tls)
        return client

    def _signed_in(self) -> smtplib.SMTP:
        dana = self.world.people["dana"]
        client = self._connected()
        client.login(dana.address, dana.app_password)
        return client

    def _in_data(self) -> smtplib.SMTP:
        client = self._signed_in()
        client.mail(self.world.people["dana"].address)
        client.rcpt(self.world.case_address)
        client.docmd("DATA")
        return client

    def _send_by_bdat(self, octets: bytes) -> None:
        with suppress(OSError), self._signed_in() as client:
            client.mail(self.world.people["dana"].address)
            client.rcpt(self.world.case_address)
            for last, chunk in (("", octets[:500]), (" LAST", octets[500:])):
                client.send(f"BDAT {len(chunk)}{last}\r\n".encode() + chunk)
                client.getreply()

    def _refused_sign_in(self, username: str, password: str) -> None:
        with suppress(OSError), self._connected() as client:
            client.login(username, password)

    def _converse(self, sender: str, recipient: str, octets: bytes) -> None:
        """Go as far as the door lets us."""
        with suppress(OSError), self._signed_in() as client:
            if client.mail(sender)[0] < 400 and client.rcpt(recipient)[0] < 400 and client.docmd("DATA")[0] == 354:
                client.send(octets + b"\r\n.\r\n")
                client.getreply()
            client.mail(sender, [f"SIZE={len(octets) * 100}"])

    def _break_off(self, octets: bytes) -> None:
        with suppress(OSError):
            client = self._in_data()
            client.send(octets)
            client.close()

    def _say(self, lines: tuple[str, ...]) -> None:
        with suppress(OSError), socket.create_connection(("localhost", self.ports.starttls), timeout=20) as plain:
            plain.sendall("\r\n".join(lines).encode() + b"\r\n")
            plain.recv(4096)
        with suppress(OSError), self._signed_in() as client:
            for line in lines:
                client.docmd(line)

    async def _abort_upload(self, browser: Browser, form: Form, *, kill: bool = False) -> None:
        """Bring half of a form, then leave, or have the portal killed."""
        boundary = "boundary"
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in {**form.hidden, "subject": self.word("half"), "text": self.word("half-text")}.items()
        )
        file = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{self.word("half-name")}"\r\n\r\n'
        )
        body = (head + file).encode() + self.planted("half", LARGE)
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        request = (
            f"POST {form.action} HTTP/1.1\r\nHost: localhost:{self.ports.portal}\r\nCookie: {cookies}\r\n"
            f"Origin: {self.world.portal.rstrip('/')}\r\nSec-Fetch-Site: same-origin\r\n"
            f"Content-Type: multipart/form-data; boundary={boundary}\r\nContent-Length: {len(body) + 9999}\r\n\r\n"
        )
        await asyncio.to_thread(self._leave_in_the_middle, request.encode() + body, kill=kill)

    def _leave_in_the_middle(self, octets: bytes, *, kill: bool) -> None:
        plain = socket.create_connection(("localhost", self.ports.portal), timeout=20)
        with plain, suppress(OSError), self._wrapped(plain) as wrapped:
            wrapped.sendall(octets)
            if kill:
                os.kill(self.world.process_of("portal"), signal.SIGKILL)

    def _wrapped(self, plain: socket.socket) -> ssl.SSLSocket:
        return self.world.tls.wrap_socket(plain, server_hostname="localhost")


def _parent_of(pid: int) -> int:
    """Return the id of a process's parent, 0 where it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


_PORTS = tuple(one.name for one in fields(Ports))
