"""DKIM signatures (RFC 6376), relaxed/relaxed, by RSA and Ed25519 (RFC 8463).

Fields that must stay as they are, present or not, are over-signed: named once more than they occur, so that a second
`From` or an added `Reply-To` breaks the signature (RFC 6376 section 8.15).
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from gateway.domain.errors import ConfigError

SIGNED = (
    "from", "sender", "to", "cc", "subject", "date", "message-id", "reply-to", "in-reply-to", "references",
    "mime-version", "content-type", "content-transfer-encoding", "content-language", "content-disposition",
    "auto-submitted",
)  # fmt: skip
SIGNED_WHERE_PRESENT = ("x-auto-response-suppress", "tls-report-domain", "tls-report-submitter")
LEAST_RSA_BITS = 2048
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\Z")
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_LINE = 70


@dataclass(frozen=True, slots=True)
class Signer:
    """One signing key of one domain under one selector. Raises ValueError for names that are none, or a short key."""

    domain: str
    selector: str
    key: RSAPrivateKey | Ed25519PrivateKey

    def __post_init__(self) -> None:
        if not _NAME.match(self.domain) or not _NAME.match(self.selector):
            raise ValueError("a signing domain and a selector are lower-case host names")
        if isinstance(self.key, RSAPrivateKey) and self.key.key_size < LEAST_RSA_BITS:
            raise ValueError(f"an RSA key for signing mail has at least {LEAST_RSA_BITS} bits")

    @property
    def algorithm(self) -> str:
        """The name of the algorithm in `a=`."""
        return "rsa-sha256" if isinstance(self.key, RSAPrivateKey) else "ed25519-sha256"

    @property
    def record(self) -> tuple[str, str]:
        """The DNS name and the TXT record to publish (RFC 6376 section 3.6.1, RFC 8463 section 4)."""
        if isinstance(self.key, RSAPrivateKey):
            kind, octets = "rsa", self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            kind, octets = "ed25519", self.key.public_key().public_bytes_raw()
        return f"{self.selector}._domainkey.{self.domain}", f"v=DKIM1; k={kind}; p={b64encode(octets).decode('ascii')}"

    def field(self, mail: Canonical, at: datetime) -> bytes:
        """Return the DKIM-Signature field of a mail, CRLF at its end."""
        unsigned = (
            f"DKIM-Signature: v=1; a={self.algorithm}; c=relaxed/relaxed;\r\n"
            f" d={self.domain}; s={self.selector}; t={int(at.timestamp())};\r\n"
            f" h={mail.names};\r\n"
            f" bh={mail.digest};\r\n"
            " b="
        ).encode("ascii")
        relaxed = b"dkim-signature:" + unsigned.partition(b": ")[2].replace(b"\r\n  ", b" ").replace(b"\r\n", b"")
        signature = b64encode(self._sign(mail.fields + relaxed)).decode("ascii")
        pieces = [signature[start : start + _LINE] for start in range(0, len(signature), _LINE)]
        return unsigned + "\r\n ".join(pieces).encode("ascii") + b"\r\n"

    def _sign(self, octets: bytes) -> bytes:
        if isinstance(self.key, RSAPrivateKey):
            return self.key.sign(octets, PKCS1v15(), SHA256())
        return self.key.sign(hashlib.sha256(octets).digest())


@dataclass(frozen=True, slots=True)
class Canonical:
    """A mail as every signature of it is over: the signed fields, their names for `h=`, the body's digest for `bh=`."""

    fields: bytes
    names: str
    digest: str

    @classmethod
    def of(cls, message: bytes) -> Canonical:
        """Canonicalise a mail with CRLF line ends."""
        head, _, body = message.partition(b"\r\n\r\n")
        fields = _relaxed_fields(head)
        names, folded = _names_to_sign(tuple(name for name, _ in fields))
        digest = b64encode(hashlib.sha256(_relaxed_body(body)).digest()).decode("ascii")
        return cls(_hashed(fields, names), folded, digest)


def sign(message: bytes, signers: Iterable[Signer], at: datetime) -> bytes:
    """Return the mail with one signature of each signer on top, each over the mail as given (RFC 8463 section 3)."""
    mail = Canonical.of(message)
    return b"".join(signer.field(mail, at) for signer in signers) + message


def load_signer(domain: str, selector: str, path: Path) -> Signer:
    """Read a PEM private key, RSA or Ed25519. Raises ConfigError naming the file."""
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    return signer_of(domain, selector, octets, path)


def signer_of(domain: str, selector: str, pem: bytes, path: Path) -> Signer:
    """Make a signer of a PEM private key that stands in the file `path`. Raises ConfigError naming the file."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigError(f"{path}: is no unencrypted private key in PEM form") from None
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise ConfigError(f"{path}: mail is signed by an RSA or an Ed25519 key")
    try:
        return Signer(domain, selector, key)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None


def _relaxed_fields(head: bytes) -> list[tuple[str, bytes]]:
    """Return names and canonical fields (RFC 6376 section 3.4.2), without the CRLF at their ends."""
    fields: list[tuple[str, bytes]] = []
    for line in _one_space(_FOLD.sub(b"", head)).split(b"\r\n"):
        if line:
            written, _, value = line.partition(b":")
            name = written.strip().lower()
            fields.append((name.decode("ascii", "replace"), name + b":" + value.strip(b" \r\n")))
    return fields


@lru_cache(64)
def _names_to_sign(present: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Return the names to sign of those that are there, and these as `h=` has them."""
    wanted = (*SIGNED, *(name for name in SIGNED_WHERE_PRESENT if name in present))
    names = tuple(name for name in wanted for _ in range(present.count(name) + 1))
    return names, _folded(names)


def _hashed(fields: Iterable[tuple[str, bytes]], names: Iterable[str]) -> bytes:
    """Return the signed fields, each taken from the bottom up; one named beyond its last occurrence adds nothing."""
    left: dict[str, list[bytes]] = {}
    for name, field in fields:
        left.setdefault(name, []).append(field + b"\r\n")
    return b"".join(left[name].pop() for name in names if left.get(name))


def _relaxed_body(body: bytes) -> bytes:
    """Canonicalise a body (RFC 6376 section 3.4.4)."""
    lines = _one_space(body).replace(b" \r\n", b"\r\n").removesuffix(b" ")
    while lines.endswith(b"\r\n"):
        lines = lines[:-2]
    return lines + b"\r\n" if lines else b""


def _one_space(octets: bytes) -> bytes:
    """Let one space stand for each run of spaces and tabs: quicker than by a pattern."""
    octets = octets.replace(b"\t", b" ")
    while b"  " in octets:
        octets = octets.replace(b"  ", b" ")
    return octets


def _folded(names: Sequence[str]) -> str:
    lines: list[str] = [""]
    for number, name in enumerate(names):
        piece = name if number == len(names) - 1 else f"{name}:"
        if len(lines[-1]) + len(piece) > _LINE:
            lines.append("")
        lines[-1] += piece
    return "\r\n  ".join(lines)
