"""The vault key at rest, and the making of every key a site has.

- `vault.key`: 32 octets, sealed by scrypt(passphrase), or bare in a file of mode 0600 for a trial
- `authority.key`: Ed25519 private key, sealed by the vault key; `authority.pub` in clear, for every program
- `session.key`: Ed25519 private key of the authenticator; `session.pub` in clear, for the keyholder
- `authenticator.key`, `deposit.key`, `address.key`, `return-path.key`: 32 octets each
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from gateway.domain.errors import ConfigError, Tampered
from gateway.store import keyfiles
from gateway.store.sealing import MLKEM768_X25519, new_key, open_box, seal_box

VAULT_KEY = "vault.key"
AUTHORITY_KEY = "authority.key"
PASSPHRASE_CREDENTIAL = "vault-passphrase"  # noqa: S105 - the name of a systemd credential
MIN_PASSPHRASE = 12
_SCRYPT_N = 2**17
_VAULT_CONTEXT = "vault key"
_AUTHORITY_CONTEXT = "authority key"


class KeyProvider(Protocol):
    """Where the vault key comes from when the keyholder starts."""

    def vault_key(self) -> bytes:
        """Return the 32 octets. Raises ConfigError."""
        ...


@dataclass(frozen=True, slots=True)
class FileKeyProvider:
    """The vault key in `folder`, opened by a passphrase where it is sealed by one."""

    folder: Path
    passphrase: str | None = field(default=None, repr=False)

    def vault_key(self) -> bytes:
        """Return the 32 octets. Raises ConfigError: open to others, passphrase wrong or absent."""
        path = self.folder / VAULT_KEY
        try:
            stored = json.loads(keyfiles.read_private(path))
            if stored["kdf"] == "none":
                return base64.b64decode(stored["key"], validate=True)
            if self.passphrase is None:
                raise ConfigError(f"{path}: is sealed by a passphrase, and none was given")
            wrapping = _stretch(self.passphrase, base64.b64decode(stored["salt"]), int(stored["n"]))
            return open_box(wrapping, base64.b64decode(stored["box"]), _VAULT_CONTEXT)
        except Tampered:
            raise ConfigError(f"{path}: the passphrase is wrong, or the file is damaged") from None
        except (ValueError, KeyError, TypeError, binascii.Error):
            raise ConfigError(f"{path}: is not a vault key") from None


@dataclass(frozen=True, slots=True)
class KeyholderKeys:
    """All that the keyholder starts with. `suite` is what new sealing keys are made of."""

    vault: bytes = field(repr=False)
    authority: Ed25519PrivateKey = field(repr=False)
    session_public: Ed25519PublicKey
    suite: int = MLKEM768_X25519


def load(folder: Path, provider: KeyProvider) -> KeyholderKeys:
    """Load the keyholder's own keys. Raises ConfigError."""
    vault = provider.vault_key()
    path = folder / AUTHORITY_KEY
    try:
        private = open_box(vault, keyfiles.read_private(path), _AUTHORITY_CONTEXT)
    except Tampered:
        raise ConfigError(f"{path}: does not belong to this vault key") from None
    authority = Ed25519PrivateKey.from_private_bytes(private)
    if authority.public_key() != keyfiles.authority_public(folder):
        raise ConfigError(f"{folder / keyfiles.AUTHORITY_PUBLIC}: is not the public half of {path}")
    return KeyholderKeys(vault, authority, keyfiles.read_public(folder / keyfiles.SESSION_PUBLIC))


def find_passphrase(path: Path | None, environ: Mapping[str, str]) -> str | None:
    """Return the passphrase from a file, else from the systemd credential `vault-passphrase`, else None."""
    credential = Path(environ.get("CREDENTIALS_DIRECTORY", os.devnull)) / PASSPHRASE_CREDENTIAL
    if path is not None:
        octets = keyfiles.read_private(path)
    elif credential.is_file():
        octets = credential.read_bytes()  # systemd guards it, at times by an ACL, whose mask shows as a mode of 0440
    else:
        return None
    try:
        return octets.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ConfigError(f"{path or credential}: a passphrase is text in UTF-8") from None


def generate(folder: Path, passphrase: str | None) -> None:
    """Make every key of a new site in `folder` (made with mode 0700). Raises ConfigError when one is there already."""
    if passphrase is not None and len(passphrase) < MIN_PASSPHRASE:
        raise ConfigError(f"the passphrase of the vault key has at least {MIN_PASSPHRASE} characters")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    vault, authority, session = new_key(), Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    keyfiles.write_private(folder / VAULT_KEY, _vault_file(vault, passphrase))
    keyfiles.write_private(folder / AUTHORITY_KEY, seal_box(vault, authority.private_bytes_raw(), _AUTHORITY_CONTEXT))
    keyfiles.write_public(folder / keyfiles.AUTHORITY_PUBLIC, authority.public_key())
    keyfiles.write_private(folder / keyfiles.SESSION_KEY, session.private_bytes_raw())
    keyfiles.write_public(folder / keyfiles.SESSION_PUBLIC, session.public_key())
    keyfiles.write_private(folder / keyfiles.AUTHENTICATOR_KEY, new_key())
    keyfiles.write_private(folder / keyfiles.DEPOSIT_KEY, new_key())
    keyfiles.write_private(folder / keyfiles.ADDRESS_KEY, new_key())
    keyfiles.write_private(folder / keyfiles.RETURN_PATH_KEY, new_key())


def _vault_file(vault: bytes, passphrase: str | None) -> bytes:
    if passphrase is None:
        return json.dumps({"v": 1, "kdf": "none", "key": _text(vault)}).encode("ascii")
    salt = os.urandom(16)
    box = seal_box(_stretch(passphrase, salt, _SCRYPT_N), vault, _VAULT_CONTEXT)
    return json.dumps({"v": 1, "kdf": "scrypt", "n": _SCRYPT_N, "salt": _text(salt), "box": _text(box)}).encode("ascii")


def _stretch(passphrase: str, salt: bytes, n: int) -> bytes:
    """RFC 7914 with r=8, p=1: 128 MiB at n=2^17."""
    return Scrypt(salt=salt, length=32, n=n, r=8, p=1).derive(passphrase.encode("utf-8"))


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")
