"""Asking a responder whether a certificate is revoked (OCSP, RFC 6960): one question, one signed answer.

The responder's address is the site's, never the certificate's. What counts is an answer that the issuer has signed, or
a responder that the issuer has named for it, about this very certificate, and of now.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx2
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.identity.certificates import UNREADABLE

SECONDS: Final = 5.0
MAX_OCTETS: Final = 64 * 1024
LEEWAY: Final = timedelta(minutes=5)
LONGEST: Final = timedelta(days=1)
"""How long an answer without an end of its own counts."""


class NoAnswer(Exception):
    """The responder does not answer, or not with what counts: nothing is known."""


class Responder:
    """The site's responder, by its address."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._client: httpx2.AsyncClient | None = None

    async def is_revoked(self, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime) -> bool:
        """Ask. Raises NoAnswer, also for an answer of "unknown"."""
        question = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, SHA1()).build()  # noqa: S303 - names a key
        try:
            answer = ocsp.load_der_ocsp_response(await self._ask(question.public_bytes(Encoding.DER)))
            if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL or not _is_signed(answer, issuer, now):
                raise NoAnswer
            for one in answer.responses:
                if _is_about(one, question) and _is_of_now(one, now):
                    return _verdict(one.certificate_status)
        except (*UNREADABLE, InvalidSignature):
            raise NoAnswer from None
        raise NoAnswer

    async def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            await self._client.aclose()

    async def _ask(self, question: bytes) -> bytes:
        if self._client is None:
            self._client = httpx2.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False)
        headers = {"content-type": "application/ocsp-request", "accept": "application/ocsp-response"}
        body = bytearray()
        try:
            async with (
                asyncio.timeout(SECONDS),
                self._client.stream("POST", self._address, headers=headers, content=question) as response,
            ):
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > MAX_OCTETS:
                        raise NoAnswer
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, TimeoutError):
            raise NoAnswer from None
        if response.status_code != 200:
            raise NoAnswer
        return bytes(body)


def _verdict(status: ocsp.OCSPCertStatus) -> bool:
    if status is ocsp.OCSPCertStatus.UNKNOWN:
        raise NoAnswer
    return status is ocsp.OCSPCertStatus.REVOKED


def _is_about(one: ocsp.OCSPSingleResponse, question: ocsp.OCSPRequest) -> bool:
    return (
        one.serial_number == question.serial_number
        and one.hash_algorithm.name == question.hash_algorithm.name
        and one.issuer_name_hash == question.issuer_name_hash
        and one.issuer_key_hash == question.issuer_key_hash
    )


def _is_of_now(one: ocsp.OCSPSingleResponse, now: datetime) -> bool:
    until = one.next_update_utc or one.this_update_utc + LONGEST
    return one.this_update_utc - LEEWAY <= now.astimezone(UTC) <= until


def _is_signed(answer: ocsp.OCSPResponse, issuer: x509.Certificate, now: datetime) -> bool:
    return any(_has_signed(one, answer) for one in (issuer, *_named_by(issuer, answer.certificates, now)))


def _named_by(issuer: x509.Certificate, shown: list[x509.Certificate], now: datetime) -> list[x509.Certificate]:
    """Return the responders among these that the issuer has named (RFC 6960 section 4.2.2.2)."""
    found = []
    for one in shown[:5]:
        try:
            uses = one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            one.verify_directly_issued_by(issuer)
        except (*UNREADABLE, x509.ExtensionNotFound, InvalidSignature):
            continue
        if ExtendedKeyUsageOID.OCSP_SIGNING in uses and one.not_valid_before_utc <= now <= one.not_valid_after_utc:
            found.append(one)
    return found


def _has_signed(signer: x509.Certificate, answer: ocsp.OCSPResponse) -> bool:
    key, algorithm = signer.public_key(), answer.signature_hash_algorithm
    if algorithm is None or algorithm.name in {"md5", "sha1"}:
        return False
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(answer.signature, answer.tbs_response_bytes, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(algorithm))
        else:
            return False
    except InvalidSignature:
        return False
    return True
