"""TLS for the listeners: 1.2 and up, ephemeral ECDH and authenticated encryption only (RFC 9325)."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

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
