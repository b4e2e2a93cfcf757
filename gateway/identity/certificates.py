"""Client certificates of people (RFC 5280, FIPS 201): who they name, whether their authority vouches, whether revoked.

The authorities are those of one file; each is trusted as it stands, whoever is above it. Revocation is looked up in a
file of lists (CRL) and by asking the responder (OCSP, RFC 6960) that the site names; nothing that a certificate names
is ever called. Where the state cannot be known the answer is "later", never "good".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy, PolicyBuilder, Store, VerificationError

from gateway.domain.credential import CertificateName
from gateway.domain.errors import AuthenticatorUnavailable, ConfigError, NotAuthenticated

UPN: Final = ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
FASC_N: Final = ObjectIdentifier("2.16.840.1.101.3.6.6")
_SMARTCARD_LOGON: Final = ObjectIdentifier("1.3.6.1.4.1.311.20.2.2")
_USES: Final = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE, _SMARTCARD_LOGON}
_MAX_NAMES: Final = 20
_BEGIN_CRL: Final = b"-----BEGIN X509 CRL-----"
_END_CRL: Final = b"-----END X509 CRL-----"
UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises for certificates that are not as they should be."""


def load_certificate(octets: bytes) -> x509.Certificate:
    """Return a certificate in DER or PEM. Raises NotAuthenticated."""
    try:
        if octets.lstrip().startswith(b"-----"):
            return x509.load_pem_x509_certificate(octets)
        return x509.load_der_x509_certificate(octets)
    except UNREADABLE:
        raise NotAuthenticated("The certificate cannot be read.") from None


def names_in(certificate: x509.Certificate, kind: CertificateName) -> tuple[str, ...]:
    """Return the alternative names of one kind, in small letters: addresses, principal names, or FASC-N in hex."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if kind is CertificateName.EMAIL:
            found = list(names.get_values_for_type(x509.RFC822Name))
        else:
            wanted = UPN if kind is CertificateName.UPN else FASC_N
            others = [one.value for one in names.get_values_for_type(x509.OtherName) if one.type_id == wanted]
            found = [_read_der(one, kind) for one in others]
    except (*UNREADABLE, x509.ExtensionNotFound):
        return ()
    return tuple(dict.fromkeys(name.strip().lower() for name in found if name.strip()))[:_MAX_NAMES]


@dataclass(frozen=True, slots=True)
class _Loaded:
    stamp: tuple[tuple[int, int, int], ...]
    anchors: tuple[x509.Certificate, ...]
    lists: tuple[x509.CertificateRevocationList, ...]


class Authorities:
    """The authorities of a file and the revocation lists of another, read anew when a file changes.

    Raises ConfigError where they cannot be read at first; later what was read before goes on.
    """

    def __init__(self, authorities: Path, revocation_lists: Path | None) -> None:
        self._files = (authorities, revocation_lists)
        self._loaded = self._read()

    @property
    def anchors(self) -> tuple[x509.Certificate, ...]:
        """The authorities of the file, as it is now."""
        self._look_again()
        return self._loaded.anchors

    @property
    def has_lists(self) -> bool:
        """True where revocation is looked up in lists."""
        return self._files[1] is not None

    def issuer_of(self, certificate: x509.Certificate, now: datetime) -> x509.Certificate:
        """Return the authority that vouches for a person's certificate now. Raises NotAuthenticated with the reason."""
        self._look_again()
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise NotAuthenticated("Your certificate has expired, or is not valid yet.")
        builder = PolicyBuilder().store(Store(list(self._loaded.anchors))).time(now).max_chain_depth(0)
        builder = builder.extension_policies(ca_policy=_CA_POLICY, ee_policy=_PERSON_POLICY)
        try:
            chain = builder.build_client_verifier().verify(certificate, []).chain
        except (VerificationError, *UNREADABLE):
            chain = []
        if len(chain) < 2:
            raise NotAuthenticated("Your certificate is not one for signing in, from an authority known here.")
        return chain[1]

    def check_lists(self, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime) -> None:
        """Return where a list that counts now does not name it. Raises NotAuthenticated, AuthenticatorUnavailable."""
        current = [one for one in self._loaded.lists if _counts(one, issuer, now)]
        if any(one.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None for one in current):
            raise revoked()
        if not current:
            raise AuthenticatorUnavailable(
                "Whether your certificate is revoked cannot be looked up now. Please try again later."
            )

    def _look_again(self) -> None:
        try:
            if self._stamp() != self._loaded.stamp:
                self._loaded = self._read()
        except (ConfigError, OSError):
            return  # half written, or gone: a list that is too old by then counts no more

    def _stamp(self) -> tuple[tuple[int, int, int], ...]:
        found = [one.stat() for one in self._files if one is not None]
        return tuple((one.st_ino, one.st_size, one.st_mtime_ns) for one in found)

    def _read(self) -> _Loaded:
        authorities, lists = self._files
        try:
            stamp = self._stamp()
            anchors = tuple(x509.load_pem_x509_certificates(authorities.read_bytes()))
            found = () if lists is None else _read_lists(lists.read_bytes())
        except (OSError, *UNREADABLE) as problem:
            raise ConfigError(f"{authorities}: it, or the file of revocation lists, cannot be read.") from problem
        return _Loaded(stamp, anchors, found)


