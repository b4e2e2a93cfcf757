"""The only place that unwraps: a case's private key opens the content keys that were wrapped to its public half."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM1024PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gateway.domain.errors import Tampered
from gateway.store.keystore import private_context
from gateway.store.sealing import HPKE_SUITES, MLKEM768_X25519, MLKEM1024_P384, P384_PRIVATE_OCTETS, open_box, wrap_info

SEED_OCTETS = 64


class PrivateKey:
    """The private half of one sealing key, open in memory: component keys (ML-KEM seed, then X25519 or P-384)."""

    def __init__(self, key_id: str, vault_key: bytes, wrapped: bytes) -> None:
        """Open a private key. Raises Tampered when vault key, id or any octet differs."""
        octets = open_box(vault_key, wrapped, private_context(key_id))
        seed, curve = octets[:SEED_OCTETS], octets[SEED_OCTETS:]
        self._id = key_id
        self._suite = MLKEM1024_P384 if len(curve) == P384_PRIVATE_OCTETS else MLKEM768_X25519
        self._private: hpke.MLKEM768X25519PrivateKey | hpke.MLKEM1024P384PrivateKey
        if self._suite == MLKEM1024_P384:
            scalar = ec.derive_private_key(int.from_bytes(curve, "big"), ec.SECP384R1())
            self._private = hpke.MLKEM1024P384PrivateKey(MLKEM1024PrivateKey.from_seed_bytes(seed), scalar)
        else:
            self._private = hpke.MLKEM768X25519PrivateKey(
                MLKEM768PrivateKey.from_seed_bytes(seed), X25519PrivateKey.from_private_bytes(curve)
            )

    def unwrap(self, wrapped: bytes, suite: int, message_id: str) -> bytes:
        """Return a content key. Raises Tampered, always the same, whatever does not fit."""
        try:
            if suite != self._suite:
                raise ValueError
            return HPKE_SUITES[suite].decrypt(wrapped, self._private, wrap_info(self._id, suite, message_id))
        except (InvalidTag, ValueError):
            raise Tampered("A sealed key does not open.") from None
