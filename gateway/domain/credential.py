"""Credentials as values: the kinds there are, and whom a proof was for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CredentialKind(StrEnum):
    """How a person proves who they are.

    An app password opens the submission door and nothing else. A first code is typed once, by a person who has been
    invited, beside the credential that they are then known by; by itself it signs nobody in. An identity is the link to
    one account at an identity provider. TOTP, passkey, recovery (a set of codes, each good once) and telephone (a
    number that codes are sent to) stand beside a password. An extension signs nobody in either: until it ends
    its person may go on with a password that is over for others.
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


FOUND_BY_LOOKUP = frozenset({CredentialKind.APP_PASSWORD, CredentialKind.FIRST_CODE, CredentialKind.IDENTITY})
"""Kinds that have a keyed hash to be found by."""
SIGNS_NOBODY_IN = frozenset({CredentialKind.APP_PASSWORD, CredentialKind.FIRST_CODE, CredentialKind.EXTENSION})
"""Kinds that no session rests on."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The person whose app password was right, and which one it was."""

    person_id: str
    credential_id: str
