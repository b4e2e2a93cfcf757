from __future__ import annotations

import re

import pytest

from tests.style.source import shown, tracked_files, tracked_links

# Written with brackets so that this file does not find itself.
MACHINE = re.compile(
    r"/(w[o]rk|r[o]ot)/|/home/[a-z]+/|/tmp/b[a]sh_jobs|python[h]osted|npm[j]s\.|py[p]i\.org|deb\.[d]ebian|file:///o[p]t"
)
ELSEWHERE = re.compile(r"\b[i]ssue #?\d+", re.IGNORECASE)
LOCKED = re.compile(r"[a-z0-9._-]+==\S+( ; .+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?")


def test_no_tracked_file_names_a_machine_path_or_a_registry() -> None:
    assert not found(MACHINE)


def test_no_tracked_file_speaks_of_the_work_on_it() -> None:
    assert not found(ELSEWHERE)


def test_lock_files_hold_names_versions_and_hashes_only() -> None:
    locks = [path for path in tracked_files() if path.suffix == ".lock"]
    odd = [line for path in locks for line in path.read_text("utf-8").splitlines() if not LOCKED.fullmatch(line)]
    assert len(locks) == 3
    assert not odd


def test_the_lock_of_the_local_identity_provider_holds_no_address() -> None:
    locks = [path for path in tracked_files() if path.name == "package-lock.json"]
    assert [shown(path) for path in locks] == ["scripts/openid/package-lock.json"]
    assert all("://" not in path.read_text("utf-8") for path in locks)


def test_no_lock_file_of_another_kind_is_tracked() -> None:
    others = {"uv.lock", "poetry.lock", "Pipfile.lock", "yarn.lock", "pnpm-lock.yaml"}
    assert not [shown(path) for path in tracked_files() if path.name in others]


def test_no_tracked_file_is_a_link() -> None:
    """One to an environment elsewhere would, checked out, take the place of the environment that is there."""
    assert not [shown(path) for path in tracked_links()]


@pytest.mark.parametrize("text", ["see /" + "work/main", "https://py" + "pi.org/simple", "/" + "root/.config"])
def test_a_machine_path_is_noticed(text: str) -> None:
    assert MACHINE.search(text)


@pytest.mark.parametrize("line", ["--index-url https://example.org", "pip @ https://example.org/p.whl"])
def test_an_address_in_a_lock_is_noticed(line: str) -> None:
    assert not LOCKED.fullmatch(line)


def found(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{shown(path)}:{number}"
        for path in tracked_files()
        if path.suffix != ".lock"
        for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").splitlines(), 1)
        if pattern.search(line)
    ]
