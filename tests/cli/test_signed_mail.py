"""What `gateway doctor` says of the keys and certificates that signed mail is checked with."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway import config
from gateway.config.example import Site, example
from gateway.doctor import Finding, State, examine
from gateway.domain.errors import ConfigError
from gateway.portal.signatures import load_anchors
from tests.signing import NOW, card

DAYS = (NOW.replace(year=2020), NOW.replace(year=2021))
LONG = (NOW.replace(year=2020), NOW.replace(year=2090))


def told(folder: Path, *, anchors: Path | None = None, home: Path | None = None) -> dict[str, Finding]:
    (folder / "gateway.toml").write_text(example(Site()), "utf-8")
    settings = config.load(folder / "gateway.toml")
    own = replace(settings.portal, smime_anchors=anchors, openpgp_home=home)
    return {one.name: one for one in examine(replace(settings, portal=own))}


def test_without_either_both_are_off(tmp_path: Path) -> None:
    found = told(tmp_path)
    assert [found[name].state for name in ("S/MIME", "OpenPGP")] == [State.OFF, State.OFF]
    assert "portal.smime_anchors" in found["S/MIME"].advice
    assert "portal.openpgp_home" in found["OpenPGP"].advice


def test_anchors_are_counted_and_old_ones_told(tmp_path: Path) -> None:
    path = tmp_path / "anchors.pem"
    path.write_bytes(card("One", ca=True, valid=LONG).certificate.public_bytes(Encoding.PEM))
    assert told(tmp_path, anchors=path)["S/MIME"] == Finding("S/MIME", State.OK, "1 anchors")
    with path.open("ab") as stream:
        stream.write(card("Two", ca=True, valid=DAYS).certificate.public_bytes(Encoding.PEM))
    assert told(tmp_path, anchors=path)["S/MIME"].found == "2 anchors, 1 expired"
    assert len(load_anchors(path)) == 2


def test_a_file_that_is_none_stops_the_portal_and_is_told(tmp_path: Path) -> None:
    path = tmp_path / "anchors.pem"
    path.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    assert told(tmp_path, anchors=path)["S/MIME"].state is State.PROBLEM
    with pytest.raises(ConfigError, match="smime_anchors"):
        load_anchors(path)
    with pytest.raises(ConfigError, match="smime_anchors"):
        load_anchors(tmp_path / "absent.pem")
    assert load_anchors(None) == ()


def test_a_path_that_is_not_there_is_a_problem_of_the_files(tmp_path: Path) -> None:
    found = told(tmp_path, anchors=tmp_path / "absent.pem", home=tmp_path / "absent")
    assert found["files"].state is State.PROBLEM


def test_a_keyring_without_keys_or_without_gpg_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "openpgp"
    home.mkdir(mode=0o700)
    assert told(tmp_path, home=home)["OpenPGP"].state is State.WARNING
    (home / "pubring.kbx").touch()
    if shutil.which("gpg"):
        assert told(tmp_path, home=home)["OpenPGP"].state is State.OK
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "gpg is not installed" in told(tmp_path, home=home)["OpenPGP"].found
