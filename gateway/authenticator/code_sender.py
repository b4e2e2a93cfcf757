"""The way of a one-time code to a telephone: a web service of the site's choice, or, in a trial, the log."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Final, Protocol

import httpx2

from gateway import maillog

SECONDS: Final = 10.0


class CodeSender(Protocol):
    """Sends one code. Nothing is raised: what became of it is logged."""

    async def send(self, number: str, channel: str, code: str) -> None:
        """Send a code to a number (`+12025550142`) by `text` or `call`."""
        ...


@dataclass(frozen=True, slots=True)
class WebhookSender:
    """Asks a web service: POST of one JSON object with `to`, `channel` (`text` or `call`), `code` and `text`, the token
    in an Authorization header. Any 2xx is taken for sent; no redirect is followed.
    """

    address: str
    token: str = field(repr=False)
    site: str
    trust: ssl.SSLContext | None = field(default=None, repr=False)

    async def send(self, number: str, channel: str, code: str) -> None:
        """Ask the service once."""
        words = f"Your code for {self.site}: {code}. It is good for ten minutes. Nobody of ours ever asks you for it."
        message = {"to": number, "channel": channel, "code": code, "text": words}
        outcome = "failed"
        try:
            async with (
                asyncio.timeout(SECONDS),
                httpx2.AsyncClient(
                    verify=self.trust or ssl.create_default_context(), trust_env=False, follow_redirects=False
                ) as client,
            ):
                answer = await client.post(
                    self.address, json=message, headers={"authorization": f"Bearer {self.token}"}
                )
            outcome = "sent" if answer.is_success else "refused"
        except (httpx2.HTTPError, OSError, TimeoutError):
            outcome = "failed"
        maillog.code_sent(channel, outcome)


@dataclass(frozen=True, slots=True)
class LogSender:
    """Shows the code in the log: for trials, where nobody is called."""

    async def send(self, number: str, channel: str, code: str) -> None:  # noqa: ARG002 - the number stays out of the log
        """Write the code."""
        maillog.code_sent(channel, "shown", code)
