"""What `gateway doctor` and `gateway config` say of mail systems that vouch for their senders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway import config
from gateway.cli.config import app
from gateway.config.example import Site, example
from gateway.doctor import Finding, State, examine
from gateway.process import ProgramLock, make_run_folder
from tests.dialogs.certificates import make_certificate

RELAY = """
[relay.mta]
kind = "own-mta"
authenticates_senders = true
starttls = ["127.0.0.1:0"]
networks = ["10.0.0.0/28", "10.1.0.1"]
client_ca = "mta.pem"
"""


def written(folder: Path, *, lmtp: str = "", relay: str = "") -> config.Settings:
    text = example(Site())
    if lmtp:
        text = text.replace("[submission]\n", f'[submission]\nlmtp = "{lmtp}"\nlmtp_users = [0, 1]\n', 1)
    (folder / "gateway.toml").write_text(text + relay, "utf-8")
    return config.load(folder / "gateway.toml")


def told(settings: config.Settings) -> dict[str, Finding]:
    return {one.name: one for one in examine(settings)}


def test_without_either_both_are_off(tmp_path: Path) -> None:
    found = told(written(tmp_path))
    assert (found["lmtp"].state, found["relays"].state) == (State.OFF, State.OFF)
    assert "submission.lmtp" in found["lmtp"].advice
    assert "[relay.NAME]" in found["relays"].advice


def test_more_processes_than_cores_are_warned_of(tmp_path: Path) -> None:
    assert told(written(tmp_path))["mail door"].state is State.OK
    text = (tmp_path / "gateway.toml").read_text("utf-8")
    (tmp_path / "gateway.toml").write_text(text.replace("# processes = 0", "processes = 64"), "utf-8")
    found = told(config.load(tmp_path / "gateway.toml"))["mail door"]
    assert found.state is State.WARNING
    assert found.found.startswith("processes: 64, cores: ")
    assert "submission.processes" in found.advice


def test_a_socket_that_is_not_there_is_a_problem_while_its_program_runs(tmp_path: Path) -> None:
    settings = written(tmp_path, lmtp="run/lmtp.sock")
    assert told(settings)["lmtp"] == Finding("lmtp", State.OK, f"{tmp_path}/run/lmtp.sock, for 2 users of this machine")
    make_run_folder(settings.site.run)
    lock = ProgramLock(settings.site.run, "submission")
    try:
        assert told(settings)["lmtp"].state is State.PROBLEM
    finally:
        lock.release()


def test_a_socket_whose_path_is_too_long_is_a_problem(tmp_path: Path) -> None:
    assert told(written(tmp_path, lmtp="x" * 120))["lmtp"].state is State.PROBLEM


@pytest.mark.parametrize(("expired", "state"), [(False, State.WARNING), (True, State.PROBLEM)])
def test_a_relays_certificate_is_looked_at_in_time(expired: bool, state: State, tmp_path: Path) -> None:
    settings = written(tmp_path, relay=RELAY)
    assert told(settings)["relay mta"].state is State.PROBLEM  # no file
    made = make_certificate(tmp_path / "made", expired=expired)
    (tmp_path / "mta.pem").write_bytes(made[0].read_bytes())
    found = told(settings)["relay mta"]
    assert found.state is state
    assert found.found.startswith("2 networks, mta.pem until 20")


def test_the_settings_of_a_relay_are_shown(tmp_path: Path) -> None:
    settings = written(tmp_path, relay=RELAY)
    shown = CliRunner().invoke(app, ["show", "--json", "--config", str(settings.file)])
    (relay,) = json.loads(shown.stdout)["submission"]["relays"]
    assert relay["networks"] == ["10.0.0.0/28", "10.1.0.1/32"]
    assert relay["client_ca"] == str(tmp_path / "mta.pem")
