"""First codes and the links that wait for a decision, by the commands over a running site."""

from __future__ import annotations

import os
import re

from tests.cli.conftest import Site


def test_a_first_code_is_shown_once_and_kept_as_a_hash(site: Site) -> None:
    site.gateway("employee", "add", "Fay Code", "fay@agency.example", "--username", "fay")
    made = site.asked("employee", "first-code", "fay", "--hours", "24")
    assert re.fullmatch(r"[2-9A-Z]{5}-[2-9A-Z]{5}", made["code"])
    listed = site.asked("employee", "credentials", "fay")
    assert [(one["kind"], one["id"]) for one in listed] == [("first_code", made["credential"])]
    assert made["code"] not in str(listed)
    told = site.gateway("employee", "first-code", "fay")
    assert "never by mail" in told
    assert "first-sign-in" in told
    assert len(site.asked("employee", "credentials", "fay")) == 1


def test_a_first_code_is_good_for_a_day_to_three(site: Site) -> None:
    site.gateway("employee", "first-code", "fay", "--hours", "100", code=os.EX_USAGE)


def test_a_telephone_is_kept_without_its_number_in_the_clear(site: Site) -> None:
    made = site.asked("employee", "telephone", "fay", "+1 202 555 0142", "--call")
    assert made["label"] == "calls to …42"
    assert "555" not in str(site.asked("employee", "credentials", "fay"))
    assert "country's code" in site.gateway("employee", "telephone", "fay", "2025550142", code=os.EX_DATAERR)


def test_nobody_waits_and_nothing_is_decided_on_nothing(site: Site) -> None:
    assert site.asked("identity", "waiting") == []
    assert "No link waits" in site.gateway("identity", "accept", "0" * 32, code=os.EX_NOUSER)
    assert "No link waits" in site.gateway("identity", "refuse", "0" * 32, code=os.EX_NOUSER)
