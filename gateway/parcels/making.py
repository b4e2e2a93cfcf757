"""Making a parcel: one mail, signed by the gateway and encrypted to one key, as a MIME entity for the notifier."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from gateway.domain.recipient_key import KeyKind, RecipientKey
from gateway.mime import openpgp_signing
from gateway.mime.openpgp_signing import OpenPgpKey
from gateway.parcels import smime_signing
from gateway.parcels.gpg import gpg_in, is_installed, public_keys
from gateway.parcels.smime_signing import MailSigner, base64_lines

_BOUNDARY: Final = "=_parcel"
_NOT_CANONICAL: Final = re.compile(rb"[^\x01-\x7f]|\r(?!\n)|(?<!\r)\n")
_CIPHER: Final = ("--cipher-algo", "AES256", "--ignore-valid-from")
"""What every tool of today decrypts; a key without preferences would get 3DES (RFC 4880 section 13.2)."""


class Reason(StrEnum):
    """Why no parcel was made."""

    NO_PROGRAM = "no-program"  # gpg is not installed, or does not start
    BAD_CONTENT = "bad-content"  # not lines of 7 bits that end with CRLF
    BAD_KEY = "bad-key"  # expired since it was checked, or of a kind that is not made here
    NOT_DONE = "not-done"  # gpg refused the key, or did not end in time


class ParcelFailed(Exception):
    """No parcel: the employee gets the notice with its link only."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Signer:
    """What the gateway signs with, of each kind, and whether it encrypts to certificates, which may be off."""

    openpgp: OpenPgpKey | None = None
    smime: MailSigner | None = None
    offers_smime: bool = True


def make(recipient: RecipientKey, mail: bytes, signer: Signer | None, *, now: datetime) -> bytes:
    """Return a whole entity of ciphertext: its head has `Content-*` fields only, its lines end with CRLF.

    `multipart/encrypted` (RFC 3156) for an OpenPGP key, `application/pkcs7-mime` (RFC 8551) for a certificate; the mail
    is signed first where `signer` has a key of the same kind. `mail` is an entity, too: fields and body, in lines of 7
    bits that end with CRLF. Blocks, so call it in a thread. Raises ParcelFailed.
    """
    if _NOT_CANONICAL.search(mail):
        raise ParcelFailed(Reason.BAD_CONTENT)
    if recipient.expires is not None and recipient.expires <= now:
        raise ParcelFailed(Reason.BAD_KEY)
    if recipient.kind is KeyKind.OPENPGP:
        own = signer.openpgp if signer else None
        return _by_openpgp(recipient, openpgp_signing.signed_entity(mail, own, now) if own else mail, now)
    if signer is not None and not signer.offers_smime:
        raise ParcelFailed(Reason.BAD_KEY)
    sender = signer.smime if signer else None
    return _by_smime(recipient, smime_signing.signed_entity(mail, sender) if sender else mail)


def _by_openpgp(recipient: RecipientKey, entity: bytes, now: datetime) -> bytes:
    """Encrypt by gpg, which gets the mail by a pipe and gives the ciphertext by another (RFC 3156 section 4)."""
    if not is_installed():
        raise ParcelFailed(Reason.NO_PROGRAM)
    try:
        with public_keys(recipient.octets) as home:
            done = gpg_in(home, now).encrypt(entity, [recipient.fingerprint], extra_args=[*_CIPHER])
    except (OSError, ValueError):
        raise ParcelFailed(Reason.NO_PROGRAM) from None
    if not done.ok or not done.data:
        raise ParcelFailed(Reason.NOT_DONE)
    armoured = b"\r\n".join(bytes(done.data).splitlines())
    top = (
        'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted";\r\n '
        f'boundary="{_BOUNDARY}"\r\n\r\n--{_BOUNDARY}\r\n'
        "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n"
        f"--{_BOUNDARY}\r\n"
        'Content-Type: application/octet-stream; name="encrypted.asc"\r\n'
        'Content-Disposition: inline; filename="encrypted.asc"\r\n\r\n'
    )
    return b"".join((top.encode(), armoured, f"\r\n--{_BOUNDARY}--\r\n".encode()))


def _by_smime(recipient: RecipientKey, entity: bytes) -> bytes:
    """Encrypt by AES-256 to the first certificate (RFC 8551 section 3.3)."""
    try:
        own = x509.load_der_x509_certificate(first_certificate(recipient.octets))
        builder = pkcs7.PKCS7EnvelopeBuilder().set_data(entity).add_recipient(own)
        builder = builder.set_content_encryption_algorithm(AES256)
        sealed = builder.encrypt(Encoding.DER, [pkcs7.PKCS7Options.Binary])
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ParcelFailed(Reason.BAD_KEY) from None
    top = (
        'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"\r\n'
        "Content-Transfer-Encoding: base64\r\n"
        'Content-Disposition: attachment; filename="smime.p7m"\r\n\r\n'
    )
    return b"".join((top.encode(), b"\r\n".join(base64_lines(sealed)), b"\r\n"))


def certificates_in(octets: bytes) -> list[bytes]:
    """Return the certificates in DER that stand behind each other. Raises ValueError."""
    found: list[bytes] = []
    while octets:
        found.append(first_certificate(octets))
        octets = octets[len(found[-1]) :]
    return found


def first_certificate(octets: bytes) -> bytes:
    """Return the first of several certificates in DER that stand behind each other. Raises ValueError."""
    if len(octets) < 4 or octets[0] != 0x30 or octets[1] != 0x82:
        raise ValueError("no certificate of ordinary length")
    return octets[: 4 + int.from_bytes(octets[2:4], "big")]
