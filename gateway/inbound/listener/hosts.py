"""The hosts of one trusted relay, and how they are proven: an address in its networks, and a client certificate.

What it trusts: the file of client certificates, and what OpenSSL says of chain, dates and purpose. A certificate in the
file proves whoever holds its key. One that only leads to an authority in the file proves nothing, unless the authority
vouches for a listed name: an authority has other customers.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway import maillog
from gateway.domain.errors import ConfigError
from gateway.domain.reply import SmtpReply
from gateway.inbound import replies
from gateway.inbound.listener.tls import asking_context

Networks = tuple[IPv4Network | IPv6Network, ...]


class TrustedHosts:
    """Who may be this relay. `names` are DNS names in lower case. Raises ConfigError where the files do not fit."""

    def __init__(
        self, relay: str, networks: Networks, client_ca: Path, names: Iterable[str], *, certificate: Path, key: Path
    ) -> None:
        self._relay = relay
        self._networks = networks
        self._names = frozenset(names)
        self._files = (certificate, key, client_ca)
        self._context, self._keys = _read(*self._files)

    @property
    def context(self) -> ssl.SSLContext:
        """What the next handshake uses."""
        return self._context

    def renew(self) -> None:
        """Let new handshakes use what the files hold now; sessions go on. Raises ConfigError: then nothing changed."""
        self._context, self._keys = _read(*self._files)

    def has(self, address: str) -> bool:
        """Tell whether an address is in the relay's networks."""
        return is_in(address, self._networks)

    def why_unproven(self, address: str, link: asyncio.Transport | None) -> SmtpReply | None:
        """Return the reply to a host that is none of these: by its address, and by `link` once that has TLS."""
        if not self.has(address):
            maillog.relay_refused(self._relay, "network")
            return replies.NOT_FROM_THERE
        if link is None:
            return None
        certificate = link.get_extra_info("ssl_object").getpeercert(binary_form=True)
        if certificate and self.knows(certificate):
            return None
        maillog.relay_refused(self._relay, "certificate")
        return replies.UNKNOWN_CERTIFICATE if certificate else replies.NO_CERTIFICATE

    def knows(self, certificate: bytes) -> bool:
        """Tell whether a certificate (DER, chain, dates and purpose already verified) has a listed key or name."""
        try:
            shown = x509.load_der_x509_certificate(certificate)
            return _key_of(shown) in self._keys or not self._names.isdisjoint(_names_of(shown))
        except (ValueError, UnsupportedAlgorithm):
            return False


def is_in(address: str, networks: Networks) -> bool:
    """Tell whether an address is in one of these networks. A UNIX socket's, which is empty, is in none."""
    if not address or not networks:
        return False
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network for network in networks)


def _read(certificate: Path, key: Path, client_ca: Path) -> tuple[ssl.SSLContext, frozenset[bytes]]:
    context = asking_context(certificate, key, client_ca)  # who shows none is told so, in words
    try:
        keys = frozenset(map(_key_of, x509.load_pem_x509_certificates(client_ca.read_bytes())))
    except (OSError, ValueError, UnsupportedAlgorithm) as problem:
        raise ConfigError(f"TLS: {client_ca} has no certificates in PEM, or cannot be read") from problem
    return context, keys


def _key_of(certificate: x509.Certificate) -> bytes:
    octets = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(octets).digest()


def _names_of(certificate: x509.Certificate) -> frozenset[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(name.lower() for name in found.value.get_values_for_type(x509.DNSName))
