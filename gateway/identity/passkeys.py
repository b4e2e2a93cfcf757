"""Passkeys (W3C Web Authentication level 3): what a browser is asked, and whether its answer is good.

A passkey answers only for the portal's own address: who is led to another one has nothing to give away. No attestation
is asked for, so that any device will do.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

MAX_RESPONSE = 16 * 1024
TIMEOUT_MS = 300_000
_PREFERRED = UserVerificationRequirement.PREFERRED


@dataclass(frozen=True, slots=True)
class Place:
    """Where passkeys are good: the portal's origin (`https://host` or `https://host:port`), and the site's name."""

    origin: str
    name: str

    @property
    def host(self) -> str:
        """The host name, which passkeys are bound to."""
        return urlsplit(self.origin).hostname or ""


@dataclass(frozen=True, slots=True)
class Passkey:
    """The public half of one: its id at the device, its key (COSE), and how often it has signed, where it counts."""

    id: bytes
    key: bytes
    count: int

    def to_data(self) -> str:
        """Return what a credential row keeps."""
        fields = {"id": bytes_to_base64url(self.id), "key": bytes_to_base64url(self.key), "count": self.count}
        return json.dumps(fields)

    @classmethod
    def from_data(cls, data: str) -> Passkey:
        """Read what `to_data` gave."""
        fields = json.loads(data)
        return cls(base64url_to_bytes(fields["id"]), base64url_to_bytes(fields["key"]), int(fields["count"]))


def question(place: Place, challenge: bytes) -> str:
    """Return what a browser is asked for when somebody signs in: JSON. It names no passkey, so it tells of nobody's."""
    options = webauthn.generate_authentication_options(
        rp_id=place.host, challenge=challenge, timeout=TIMEOUT_MS, user_verification=_PREFERRED
    )
    return webauthn.options_to_json(options)


def invitation(place: Place, challenge: bytes, person_id: str, name: str, present: Sequence[Passkey]) -> str:
    """Return what a browser is asked for when somebody adds a passkey: JSON. Devices of `present` add no second one."""
    options = webauthn.generate_registration_options(
        rp_id=place.host,
        rp_name=place.name,
        user_id=person_id.encode("ascii"),
        user_name=name,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_PREFERRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one.id) for one in present],
    )
    return webauthn.options_to_json(options)


def made(place: Place, challenge: bytes, response: str) -> Passkey | None:
    """Return the passkey that a browser has made in answer to an invitation, or None when the answer is not good."""
    if len(response) > MAX_RESPONSE:
        return None
    try:
        found = webauthn.verify_registration_response(
            credential=response,
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return None
    return Passkey(found.credential_id, found.credential_public_key, found.sign_count)


def answered(place: Place, challenge: bytes, response: str, present: Sequence[Passkey]) -> tuple[int, int] | None:
    """Return which of these passkeys has answered a question and how often it has now signed, or None."""
    if len(response) > MAX_RESPONSE:
        return None
    try:
        offered = parse_authentication_credential_json(response)
        number = next(n for n, one in enumerate(present) if one.id == offered.raw_id)
        found = webauthn.verify_authentication_response(
            credential=offered,
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            credential_public_key=present[number].key,
            credential_current_sign_count=0,
        )
    except (WebAuthnException, StopIteration, ValueError, KeyError, TypeError):
        return None
    return number, found.new_sign_count
