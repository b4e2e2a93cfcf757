"""Proof that a key is its owner's: a code, encrypted to it, that the signed-in employee enters.

A name can be written into anybody's key, so an address in it proves nothing; who reads the code has the secret half.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from gateway.domain.recipient_key import RecipientKey
from gateway.parcels.making import Signer, make
from gateway.parcels.smime_signing import base64_lines

_HEAD: Final = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"


def proof_for(key: RecipientKey, words: str, signer: Signer, now: datetime) -> bytes:
    """Return the ciphertext of these words, the code among them, as a MIME entity. Raises ParcelFailed.

    Blocks, so call it in a thread.
    """
    text = "\r\n".join(words.splitlines()) + "\r\n"
    return make(key, _HEAD + b"\r\n".join(base64_lines(text.encode())) + b"\r\n", signer, now=now)
