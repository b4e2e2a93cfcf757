"""What the authenticator gives: values of its answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.domain.session import SessionStatement


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A sign-in that was right: the token for the browser, and what the keyholder admits it by."""

    token: bytes = field(repr=False)
    statement: SessionStatement
    signature: bytes


@dataclass(frozen=True, slots=True)
class NewAppPassword:
    """An app password: what `add_credential` takes, and the clear text that its person sees once."""

    lookup: str
    data: str
    clear: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewTotp:
    """A code seed: what `add_credential` takes (sealed), and the otpauth URI that its person's app reads once."""

    data: str = field(repr=False)
    uri: str = field(repr=False)
