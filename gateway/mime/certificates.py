"""Certificates of people who sign mail (RFC 5280, RFC 8550): which one it is, whom it names, whether it is trusted.

A way to one of the site's anchors is found and judged by `cryptography`: signatures, names, dates, basic constraints,
name constraints, nothing below RSA 2048 or SHA-256, no unknown critical extension. Revocation is not looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy, PolicyBuilder, Store, VerificationError

from gateway.domain.signature import Reason, Signer
from gateway.mime.ber import NotBer
from gateway.mime.cms import SignerInfo, issuer_and_serial

MAX_DEPTH = 6
MAX_NAME = 100
MAX_ADDRESSES = 20
_MAIL_USES = {ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
# What the library raises for certificates that are not as they should be.
_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


def find_certificate(signer: SignerInfo, certificates: Sequence[bytes]) -> x509.Certificate | None:
    """The certificate that a signer names, or None when it is not among these (DER). Raises NotBer when two are meant,
    or when the one meant cannot be read.
    """
    found = dict.fromkeys(each for each in certificates if _is_meant(signer, each))
    if len(found) > 1:
        raise NotBer("two certificates for one signer")
    for each in found:
        return _loaded(each)
    return None


def signer_named(certificate: x509.Certificate) -> Signer:
    """Who a certificate says its holder is: common name, and addresses from the alternative name or else the subject.

    Never raises: what cannot be read is not there.
    """
    try:
        subject = certificate.subject
    except _UNREADABLE:
        return Signer()
    names = [str(one.value) for one in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    addresses = _alternative_addresses(certificate)
    if not addresses:
        addresses = [str(one.value) for one in subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)]
    shown = (readable(each) for each in addresses[:MAX_ADDRESSES])
    return Signer(readable(names[0]) if names else "", tuple(each for each in shown if "@" in each))


def why_not_known(
    certificate: x509.Certificate,
    others: Sequence[bytes],
    anchors: Sequence[x509.Certificate],
    when: datetime,
    *,
    encrypts: bool = False,
) -> Reason | None:
    """Why a certificate is not trusted for mail received at `when`, or None when it is. `others`: what came along, DER.

    An anchor is an authority, or the certificate itself. `encrypts`: for mail that is encrypted to it.
    """
    if not anchors:
        return Reason.NO_ANCHORS
    if not certificate.not_valid_before_utc <= when <= certificate.not_valid_after_utc:
        return Reason.VALIDITY
    if not _is_for_mail(certificate, encrypts=encrypts):
        return Reason.PURPOSE
    return None if certificate in anchors or way_up(certificate, others, anchors, when) else Reason.ISSUER


def way_up(
    certificate: x509.Certificate, others: Sequence[bytes], anchors: Sequence[x509.Certificate], when: datetime
) -> list[x509.Certificate]:
    """Return the certificates from this one to an anchor, both included; none where there is no way."""
    builder = PolicyBuilder().store(Store(list(anchors))).time(when).max_chain_depth(MAX_DEPTH)
    builder = builder.extension_policies(ca_policy=_CA_POLICY, ee_policy=ExtensionPolicy.permit_all())
    try:
        return builder.build_client_verifier().verify(certificate, list(_readable(others, certificate))).chain
    except (VerificationError, *_UNREADABLE):
        return []


def readable(text: str) -> str:
    """A name fit to be shown: one line, no control or direction characters, not long."""
    return " ".join("".join(char if char.isprintable() else " " for char in text[: 4 * MAX_NAME]).split())[:MAX_NAME]


def _is_meant(signer: SignerInfo, certificate: bytes) -> bool:
    try:
        if not signer.key_id:
            return issuer_and_serial(certificate) == (signer.issuer, signer.serial)
        extension = _loaded(certificate).extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except (*_UNREADABLE, x509.ExtensionNotFound):
        return False
    return extension.value.digest == signer.key_id


def _loaded(certificate: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(certificate)
    except _UNREADABLE:
        raise NotBer("a certificate cannot be read") from None


def _readable(certificates: Sequence[bytes], own: x509.Certificate) -> list[x509.Certificate]:
    found: list[x509.Certificate] = []
    for each in certificates:
        try:
            loaded = _loaded(each)
        except NotBer:
            continue
        if loaded != own:
            found.append(loaded)
    return found


def _alternative_addresses(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (*_UNREADABLE, x509.ExtensionNotFound):
        return []
    return names.get_values_for_type(x509.RFC822Name)


def _is_for_mail(certificate: x509.Certificate, *, encrypts: bool) -> bool:
    """Tell whether its uses (RFC 8550 sections 4.4.2 and 4.4.4) allow it to sign mail, or to have mail encrypted to it;
    one that names none may.
    """
    try:
        extensions = certificate.extensions
    except _UNREADABLE:
        return False
    for extension in extensions:
        value = extension.value
        if isinstance(value, x509.KeyUsage) and not _allows(value, encrypts=encrypts):
            return False
        if isinstance(value, x509.ExtendedKeyUsage) and not _MAIL_USES & set(value):
            return False
        if isinstance(value, x509.BasicConstraints) and value.ca:
            return False
    return True


def _allows(usage: x509.KeyUsage, *, encrypts: bool) -> bool:
    return usage.key_encipherment if encrypts else usage.digital_signature or usage.content_commitment


def _may_sign_certificates(_policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("not a key for certificates")


def _is_authority(_policy: Policy, _certificate: x509.Certificate, constraints: x509.BasicConstraints) -> None:
    if not constraints.ca:
        raise ValueError("not an authority")


def _may_name_mail(_policy: Policy, _certificate: x509.Certificate, uses: x509.ExtendedKeyUsage | None) -> None:
    if uses is not None and not _MAIL_USES & set(uses):
        raise ValueError("an authority for something else")


_CA_POLICY = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _is_authority)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_sign_certificates)
    .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _may_name_mail)
)
