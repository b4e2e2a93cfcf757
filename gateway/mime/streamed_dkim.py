"""Signatures of domains on a mail that streams by: its header is held, of its body two running hashes, whatever it has.

Octets in, results out; what is to be looked up is said by `key_names` as soon as the header is in, and handed in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from gateway.domain.authentication import Proof
from gateway.mime.canonical import CanonicalBody, Field
from gateway.mime.dkim import Answer, Form, SignedMail, dkim_proofs, read_signed
from gateway.mime.structure import Limits

_END: Final = b"\r\n\r\n"
_MOST: Final = Limits().header_block


class StreamedMail:
    """A mail on its way, blocks cut anywhere. A header over the cap is none: nobody has signed anything in it."""

    def __init__(self) -> None:
        self._head = bytearray(b"\r\n")  # as if a line stood before the first one: a mail may begin with its empty line
        self._mail: SignedMail | None = None
        self._bodies = {relaxed: _BodyHash(relaxed=relaxed) for relaxed in (False, True)}

    @property
    def fields(self) -> Sequence[Field] | None:
        """The header's fields in their order; None until all of it is in."""
        return None if self._mail is None else self._mail.fields

    @property
    def key_names(self) -> frozenset[str]:
        """The names whose records `proofs` wants to know; none until the header is in."""
        found = self._mail.signed_by if self._mail is not None else ()
        return frozenset(one.key_name for one in found)

    def feed(self, block: bytes) -> None:
        """Take octets, with CRLF line ends."""
        if self._mail is not None:
            self._hash(block)
            return
        start = max(0, len(self._head) - len(_END) + 1)
        self._head += block
        end = self._head.find(_END, start)
        if 0 <= end <= _MOST:
            body = bytes(self._head[end + len(_END) :])
            self._read(bytes(self._head[2 : end + len(_END)]))
            self._hash(body)
        elif len(self._head) > _MOST:
            self._read(b"")

    def finish(self) -> None:
        """End it: what had no empty line was header to its end."""
        if self._mail is None:
            self._read(bytes(self._head[2:]))

    def proofs(self, keys: Mapping[str, Answer], now: int) -> list[Proof]:
        """Return a result for each signature (RFC 6376), once the whole is in; arguments as of `dkim_proofs`."""
        if self._mail is None:
            return []
        bodies: dict[Form, bytes] = {(relaxed, None): body.digest() for relaxed, body in self._bodies.items()}
        return dkim_proofs(self._mail, keys, now, bodies)

    def _read(self, head: bytes) -> None:
        self._mail = read_signed(head)
        self._head.clear()
        forms = {b"relaxed" in one.tags.get(b"c", b"").lower().partition(b"/")[2] for one in self._mail.signed_by}
        self._bodies = {relaxed: self._bodies[relaxed] for relaxed in sorted(forms)}

    def _hash(self, block: bytes) -> None:
        for body in self._bodies.values():
            body.feed(block)


class _BodyHash:
    def __init__(self, *, relaxed: bool) -> None:
        self._form = CanonicalBody(relaxed=relaxed)
        self._hash = hashlib.sha256()

    def feed(self, block: bytes) -> None:
        for piece in self._form.feed(block):
            self._hash.update(piece)

    def digest(self) -> bytes:
        whole = self._hash.copy()
        whole.update(self._form.finish())
        return whole.digest()
