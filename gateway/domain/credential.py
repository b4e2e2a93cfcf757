"""Credentials as values: the kinds there are, and whom a proof was for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CredentialKind(StrEnum):
    """How a person proves who they are. An app password opens the submission door and nothing else."""

    PASSWORD = "password"  # noqa: S105 - the name of a kind
    TOTP = "totp"
    APP_PASSWORD = "app_password"  # noqa: S105 - the name of a kind


@dataclass(frozen=True, slots=True)
class Principal:
    """The person whose app password was right, and which one it was."""

    person_id: str
    credential_id: str
