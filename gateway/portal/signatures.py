"""The signatures of an opened message: checked for whoever reads it, and what opaque ones wrap made readable.

What it does: finds the signed parts in the part map, reads what each covers from the vault, and says of each signature
how it stands. What it trusts: the site's anchors (S/MIME) and the site's keyring (OpenPGP); of a message nothing. What
it holds: anchors; a wrapped mail while it is read. How it fails: a check that is not done in time says so and the page
is shown without it; octets that are not what was sealed raise Tampered, as for any reader.

A message is looked at by one of THREADS threads, off the event loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import ParamSpec, TypeVar

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate, load_pem_x509_certificates

from gateway.domain.clock import from_microseconds
from gateway.domain.errors import ConfigError
from gateway.domain.partmap import Part, PartMap
from gateway.domain.signature import Reason, Scheme, Signature, broken, known, unchecked, unknown
from gateway.mime.ber import NotBer
from gateway.mime.certificates import find_certificate, signer_named, why_not_known
from gateway.mime.cms import (
    MAX_SIGNERS,
    SignedData,
    SignerInfo,
    UnknownAlgorithm,
    digest_of,
    is_as_signed,
    read_signed_data,
    read_signer,
)
from gateway.mime.openpgp import MAX_SIGNATURE_OCTETS, NotOpenPgp, WeakDigest, clear_signed, signature_packet
from gateway.mime.signing import MAX_SIGNED, Form, SignedPart, signed_parts, with_cover
from gateway.portal.content import Octets, PartOctets, part_of
from gateway.portal.openpgp import Keyring
from gateway.portal.showing import MAX_SHOWN_OCTETS
from gateway.portal.vault import Opened, Vault
from gateway.portal.wrapped import TooLarge, take_apart

THREADS = 2
CHECK_SECONDS = 10.0
LOOK_SECONDS = 30.0
MAX_LAYERS = 3
_MAX_CMS_OCTETS = 256 * 1024
_PIECE_OCTETS = 256 * 1024
_NO_KEYRING = Keyring(None)

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Inside:
    """The mail that the signed part `wrapper` wraps."""

    wrapper: str
    part_map: PartMap
    octets: Octets


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen of one message. `is_late`: not even what is wrapped could be read in time."""

    signatures: tuple[Signature, ...] = ()
    insides: tuple[Inside, ...] = ()
    is_late: bool = False

    def inside(self, part: Part) -> Inside | None:
        """What this part wraps, if it does."""
        return next((each for each in self.insides if each.wrapper == part.path), None)


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom the site knows: authorities and people's certificates for S/MIME, a keyring for OpenPGP."""

    anchors: tuple[Certificate, ...] = ()
    keyring: Keyring = _NO_KEYRING


class Signatures:
    """Looks at opened messages."""

    def __init__(
        self, trust: Trust | None = None, *, check_seconds: float = CHECK_SECONDS, look_seconds: float = LOOK_SECONDS
    ) -> None:
        self._trust = trust or Trust()
        self._check_seconds = check_seconds
        self._look_seconds = look_seconds
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="signatures")

    async def look(self, vault: Vault, opened: Opened) -> Looked:
        """Check the signatures of a received message, and read what opaque ones wrap. Raises Tampered."""
        part_map = opened.summary.part_map
        signed = signed_parts(part_map)
        if opened.found.row.composed or not signed:
            return Looked()
        octets = await vault.octets(opened, "")
        received = from_microseconds(opened.found.row.received_us)
        look = _Look(self._trust, opened.summary.author.address, received, self._check_seconds)
        try:
            async with asyncio.timeout(self._look_seconds):
                return await asyncio.get_running_loop().run_in_executor(self._threads, look.at, part_map, octets)
        except TimeoutError:
            return Looked(tuple(unchecked(each.scheme, Reason.BUSY) for each in signed[:MAX_SIGNED]), is_late=True)

    async def inside(self, vault: Vault, opened: Opened, path: str) -> Inside | None:
        """Return what the signed part at this path wraps, or None. Raises NotAllowed, Tampered."""
        part = part_of(opened.summary.part_map, path)
        if opened.found.row.composed or not any(each.part == part for each in signed_parts(opened.summary.part_map)):
            return None
        octets = PartOctets(part, await vault.octets(opened, ""))
        return await asyncio.get_running_loop().run_in_executor(self._threads, _innermost, octets)


