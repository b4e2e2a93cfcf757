from __future__ import annotations

import base64

import pytest

from gateway.domain.parcel import is_ciphertext

SESSION_KEY = bytes.fromhex("c15e") + bytes(range(46))
ENVELOPED = bytes.fromhex("308006092a864886f70d010703a080") + bytes(33)
OPENPGP = (
    b'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted";\r\n boundary="=_parcel"\r\n\r\n'
    b"--=_parcel\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n"
    b'--=_parcel\r\nContent-Type: application/octet-stream; name="encrypted.asc"\r\n'
    b'Content-Disposition: inline; filename="encrypted.asc"\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\n%b\r\n=AbCd'
    b"\r\n-----END PGP MESSAGE-----\r\n--=_parcel--\r\n"
)
SMIME = (
    b'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"\r\n'
    b"Content-Transfer-Encoding: base64\r\n"
    b'Content-Disposition: attachment; filename="smime.p7m"\r\n\r\n%b\r\n'
)
PARCEL = OPENPGP % base64.b64encode(SESSION_KEY)
ENVELOPE = SMIME % base64.b64encode(ENVELOPED)


@pytest.mark.parametrize("entity", [PARCEL, ENVELOPE, OPENPGP % base64.b64encode(b"\x84" + SESSION_KEY[1:])])
def test_what_is_encrypted_for_somebody_is_ciphertext(entity: bytes) -> None:
    assert is_ciphertext(entity)


@pytest.mark.parametrize(
    "entity",
    [
        b"",
        b"Content-Type: text/plain\r\n\r\nThe budget.\r\n",
        OPENPGP % b"The budget, as it is",
        OPENPGP % base64.b64encode(b"The budget of the tour, which nobody is to read here"),
        SMIME % base64.b64encode(b"The budget of the tour, which nobody is to read here"),
        SMIME % base64.b64encode(bytes.fromhex("308006092a864886f70d010702a080") + bytes(33)),  # signed, not encrypted
        PARCEL.replace(b"--=_parcel--\r\n", b"--=_parcel--\r\nThe budget.\r\n"),
        PARCEL.replace(b"Version: 1", b"Version: 1\r\nThe budget."),
        PARCEL.replace(b"--=_parcel--", b"--=_parcel\r\nContent-Type: text/plain\r\n\r\nThe budget.\r\n--=_parcel--"),
        PARCEL.replace(b"-----BEGIN PGP MESSAGE-----\r\n", b"-----BEGIN PGP MESSAGE-----\r\nComment: The budget.\r\n"),
        b"Subject: The budget\r\n" + PARCEL,
        ENVELOPE + b"The budget.\r\n",
    ],
)
def test_nothing_readable_passes_as_ciphertext(entity: bytes) -> None:
    assert not is_ciphertext(entity)