def revoked() -> NotAuthenticated:
    """Return the answer to a certificate that was taken back."""
    return NotAuthenticated("Your certificate is revoked. Ask those who gave it to you for a new one.")


def _read_lists(octets: bytes) -> tuple[x509.CertificateRevocationList, ...]:
    if _BEGIN_CRL not in octets:
        return (x509.load_der_x509_crl(octets),)
    pieces = [one for one in octets.split(_BEGIN_CRL)[1:] if _END_CRL in one]
    return tuple(x509.load_pem_x509_crl(_BEGIN_CRL + one.split(_END_CRL)[0] + _END_CRL + b"\n") for one in pieces)


def _counts(one: x509.CertificateRevocationList, issuer: x509.Certificate, now: datetime) -> bool:
    """Tell whether a list is this issuer's own, whole, and of now."""
    if one.issuer != issuer.subject or one.next_update_utc is None:
        return False
    if not one.last_update_utc <= now <= one.next_update_utc:
        return False
    try:
        extensions = one.extensions
        if any(isinstance(each.value, x509.DeltaCRLIndicator | x509.IssuingDistributionPoint) for each in extensions):
            return False  # a part of what is revoked
        return one.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    except (*UNREADABLE, InvalidSignature):
        return False


def _read_der(octets: bytes, kind: CertificateName) -> str:
    """Read a UTF8String (UPN) or an OCTET STRING (FASC-N) of less than 128 octets. Raises ValueError."""
    tag = 0x0C if kind is CertificateName.UPN else 0x04
    if len(octets) < 2 or octets[0] != tag or octets[1] >= 0x80 or len(octets) != 2 + octets[1]:
        raise ValueError("another kind of name")
    return octets[2:].decode("utf-8") if kind is CertificateName.UPN else octets[2:].hex()


def _may_sign_certificates(_policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("not a key for certificates")


def _is_authority(_policy: Policy, _certificate: x509.Certificate, constraints: x509.BasicConstraints) -> None:
    if not constraints.ca:
        raise ValueError("not an authority")


def _is_person(_policy: Policy, _certificate: x509.Certificate, constraints: x509.BasicConstraints | None) -> None:
    if constraints is not None and constraints.ca:
        raise ValueError("an authority")


def _may_sign(_policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.digital_signature:
        raise ValueError("not a key for signing in")


def _may_sign_in(_policy: Policy, _certificate: x509.Certificate, uses: x509.ExtendedKeyUsage | None) -> None:
    if uses is not None and not _USES & set(uses):
        raise ValueError("for something else")


_CA_POLICY = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _is_authority)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_sign_certificates)
)
_PERSON_POLICY = (
    ExtensionPolicy.permit_all()
    .may_be_present(x509.BasicConstraints, Criticality.AGNOSTIC, _is_person)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_sign)
    .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _may_sign_in)
)
