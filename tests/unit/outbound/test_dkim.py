"""Signatures, judged by an independent verifier and by `cryptography` itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.errors import ConfigError
from gateway.outbound.dkim import Signer, load_signer, sign

AT = datetime(2026, 3, 1, tzinfo=UTC)
MAIL = (
    b'Date: Sun, 01 Mar 2026 00:00:00 +0000\r\nFrom: "G" <notices@gateway.example>\r\nTo:  ann@agent.example\r\n'
    b"Subject: folded\r\n \t and spaced\r\nMessage-ID: <1@gateway.example>\r\n"
    b"\r\nTwo  spaces \r\n\r\n.dot\r\n\r\n\r\n"
)


@pytest.fixture(scope="module")
def signers() -> tuple[Signer, ...]:
    rsa = Signer("gateway.example", "r1", generate_rsa(65537, 2048))
    return rsa, Signer("gateway.example", "e1", Ed25519PrivateKey.generate())


def verdicts(mail: bytes, signers: tuple[Signer, ...]) -> list[bool]:
    records = dict(signer.record for signer in signers)

    def look_up(name: bytes, timeout: int = 5) -> bytes:
        return records[name.decode().rstrip(".")].encode()

    return [judged(mail, number, look_up) for number in range(len(signers))]


def judged(mail: bytes, number: int, look_up: Callable[..., bytes]) -> bool:
    try:
        return bool(dkim.DKIM(mail).verify(idx=number, dnsfunc=look_up))
    except dkim.ValidationError:
        return False


def test_both_signatures_verify(signers: tuple[Signer, ...]) -> None:
    pytest.importorskip("nacl", reason="needs PyNaCl for dkimpy's Ed25519: make setup")
    assert verdicts(sign(MAIL, signers, AT), signers) == [True, True]


def test_the_rsa_signature_verifies(signers: tuple[Signer, ...]) -> None:
    assert verdicts(sign(MAIL, signers[:1], AT), signers[:1]) == [True]


def test_what_must_not_be_added_is_named_once_more_than_it_is_there(signers: tuple[Signer, ...]) -> None:
    field = sign(MAIL, signers[:1], AT).partition(b" h=")[2].partition(b";")[0]
    names = field.replace(b"\r\n", b"").replace(b" ", b"").split(b":")
    assert [names.count(name) for name in (b"from", b"subject", b"date", b"reply-to", b"cc")] == [2, 2, 2, 1, 1]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"From: ", b"From: evil@x.example\r\nFrom: "),
        (b"To: ", b"Reply-To: evil@x.example\r\nTo: "),
        (b"To: ", b"Cc: evil@x.example\r\nTo: "),
        (b"Subject: folded", b"Subject: folder"),
        (b".dot", b".dots"),
    ],
)
def test_what_is_added_or_changed_breaks_the_signature(signers: tuple[Signer, ...], old: bytes, new: bytes) -> None:
    changed = sign(MAIL, signers[:1], AT).replace(old, new, 1)
    assert verdicts(changed, signers[:1]) == [False]


def test_a_relay_that_folds_and_trims_does_no_harm(signers: tuple[Signer, ...]) -> None:
    mail = sign(MAIL, signers[:1], AT)
    changed = mail.replace(b"To:  ann", b"To:\r\n ann").replace(b"spaces \r\n", b"spaces\r\n")
    assert changed != mail
    assert verdicts(changed, signers[:1]) == [True]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.text("ab \t.é=", max_size=20), max_size=8))
def test_any_body_is_signed_as_it_is_judged(signers: tuple[Signer, ...], lines: list[str]) -> None:
    mail = MAIL.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + "".join(f"{line}\r\n" for line in lines).encode()
    assert verdicts(sign(mail, signers[:1], AT), signers[:1]) == [True]


def test_signing_again_gives_the_same_octets(signers: tuple[Signer, ...]) -> None:
    assert sign(MAIL, signers, AT) == sign(MAIL, signers, AT)


def test_a_signature_s_lines_stay_short(signers: tuple[Signer, ...]) -> None:
    head = sign(MAIL, signers, AT).partition(b"Date:")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 78


def test_a_short_rsa_key_is_refused() -> None:
    with pytest.raises(ValueError, match="2048"):
        Signer("gateway.example", "r1", generate_rsa(65537, 1024))


@pytest.mark.parametrize("name", ["", "a b", "x;", "x\r\n"])
def test_a_selector_is_a_host_name(name: str) -> None:
    with pytest.raises(ValueError, match="host names"):
        Signer("gateway.example", name, Ed25519PrivateKey.generate())


def test_a_key_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "dkim.pem"
    path.write_bytes(pem(Ed25519PrivateKey.generate()))
    assert load_signer("gateway.example", "e1", path).algorithm == "ed25519-sha256"
    path.write_bytes(pem(generate_rsa(65537, 2048)))
    assert load_signer("gateway.example", "r1", path).algorithm == "rsa-sha256"


def test_a_file_that_is_no_signing_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "dkim.pem"
    for octets in (b"nonsense", pem(generate_private_key(SECP256R1())), pem(generate_rsa(65537, 1024))):
        path.write_bytes(octets)
        with pytest.raises(ConfigError, match=r"dkim\.pem"):
            load_signer("gateway.example", "s", path)
    with pytest.raises(ConfigError, match=r"absent\.pem"):
        load_signer("gateway.example", "s", tmp_path / "absent.pem")


def pem(key: object) -> bytes:
    assert isinstance(key, RSAPrivateKey | Ed25519PrivateKey) or hasattr(key, "private_bytes")
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # type: ignore[union-attr]
