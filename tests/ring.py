"""A person's own gpg for tests: their secret keys, in a folder that is theirs; and the row of a key that is proven."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.domain.clock import to_microseconds
from gateway.domain.recipient_key import RecipientKey
from gateway.keyholder import keys as keyholder_keys
from gateway.store import tables
from gateway.store.authority import sign
from gateway.store.ids import new_id
from gateway.store.transaction import Transaction


@dataclass
class Ring:
    """A person's own gpg, with their secret keys."""

    home: Path

    def gpg(self, *arguments: str, octets: bytes = b"", check: bool = True) -> subprocess.CompletedProcess[bytes]:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--yes", "--quiet", "--pinentry-mode", "loopback"]
        return subprocess.run(
            [*command, "--passphrase", "", *arguments], input=octets, capture_output=True, check=check
        )

    def key(self, user: str, *subkeys: str, algorithm: str = "ed25519", expires: str = "2y", at: str = "") -> str:
        """Make a key that certifies, with subkeys (`ALGORITHM USE EXPIRES`), and return its fingerprint."""
        when = ("--faked-system-time", at) if at else ()
        self.gpg(*when, "--quick-gen-key", user, algorithm, "cert,sign", expires)
        listed = self.gpg("--with-colons", "-k", f"={user}").stdout.decode()
        fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))
        for each in subkeys:
            self.gpg(*when, "--quick-add-key", fingerprint, *each.split())
        return fingerprint

    def public(self, *fingerprints: str) -> bytes:
        return self.gpg("--armor", "--export", *fingerprints).stdout

    def verified(self, content: bytes, signature: bytes) -> str:
        """What gpg says of a detached signature, in its status lines."""
        (self.home / "signed").write_bytes(content)
        told = self.gpg("--status-fd", "1", "--verify", "-", str(self.home / "signed"), octets=signature)
        return told.stdout.decode()


@contextlib.contextmanager
def open_ring(folder: Path) -> Iterator[Ring]:
    """Make the folder, and end gpg's agent in it afterwards."""
    folder.mkdir(mode=0o700)
    yield Ring(folder.resolve())
    subprocess.run(["gpgconf", "--homedir", str(folder), "--kill", "all"], check=False)


def write_proven(tx: Transaction, keys: Path, person_id: str, key: RecipientKey) -> None:
    """Let it be so that an employee has a key, proven to be theirs; `keys` is the folder of the site's own."""
    private = keyholder_keys.load(keys, keyholder_keys.FileKeyProvider(keys)).authority
    expires = None if key.expires is None else to_microseconds(key.expires)
    row = {
        "id": new_id(), "person_id": person_id, "kind": key.kind.value, "octets": key.octets,
        "fingerprint": key.fingerprint, "address": key.address, "created_us": tx.now_us, "expires_us": expires,
        "code_hash": "-", "proof": b"", "confirmed_us": tx.now_us, "until_us": None, "version": 1,
    }  # fmt: skip
    tx.insert(tables.recipient_key, **row, signature=sign(tables.recipient_key, row, private))
