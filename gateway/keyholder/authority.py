"""Signs rows that give power, and makes sealing keys: the private half is durable before the public half is a row."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM1024PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Table

from gateway.failpoints import failpoint
from gateway.keyholder.keys import KeyholderKeys
from gateway.store.authority import WatchfulKey, sign
from gateway.store.ids import new_id
from gateway.store.keystore import KeyStore, private_context
from gateway.store.sealing import MLKEM768_X25519, MLKEM1024_P384, P384_PRIVATE_OCTETS, SealingKey, seal_box


class Authority:
    """What a verb signs with (`gateway.casework.administration.Authority`). One for each verb: see `settle`."""

    def __init__(self, keys: KeyholderKeys, store: KeyStore, key: WatchfulKey) -> None:
        self.key = key
        self._keys = keys
        self._store = store
        self._signed: list[tuple[str, str, int]] = []

    def sign(self, table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the row with its next version and its signature."""
        signed = {**row, "version": row.get("version", 0) + 1}
        signed["signature"] = sign(table, signed, self._keys.authority)
        self._signed.append((table.name, row["id"], signed["version"]))
        failpoint("keyholder.authority")
        return signed

    def new_sealing_key(self) -> SealingKey:
        """Make a sealing key and return its public half."""
        key_id, suite = new_id(), self._keys.suite
        private, public = _PAIRS[suite]()
        self._store.add(key_id, seal_box(self._keys.vault, private, private_context(key_id)))
        return SealingKey(key_id, suite, public)

    def blind(self, what: str, value: str) -> str:
        """Return a keyed hash by which a sealed value is found again; `what` parts kinds of values."""
        key = HKDF(SHA256(), 32, salt=None, info=b"gateway blind index v1").derive(self._keys.vault)
        return hmac.new(key, f"{what}\x00{value}".encode(), hashlib.sha256).hexdigest()

    def settle(self) -> None:
        """After the commit: from here on no older version of a signed row counts. Returns when that is durable."""
        waiting = [self._store.floors.raise_to(*one) for one in self._signed]
        for future in waiting:
            if future is not None:
                future.result()


def _standard_pair() -> tuple[bytes, bytes]:
    kem, curve = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
    private = kem.private_bytes_raw() + curve.private_bytes_raw()
    return private, kem.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()


def _approved_pair() -> tuple[bytes, bytes]:
    kem, curve = MLKEM1024PrivateKey.generate(), ec.generate_private_key(ec.SECP384R1())
    private = kem.private_bytes_raw() + curve.private_numbers().private_value.to_bytes(P384_PRIVATE_OCTETS, "big")
    point = curve.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return private, kem.public_key().public_bytes_raw() + point


_PAIRS: Mapping[int, Callable[[], tuple[bytes, bytes]]] = MappingProxyType(
    {MLKEM768_X25519: _standard_pair, MLKEM1024_P384: _approved_pair}
)
"""Makes the private and the public half of a new sealing key, by suite."""
