"""`gateway screen` on files, by the shipped sandbox."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.screening import known
from tests.cli.conftest import founded, run_gateway

CLEAN = b"From: a@example.org\r\nSubject: Concert\r\n\r\nThe rehearsal begins at seven.\r\n"
TAINTED = b"From: a@example.org\r\nSubject: Form\r\n\r\nMy social security number (SSN) is 536-41-2879.\r\n"
LOCKED = (
    b"From: a@example.org\r\nSubject: Notes\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n"
    b"--b\r\nContent-Type: application/octet-stream\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\n"
    b"hQEMA0000000000000AQf/\r\n-----END PGP MESSAGE-----\r\n\r\n--b--\r\n"
)
KEYS = {"path", "verdict", "reason", "findings", "ms"}
LOOK = [sys.executable, "-m", "gateway", "screen", "--stdin-paths", "--json"]


@pytest.fixture
def mails(tmp_path: Path) -> Path:
    folder = tmp_path / "mails"
    (folder / "below").mkdir(parents=True)
    (folder / "a.eml").write_bytes(CLEAN)
    (folder / "b.eml").write_bytes(TAINTED)
    (folder / "below" / "c.eml").write_bytes(LOCKED)
    (folder / "notes.txt").write_bytes(TAINTED)
    return folder


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_folder_is_screened_and_told_in_words(mails: Path) -> None:
    done = run_gateway("screen", mails)
    assert done.returncode == os.EX_DATAERR
    told = done.stdout.splitlines()
    assert any(line.startswith("tainted") and line.endswith("b.eml  ssn in body") for line in told)
    assert any(line.startswith("unscreenable") and "c.eml  encrypted: " in line for line in told)
    assert not any("a.eml" in line or "notes.txt" in line for line in told)
    assert [line.split()[:2] for line in told[-5:-2]] == [["clean", "1"], ["tainted", "1"], ["unscreenable", "1"]]
    assert "41-2879" not in done.stdout + done.stderr  # a folder of a test may be called 2879


def test_json_has_one_object_a_line_in_order(mails: Path) -> None:
    done = run_gateway("screen", "--json", mails / "b.eml", mails / "a.eml", mails / "below")
    told = lines(done.stdout)
    assert [one["path"] for one in told] == [
        str(mails / "b.eml"), str(mails / "a.eml"), str(mails / "below" / "c.eml"),
    ]  # fmt: skip
    assert [one["verdict"] for one in told] == ["tainted", "clean", "unscreenable"]
    assert all(one.keys() == KEYS and one["ms"] > 0 for one in told)
    assert told[0]["findings"] == [{"kind": "ssn", "place": "body", "strength": told[0]["findings"][0]["strength"]}]
    assert told[2]["reason"].startswith("encrypted")
    assert done.returncode == os.EX_DATAERR


def test_clean_mail_alone_is_a_success(mails: Path) -> None:
    assert run_gateway("screen", mails / "a.eml").returncode == os.EX_OK


def test_what_is_not_there_is_said_and_the_rest_is_screened(mails: Path) -> None:
    done = run_gateway("screen", "--json", mails / "absent", mails / "a.eml")
    assert [one["verdict"] for one in lines(done.stdout)] == [None, "clean"]
    assert done.returncode == os.EX_NOINPUT


@pytest.mark.parametrize("arguments", [(), ("--stdin-paths",), ("--stdin-paths", "--json", "a.eml")])
def test_a_call_that_names_nothing_or_two_things_is_a_mistake(arguments: tuple[str, ...]) -> None:
    assert run_gateway("screen", *arguments).returncode == os.EX_USAGE


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(LOOK, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as started:
        yield started


def test_each_line_is_answered_before_the_next_is_asked(mails: Path, process: subprocess.Popen[str]) -> None:
    assert process.stdin
    assert process.stdout
    asked = [(mails / "a.eml", "clean"), (mails / "b.eml", "tainted"), (mails, None), (mails / "no", None)]
    for path, verdict in asked * 2:
        process.stdin.write(f"{path}\n")
        process.stdin.flush()
        told = json.loads(process.stdout.readline())
        assert (told["path"], told["verdict"]) == (str(path), verdict)
        assert ("error" in told) == (verdict is None)
    process.stdin.close()
    assert process.stdout.read() == ""
    assert process.wait() == os.EX_OK


def test_it_ends_quietly_when_interrupted(mails: Path, process: subprocess.Popen[str]) -> None:
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{mails / 'a.eml'}\n")
    process.stdin.flush()
    assert process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130


def test_many_paths_are_answered_in_their_order(mails: Path, process: subprocess.Popen[str]) -> None:
    (mails / "page.eml").write_bytes(known.mail(known.PAGE))
    names = ["page.eml", *["a.eml", "b.eml"] * 20, "page.eml"]
    told, _ = process.communicate("\n".join(str(mails / name) for name in names))
    assert [Path(one["path"]).name for one in lines(told)] == names
    assert [one["verdict"] for one in lines(told)] == ["tainted", *["clean", "tainted"] * 20, "tainted"]


def test_a_name_that_is_no_text_comes_back_as_it_was(mails: Path) -> None:
    odd = os.fsencode(mails) + b"/\xff\xe9.eml"
    (mails / "a.eml").rename(os.fsdecode(odd))
    done = subprocess.run(LOOK, input=odd + b"\n", capture_output=True, check=True)
    (told,) = lines(done.stdout.decode("ascii"))
    assert os.fsencode(told["path"]) == odd
    assert told["verdict"] == "clean"


def test_a_sites_own_policy_is_kept_to(mails: Path, short_path: Path) -> None:
    site = founded(short_path / "site")
    site.config.write_text(site.config.read_text("utf-8").replace("# kinds = []", 'kinds = ["iban"]'), "utf-8")
    assert run_gateway("screen", "--config", site.config, mails / "b.eml").returncode == os.EX_OK
    assert run_gateway("screen", mails / "b.eml").returncode == os.EX_DATAERR


def test_doctor_tells_how_children_are_held_and_that_they_read_every_type(short_path: Path) -> None:
    found = {one["name"]: one["state"] for one in founded(short_path / "site").asked("doctor")}
    assert found["screening"] == "ok"
    assert {found["landlock"], found["seccomp"]} <= {"ok", "warning"}
