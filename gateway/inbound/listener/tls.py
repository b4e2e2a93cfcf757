"""TLS for the listeners: 1.2 and up, ephemeral ECDH and authenticated encryption only (RFC 9325)."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Final, cast

from gateway import maillog
from gateway.domain.errors import ConfigError

CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL"
"""For TLS 1.2; every suite of TLS 1.3 has both properties."""


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the context for a certificate chain and its key, both PEM. Raises ConfigError where they do not fit."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as problem:
        raise ConfigError(f"TLS: {certificate} and {key} do not fit each other or cannot be read") from problem
    return context


def asking_context(certificate: Path, key: Path, client_ca: Path) -> ssl.SSLContext:
    """Return a context that asks for a client certificate of the authorities in a file, and goes on without one.

    One of its own each time: a context that was used keeps the authorities and the sessions that it had. Raises
    ConfigError where the files do not fit.
    """
    context = server_context(certificate, key)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN  # what is in the file needs nobody above it
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    try:
        context.load_verify_locations(client_ca)
    except OSError as problem:  # an SSLError is one
        raise ConfigError(f"TLS: {client_ca} has no certificates in PEM, or cannot be read") from problem
    return context


class ClientTls:
    """What a listener shows where it asks for client certificates. Raises ConfigError where the files do not fit."""

    def __init__(self, certificate: Path, key: Path, client_ca: Path) -> None:
        self._files = (certificate, key, client_ca)
        self._context = asking_context(*self._files)

    @property
    def context(self) -> ssl.SSLContext:
        """What the next handshake uses."""
        return self._context

    def renew(self) -> None:
        """Let new handshakes use what the files hold now; sessions go on. Raises ConfigError: then nothing changed."""
        self._context = asking_context(*self._files)


def renew(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Let new handshakes on a context show what the files hold now; those there go on under what they have.

    Raises ConfigError where the files do not fit each other: the context then shows what it did.
    """
    server_context(certificate, key)
    context.load_cert_chain(certificate, key)


async def raise_tls(
    link: asyncio.Transport, protocol: asyncio.Protocol, context: ssl.SSLContext, early: bytes, seconds: float
) -> asyncio.Transport | None:
    """Put TLS, as the server, between a transport that is paused and its protocol. Returns None where that fails.

    `early` is what the peer is known to have sent of its handshake already. aiosmtpd's own way is asyncio's TLS layer
    in Python, also where the loop has a faster one; this is the loop's.
    """
    loop = asyncio.get_running_loop()
    handshake = loop.create_task(_shake_hands(link, protocol, context, seconds))
    try:
        await asyncio.sleep(0)  # the TLS layer is on the transport now, and its start is in the loop's next turn
        if early and not handshake.done():
            loop.call_soon(_feed, link.get_protocol(), early)
        return await handshake
    finally:
        loop.call_soon(handshake.cancel)  # soon: a handshake that has just failed still says why


async def _shake_hands(
    link: asyncio.Transport, protocol: asyncio.Protocol, context: ssl.SSLContext, seconds: float
) -> asyncio.Transport | None:
    try:
        return await asyncio.get_running_loop().start_tls(
            link, protocol, context, server_side=True, ssl_handshake_timeout=seconds
        )
    except ssl.SSLCertVerificationError as problem:
        maillog.client_certificate_refused(problem.verify_code)
    except (OSError, RuntimeError):  # RuntimeError: the transport closed before the handshake began
        pass  # nobody is left to be told
    return None


def _feed(protocol: asyncio.BaseProtocol, octets: bytes) -> None:
    layer = cast("asyncio.BufferedProtocol", protocol)
    while octets:
        buffer = memoryview(layer.get_buffer(len(octets)))
        count = min(len(buffer), len(octets))
        buffer[:count] = octets[:count]
        layer.buffer_updated(count)
        octets = octets[count:]
