"""Settings of the ways of signing in: identity providers, and what sends codes to telephones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.domain.assurance import Assurance
from gateway.domain.credential import CertificateName, MailTokens


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """One provider. `secret` is the file of the client's secret or private key; `levels` what its `acr` words mean.

    `least` is the assurance that a sign-in must reach, `least_by_programme` where a programme has its own. Empty
    `scopes` or `acr_values` leave it to the profile. `sides` are those whose people may use it.
    """

    key: str
    title: str
    profile: str
    issuer: str
    client_id: str
    client_authentication: str
    secret: Path
    scopes: tuple[str, ...]
    acr_values: tuple[str, ...]
    levels: Mapping[str, Assurance]
    least: Assurance
    least_by_programme: Mapping[str, Assurance]
    sides: frozenset[str]
    hosts: tuple[str, ...]
    ca_file: Path | None
    mail: MailTokens | None = None


@dataclass(frozen=True, slots=True)
class ClientCertificateSettings:
    """Client certificates that mail tools sign in with: the authorities that issue them, which name in them says whose
    they are, and where revocation is looked up: a file of lists, a responder's address, either or both.
    """

    client_ca: Path
    identity: CertificateName
    crl: Path | None
    ocsp: str


@dataclass(frozen=True, slots=True)
class ToolSignIn:
    """By what mail tools sign in at the submission door. `tokens` are those of the employees' provider, by `issuer`."""

    passwords: bool
    issuer: str = ""
    tokens: MailTokens | None = None
    certificates: ClientCertificateSettings | None = None

    @property
    def is_offered(self) -> bool:
        """True where there is any way."""
        return self.passwords or self.tokens is not None or self.certificates is not None


@dataclass(frozen=True, slots=True)
class CodeSettings:
    """The web service that sends codes, and the file of its token; None: a trial shows codes in its log, else nothing
    sends any.
    """

    webhook: str | None
    token: Path | None
    ca_file: Path | None
