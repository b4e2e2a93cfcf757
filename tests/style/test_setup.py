"""`make setup` and `make peers` on a machine that lacks what they need: they say what, and what to do."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.style.source import ROOT

OLD = 'case "$*" in *platform*) echo 3.9.2; exit 0;; esac; exit 1'
OPTIMISED = 'case "$*" in -V) echo Optimised;; *--clear*) exit 1;; esac; exit 0'
PLAIN = 'case "$*" in -V) echo Plain;; *--clear*|*CONFIG_ARGS*) exit 1;; esac; exit 0'
UNFIT = 'case "$*" in -V) echo Unfit;; *ensurepip*) exit 1;; esac; exit 0'
NO_VENV = 'case "$*" in *"import venv"*) exit 1;; esac; exit 0'


@pytest.mark.parametrize(
    ("python", "complaint"),
    [
        (None, "is not installed: the gateway needs Python 3.11"),
        (OLD, "is Python 3.9.2: the gateway needs 3.11"),
        (NO_VENV, "apt-get install python3-venv"),
    ],
)
def test_setup_says_what_python_lacks(tmp_path: Path, python: str | None, complaint: str) -> None:
    told = run(tmp_path, "setup", PYTHON=str(fake_python(tmp_path, python)))
    assert told.returncode == 69
    assert complaint in told.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize(
    ("pythons", "taken", "told"),
    [
        ((PLAIN, OPTIMISED), "Optimised", "taking {1}/python3"),
        ((OPTIMISED, PLAIN), "Optimised", None),
        ((PLAIN, UNFIT, OPTIMISED), "Optimised", "taking {2}/python3"),
    ],
)
def test_setup_takes_an_optimised_python_before_a_plain_one(
    tmp_path: Path, pythons: tuple[str, ...], taken: str, told: str | None
) -> None:
    folders = folders_with(tmp_path, *pythons)
    said = run(tmp_path, "setup", PATH=":".join(map(str, [*folders, "/usr/bin", "/bin"])))
    assert f"making .venv with {taken}" in said.stdout
    assert said.stdout.startswith(f"setup: {told.format(*folders)}" if told else "setup: making")


def test_setup_takes_the_python_that_is_named_and_never_another(tmp_path: Path) -> None:
    plain, optimised = folders_with(tmp_path, PLAIN, OPTIMISED)
    told = run(tmp_path, "setup", PATH=f"{optimised}:/usr/bin:/bin", PYTHON=f"{plain}/python3")
    assert told.stdout.startswith("setup: making .venv with Plain")


def test_peers_says_what_to_install_where_there_is_no_apt(tmp_path: Path) -> None:
    told = run(tmp_path, "peers", PATH=str(tmp_path))
    assert told.returncode == 69
    assert "no apt-get" in told.stderr
    assert "postfix" in told.stderr


def run(folder: Path, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / script, folder / "scripts")
    command = [shutil.which("bash") or "bash", f"scripts/{script}"]
    path = {"PATH": "/usr/bin:/bin"}
    return subprocess.run(
        command, cwd=folder, env=path | environment, capture_output=True, text=True, timeout=240, check=False
    )


def folders_with(folder: Path, *pythons: str) -> list[Path]:
    folders = [folder / str(number) for number in range(len(pythons))]
    for each, body in zip(folders, pythons, strict=True):
        each.mkdir()
        fake_python(each, body, "python3")
    return folders


def fake_python(folder: Path, body: str | None, name: str = "python") -> Path:
    path = folder / name
    if body is not None:
        path.write_text(f"#!/bin/sh\n{body}\n", "utf-8")
        path.chmod(0o755)
    return path
