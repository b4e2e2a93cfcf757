"""Signatures of domains on mail, checked: DKIM (RFC 6376, 8301, 8463) and the chain of ARC (RFC 8617).

Octets and key records in, results out: what is to be looked up is said by `key_names`, and handed in.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from gateway.domain.authentication import Method, Proof, Result
from gateway.mime.canonical import Field, canonical_body, canonical_field, fields_of

DKIM: Final = "dkim-signature"
SEAL: Final = "arc-seal"
SIGNED: Final = "arc-message-signature"
RESULTS: Final = "arc-authentication-results"

MOST_SIGNATURES: Final = 5
MOST_SETS: Final = 10
LEAST_RSA_BITS: Final = 1024  # RFC 8301 section 3.2
MOST_RSA_BITS: Final = 4096
MOST_RECORD: Final = 2048
_EXPONENT_BITS: Final = 64
_HASHES: Final = {b"rsa-sha256": b"rsa", b"ed25519-sha256": b"ed25519"}

_TAG: Final = re.compile(rb"[ \t\r\n]*+([A-Za-z][A-Za-z0-9_]*+)[ \t\r\n]*+=([^;]*+)(?:;|\Z)[ \t\r\n]*+")
_OWN: Final = re.compile(rb"((?:\A|;)[ \t\r\n]*+b[ \t\r\n]*+=)[^;]*+")
_DOMAIN: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9])?\Z")
_NUMBER: Final = re.compile(rb"[0-9]{1,12}\Z")

Tags = Mapping[bytes, bytes]
Form = tuple[bool, int | None]
"""How a body was hashed: whether its form is relaxed, and the most octets of it."""
Answer = bytes | Result
"""The record of a key as found, or why there is none: TEMPERROR, or PERMERROR where there is nothing."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One field that signs, read. `domain` and `selector` are lower-case names."""

    field: Field
    tags: Tags
    domain: str
    selector: str

    @property
    def key_name(self) -> str:
        """Where its key stands in DNS."""
        return f"{self.selector}._domainkey.{self.domain}"


