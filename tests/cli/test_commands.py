"""The commands that need no running gateway."""

from __future__ import annotations

import os
import re
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
import typer

from gateway.cli.app import COMMANDS, assembled
from tests.cli.conftest import Site, founded, run_gateway
from tests.warm import ROOT


def commands(app: typer.Typer, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield above
    for group in app.registered_groups:
        assert group.typer_instance is not None
        yield from commands(group.typer_instance, (*above, str(group.name)))
    for command in app.registered_commands:
        assert command.callback is not None
        yield (*above, command.name or command.callback.__name__.rstrip("_").replace("_", "-"))


EVERY = sorted(commands(assembled(COMMANDS)))


def test_the_commands_are_there() -> None:
    names = {" ".join(one) for one in EVERY}
    assert {
        "init", "run", "config check", "config show", "doctor", "employee add", "employee list", "employee show",
        "employee end", "employee password", "employee totp", "employee app-password add", "team add", "team list",
        "team add-member", "team remove-member", "case open", "case list", "case show", "case assign", "case close",
        "designated-user add", "designated-user list", "designated-user revoke", "queue list", "queue retry",
        "queue planned", "queue stop", "backup", "restore",
    } <= names  # fmt: skip


@pytest.fixture
def log_as_before() -> Iterator[None]:
    """A command sets the log of its own process, which here is everybody's."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.usefixtures("log_as_before")
@pytest.mark.parametrize("command", EVERY, ids=" ".join)
def test_every_command_has_help(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    from gateway.cli.app import run_command

    assert run_command([*command, "--help"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("Usage: gateway")
    assert "\x1b" not in told


def test_each_command_loads_with_nothing_of_another_loaded() -> None:
    """Other tests fork their commands from a process that has loaded them all."""
    code = (
        "import os, pkgutil, sqlalchemy, typer, cryptography.x509, structlog, gateway.cli.app as app\n"
        "for name, place in app.COMMANDS.items():\n"
        "    if not os.fork():\n"
        "        pkgutil.resolve_name(place)\n"
        "        os._exit(0)\n"
        "    if os.wait()[1]: print(name)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_noun_without_a_verb_gets_its_help() -> None:
    done = run_gateway("employee")
    assert done.returncode == os.EX_USAGE
    assert done.stderr.startswith("Usage: gateway employee")


def test_help_in_a_process_of_its_own_is_plain() -> None:
    done = run_gateway("--help")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert run_gateway("--version").stdout.startswith("gateway ")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["fly"], os.EX_USAGE, "No such command"),
        (["run", "postman"], os.EX_USAGE, "Choose from: keyholder"),
        (["employee", "add", "Ann"], os.EX_USAGE, "Missing argument"),
        (["case", "list", "--colour"], os.EX_USAGE, "No such option"),
        (["case", "list", "--config", "/nowhere/gateway.toml"], os.EX_CONFIG, "gateway init FOLDER"),
        (["restore", "/nowhere", "/nowhere/either"], os.EX_DATAERR, "not a finished backup"),
        (["init", "/proc/site"], os.EX_OSERR, "/proc/site"),
    ],
)
def test_errors_are_a_line_with_what_to_do(arguments: list[str], code: int, words: str) -> None:
    done = run_gateway(*arguments)
    assert done.returncode == code
    assert words in done.stderr
    assert done.stderr.startswith("gateway: ")
    assert len(done.stderr.splitlines()) <= 2


def test_init_makes_a_site_that_check_finds_no_fault_with(short_path: Path) -> None:
    site = founded(short_path / "site")
    assert "no problem found" in site.gateway("config", "check")
    assert site.asked("config", "check") == []
    assert site.asked("config", "show")["site"]["environment"] == "trial"
    assert f"site.name = {site.asked('config', 'show')['site']['name']}" in site.gateway("config", "show")
    for path in site.folder.rglob("*"):
        public = path.suffix in {".pub", ".toml"} or path.name == "certificate.pem"
        assert public or not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO), path


def test_init_overwrites_nothing(short_path: Path) -> None:
    site = founded(short_path / "site")
    before = {path: path.read_bytes() for path in site.folder.rglob("*") if path.is_file()}
    assert "nothing is overwritten" in site.gateway("init", site.folder, code=os.EX_CANTCREAT)
    assert {path: path.read_bytes() for path in before} == before
    (short_path / "full").mkdir()
    (short_path / "full" / "letter").write_text("dear")
    assert "is not empty" in site.gateway("init", short_path / "full", code=os.EX_CANTCREAT)
    assert [path.name for path in (short_path / "full").iterdir()] == ["letter"]


@pytest.mark.parametrize("missing", ["data", "tls", "keys", "tls/certificate.pem"])
def test_an_interrupted_init_is_finished_by_the_next(short_path: Path, missing: str) -> None:
    site = founded(short_path / "site")
    configuration = site.config.read_bytes()
    path = site.folder / missing
    if path.is_dir():
        for inner in sorted(path.rglob("*"), reverse=True):
            inner.rmdir() if inner.is_dir() else inner.unlink()
        path.rmdir()
    else:
        path.unlink()
    site.gateway("init", site.folder)
    assert "no problem found" in site.gateway("config", "check")
    assert site.config.read_bytes() == configuration


def test_keys_are_never_made_anew_for_a_lost_passphrase(short_path: Path) -> None:
    site = founded(short_path / "site")
    (site.folder / "secrets" / "passphrase").unlink()
    assert "Put the passphrase back" in site.gateway("init", site.folder, code=os.EX_CONFIG)


def test_init_leaves_no_configuration_that_has_problems(short_path: Path) -> None:
    done = run_gateway("init", short_path / "site", "--domain", "Not A Domain")
    assert done.returncode == os.EX_CONFIG
    assert "site.domain" in done.stderr
    assert not (short_path / "site" / "gateway.toml").exists()


def test_check_tells_of_files_and_programmes_in_one_report(short_path: Path) -> None:
    site = founded(short_path / "site")
    (site.folder / "tls" / "key.pem").chmod(0o644)
    (site.folder / "own").mkdir()
    (site.folder / "own" / "programme.toml").write_text('key = "own"\n')
    text = site.config.read_text().replace('use = ["cwa"]', 'use = ["cwa", "./own"]')
    site.config.write_text(text)
    told = site.gateway("config", "check", code=os.EX_CONFIG)
    assert "chmod 0600" in told
    assert "programme.toml: series" in told
    problems = run_gateway("config", "check", "--json", config=site.config)
    assert problems.returncode == os.EX_CONFIG
    assert '"key": "portal.key"' in problems.stdout


@pytest.mark.parametrize(
    ("line", "wrong"),
    [('# data = "data"', 'data = "elsewhere"'), ("[store]", '[store]\nurl = "sqlite:////nowhere/file.db"')],
)
def test_check_tells_of_a_database_that_is_not_there_as_a_start_does(short_path: Path, line: str, wrong: str) -> None:
    site = founded(short_path / "site")
    text = site.config.read_text("utf-8")
    assert line in text
    site.config.write_text(text.replace(line, wrong, 1), "utf-8")
    told = site.gateway("config", "check", code=os.EX_CONFIG)
    assert re.search(r"There is no database (/nowhere/file|.*/elsewhere/gateway)\.db\. Bring its disk back", told)


@pytest.mark.parametrize("group", ["enrolment", "intake"])
def test_each_command_of_a_group_is_told_apart_by_a_whole_sentence(group: str) -> None:
    lines = run_gateway(group, "--help").stdout.partition("Commands:")[2].strip().splitlines()
    told = [line.split(maxsplit=1)[1] for line in lines]
    assert len(told) == len(set(told)) > 10
    assert [words for words in told if not words.endswith(".") or words.endswith("...")] == []


def test_commands_say_when_the_gateway_does_not_run(short_path: Path) -> None:
    site = founded(short_path / "site")
    told = site.gateway("case", "open", code=os.EX_UNAVAILABLE)
    assert "gateway run" in told
    assert site.asked("case", "list") == []
    assert "none runs" in site.gateway("doctor")


def test_a_program_refuses_a_vault_of_another_environment(short_path: Path) -> None:
    site = founded(short_path / "site")
    site.config.write_text(site.config.read_text().replace('environment = "trial"', 'environment = "rehearsal"'))
    for program in ("submission", "keyholder", "portal"):
        told = site.gateway("run", program, code=os.EX_CONFIG)
        assert 'made for the environment "trial"' in told
    assert (
        'made for the environment "trial"'
        in site.gateway("doctor", code=os.EX_CONFIG) + run_gateway("doctor", config=site.config).stdout
    )


def test_a_program_refuses_a_schema_that_it_does_not_know(short_path: Path) -> None:
    site = founded(short_path / "site")
    with sqlite3.connect(site.folder / "data" / "gateway.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    assert "newer version" in site.gateway("run", "notifier", code=os.EX_CONFIG)
    assert "newer version" in site.gateway("case", "list", code=os.EX_CONFIG)


@pytest.mark.parametrize(
    ("program", "key"), [("keyholder", "vault.key"), ("authenticator", "session.key"), ("submission", "deposit.key")]
)
def test_a_program_refuses_a_key_that_others_can_read(short_path: Path, program: str, key: str) -> None:
    site = founded(short_path / "site")
    (site.folder / "keys" / key).chmod(0o644)
    told = site.gateway("run", program, code=os.EX_CONFIG)
    assert key in told
    assert "chmod" in told
    assert "chmod" in site.gateway("run", code=os.EX_CONFIG)


def test_a_port_that_is_taken_ends_the_start_with_its_reason(short_path: Path) -> None:
    site = founded(short_path / "site")
    where = site.asked("config", "show")["portal"]["listen"][0]
    host, _, port = where.rpartition(":")
    with socket.create_server((host, int(port))):
        told = site.gateway("run", code=os.EX_UNAVAILABLE)
    assert f"{where} cannot be listened on: Address already in use" in told
    assert "portal did not start" in told


def test_a_wrong_passphrase_ends_the_start_with_its_reason(short_path: Path) -> None:
    site: Site = founded(short_path / "site")
    (site.folder / "secrets" / "passphrase").write_text("not the passphrase\n")
    told = site.gateway("run", code=os.EX_CONFIG)
    assert "passphrase is wrong" in told
