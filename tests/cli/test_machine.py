"""What is said of a machine that lacks something: a database, or room on its disk."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from gateway import config, doctor
from gateway.config.example import Site, example
from gateway.doctor import State, examine
from gateway.domain.errors import StoreUnavailable
from gateway.opening import open_database


def written(folder: Path) -> config.Settings:
    (folder / "gateway.toml").write_text(example(Site()), "utf-8")
    return config.load(folder / "gateway.toml")


async def test_a_program_without_its_database_names_it_and_makes_none(tmp_path: Path) -> None:
    settings = written(tmp_path)
    settings.site.data.mkdir()
    with pytest.raises(StoreUnavailable, match=r"There is no database .*/data/gateway\.db\. Bring its disk back"):
        async with open_database(settings, asyncio.Event(), "notifier"):
            pass
    assert list(settings.site.data.iterdir()) == []


def test_a_disk_on_which_mail_is_deferred_is_to_put_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def disk(settings: config.Settings) -> State:
        return next(one.state for one in examine(settings) if one.name == "disk")

    settings = written(tmp_path)
    full = replace(settings, store=replace(settings.store, reserve_octets=10**18))
    assert disk(full) is State.PROBLEM
    monkeypatch.setattr(doctor, "PLENTY", 10**18)
    assert disk(settings) is State.WARNING
