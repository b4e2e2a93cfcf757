"""Key files: whole or absent, readable by their owner alone. A file or folder that others can read is refused."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.domain.errors import ConfigError

SECRET_OCTETS = 32
AUTHORITY_PUBLIC = "authority.pub"
SESSION_PUBLIC = "session.pub"
SESSION_KEY = "session.key"
AUTHENTICATOR_KEY = "authenticator.key"
DEPOSIT_KEY = "deposit.key"
ADDRESS_KEY = "address.key"
RETURN_PATH_KEY = "return-path.key"
_OTHERS = 0o077
_MAX_OCTETS = 64 * 1024


def read_private(path: Path) -> bytes:
    """Return a secret file's octets. Raises ConfigError when it is absent, or it or its folder is open to others."""
    try:
        for place in (path.parent, path):
            found = place.stat()
            if found.st_mode & _OTHERS:
                raise ConfigError(f"{place}: others can read it; run: chmod go= {place}")
            if found.st_uid not in (0, os.geteuid()):
                raise ConfigError(f"{place}: belongs to another user; a key belongs to the program that uses it")
        with path.open("rb") as file:
            return file.read(_MAX_OCTETS)
    except OSError as problem:
        raise ConfigError(f"{path}: cannot be read ({problem.strerror}); gateway init makes it") from None


def read_secret(path: Path) -> bytes:
    """Return a secret of 32 octets. Raises ConfigError."""
    octets = read_private(path)
    if len(octets) != SECRET_OCTETS:
        raise ConfigError(f"{path}: is not a key of {SECRET_OCTETS} octets")
    return octets


def read_public(path: Path) -> Ed25519PublicKey:
    """Return an Ed25519 public key from PEM. Raises ConfigError."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except OSError as problem:
        raise ConfigError(f"{path}: cannot be read ({problem.strerror}); gateway init makes it") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigError(f"{path}: is not a public key in PEM") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError(f"{path}: is not an Ed25519 public key")
    return key


def authority_public(folder: Path) -> Ed25519PublicKey:
    """Return the key that rows which give power are checked with. Every program loads it."""
    return read_public(folder / AUTHORITY_PUBLIC)


def deposit_key(folder: Path) -> bytes:
    """Return the key that repeats and Message-IDs are found by. Mail-in programs and the portal load it."""
    return read_secret(folder / DEPOSIT_KEY)


def address_key(folder: Path) -> bytes:
    """Return the key by whose hashes the record names addresses that were written to. The notifier loads it."""
    return read_secret(folder / ADDRESS_KEY)


def return_path_key(folder: Path) -> bytes:
    """Return the key that marks the return paths of notifications. The notifier and the mail-in programs load it."""
    return read_secret(folder / RETURN_PATH_KEY)


def write_private(path: Path, octets: bytes) -> None:
    """Write a secret file whole or not at all. Raises ConfigError when there is one: a key is never overwritten."""
    _write(path, octets, 0o600)


def write_public(path: Path, key: Ed25519PublicKey) -> None:
    """Write a public key as PEM, whole or not at all."""
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    _write(path, pem, 0o644)


def _write(path: Path, octets: bytes, mode: int) -> None:
    if path.exists():
        raise ConfigError(f"{path}: is there already; a key is never overwritten")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(descriptor)
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