def load_anchors(path: Path | None) -> tuple[Certificate, ...]:
    """Read the certificates of a PEM file; none without a file. Raises ConfigError."""
    if path is None:
        return ()
    try:
        return tuple(load_pem_x509_certificates(path.read_bytes()))
    except OSError as problem:
        raise ConfigError(f"{path}: {problem.strerror}. Check portal.smime_anchors.") from None
    except ValueError:
        raise ConfigError(f"{path}: is not a file of certificates in PEM. Check portal.smime_anchors.") from None


@dataclass(slots=True)
class _Look:
    """One look at one message, in a thread."""

    trust: Trust
    author: str
    received: datetime
    seconds: float
    insides: dict[str, Inside] = field(default_factory=dict)
    _deadline: float = 0.0

    def at(self, part_map: PartMap, octets: Octets) -> Looked:
        """Look at all that is signed."""
        self._deadline = time.monotonic() + self.seconds
        results = self._results(part_map, octets, wrapper="")
        return Looked(tuple(results), tuple(self.insides.values()))

    def _results(self, part_map: PartMap, octets: Octets, *, wrapper: str, layer: int = 0) -> list[Signature]:
        signed = signed_parts(part_map)
        results: list[Signature] = []
        for each in signed[:MAX_SIGNED]:
            if each.form is Form.OPAQUE:
                found = self._opaque(each, octets, wrapper if each.part == part_map.root else "", layer)
            else:
                found = self._told(each, octets)
            results += (with_cover(one, part_map, each, signed) for one in found)
        if len(signed) > MAX_SIGNED:
            results.append(unchecked(signed[-1].scheme, Reason.TOO_MANY))
        return results

    def _told(self, signed: SignedPart, octets: Octets) -> list[Signature]:
        """The results of a signature that stands beside or in its text, whatever is wrong with it."""
        check = self._clear if signed.form is Form.CLEAR else self._detached
        try:
            return check(signed, octets)
        except TimeoutError:
            reason = Reason.BUSY
        except WeakDigest:
            reason = Reason.ALGORITHM
        except TooLarge:
            reason = Reason.TOO_LARGE
        except (NotBer, NotOpenPgp):
            reason = Reason.MALFORMED
        return [unchecked(signed.scheme, reason)]

    def _detached(self, signed: SignedPart, octets: Octets) -> list[Signature]:
        if signed.content is None or signed.signature is None:
            raise NotBer("not a content and its signature")
        start, end = signed.content.header_offset, signed.content.end
        content = self._in_time(octets.read(start, end))
        if signed.scheme is Scheme.OPENPGP:
            armoured = _head(PartOctets(signed.signature, octets), 2 * MAX_SIGNATURE_OCTETS)
            return [self._openpgp(signature_packet(armoured), content, end - start)]
        data = read_signed_data(_head(PartOctets(signed.signature, octets), _MAX_CMS_OCTETS))
        if data.content is not None:  # a content of its own beside the one that is shown
            raise NotBer("a detached signature that is not")
        return self._signers(data, content)

    def _clear(self, signed: SignedPart, octets: Octets) -> list[Signature]:
        found = clear_signed(_head(PartOctets(signed.part, octets), MAX_SHOWN_OCTETS))
        result = self._openpgp(found.signature, iter([found.text]), len(found.text))
        return [result if found.is_alone else replace(result, is_whole=False, is_of_text=False)]

    def _opaque(self, signed: SignedPart, octets: Octets, wrapper: str, layer: int) -> list[Signature]:
        """The results of a signed part and of all that is signed in it; what it wraps is kept for the reader."""
        try:
            wrapping = take_apart(PartOctets(signed.part, octets))
            if wrapping is None:
                return []  # certificates alone
            results = self._signers(wrapping.data, _pieces(wrapping.data))
        except TooLarge:
            return [unchecked(signed.scheme, Reason.TOO_LARGE)]
        except NotBer:
            return [unchecked(signed.scheme, Reason.MALFORMED)]
        part_map, inner = wrapping.part_map, wrapping.octets
        del wrapping  # what is in memory of this layer goes before the next one comes
        path = wrapper or signed.part.path
        if layer == 0 or wrapper:
            self.insides[path] = Inside(path, part_map, inner)
        if layer + 1 < MAX_LAYERS:
            results += self._results(part_map, inner, wrapper=path, layer=layer + 1)
        return results

    def _signers(self, data: SignedData, content: Iterator[bytes]) -> list[Signature]:
        """The result of each signer of a CMS structure over one content."""
        if not 0 < len(data.signers) <= MAX_SIGNERS:
            return [unchecked(Scheme.SMIME, Reason.TOO_MANY if data.signers else Reason.MALFORMED)]
        read = [_tried(read_signer, data, element) for element in data.signers]
        digests = {each.digest_bits: digest_of(each) for each in read if isinstance(each, SignerInfo)}
        for piece in content if digests else ():
            for digest in digests.values():
                digest.update(piece)
        done = {bits: digest.finalize() for bits, digest in digests.items()}
        return [
            self._signer(data, each, done[each.digest_bits])
            if isinstance(each, SignerInfo)
            else unchecked(Scheme.SMIME, each)
            for each in read
        ]

    def _signer(self, data: SignedData, signer: SignerInfo, digest: bytes) -> Signature:
        own = tuple(anchor.public_bytes(Encoding.DER) for anchor in self.trust.anchors)
        found = _tried(find_certificate, signer, (*data.certificates, *own))
        if not isinstance(found, Certificate):
            return unchecked(Scheme.SMIME, found or Reason.NO_CERTIFICATE)
        is_whole = _tried(is_as_signed, signer, found, digest)
        if isinstance(is_whole, Reason):
            return unchecked(Scheme.SMIME, is_whole)
        if not is_whole:
            return broken(Scheme.SMIME)
        reason = why_not_known(found, data.certificates, self.trust.anchors, self.received)
        named = signer_named(found)
        return known(Scheme.SMIME, named, self.author) if reason is None else unknown(Scheme.SMIME, reason, named)

    def _openpgp(self, packet: bytes, content: Iterator[bytes], length: int) -> Signature:
        keyring = self.trust.keyring
        try:
            return keyring.check(packet, content, length, author=self.author, received=self.received)
        except TimeoutError:
            raise
        except (OSError, ValueError):  # gpg does not start, or does not like its folder
            return unchecked(Scheme.OPENPGP, Reason.NO_PROGRAM)

    def _in_time(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            if time.monotonic() > self._deadline:
                raise TimeoutError
            yield piece


def _innermost(part: PartOctets) -> Inside | None:
    """What a signed part wraps; when that is a signed part again, what that one wraps."""
    found: Inside | None = None
    path = part.part.path
    for _ in range(MAX_LAYERS):
        try:
            wrapping = take_apart(part)
        except (NotBer, TooLarge):
            break
        if wrapping is None:
            break
        found = Inside(path, wrapping.part_map, wrapping.octets)
        root = found.part_map.root
        if not any(each.part == root and each.form is Form.OPAQUE for each in signed_parts(found.part_map)):
            break
        part = PartOctets(root, found.octets)
    return found


def _tried(step: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T | Reason:
    """What a step of reading CMS gives, or why it gives nothing."""
    try:
        return step(*arguments, **named)
    except NotBer:
        return Reason.MALFORMED
    except UnknownAlgorithm:
        return Reason.ALGORITHM


def _head(part: PartOctets, most: int) -> bytes:
    octets, is_more = part.head(most)
    if is_more:
        raise TooLarge("more than is read here")
    return octets


def _pieces(data: SignedData) -> Iterator[bytes]:
    """The content of a CMS structure that holds it."""
    for start, end in data.content or ():
        for at in range(start, end, _PIECE_OCTETS):
            yield bytes(data.reader.octets[at : min(at + _PIECE_OCTETS, end)])
