"""Signs rows that give power, and makes sealing keys: the private half is durable before the public half is a row."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Table

from gateway.failpoints import failpoint
from gateway.keyholder.keys import KeyholderKeys
from gateway.store.authority import WatchfulKey, sign
from gateway.store.ids import new_id
from gateway.store.keystore import KeyStore, private_context
from gateway.store.pairs import new_pair
from gateway.store.sealing import SealingKey, seal_box


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
        private, public = new_pair(suite)
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
