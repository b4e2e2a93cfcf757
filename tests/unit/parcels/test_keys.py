"""The gateway's own key, the directory of keys, and what a code is worth."""

from __future__ import annotations

import datetime as dt
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gateway.domain.address import parse_address
from gateway.domain.errors import ConfigError, UnknownRecipient
from gateway.domain.recipient_key import KeyKind, RecipientKey, code_hash, new_code
from gateway.domain.wkd import name_of, places_of
from gateway.mime.openpgp_signing import OpenPgpKey, armour
from gateway.parcels.lookup import is_public, look_up
from gateway.parcels.own_key import load_own_key, make_own_key, published_keys, rotate_own_key
from gateway.portal.key_directory import KeyDirectory

NOW = dt.datetime(2026, 11, 23, 1, 0, 0, 500, tzinfo=dt.UTC)
USER = "Agency <messages@agency.example>"


def test_a_local_part_has_the_name_that_the_draft_gives_for_it() -> None:
    joe = parse_address("Joe.Doe@Example.ORG")
    assert name_of(joe) == "iy9q119eutrkn8s1mk4r39qejnbu3n5q"
    assert places_of(joe) == (
        (
            "openpgpkey.example.org",
            "/.well-known/openpgpkey/example.org/hu/iy9q119eutrkn8s1mk4r39qejnbu3n5q?l=Joe.Doe",
        ),
        ("example.org", "/.well-known/openpgpkey/hu/iy9q119eutrkn8s1mk4r39qejnbu3n5q?l=Joe.Doe"),
    )


def test_the_key_is_the_same_after_it_was_read_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "openpgp.pem"
    assert load_own_key(path, USER) is None
    made = make_own_key(path, USER, NOW)
    assert path.stat().st_mode & 0o777 == 0o600
    read = load_own_key(path, USER)
    assert read is not None
    assert (read.fingerprint, read.certificate) == (made.fingerprint, made.certificate)
    with pytest.raises(ConfigError, match="never overwritten"):
        make_own_key(path, USER, NOW)


def test_a_rotated_key_is_published_and_signs_no_more(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "openpgp.pem"
    first = make_own_key(path, USER, NOW)
    second = rotate_own_key(path, USER, NOW + dt.timedelta(days=1))
    third = rotate_own_key(path, USER, NOW + dt.timedelta(days=2))
    own = load_own_key(path, USER)
    assert own is not None
    assert own.fingerprint == third.fingerprint
    published = [one.fingerprint for one in published_keys(path, USER)]
    assert published == [third.fingerprint, second.fingerprint, first.fingerprint]


@pytest.mark.parametrize("octets", [b"", b"Made: 1\n", b"-----BEGIN PRIVATE KEY-----\n", b"Made: x\nPEM"])
def test_a_file_that_is_no_key_of_this_gateway_is_refused(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / "keys").mkdir(mode=0o700)
    path = tmp_path / "keys" / "openpgp.pem"
    path.write_bytes(octets)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="gateway openpgp make"):
        load_own_key(path, USER)


def test_armour_ends_with_a_checksum_that_older_tools_ask_for() -> None:
    # RFC 4880's own CRC of no octets is its start value.
    assert armour("MESSAGE", b"").splitlines()[2] == "=twTO"


def test_a_code_is_known_however_it_is_typed() -> None:
    code = new_code()
    assert len(code.replace("-", "")) == 16
    assert code_hash(code) == code_hash(f" {code.lower()} ".replace("-", "  "))
    assert code_hash(code) != code_hash(new_code())


def test_a_key_says_its_fingerprint_in_groups() -> None:
    key = RecipientKey(KeyKind.OPENPGP, b"k", "ABCD1234", None, "a@agency.example")
    assert key.groups == "ABCD 1234"
    assert "octets" not in repr(key)
    for wrong in ((b"", "AB", None, "a@b"), (b"k", "", None, "a@b"), (b"k", "AB", dt.datetime(2026, 1, 1), "a@b")):  # noqa: DTZ001
        with pytest.raises(ValueError, match=r"key"):
            RecipientKey(KeyKind.SMIME, *wrong)


def test_the_directory_serves_the_key_and_its_policy_under_any_name_and_nothing_else() -> None:
    own = OpenPgpKey(Ed25519PrivateKey.generate(), NOW, USER)
    address = parse_address("messages@agency.example")
    client = TestClient(
        KeyDirectory(Starlette(), address, own.certificate), base_url="https://openpgpkey.agency.example"
    )
    for host, path in places_of(address):
        answer = client.get(path, headers={"host": host})
        assert answer.content == own.certificate
        assert answer.headers["access-control-allow-origin"] == "*"
    root = "/.well-known/openpgpkey/"
    for policy in (f"{root}policy", f"{root}agency.example/policy"):
        assert (client.get(policy).status_code, client.get(policy).content) == (200, b"")
    for other in (f"{root}hu/x", f"{root}other.example/policy", root):
        assert client.get(other).status_code == 404
    assert client.post(f"{root}policy").status_code == 404
    assert "There is nothing here" not in client.get("/").text


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fe80::1", "224.0.0.1"])
async def test_a_directory_inside_is_never_asked(address: str) -> None:
    from ipaddress import ip_address

    assert not is_public(ip_address(address))
    assert is_public(ip_address("8.8.8.8"))


async def test_a_domain_that_leads_to_this_machine_is_not_asked() -> None:
    with pytest.raises(UnknownRecipient, match=r"not on the public Internet|no directory"):
        await look_up(parse_address("ann@localhost"), trust=ssl.create_default_context())
