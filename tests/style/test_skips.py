"""A skip must not hide: the rules of `tests/conftest.py`, played on a small suite in a process of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.conftest import UNLISTED_SKIPS
from tests.style import small_suite

SUITE = """
import pytest

def test_runs(): pass

@pytest.mark.parametrize("tool", ["a", "b"])
def test_skips(tool): pytest.skip("needs a peer: make peers")

@pytest.mark.sweep
def test_sweeps(): pass
"""


def test_a_skip_that_no_line_names_fails_the_run(tmp_path: Path) -> None:
    told = play(tmp_path, CI="true")
    assert told.returncode == UNLISTED_SKIPS
    assert "test_suite.py::test_skips[a] — " in told.stdout
    assert "needs a peer: make peers" in told.stdout


def test_a_skip_of_a_whole_module_fails_the_run_too(tmp_path: Path) -> None:
    told = play(tmp_path, 'import pytest\npytest.skip("no peer", allow_module_level=True)\n', CI="true")
    assert told.returncode != 0
    assert "test_suite.py — " in told.stdout


def test_a_listed_skip_passes(tmp_path: Path) -> None:
    assert (
        play(tmp_path, listed="test_suite.py::test_skips[*] — that peer is not packaged\n", CI="true").returncode == 0
    )


def test_a_listed_skip_of_one_case_does_not_cover_its_neighbour(tmp_path: Path) -> None:
    told = play(tmp_path, listed="test_suite.py::test_skips[a] — that peer is not packaged\n", CI="true")
    assert told.returncode == UNLISTED_SKIPS
    assert "test_skips[a] — " not in told.stdout


def test_a_line_without_a_reason_is_refused(tmp_path: Path) -> None:
    assert play(tmp_path, listed="test_suite.py::test_skips[*]\n", CI="true").returncode not in {0, UNLISTED_SKIPS}


def test_on_a_workbench_a_skip_passes(tmp_path: Path) -> None:
    assert play(tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("sweep", "count"), [("", "1 passed, 2 skipped, 1 deselected"), ("all", "1 passed, 3 deselected")]
)
def test_sweeps_run_when_asked_for_and_then_alone(tmp_path: Path, sweep: str, count: str) -> None:
    assert count in play(tmp_path, workers="0", SWEEP=sweep).stdout


def play(
    folder: Path, suite: str = SUITE, *, listed: str = "", workers: str = "2", **environment: str
) -> subprocess.CompletedProcess[str]:
    return small_suite.play(
        folder, suite, listed=listed, command=f"$tests -n {workers} -p no:cacheprovider", **environment
    )
