"""OpenPGP signatures, checked by gpg against the keys that the site has chosen.

What it does: one check is three runs of gpg, and gets all by its standard input: no file is written, no key fetched, no
agent or other server started, no key of a message taken in. What it trusts: the keyring of the site, in which every
user id of every key is believed; of a message only one signature packet and one literal packet reach gpg
(`gateway.mime.openpgp`). What it holds: nothing; the keyring is only read. How it fails: without gpg or without a
keyring each check says so; a gpg that does not end is ended (`gateway.parcels.gpg`), and the page is shown without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import RawIOBase
from pathlib import Path
from typing import Any

from gateway.domain.signature import NOBODY, Reason, Scheme, Signature, Signer, broken, known, unchecked, unknown
from gateway.mime.certificates import MAX_ADDRESSES, readable
from gateway.mime.openpgp import literal_header
from gateway.parcels.gpg import FINGERPRINT, GONE, gpg_in, is_installed, user_named

_KEYRINGS = ("pubring.kbx", "pubring.gpg")
_PGP = Scheme.OPENPGP


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys that the site knows: a folder that `gpg --homedir FOLDER --import` made, or None when there is none."""

    home: Path | None

    def why_not(self) -> Reason | None:
        """Why nothing can be checked here, or None."""
        if self.home is None or not any((self.home / name).is_file() for name in _KEYRINGS):
            return Reason.NO_KEYRING
        return None if is_installed() else Reason.NO_PROGRAM

    def check(
        self, packet: bytes, content: Iterator[bytes], length: int, *, author: str, received: datetime
    ) -> Signature:
        """Check one signature packet over a content of `length` octets; blocks, so call it in a thread.

        Keys are judged as of the instant `received`. Raises what reading the content raises, and OSError.
        """
        reason = self.why_not()
        if reason is not None:
            return unchecked(_PGP, reason)
        assert self.home is not None  # why_not has said so
        gpg = gpg_in(self.home, received)
        result = gpg.verify_file(_Signed(packet + literal_header(length), content))
        statuses = [str(problem["status"]) for problem in result.problems]
        fingerprint = str(result.pubkey_fingerprint or "")
        if statuses or not result.valid:
            return _not_good(statuses, self._signer(gpg, fingerprint))
        if not FINGERPRINT.match(fingerprint) or len(result.sig_info) != 1:
            return unchecked(_PGP, Reason.MALFORMED)
        return known(_PGP, self._signer(gpg, fingerprint), author)

    def _signer(self, gpg: Any, fingerprint: str) -> Signer:
        """Whom a key names, by every user id that is neither revoked nor expired."""
        if not FINGERPRINT.match(fingerprint):
            return NOBODY
        users = gpg.list_keys(keys=[fingerprint]).uid_map
        names: list[str] = []
        addresses: list[str] = []
        for written, fields in users.items():
            user = user_named(written)
            if user is None or fields["trust"] in GONE:
                continue
            names.append(readable(user[0]))
            addresses.append(readable(user[1]))
        return Signer(next(filter(None, names), ""), tuple(addresses[:MAX_ADDRESSES]))


class _Signed(RawIOBase):
    """A signature packet and what it signs, read by python-gnupg's thread as it writes to gpg."""

    def __init__(self, head: bytes, content: Iterator[bytes]) -> None:
        super().__init__()
        self._held = head
        self._content = content

    def readable(self) -> bool:
        """True: that is what it is for."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """The next octets, at most `size`; none at the end."""
        while not self._held:
            piece = next(self._content, None)
            if piece is None:
                return b""
            self._held = piece
        cut = len(self._held) if size < 0 else size
        taken, self._held = self._held[:cut], self._held[cut:]
        return taken


def _not_good(statuses: list[str], signer: Signer) -> Signature:
    """The result for the problems that python-gnupg names."""
    for status, reason in (("signing key was revoked", Reason.REVOKED), ("no public key", Reason.NO_KEY)):
        if status in statuses:
            return unchecked(_PGP, reason) if reason is Reason.NO_KEY else unknown(_PGP, reason, signer)
    if "signature bad" in statuses:
        return broken(_PGP)
    if statuses in (["signature expired"], ["signing key has expired"]):
        return unknown(_PGP, Reason.EXPIRED, signer)
    return unchecked(_PGP, Reason.ALGORITHM if "signature error" in statuses else Reason.MALFORMED)