class Unfit(Exception):
    """A signature that cannot be good; `result` is why."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.value)
        self.result = result


@dataclass(frozen=True, slots=True)
class SignedMail:
    """A mail cut into what its signatures are about. `chain`: the sets of ARC in order, None when it is broken."""

    fields: tuple[Field, ...]
    body: memoryview
    signatures: tuple[Signature | Field, ...]
    chain: tuple[tuple[Field, Signature, Signature], ...] | None

    @property
    def signed_by(self) -> list[Signature]:
        """The signatures of DKIM that can be read."""
        return [one for one in self.signatures if isinstance(one, Signature)]

    @property
    def key_names(self) -> frozenset[str]:
        """The names whose records `dkim_proofs` and `arc_proof` want to know."""
        found = self.signed_by
        found += [one for _, signed, seal in self.chain or () for one in (signed, seal)]
        return frozenset(one.key_name for one in found)


def read_signed(mail: bytes) -> SignedMail:
    """Cut a mail with CRLF line ends. Of more than MOST_SIGNATURES the first ones count."""
    end = mail.find(b"\r\n\r\n")
    head, body = (mail, b"") if end < 0 else (mail[: end + 2], memoryview(mail)[end + 4 :])
    fields = tuple(fields_of(head))
    found = [one for one in fields if one.name == DKIM][:MOST_SIGNATURES]
    return SignedMail(fields, memoryview(body), tuple(_read(one) or one for one in found), _chain(fields))


def dkim_proofs(
    mail: SignedMail,
    keys: Mapping[str, Answer],
    now: int,
    bodies: Mapping[Form, bytes] | None = None,
) -> list[Proof]:
    """Return a result for each DKIM signature. `keys` by name, as found; `now` in seconds since 1970.

    `bodies` are hashes of the body that are known already.
    """
    proofs = []
    hashed = dict(bodies or {})
    for one in mail.signatures:
        if not isinstance(one, Signature):
            proofs.append(Proof(Method.DKIM, Result.PERMERROR))
            continue
        try:
            _check_dkim(mail, one, keys, now, hashed)
            result = Result.PASS
        except Unfit as unfit:
            result = unfit.result
        proofs.append(Proof(Method.DKIM, result, (("header.d", one.domain), ("header.s", one.selector))))
    return proofs


def arc_proof(mail: SignedMail, keys: Mapping[str, Answer]) -> Proof | None:
    """Return the result of the chain (RFC 8617 section 5.2), None where there is no chain."""
    if mail.chain is None:
        return Proof(Method.ARC, Result.FAIL)
    if not mail.chain:
        return None
    _, signed, seal = mail.chain[-1]
    told = (("header.d", seal.domain),)
    try:
        if seal.tags.get(b"cv", b"").strip() == b"fail":
            raise Unfit(Result.FAIL)
        names = _names(signed.tags)
        if SEAL in names or "from" not in names:
            raise Unfit(Result.FAIL)
        _check(mail, signed, keys, {})
        for last in range(len(mail.chain), 0, -1):
            _check_seal(mail.chain[:last], keys)
    except Unfit as unfit:
        is_away = unfit.result is Result.TEMPERROR
        return Proof(Method.ARC, Result.TEMPERROR if is_away else Result.FAIL, told)
    return Proof(Method.ARC, Result.PASS, told)


def _check_dkim(
    mail: SignedMail, one: Signature, keys: Mapping[str, Answer], now: int, hashed: dict[Form, bytes]
) -> None:
    tags = one.tags
    if tags.get(b"v", b"").strip() != b"1" or "from" not in _names(tags):
        raise Unfit(Result.PERMERROR)
    agent = tags.get(b"i", b"").strip().decode("latin-1").lower().rpartition("@")[2] or one.domain
    if agent != one.domain and not agent.endswith(f".{one.domain}"):
        raise Unfit(Result.PERMERROR)
    expires = _number(tags, b"x")
    if expires is not None and expires < now:
        raise Unfit(Result.FAIL)
    _check(mail, one, keys, hashed, agent)
    if b"l" in tags:  # what was appended is not covered, and readers do not see where it begins
        raise Unfit(Result.POLICY)


def _check(
    mail: SignedMail,
    one: Signature,
    keys: Mapping[str, Answer],
    hashed: dict[Form, bytes],
    agent: str = "",
) -> None:
    """Raise Unfit unless body and fields are as they were signed."""
    head_form, _, body_form = one.tags.get(b"c", b"simple/simple").strip().lower().partition(b"/")
    forms = (head_form, body_form or b"simple")
    if not {*forms} <= {b"simple", b"relaxed"}:
        raise Unfit(Result.PERMERROR)
    key = _key(one, keys, agent)
    form = (forms[1] == b"relaxed", _number(one.tags, b"l"))
    if form not in hashed:
        hashed[form] = _body_hash(mail.body, relaxed=form[0], most=form[1])
    if hashed[form] != _decoded(one.tags.get(b"bh", b"")):
        raise Unfit(Result.FAIL)
    relaxed = forms[0] == b"relaxed"
    chosen = _chosen(mail.fields, _names(one.tags))
    octets = b"".join(canonical_field(field, relaxed=relaxed) + b"\r\n" for field in chosen)
    _verify(key, one, octets + canonical_field(_unsigned(one.field), relaxed=relaxed))


def _check_seal(chain: Sequence[tuple[Field, Signature, Signature]], keys: Mapping[str, Answer]) -> None:
    """Raise Unfit unless the last set's seal is over all before it. RFC 8617 section 5.1.1."""
    seal = chain[-1][2]
    if seal.tags.get(b"cv", b"").strip() != (b"none" if len(chain) == 1 else b"pass") or b"h" in seal.tags:
        raise Unfit(Result.FAIL)
    fields = [field for results, signed, sealed in chain for field in (results, signed.field, sealed.field)]
    octets = b"".join(canonical_field(field, relaxed=True) + b"\r\n" for field in fields[:-1])
    _verify(_key(seal, keys), seal, octets + canonical_field(_unsigned(seal.field), relaxed=True))


