from __future__ import annotations

from pathlib import Path

import pytest

from gateway import config
from gateway.config import ConfigProblems
from gateway.config.example import Site, example
from tests.dialogs.certificates import make_certificate


@pytest.fixture
def settings(tmp_path: Path) -> config.Settings:
    (tmp_path / "gateway.toml").write_text(example(Site()), "utf-8")
    for name in ("tls/certificate.pem", "tls/key.pem", "keys/vault.key", "keys/authority.pub", "secrets/passphrase"):
        (tmp_path / name).parent.mkdir(exist_ok=True, mode=0o700)
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(0o644 if name.endswith((".pub", "certificate.pem")) else 0o600)
    return config.load(tmp_path / "gateway.toml")


def told(settings: config.Settings) -> list[str]:
    return [f"{problem.key}: {problem.what}" for problem in config.file_problems(settings)]


def test_files_that_are_there_and_private_are_no_problem(settings: config.Settings) -> None:
    assert told(settings) == []


def test_a_key_that_others_can_read_is_a_problem_and_the_cure_is_named(settings: config.Settings) -> None:
    vault = settings.keys.folder / "vault.key"
    vault.chmod(0o640)
    (problem,) = config.file_problems(settings)
    assert problem.key == "keys.folder"
    assert problem.do == f"Run: chmod 0600 {vault}"
    vault.chmod(0o600)
    assert config.file_problems(settings) == []


def test_absent_files_are_problems_one_by_one(settings: config.Settings) -> None:
    settings.tls.certificate.unlink()
    settings.tls.key.unlink()
    assert {line.partition(":")[0] for line in told(settings)} == {
        "submission.certificate", "portal.certificate", "submission.key", "portal.key",
    }  # fmt: skip


def test_a_program_refuses_its_key_when_others_can_read_it(settings: config.Settings) -> None:
    config.require_private(settings, [settings.tls.key])
    settings.tls.key.chmod(0o604)
    with pytest.raises(ConfigProblems, match="chmod 0600"):
        config.require_private(settings, [settings.tls.key])


def test_a_relay_needs_certificates_in_its_file(settings: config.Settings) -> None:
    relay = """
[relay.mta]
kind = "own-mta"
authenticates_senders = true
starttls = ["127.0.0.1:0"]
networks = ["127.0.0.1"]
client_ca = "tls/mta.pem"
"""
    settings.file.write_text(settings.file.read_text("utf-8") + relay, "utf-8")
    with_relay, listed = config.load(settings.file), settings.file.parent / "tls" / "mta.pem"
    key = "relay.mta.client_ca"
    assert told(with_relay) == [f"{key}: there is no file {listed}."]
    listed.write_text("no certificate")
    assert told(with_relay) == [f"{key}: {listed} has no certificates."]
    listed.write_bytes(make_certificate(settings.file.parent / "made")[0].read_bytes())
    assert told(with_relay) == []
