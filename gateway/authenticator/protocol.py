"""What the authenticator gives: values of its answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from gateway.domain.proof import Binding, Ending, Linking
from gateway.domain.session import SessionStatement
from gateway.frames import decode


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A sign-in that was right: the token for the browser, and what the keyholder admits it by."""

    token: bytes = field(repr=False)
    statement: SessionStatement
    signature: bytes

    @classmethod
    def from_frame(cls, answer: Mapping[str, Any]) -> Self:
        """Read what an answer carries. Raises NotAuthenticated, Malformed."""
        statement = answer.get("statement")
        return cls(
            token=decode(answer.get("token")),
            statement=SessionStatement.from_json(statement if isinstance(statement, Mapping) else {}),
            signature=decode(answer.get("signature")),
        )


@dataclass(frozen=True, slots=True)
class Beginning:
    """A sign-in at a provider that can begin: where the browser goes, and what it keeps until it is back."""

    address: str = field(repr=False)
    attempt: bytes = field(repr=False)


class Outcome(StrEnum):
    """What a sign-in at a provider came to. Each has its page, and each page says what to do next."""

    SIGNED_IN = "signed-in"
    UNKNOWN = "unknown"
    NO_ADDRESS = "no-address"
    REVIEW = "review"
    WEAK = "weak"
    DECLINED = "declined"
    CODE_OVER = "code-over"
    PASSWORD_OVER = "password-over"  # noqa: S105 - the name of an outcome
    FAILED = "failed"
    AWAY = "away"
    AWAY_TOO_LONG = "away-too-long"
    LINK = "link"
    LINKED = "linked"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class SignedBinding:
    """A first credential that was proved; the keyholder makes it, all of one first sign-in together."""

    binding: Binding
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignedLinking:
    """An account that was proved to be a person's; the keyholder makes the link under their session."""

    linking: Linking
    signature: bytes


@dataclass(frozen=True, slots=True)
class ComeBack:
    """The outcome; with SIGNED_IN the sign-in, and at a first one the bindings that the keyholder makes before; with
    LINK the account that is to be linked.
    """

    outcome: Outcome
    signed_in: SignedIn | None = None
    bindings: tuple[SignedBinding, ...] = ()
    linking: SignedLinking | None = None


@dataclass(frozen=True, slots=True)
class SigningUp:
    """What the page for a first password shows and carries: user name, the app's URI, what a device is asked."""

    username: str
    uri: str = field(repr=False)
    options: str
    ticket: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedEnding:
    """What a provider has told, checked: the keyholder ends it."""

    ending: Ending
    signature: bytes


@dataclass(frozen=True, slots=True)
class PasskeyQuestion:
    """What a browser asks a device (JSON), and what comes back beside the answer."""

    options: str
    question: str


@dataclass(frozen=True, slots=True)
class NewRecoveryCodes:
    """Recovery codes: what `add_credential` takes, and the clear text that their person sees once."""

    data: str = field(repr=False)
    codes: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewFirstCode:
    """A first code: what `add_credential` takes, and the clear text that is told to its person once."""

    lookup: str
    clear: str = field(repr=False)


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