def _chain(fields: Sequence[Field]) -> tuple[tuple[Field, Signature, Signature], ...] | None:
    """Return the sets of ARC in order; None where one is missing, doubled, unreadable, or there are too many."""
    found: dict[tuple[str, int], Field] = {}
    for field in fields:
        if field.name in {SEAL, SIGNED, RESULTS}:
            number = _instance(field)
            if number is None or (field.name, number) in found:
                return None
            found[field.name, number] = field
    if len(found) % 3 or len(found) > 3 * MOST_SETS:
        return None
    chain = []
    for number in range(1, len(found) // 3 + 1):
        results, signed, seal = (found.get((name, number)) for name in (RESULTS, SIGNED, SEAL))
        read = (_read(signed) if signed else None, _read(seal) if seal else None)
        if results is None or read[0] is None or read[1] is None:
            return None
        chain.append((results, read[0], read[1]))
    return tuple(chain)


def _instance(field: Field) -> int | None:
    if field.name == RESULTS:
        first, _, _ = field.value.partition(b";")
        name, _, number = first.partition(b"=")
        number = number if name.strip() == b"i" else b""
    else:
        number = (_tags(field.value) or {}).get(b"i", b"")
    return int(number.strip()) if _NUMBER.match(number.strip()) else None


def _read(field: Field) -> Signature | None:
    tags = _tags(field.value)
    if tags is None or not {b"a", b"b", b"d", b"s"} <= tags.keys():
        return None
    domain, selector = (tags[name].strip().lower().decode("latin-1") for name in (b"d", b"s"))
    if not _DOMAIN.match(domain) or not _DOMAIN.match(selector):
        return None
    return Signature(field, tags, domain, selector)


def _tags(value: bytes) -> Tags | None:
    """Return a list of tags (RFC 6376 section 3.2), None for what is none or has one twice."""
    found: dict[bytes, bytes] = {}
    at = 0
    while at < len(value):
        one = _TAG.match(value, at)
        if one is None:
            return None if value[at:].strip() else found
        if one[1] in found:
            return None
        found[one[1]] = one[2]
        at = one.end()
    return found


def _names(tags: Tags) -> list[str]:
    return [name.strip().lower().decode("latin-1") for name in tags.get(b"h", b"").split(b":")]


def _number(tags: Tags, name: bytes) -> int | None:
    if name not in tags:
        return None
    text = tags[name].strip()
    if not _NUMBER.match(text):
        raise Unfit(Result.PERMERROR)
    return int(text)


def _body_hash(body: memoryview, *, relaxed: bool, most: int | None) -> bytes:
    digest = hashlib.sha256()
    left = most
    for block in canonical_body(body, relaxed=relaxed):
        digest.update(block if left is None else block[:left])
        left = None if left is None else max(0, left - len(block))
    if left:
        raise Unfit(Result.PERMERROR)  # it says to cover more than there is
    return digest.digest()


def _chosen(fields: Sequence[Field], names: Sequence[str]) -> list[Field]:
    """Return the fields that are signed, each name taken from the bottom up (RFC 6376 section 5.4.2)."""
    left: dict[str, list[Field]] = {}
    for field in fields:
        left.setdefault(field.name, []).append(field)
    return [left[name].pop() for name in names if left.get(name)]


def _unsigned(field: Field) -> Field:
    name, _, value = field.octets.partition(b":")
    return Field(field.name, name + b":" + _OWN.sub(rb"\1", value, count=1))


def _verify(key: RSAPublicKey | Ed25519PublicKey, one: Signature, octets: bytes) -> None:
    digest = hashlib.sha256(octets).digest()
    signature = _decoded(one.tags[b"b"])
    try:
        if isinstance(key, RSAPublicKey):
            key.verify(signature, digest, PKCS1v15(), Prehashed(SHA256()))
        else:
            key.verify(signature, digest)
    except InvalidSignature:
        raise Unfit(Result.FAIL) from None


def _key(one: Signature, keys: Mapping[str, Answer], agent: str = "") -> RSAPublicKey | Ed25519PublicKey:
    """Return the key of a signature. Raises Unfit where there is none, or none for mail by this algorithm."""
    kind = _HASHES.get(one.tags[b"a"].strip().lower())
    if kind is None:  # rsa-sha1 too: RFC 8301 section 3.1
        raise Unfit(Result.PERMERROR)
    record = keys.get(one.key_name, Result.PERMERROR)
    if isinstance(record, Result):
        raise Unfit(record)
    tags = _tags(record) if len(record) <= MOST_RECORD else None
    if tags is None or tags.get(b"v", b"DKIM1").strip() != b"DKIM1":
        raise Unfit(Result.PERMERROR)
    services, hashes, flags = (_words(tags, name) for name in (b"s", b"h", b"t"))
    if tags.get(b"k", b"rsa").strip() != kind or (services and not services & {b"*", b"email"}):
        raise Unfit(Result.PERMERROR)
    if (hashes and b"sha256" not in hashes) or (b"s" in flags and agent and agent != one.domain):
        raise Unfit(Result.PERMERROR)
    if b"y" in flags:  # the domain is trying it out: as if there were no signature (RFC 6376 section 3.6.1)
        raise Unfit(Result.NEUTRAL)
    return _READERS[kind](_decoded(tags.get(b"p", b"")))


def _words(tags: Tags, name: bytes) -> frozenset[bytes]:
    return frozenset(word.strip().lower() for word in tags.get(name, b"").split(b":") if word.strip())


def _rsa(octets: bytes) -> RSAPublicKey:
    try:
        key = load_der_public_key(octets)
    except (ValueError, UnsupportedAlgorithm):
        raise Unfit(Result.PERMERROR) from None
    if not isinstance(key, RSAPublicKey) or key.key_size > MOST_RSA_BITS or _exponent(key) >> _EXPONENT_BITS:
        raise Unfit(Result.PERMERROR)
    if key.key_size < LEAST_RSA_BITS:
        raise Unfit(Result.POLICY)
    return key


def _exponent(key: RSAPublicKey) -> int:
    numbers: RSAPublicNumbers = key.public_numbers()
    return numbers.e


def _ed25519(octets: bytes) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(octets)
    except ValueError:
        raise Unfit(Result.PERMERROR) from None


_READERS: Final[Mapping[bytes, Callable[[bytes], RSAPublicKey | Ed25519PublicKey]]] = {
    b"rsa": _rsa,
    b"ed25519": _ed25519,
}


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Unfit(Result.PERMERROR) from None
