"""Sealing keys of each suite: what is wrapped to the public half opens with the private half, and with nothing else."""

from __future__ import annotations

from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.domain.errors import Tampered
from gateway.keyholder.authority import Authority
from gateway.keyholder.keys import KeyholderKeys
from gateway.keyholder.unsealing import PrivateKey
from gateway.store.keystore import KeyStore
from gateway.store.sealing import MLKEM768_X25519, MLKEM1024_P384, SealingKey, new_key

SUITES = (MLKEM768_X25519, MLKEM1024_P384)
VAULT = new_key()


class Kept:
    """What the keyholder's own store has: sealed private halves by id."""

    def __init__(self) -> None:
        self.sealed: dict[str, bytes] = {}

    def add(self, key_id: str, sealed: bytes) -> None:
        self.sealed[key_id] = sealed


def made(suite: int) -> tuple[SealingKey, PrivateKey]:
    signing, kept = Ed25519PrivateKey.generate(), Kept()
    keys = KeyholderKeys(VAULT, signing, signing.public_key(), suite)
    public = Authority(keys, cast("KeyStore", kept), cast("Any", None)).new_sealing_key()
    return public, PrivateKey(public.id, VAULT, kept.sealed[public.id])


@pytest.mark.parametrize("suite", SUITES)
def test_what_is_wrapped_to_a_key_opens_with_its_private_half_alone(suite: int) -> None:
    public, private = made(suite)
    other = made(suite)[1]
    content_key = new_key()
    wrapped = public.wrap(content_key, "m1")
    assert public.suite == suite
    assert private.unwrap(wrapped, suite, "m1") == content_key
    for holder, octets, number, message in (
        (other, wrapped, suite, "m1"),
        (private, wrapped, suite, "m2"),
        (private, wrapped, 3 - suite, "m1"),
        (private, wrapped[:-1], suite, "m1"),
        (private, b"", suite, "m1"),
        (private, wrapped[:-1] + bytes([wrapped[-1] ^ 1]), suite, "m1"),
    ):
        with pytest.raises(Tampered):
            holder.unwrap(octets, number, message)


def test_a_key_of_one_suite_is_no_key_of_the_other() -> None:
    with pytest.raises(ValueError, match="length"):
        SealingKey("k", MLKEM768_X25519, made(MLKEM1024_P384)[0].public)
    with pytest.raises(ValueError, match="unknown"):
        SealingKey("k", 3, made(MLKEM1024_P384)[0].public)
