"""The gateway's own OpenPGP key as files: the one that signs, and those before it, so that old copies are verified.

`key.pem` has a line that says when the key was made, which its fingerprint stands over, and the secret in PEM. A
rotation gives the file another name, `key.SECONDS.pem`, and makes a new one: killed between, none signs, and doing it
again ends it. Nothing is ever encrypted to these keys.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from gateway.domain.errors import ConfigError
from gateway.failpoints import failpoint
from gateway.mime.openpgp_signing import OpenPgpKey
from gateway.store.keyfiles import read_private, write_private

_MADE: Final = re.compile(rb"Made: (\d{1,10})\n")


def make_own_key(path: Path, user_id: str, now: datetime) -> OpenPgpKey:
    """Make the key. Raises ConfigError where there is one: a key is never overwritten."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    private, made = Ed25519PrivateKey.generate(), int(now.timestamp())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(path, b"Made: %d\n" % made + pem)
    return OpenPgpKey(private, datetime.fromtimestamp(made, UTC), user_id)


def rotate_own_key(path: Path, user_id: str, now: datetime) -> OpenPgpKey:
    """Make a new key in the place of the one there is, which signs no more. Raises ConfigError."""
    if path.exists():
        path.rename(path.with_name(f"{path.stem}.{int(now.timestamp())}{path.suffix}"))
        failpoint("openpgp.rotate")
    return make_own_key(path, user_id, now)


def load_own_key(path: Path, user_id: str) -> OpenPgpKey | None:
    """Return the key that signs, None where none was made. Raises ConfigError for a file that is not as it was made."""
    return _read(path, user_id) if path.exists() else None


def published_keys(path: Path, user_id: str) -> list[OpenPgpKey]:
    """Return the keys that others verify with: the one that signs first, those before it behind, the newest first."""
    own = load_own_key(path, user_id)
    before = [_read(one, user_id) for one in path.parent.glob(f"{path.stem}.*{path.suffix}")]
    before.sort(key=lambda one: one.created, reverse=True)
    return [*([own] if own else []), *before]


def _read(path: Path, user_id: str) -> OpenPgpKey:
    octets = read_private(path)
    made = _MADE.match(octets)
    try:
        private = load_pem_private_key(octets, None) if made else None
    except (ValueError, TypeError):
        private = None
    if made is None or not isinstance(private, Ed25519PrivateKey):
        raise ConfigError(f"{path}: is no key that this gateway made. Move it away, then: gateway openpgp make")
    return OpenPgpKey(private, datetime.fromtimestamp(int(made[1]), UTC), user_id)
