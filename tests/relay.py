"""A mail relay on loopback for tests: a real aiosmtpd server with TLS, which answers as the test says."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


class Shown(Protocol):
    """What a host shows to begin TLS."""

    def server_context(self) -> ssl.SSLContext: ...


class Certificate:
    """A self-signed certificate of a host in two PEM files of a folder."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        self.path, self.key_path = folder / f"{host}.pem", folder / f"{host}.key"
        key = generate_private_key(SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
        alternative = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, SHA256())
        )
        self.path.write_bytes(made.public_bytes(Encoding.PEM))
        self.key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path, self.key_path)
        return context


class Sink:
    """What the relay does with mail: keeps it, or answers what it was told to, the first answers first."""

    def __init__(self) -> None:
        self.mail: list[Envelope] = []
        self.sessions: set[int] = set()
        self.mail_replies: list[str] = []
        self.rcpt_replies: list[str] = []
        self.data_replies: list[str] = []
        self.logins: list[tuple[bytes, bytes]] = []
        self.hold: asyncio.Event | None = None
        self.waiting = 0
        """With `hold` an answer to mail waits until it is set; `waiting` counts those that do or did."""

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.sessions.add(id(session))
        envelope.mail_from = address
        return self.mail_replies.pop(0) if self.mail_replies else "250 2.1.0 sender fine"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.rcpt_replies.pop(0) if self.rcpt_replies else "250 2.1.5 recipient fine"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.waiting += 1
        if self.hold is not None:
            await self.hold.wait()
        reply = self.data_replies.pop(0) if self.data_replies else "250 2.0.0 queued"
        if reply.startswith("2"):
            self.mail.append(envelope)
        return reply

    def check(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        self.logins.append((getattr(data, "login", b""), getattr(data, "password", b"")))
        return AuthResult(success=True)


@asynccontextmanager
async def relay(
    sink: Sink,
    certificate: Certificate | Shown | None,
    *,
    implicit: bool = False,
    authenticate: bool = False,
    port: int = 0,
) -> AsyncIterator[int]:
    """Run a relay and yield its port. Without a certificate it offers no STARTTLS."""
    context = certificate.server_context() if certificate else None
    opened: list[SMTP] = []

    def protocol() -> SMTP:
        options = {"authenticator": sink.check, "auth_require_tls": False} if authenticate else {}
        opened.append(SMTP(sink, hostname="relay.example", tls_context=None if implicit else context, **options))
        return opened[-1]

    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", port, ssl=context if implicit else None)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for one in opened:
            if one.transport is not None:
                with suppress(AttributeError):  # Python 3.11.2's, of a connection that was closed twice
                    one.transport.abort()
        await settled()


async def settled() -> None:
    """Let the loop finish what closing connections began."""
    for _ in range(20):
        await asyncio.sleep(0.002)


@asynccontextmanager
async def scripted(*replies: bytes) -> AsyncIterator[int]:
    """Run a server that speaks no TLS and sends one of `replies` at the start and after each line; then it hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for reply in replies:
                writer.write(reply)
                await writer.drain()
                if not await reader.readline():
                    break
        except (ConnectionError, ValueError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await settled()


@asynccontextmanager
async def cutting_proxy(target: int, cut: Callable[[], tuple[int, int]]) -> AsyncIterator[int]:
    """Run a proxy to a port of loopback that ends a connection after so many octets (to the relay, from the relay)."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, octets: int) -> None:
        try:
            while octets and (chunk := await reader.read(min(octets, 65536))):
                octets -= len(chunk)
                writer.write(chunk)
                await writer.drain()
        except ConnectionError:
            pass

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = cut()
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
        except OSError:
            writer.transport.abort()
            return
        pumps = [
            asyncio.create_task(pump(reader, far_writer, there)),
            asyncio.create_task(pump(far_reader, writer, back)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for one in pumps:
            one.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for end in (writer, far_writer):
            end.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await settled()
