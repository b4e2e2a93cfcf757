from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway import config
from gateway.config import ScreeningSettings
from gateway.domain.errors import ConfigError
from gateway.domain.programme import Programme
from gateway.domain.verdict import Kind
from gateway.programmes import load_programme
from gateway.resources import programmes_folder
from gateway.screening.chunk import Limits
from gateway.screening.policy import Policy
from gateway.screening.site import orders_of

LEAST = """
[site]
name = "Site"
domain = "secure.example.gov"
portal_url = "https://secure.example.gov"
environment = "trial"
"""


def settings(folder: Path, text: str = "") -> ScreeningSettings:
    (folder / "gateway.toml").write_text(LEAST + text, "utf-8")
    return config.load(folder / "gateway.toml").screening


@pytest.fixture(scope="module")
def programme() -> Programme:
    return load_programme(programmes_folder() / "cwa")


def test_a_site_that_says_nothing_has_the_defaults_of_the_code(tmp_path: Path, programme: Programme) -> None:
    orders = orders_of(settings(tmp_path), [programme])
    assert orders.limits == Limits()
    assert orders.policy == replace(Policy.default(), kinds=orders.policy.kinds)


def test_the_kinds_of_all_programmes_are_united(tmp_path: Path, programme: Programme) -> None:
    first = replace(programme, screening=("ssn", "ein"))
    second = replace(programme, screening=("ein", "iban"))
    assert orders_of(settings(tmp_path), [first, second]).policy.kinds == {Kind.SSN, Kind.EIN, Kind.IBAN}


def test_the_shipped_programme_names_every_kind(tmp_path: Path, programme: Programme) -> None:
    assert orders_of(settings(tmp_path), [programme]).policy.kinds == {*Kind}


def test_a_site_names_its_own_kinds_and_those_it_never_screens_for(tmp_path: Path, programme: Programme) -> None:
    own = settings(tmp_path, '[screening]\nkinds = ["ssn", "visa"]\nnever = ["visa"]\npublic_numbers = ["12-3456789"]')
    policy = orders_of(own, [programme]).policy
    assert policy.kinds == {Kind.SSN}
    assert policy.public_numbers == {"123456789"}


def test_limits_are_the_sites(tmp_path: Path, programme: Programme) -> None:
    own = settings(tmp_path, '[screening.limits]\nexpanded = "128 MiB"\nocr_pages = 0\ntime = "9 s"')
    assert orders_of(own, [programme]).limits == Limits(expanded=128 * 1024**2, ocr_pages=0, seconds=9)


def test_a_kind_that_nobody_knows_is_a_problem_of_its_programme(tmp_path: Path, programme: Programme) -> None:
    wrong = replace(programme, screening=("ssn", "salary", "height"))
    with pytest.raises(ConfigError, match="salary") as problem:
        orders_of(settings(tmp_path, '[screening]\nkinds = ["ssn"]'), [wrong])
    assert len(problem.value.advice.splitlines()) == 2
    assert programme.key in problem.value.advice
