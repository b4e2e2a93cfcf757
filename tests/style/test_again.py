"""What fails in CI has a second try, named and bounded: `scripts/again`, played on a small suite."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.style import small_suite
from tests.style.source import ROOT

ONCE = """
import pathlib, pytest

@pytest.mark.parametrize("number", range({count}))
def test_first_time_fails(number):
    told = pathlib.Path(f"seen-{{number}}")
    was_there = told.exists()
    told.touch()
    assert was_there

def test_passes(): pass
"""
ALWAYS = "def test_fails(): assert False\ndef test_passes(): pass\n"
SKIPS = "\ndef test_skips(): pytest.skip('no peer')\n"


def test_a_test_that_passes_by_itself_is_named_and_the_run_is_good(tmp_path: Path) -> None:
    told = play(tmp_path, ONCE.format(count=3), CI="true")
    assert told.returncode == 0
    for number in range(3):
        assert f"test_suite.py::test_first_time_fails[{number}]" in told.stdout.partition("FLAKY")[2]
    assert "test_passes" not in told.stdout.partition("again:")[2]


@pytest.mark.parametrize(
    ("suite", "environment"),
    [
        pytest.param(ALWAYS, {"CI": "true"}, id="fails again"),
        pytest.param(ONCE.format(count=4), {"CI": "true"}, id="too many"),
        pytest.param(ONCE.format(count=1), {}, id="on a workbench"),
        pytest.param(ONCE.format(count=1) + SKIPS, {"CI": "true"}, id="a skip that is not listed"),
        pytest.param(SKIPS, {"CI": "true"}, id="nothing but such a skip"),
        pytest.param("import no_such_module\n", {"CI": "true"}, id="a module that cannot be read"),
    ],
)
def test_the_run_stays_bad(tmp_path: Path, suite: str, environment: dict[str, str]) -> None:
    told = play(tmp_path, "import pytest\n" + suite, **environment)
    assert told.returncode != 0
    assert "FLAKY" not in told.stdout


def play(folder: Path, suite: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = f"$tests -n 2 || {ROOT}/scripts/again $? $tests"
    return small_suite.play(folder, suite, listed="", command=command, **environment)
