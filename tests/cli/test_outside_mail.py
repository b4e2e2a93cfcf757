"""The commands know of the public door: what its position means, and that it does not run without its table."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import founded
from tests.ports import free_port

POSITIONS = {
    "first-hop": ("", "keeps what is refused", "ok"),
    "before-queue": ('xforward = ["127.0.0.1"]', "smtpd_proxy_filter", "ok"),
    "behind-relay": ('tainted = "refuse"', 'This breaks "touches no disk"', "warning"),
}


@pytest.mark.parametrize("position", POSITIONS)
def test_check_and_doctor_say_what_a_position_means(short_path: Path, position: str) -> None:
    more, words, state = POSITIONS[position]
    site = founded(short_path / "site")
    door = f'\n[mx]\nposition = "{position}"\nlisten = ["127.0.0.1:{free_port()}"]\n{more}\n'
    site.config.write_text(site.config.read_text("utf-8") + door, "utf-8")
    assert words in site.gateway("config", "check")
    (found,) = [finding for finding in site.asked("doctor") if finding["name"] == "public door"]
    assert words in found["found"]
    assert found["state"] == state


def test_without_its_table_it_says_so_and_does_not_run(short_path: Path) -> None:
    site = founded(short_path / "site")
    assert "mx" not in site.gateway("config", "check").replace(str(site.folder), "")
    assert "has no table [mx]" in site.gateway("run", "mx", code=os.EX_CONFIG)
