"""DANE for SMTP (RFC 7672): whether the certificates that a host shows are those that its TLSA records name.

Usages 2 (an authority of the host's own, its name and dates checked) and 3 (the host's own certificate or key, and
nothing else looked at) count; 0 and 1 do not (section 3.1.3).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from gateway.outbound.names import Association

AUTHORITY: Final = 2
OWN: Final = 3
_LENGTHS: Final = {1: 32, 2: 64}


def usable(associations: Iterable[Association]) -> tuple[Association, ...]:
    """Return the records that can be kept to: of usages, selectors and digests that are known, and whole."""
    return tuple(one for one in associations if _is_usable(one))


def is_named(chain: Sequence[bytes], associations: Iterable[Association], names: Sequence[str], now: datetime) -> bool:
    """Tell whether a chain (DER, the host's own certificate first) is one that a usable record names.

    `names` are those that a certificate below an authority may have (RFC 7672 section 3.2.2).
    """
    wanted = usable(associations)
    try:
        shown = [x509.load_der_x509_certificate(octets) for octets in chain]
        if not shown:
            return False
        if any(one.usage == OWN and _matches(shown[0], one) for one in wanted):
            return True
        anchors = [
            one for one in shown[1:] for each in wanted if each.usage == AUTHORITY and _matches(one, each)
        ] + _whole(wanted)
        return bool(anchors) and any(_is_below(shown, anchors, name, now) for name in names)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def _is_usable(one: Association) -> bool:
    if one.usage not in (AUTHORITY, OWN) or one.selector not in (0, 1):
        return False
    if one.matching == 0:
        return bool(one.data)
    return len(one.data) == _LENGTHS.get(one.matching)


def _matches(certificate: x509.Certificate, one: Association) -> bool:
    if one.selector == 0:
        octets = certificate.public_bytes(Encoding.DER)
    else:
        octets = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if one.matching == 1:
        octets = hashlib.sha256(octets).digest()
    elif one.matching == 2:
        octets = hashlib.sha512(octets).digest()
    return octets == one.data


def _whole(wanted: Iterable[Association]) -> list[x509.Certificate]:
    """Return authorities that stand in their records whole, and need not be shown (RFC 7671 section 5.2.2)."""
    return [
        x509.load_der_x509_certificate(one.data)
        for one in wanted
        if (one.usage, one.selector, one.matching) == (AUTHORITY, 0, 0)
    ]


def _is_below(shown: list[x509.Certificate], anchors: list[x509.Certificate], name: str, now: datetime) -> bool:
    builder = PolicyBuilder().store(Store(anchors)).time(now).extension_policies(ca_policy=_CA, ee_policy=_HOST)
    try:
        builder.build_server_verifier(x509.DNSName(name)).verify(shown[0], shown[1:])
    except VerificationError:
        return False
    return True


def _must_be_authority(_: Policy, __: x509.Certificate, found: x509.BasicConstraints) -> None:
    if not found.ca:
        raise ValueError("is no authority's certificate")


# Private authorities leave out much of what the web asks for; what makes an authority and names a host, they do not.
_CA: Final = ExtensionPolicy.permit_all().require_present(
    x509.BasicConstraints, Criticality.AGNOSTIC, _must_be_authority
)
_HOST: Final = ExtensionPolicy.permit_all().require_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)
