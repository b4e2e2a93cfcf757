"""What the plans for mail systems have in common: which relay, and what the gateway's listener shows of itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.config import Settings, TrustedRelaySettings
from gateway.domain.errors import ConfigError

_PLAIN = re.compile(r"[A-Za-z0-9/._:+-]*")


@dataclass(frozen=True, slots=True)
class Shown:
    """The certificate of the mail doors: a name in it, and, where it vouches for itself, its text in PEM."""

    name: str
    pem: str


def relay_of(settings: Settings, name: str, *, online: bool | None) -> TrustedRelaySettings:
    """Return the relay of a name, or the only one of its kind (`online` None: of any). Raises ConfigError."""
    fit = [one for one in settings.submission.relays if online is None or (one.organisation is not None) == online]
    found = [one for one in fit if name in ("", one.name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(f"There are several: name one, --relay {' | '.join(one.name for one in found)}")
    kind = "exchange-online" if online else "own-mta"
    raise ConfigError(
        f'There is no such relay: add a table [relay.{name or "mta"}] with kind = "{kind}", then ask again.'
    )


def require_plain(**given: str | Path) -> None:
    """Raise ConfigError where an option was given what a shell, or a mail system's list, does not take as one word."""
    for option, text in given.items():
        if not _PLAIN.fullmatch(str(text)):
            named = option.replace("_", "-")
            raise ConfigError(
                f"--{named}: {str(text)!r} cannot stand in a plan: write letters, digits and / . _ : + - alone."
            )


def shown_certificate(settings: Settings) -> Shown:
    """Return what the listener shows. Raises ConfigError where its file is none."""
    path = settings.submission.certificate
    try:
        certificate = x509.load_pem_x509_certificates(path.read_bytes())[0]
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound) as problem:
        raise ConfigError(
            f"{path} is no certificate with names, or cannot be read: no mail system can know it."
        ) from problem
    known = names.get_values_for_type(x509.DNSName)
    if not known:
        raise ConfigError(f"{path} has no DNS name: a mail system knows the gateway by one.")
    is_own = certificate.issuer == certificate.subject
    pem = certificate.public_bytes(Encoding.PEM).decode("ascii") if is_own else ""
    hostname = settings.submission.hostname
    return Shown(hostname if hostname in known else known[0], pem)
