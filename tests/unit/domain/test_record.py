from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.record import canonical, commitment, leaf_body, leaf_hash

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
FACTS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=10,
)


@given(FACTS)
def test_canonical_bytes_are_ascii_json_that_reads_back_to_the_same_bytes(value: object) -> None:
    octets = canonical(value)  # type: ignore[arg-type]
    assert octets.isascii()
    read = json.loads(octets)
    assert read == value
    assert canonical(read) == octets


def test_canonical_bytes_do_not_depend_on_the_order_of_keys() -> None:
    assert canonical({"b": 1, "a": [True, None, "x"]}) == b'{"a":[true,null,"x"],"b":1}'
    assert canonical({"a": [True, None, "x"], "b": 1}) == canonical({"b": 1, "a": (True, None, "x")})


@pytest.mark.parametrize("value", [1.0, {"a": 0.5}, [b"x"], {1: "a"}, {"a": {2: 3}}, object(), {"a": {1, 2}}])
def test_what_two_languages_would_write_differently_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="canonical"):
        canonical(value)  # type: ignore[arg-type]


def test_a_leaf_tells_who_did_what_when() -> None:
    body = leaf_body("id1", 5, "deposited", "p1", {"message": "m1", "recipients": ["p2"]})
    assert body == (
        b'{"at":5,"by":"p1","facts":{"message":"m1","recipients":["p2"]},"id":"id1","kind":"deposited","v":1}'
    )


def test_a_leafs_hash_is_that_of_rfc_9162() -> None:
    assert leaf_hash(b"") == bytes.fromhex("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")
    assert leaf_hash(b"L123456") == hashlib.sha256(b"\x00L123456").digest()


def test_a_commitment_binds_salt_and_digest() -> None:
    salt, digest = bytes(16), hashlib.sha256(b"text").digest()
    assert commitment(salt, digest) == hashlib.sha256(salt + digest).digest()
    assert len({commitment(bytes([n]) * 16, digest) for n in range(50)}) == 50
    assert commitment(salt, digest) != commitment(salt, hashlib.sha256(b"other").digest())
