"""The demo's people at their tools: a mail tool that speaks to the submission door, a browser that uses the portal.

Both go through the real doors on loopback and check certificates against the demo's own authority.
"""

from __future__ import annotations

import asyncio
import re
import smtplib
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Self
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
import pyotp

AGAIN_SECONDS = 0.25
PATIENCE_SECONDS = 60.0
_INPUT = re.compile(r"<input\b([^>]*)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r'([a-zA-Z-]+)\s*=\s*"([^"]*)"')
_FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.IGNORECASE | re.DOTALL)
_LINK = re.compile(r'<a\b[^>]*\bhref="([^"]*)"', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the submission door answered last: a code and its one line."""

    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


@dataclass(frozen=True, slots=True)
class MailTool:
    """An employee's mail tool: address, app password, and the gateway as its outgoing server."""

    address: str
    password: str = field(repr=False)
    host: str
    port: int
    tls: ssl.SSLContext
    implicit: bool = False

    async def send(self, recipients: Sequence[str], octets: bytes) -> Reply:
        """Submit one message; return the reply that ended the attempt, good or bad."""
        return await asyncio.to_thread(self._send, list(recipients), octets)

    def _send(self, recipients: list[str], octets: bytes) -> Reply:
        try:
            with self._connect() as client:
                client.login(self.address, self.password)
                code, text = client.mail(self.address, [f"SIZE={len(octets)}"])
                for recipient in recipients:
                    if code < 400:
                        code, text = client.rcpt(recipient)
                if code < 400:
                    code, text = client.data(octets)
                return Reply(code, text.decode("ascii", "replace"))
        except smtplib.SMTPResponseException as problem:
            error = problem.smtp_error
            return Reply(problem.smtp_code, error.decode("ascii", "replace") if isinstance(error, bytes) else error)

    def _connect(self) -> smtplib.SMTP:
        if self.implicit:
            return smtplib.SMTP_SSL(self.host, self.port, timeout=60, context=self.tls)
        client = smtplib.SMTP(self.host, self.port, timeout=60)
        client.starttls(context=self.tls)
        return client


async def patiently(send: Callable[[], Awaitable[Reply]]) -> Reply:
    """Submit as mail servers and tools do: the same again while nobody answers, or the answer is 4yz."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                reply = await send()
            except (OSError, smtplib.SMTPServerDisconnected):
                reply = Reply(421, "no answer")
            if reply.code >= 500 or reply.code < 400:
                return reply
            await asyncio.sleep(AGAIN_SECONDS)


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a page: where it goes, and the hidden fields that go with it."""

    action: str
    hidden: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """One page as a browser got it."""

    status: int
    url: str
    html: str

    @property
    def seed(self) -> str:
        """The seed of the authenticator app that the page offers. Raises LookupError."""
        uri = self.form("/first-sign-in/password").hidden["uri"]
        return parse_qs(urlsplit(uri).query)["secret"][0]

    @property
    def links(self) -> list[str]:
        """Where its links lead, in order."""
        return [unescape(link) for link in _LINK.findall(self.html)]

    def form(self, action: str) -> Form:
        """Return the form whose action is `action`, else one whose action contains it. Raises LookupError."""
        found = {
            unescape(dict(_ATTRIBUTE.findall(attributes)).get("action", "")): inner
            for attributes, inner in reversed(_FORM.findall(self.html))
        }
        target = action if action in found else next((one for one in reversed(found) if action in one), None)
        if target is None:
            raise LookupError(f"the page at {self.url} has no form {action}")
        return Form(urljoin(self.url, target), _hidden(found[target]))


class Browser:
    """A person's browser: cookies, redirects, forms; no scripts."""

    def __init__(self, portal: str, tls: ssl.SSLContext) -> None:
        self._client = httpx2.AsyncClient(base_url=portal, verify=tls, follow_redirects=True, timeout=120)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    @property
    def cookies(self) -> Mapping[str, str]:
        """What the portal gave it to keep."""
        return dict(self._client.cookies)

    async def open(self, path: str) -> Page:
        """Follow a link."""
        return _page(await self._client.get(path))

    async def download(self, path: str) -> bytes:
        """Save what a link leads to. Raises httpx2.HTTPStatusError when there is nothing."""
        answer = await self._client.get(path)
        answer.raise_for_status()
        return answer.content

    async def submit(self, form: Form, fields: Mapping[str, str], files: Sequence[tuple[str, str, bytes]] = ()) -> Page:
        """Send a form with its hidden fields; `files` are (field, name, content)."""
        values = {**form.hidden, **fields}
        if not files:
            return _page(await self._client.post(form.action, data=values, headers=self._same_origin()))
        parts = [(field, (name, content, "application/octet-stream")) for field, name, content in files]
        return _page(await self._client.post(form.action, data=values, files=parts, headers=self._same_origin()))

    async def submit_patiently(
        self, form: Form, fields: Mapping[str, str], files: Sequence[tuple[str, str, bytes]] = ()
    ) -> Page:
        """Send a form that carries its own word, again while nobody answers or the answer is 5yz; until cancelled."""
        while True:
            try:
                page = await self.submit(form, fields, files)
            except httpx2.TransportError:
                page = None
            if page is not None and page.status < 500:
                return page
            await asyncio.sleep(AGAIN_SECONDS)

    async def sign_in(self, username: str, password: str, seed: str, at: float | None = None) -> Page:
        """Sign in with a password and the code of an authenticator app; return the page that follows."""
        one_time = pyotp.TOTP(seed)
        code = one_time.now() if at is None else one_time.at(int(at))
        page = await self.open("/sign-in")
        return await self.submit(page.form("/sign-in"), {"username": username, "password": password, "code": code})

    async def type_first_code(self, code: str, provider: str = "") -> Page:
        """Type the code that was told to a person, and choose the way of signing in; return the page that follows."""
        page = await self.open("/first-sign-in")
        return await self.submit(page.form("/first-sign-in"), {"first_code": code, "provider": provider})

    async def sign_in_at(self, provider: str, issuer: str, account: str) -> Page:
        """Sign in at an identity provider, as one of its accounts; return the page that follows."""
        page = await self.open("/sign-in")
        return await self.go_on(await self.submit(page.form(f"/sign-in/at/{provider}"), {}), issuer, account)

    async def go_on(self, page: Page, issuer: str, account: str) -> Page:
        """Follow the portal's page to a provider, say there who one is, and come back. Raises LookupError."""
        away = next((link for link in page.links if link.startswith(issuer)), None)
        if away is None:
            raise LookupError(f"the page at {page.url} leads to no provider")
        asked = await self.open(away)
        came_back = await self.submit(asked.form("/interaction/"), {"account": account})
        return await self.open("/cases") if "/cases" in came_back.links else came_back

    async def agree(self, page: Page) -> Page:
        """Agree to the terms where a page asks for that; return the page that follows."""
        if urlsplit(page.url).path != "/terms":
            return page
        return await self.submit(page.form("/terms"), {})

    def _same_origin(self) -> dict[str, str]:
        return {"Origin": str(self._client.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}


def _page(answer: httpx2.Response) -> Page:
    return Page(answer.status_code, str(answer.url), answer.text)


def _hidden(html: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for attributes in _INPUT.findall(html):
        values = {name.lower(): unescape(value) for name, value in _ATTRIBUTE.findall(attributes)}
        if values.get("type") == "hidden" and "name" in values:
            fields[values["name"]] = values.get("value", "")
    return fields
