"""Entries of the digital record as canonical bytes.

An entry names ids, kinds, counts, ciphertext hashes and commitments; never content. Canonical form: JSON with sorted
keys, no white space, ASCII only, integers and strings only (a subset of RFC 8785), so that a verifier in any language
builds the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import cast

from gateway.domain.jsontext import json_writer

Fact = str | int | bool | None | Sequence["Fact"] | Mapping[str, "Fact"]

FORMAT = 1


def canonical(value: Fact) -> bytes:
    """Return the canonical bytes of a value. Raises ValueError for floats and other types."""
    _check(value)
    return _write(value).encode("ascii")


def leaf_body(leaf_id: str, at_us: int, kind: str, by: str, facts: Mapping[str, Fact]) -> bytes:
    """Return the canonical bytes of one leaf: who did what when, and the ids it concerns."""
    _check(facts)
    body = {"v": FORMAT, "id": leaf_id, "at": at_us, "kind": kind, "by": by, "facts": dict(facts)}
    return _write(body).encode("ascii")


def leaf_hash(body: bytes) -> bytes:
    """Return the Merkle leaf hash of RFC 9162 section 2.1.1: SHA-256(0x00 || body)."""
    return hashlib.sha256(b"\x00" + body).digest()


def commitment(salt: bytes, digest: bytes) -> bytes:
    """Bind an entry to a plaintext without revealing a guessable digest: SHA-256(salt || digest)."""
    return hashlib.sha256(salt + digest).digest()


_write = json_writer(sort_keys=True, separators=(",", ":"))
_SCALARS = frozenset({str, int, bool, type(None)})


def _check(value: Fact) -> None:
    """Look at exact types first: an entry is made for each message, and an `isinstance` of a Mapping is slow."""
    kind = type(value)
    if kind in _SCALARS:
        return
    if kind is dict or isinstance(value, Mapping):
        _check_object(cast("Mapping[str, Fact]", value))
    elif isinstance(value, list | tuple):
        for inner in value:
            if type(inner) not in _SCALARS:
                _check(inner)
    elif not isinstance(value, str | int):
        raise ValueError(f"not canonical: {kind.__name__}")


def _check_object(value: Mapping[str, Fact]) -> None:
    for key, inner in value.items():
        if type(key) is not str and not isinstance(key, str):
            raise ValueError("a canonical object has string keys")
        if type(inner) not in _SCALARS:
            _check(inner)
