from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.authenticator import keys as authenticator_keys
from gateway.domain.errors import ConfigError, Tampered
from gateway.keyholder import keys
from gateway.keyholder.keys import FileKeyProvider, find_passphrase, generate
from gateway.keyholder.unsealing import PrivateKey
from gateway.store import keyfiles
from gateway.store.keystore import KeyStore, private_context
from gateway.store.sealing import seal_box

PASSPHRASE = "a passphrase for the vault"


def test_a_vault_key_sealed_by_a_passphrase_opens_with_it_alone(tmp_path: Path) -> None:
    generate(tmp_path / "keys", PASSPHRASE)
    folder = tmp_path / "keys"
    assert "key" not in json.loads((folder / "vault.key").read_text())
    loaded = keys.load(folder, FileKeyProvider(folder, PASSPHRASE))
    assert loaded.authority.public_key() == keyfiles.authority_public(folder)
    for passphrase in ("another passphrase", None):
        with pytest.raises(ConfigError):
            FileKeyProvider(folder, passphrase).vault_key()


def test_every_secret_is_its_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    generate(folder, None)
    assert folder.stat().st_mode & 0o777 == 0o700
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    public = {"authority.pub", "session.pub"}
    assert set(modes) >= public | {"vault.key", "authority.key", "session.key", "authenticator.key", "deposit.key"}
    assert all(mode == (0o644 if name in public else 0o600) for name, mode in modes.items())
    before = (folder / "vault.key").read_bytes()
    with pytest.raises(ConfigError):
        generate(folder, None)
    assert (folder / "vault.key").read_bytes() == before


@pytest.mark.parametrize("name", ["keys", "keys/vault.key", "keys/session.key", "keys/deposit.key"])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "keys"
    generate(folder, None)
    (tmp_path / name).chmod(0o750 if name == "keys" else 0o640)
    with pytest.raises(ConfigError, match="chmod"):
        keys.load(folder, FileKeyProvider(folder))
        authenticator_keys.load(folder)
        keyfiles.deposit_key(folder)


def test_each_program_loads_its_own_keys_without_the_others(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    generate(folder, None)
    for name in ("vault.key", "authority.key", "deposit.key"):
        (folder / name).unlink()
    assert len(authenticator_keys.load(folder).pepper) == 32
    with pytest.raises(ConfigError):
        keys.load(folder, FileKeyProvider(folder))


def test_keys_of_two_sites_do_not_mix(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    generate(one, None)
    generate(two, None)
    (one / "authority.pub").write_bytes((two / "authority.pub").read_bytes())
    with pytest.raises(ConfigError):
        keys.load(one, FileKeyProvider(one))
    with pytest.raises(ConfigError):
        keys.load(one, FileKeyProvider(two))


def test_a_passphrase_comes_from_a_file_or_a_systemd_credential(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    path = tmp_path / "vault-passphrase"
    path.write_text(PASSPHRASE + "\n")
    path.chmod(0o400)
    assert find_passphrase(path, {}) == PASSPHRASE
    assert find_passphrase(None, {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == PASSPHRASE
    assert find_passphrase(None, {}) is None
    path.chmod(0o440)
    assert find_passphrase(None, {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == PASSPHRASE
    path.chmod(0o444)
    with pytest.raises(ConfigError):
        find_passphrase(path, {})


def test_a_damaged_key_file_is_a_configuration_error(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    generate(folder, None)
    for name, octets in (("vault.key", b"{}"), ("vault.key", b"\xff"), ("authority.key", b"x" * 60)):
        (folder / name).write_bytes(octets)
        with pytest.raises(ConfigError):
            keys.load(folder, FileKeyProvider(folder))


def test_a_private_key_opens_under_its_own_id_and_vault_only(tmp_path: Path) -> None:
    wrapped = seal_box(b"v" * 32, b"s" * 96, private_context("one"))
    PrivateKey("one", b"v" * 32, wrapped)
    for key_id, vault in (("two", b"v" * 32), ("one", b"w" * 32)):
        with pytest.raises(Tampered):
            PrivateKey(key_id, vault, wrapped)


def test_the_keyholders_store_is_its_owners_alone_and_keeps_floors(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/keystore.db"
    store = KeyStore(url)
    assert (tmp_path / "keystore.db").stat().st_mode & 0o777 == 0o600
    store.add("one", b"wrapped")
    assert store.wrapped(["one", "two"]) == {"one": b"wrapped"}
    assert store.floors.accept("role", "r1", 1)
    assert store.floors.accept("role", "r1", 3)
    assert not store.floors.accept("role", "r1", 2)
    store.close()
    again = KeyStore(url)
    assert not again.floors.accept("role", "r1", 2)
    assert again.floors.accept("role", "r1", 3)
    again.close()
