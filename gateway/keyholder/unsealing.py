"""The only place that unwraps: a case's private key opens the content keys that were wrapped to its public half."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag

from gateway.domain.errors import Tampered
from gateway.store.keystore import private_context
from gateway.store.pairs import read_private, suite_of
from gateway.store.sealing import HPKE_SUITES, open_box, wrap_info


class PrivateKey:
    """The private half of one sealing key, open in memory."""

    def __init__(self, key_id: str, vault_key: bytes, wrapped: bytes) -> None:
        """Open a private key. Raises Tampered when vault key, id or any octet differs."""
        octets = open_box(vault_key, wrapped, private_context(key_id))
        self._id = key_id
        self._suite = suite_of(octets)
        self._private = read_private(octets)

    def unwrap(self, wrapped: bytes, suite: int, message_id: str) -> bytes:
        """Return a content key. Raises Tampered, always the same, whatever does not fit."""
        try:
            if suite != self._suite:
                raise ValueError
            return HPKE_SUITES[suite].decrypt(wrapped, self._private, wrap_info(self._id, suite, message_id))
        except (InvalidTag, ValueError):
            raise Tampered("A sealed key does not open.") from None
