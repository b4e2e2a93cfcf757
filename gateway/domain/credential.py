"""Credentials as values: the kinds there are, and whom a proof was for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CredentialKind(StrEnum):
    """How a person proves who they are.

    An app password opens the submission door and nothing else, and so does a certificate: the name in the one that a
    person's smart card proves. A first code is typed once, by a person who has been invited, beside the credential that
    they are then known by; by itself it signs nobody in. An identity is the link to one account at an identity
    provider. TOTP, passkey, recovery (a set of codes, each good once) and telephone (a number that codes are sent to)
    stand beside a password. An extension signs nobody in either: until it ends its person may go on with a password
    that is over for others.
    """

    PASSWORD = "password"  # noqa: S105 - the name of a kind
    TOTP = "totp"
    APP_PASSWORD = "app_password"  # noqa: S105 - the name of a kind
    FIRST_CODE = "first_code"
    IDENTITY = "identity"
    PASSKEY = "passkey"
    RECOVERY = "recovery"
    TELEPHONE = "telephone"
    EXTENSION = "extension"
    CERTIFICATE = "certificate"


FOUND_BY_LOOKUP = frozenset(
    {CredentialKind.APP_PASSWORD, CredentialKind.FIRST_CODE, CredentialKind.IDENTITY, CredentialKind.CERTIFICATE}
)
"""Kinds that have a keyed hash to be found by."""
SIGNS_NOBODY_IN = frozenset(
    {CredentialKind.APP_PASSWORD, CredentialKind.FIRST_CODE, CredentialKind.EXTENSION, CredentialKind.CERTIFICATE}
)
"""Kinds that no session rests on."""


class CertificateName(StrEnum):
    """Which alternative name of a client certificate says who its holder is: an address (rfc822Name), the principal
    name of a Windows domain, or the number of a PIV card (FASC-N, in hex).
    """

    EMAIL = "email"
    UPN = "upn"
    FASC_N = "fasc-n"


@dataclass(frozen=True, slots=True)
class MailTokens:
    """Access tokens that mail tools sign in with: for whom and for what the provider gives them.

    `asks`: the provider is asked about each (RFC 7662); else a token is read by the provider's keys (RFC 9068).
    """

    audience: str
    scope: str
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Principal:
    """The person whose mail tool has proved whose it is, and the credential that it did so with."""

    person_id: str
    credential_id: str


def discovery_address(issuer: str) -> str:
    """Return where a provider says of itself what it has (OpenID Connect Discovery 1.0 section 4)."""
    return issuer.rstrip("/") + "/.well-known/openid-configuration"
