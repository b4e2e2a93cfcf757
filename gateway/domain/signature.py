"""What became of a signature that an author's mail tool put on a message: a value, made when a reader opens it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Scheme(StrEnum):
    """How it was signed."""

    SMIME = "S/MIME"
    OPENPGP = "OpenPGP"


class State(StrEnum):
    """How a signature stands. Only GOOD vouches for the author that the message names."""

    GOOD = "good"  # the octets are as they were signed, by a signer known here, whose address is the author's
    ANOTHER = "another"  # as signed, by a signer known here, whose address is not the author's
    UNKNOWN = "unknown"  # as signed, by somebody who is not known here; a name is what that somebody says of themselves
    BROKEN = "broken"  # the octets are not what was signed
    UNCHECKED = "unchecked"  # nothing can be said; `reason` tells why


class Reason(StrEnum):
    """Why a signer is not known here (the first six), or why a signature cannot be checked."""

    ISSUER = "issuer"  # no way from the certificate to one of the site's anchors
    VALIDITY = "validity"  # the certificate was not valid when the message was received
    PURPOSE = "purpose"  # the certificate is not for signing mail
    EXPIRED = "expired"  # key or signature had expired when the message was received
    REVOKED = "revoked"  # the key is revoked
    NO_ANCHORS = "no_anchors"  # the site trusts no certificate authority for mail
    ALGORITHM = "algorithm"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    NO_CERTIFICATE = "no_certificate"  # the signer's certificate did not come along
    NO_KEY = "no_key"  # the key is not in the site's keyring
    NO_KEYRING = "no_keyring"  # the site has none
    NO_PROGRAM = "no_program"  # gpg is not installed
    BUSY = "busy"  # not done in time; may be tried again


@dataclass(frozen=True, slots=True)
class Signer:
    """Who made a signature, in the words of their certificate or key. `addresses` are all that it names."""

    name: str = ""
    addresses: tuple[str, ...] = ()


NOBODY = Signer()


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature's result. `is_whole`: it covers every part of the message; `is_of_text`: the text that is shown.

    Raises ValueError when a reason is missing or out of place, or when a good one names no address.
    """

    scheme: Scheme
    state: State
    reason: Reason | None = None
    signer: Signer = NOBODY
    is_whole: bool = True
    is_of_text: bool = True

    def __post_init__(self) -> None:
        if (self.reason is not None) != (self.state in (State.UNKNOWN, State.UNCHECKED)):
            raise ValueError("a reason goes with what is unknown or unchecked, and with nothing else")
        if self.state is State.GOOD and not self.signer.addresses:
            raise ValueError("a good signature is the author's: it names an address")


def known(scheme: Scheme, signer: Signer, author: str) -> Signature:
    """The result for octets that are as a signer known here signed them: good, if the author's address is theirs."""
    wanted = author.strip().lower()
    is_authors = bool(wanted) and wanted in (address.lower() for address in signer.addresses)
    return Signature(scheme, State.GOOD if is_authors else State.ANOTHER, signer=signer)


def unknown(scheme: Scheme, reason: Reason, signer: Signer) -> Signature:
    """The result for octets that are as somebody signed them who is not known here."""
    return Signature(scheme, State.UNKNOWN, reason, signer)


def broken(scheme: Scheme, signer: Signer = NOBODY) -> Signature:
    """The result for octets that are not what was signed."""
    return Signature(scheme, State.BROKEN, signer=signer)


def unchecked(scheme: Scheme, reason: Reason) -> Signature:
    """The result for what cannot be checked."""
    return Signature(scheme, State.UNCHECKED, reason)
