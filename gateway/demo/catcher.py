"""The outside world's mail, for the demo only: an SMTP server that keeps every mail it is given in a folder.

It stands for the ordinary mail systems beyond the gateway: whatever lies here, others may read. It offers STARTTLS and
takes nothing without it, so that the notifier's required TLS is used for real.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from gateway.store.ids import new_id

MAX_OCTETS = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Caught:
    """One mail that reached an ordinary mailbox: for whom it was, and its octets."""

    name: str
    recipients: tuple[str, ...]
    octets: bytes

    @property
    def mail(self) -> EmailMessage:
        """The mail, parsed as any mail tool would."""
        parsed = email.message_from_bytes(self.octets, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def text(self) -> str:
        """Its plain text."""
        body = self.mail.get_body(preferencelist=("plain",))
        return "" if body is None else str(body.get_content())


class MailCatcher:
    """Keeps what it is given under `folder`, one file a mail, and tells who waits."""

    def __init__(self, folder: Path, tls: ssl.SSLContext) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._arrived = asyncio.Condition()

    async def open(self, host: str, port: int) -> int:
        """Listen; return the port. Raises OSError when it is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    def mails_to(self, address: str) -> list[Caught]:
        """Return the mails of one mailbox, oldest first."""
        return [mail for mail in self.mails() if address in mail.recipients]

    def mails(self) -> list[Caught]:
        """Return every mail, oldest first."""
        return [_read(path) for path in sorted(self._folder.glob("*.eml"))]

    async def wait_for(self, address: str, count: int, seconds: float) -> list[Caught]:
        """Wait until a mailbox holds `count` mails; return what it holds then, or at the end of the time."""
        try:
            async with asyncio.timeout(seconds), self._arrived:
                await self._arrived.wait_for(lambda: len(self.mails_to(address)) >= count)
        except TimeoutError:
            pass
        return self.mails_to(address)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep one mail, then wake who waits."""
        del server, session
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        name = new_id()
        head = "".join(f"X-Caught-For: {address}\r\n" for address in envelope.rcpt_tos).encode("ascii", "replace")
        temporary = self._folder / f"{name}.tmp"
        temporary.write_bytes(head + content)
        temporary.replace(self._folder / f"{name}.eml")
        async with self._arrived:
            self._arrived.notify_all()
        return "250 2.0.0 caught"

    def _protocol(self) -> Any:
        return SMTP(
            self,
            hostname="mail.outside.test",
            data_size_limit=MAX_OCTETS,
            tls_context=self._tls,
            require_starttls=True,
            enable_SMTPUTF8=True,
        )


def _read(path: Path) -> Caught:
    octets = path.read_bytes()
    recipients: list[str] = []
    while octets.startswith(b"X-Caught-For: "):
        line, _, octets = octets.partition(b"\r\n")
        recipients.append(line.partition(b": ")[2].decode("ascii"))
    return Caught(path.stem, tuple(recipients), octets)
