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
    told = site.asked("employee", "credentials", "fay")
    assert [one["label"] for one in told if one["kind"] == "telephone"] == ["calls to …42"]
    assert "2025550142" not in str(told)
    assert "country's code" in site.gateway("employee", "telephone", "fay", "2025550142", code=os.EX_DATAERR)


def test_nobody_waits_and_nothing_is_decided_on_nothing(site: Site) -> None:
    assert site.asked("identity", "waiting") == []
    assert "No link waits" in site.gateway("identity", "accept", "0" * 32, code=os.EX_NOUSER)
    assert "No link waits" in site.gateway("identity", "refuse", "0" * 32, code=os.EX_NOUSER)


def test_without_a_group_there_is_nobody_to_move(site: Site) -> None:
    assert "No group's passwords end" in site.gateway("identity", "report")


def test_who_has_not_moved_is_reported_and_one_is_given_longer(site: Site) -> None:
    before = site.config.read_text("utf-8")
    site.config.write_text(
        f'{before}\n[security.sunsets.staff]\nfor = ["employees"]\nlast_day = "2020-01-31"\n', "utf-8"
    )
    try:
        site.gateway("employee", "add", "Gus Late", "gus@agency.example", "--username", "gus")
        site.gateway("employee", "password", "gus", given="a few words of my own\n")
        (gus,) = [one for one in site.asked("identity", "report")["left"] if one["username"] == "gus"]
        assert (gus["state"], gus["group"]) == ("not-moved", "staff")
        site.gateway("identity", "extend", "gus", "--until", "2099-12-31")
        (gus,) = [one for one in site.asked("identity", "report")["left"] if one["username"] == "gus"]
        assert gus["state"] == "extended"
        assert gus["ends"].startswith("2100-01-01")
        assert "0 have moved" in site.gateway("identity", "report")
        site.gateway("identity", "extend", "gus", "--until", "2020-02-01", code=os.EX_DATAERR)
    finally:
        site.config.write_text(before, "utf-8")


def test_access_is_confirmed_by_a_command(site: Site) -> None:
    site.gateway("employee", "add", "Hal Held", "hal@agency.example", "--username", "hal")
    assert site.gateway("enrolment", "recertify", "hal") == "hal: 1 confirmed.\n"
    assert site.asked("enrolment", "recertify", "hal")[0]["confirmed"] == 1
    site.gateway("enrolment", "recertify", "nobody", code=os.EX_NOUSER)


def test_the_report_counts_codes_by_telephone(site: Site) -> None:
    found = site.asked("enrolment", "report")
    assert found["with_telephone"] == 1
    assert ("codes-by-telephone", "fay") in [(one["finding"], one["username"]) for one in found["findings"]]
    assert "restricted" in site.gateway("enrolment", "report")


def test_the_configuration_says_each_figure_with_its_source(site: Site) -> None:
    told = site.gateway("config", "check")
    assert "security: session_idle = 30 min (NIST SP 800-63B-4, section 2.2.3" in told
    assert "# failures: 100 (NIST SP 800-63B-4, section 3.2.2" in site.gateway("config", "show")
    assert site.asked("config", "show")["figures"]["app_passwords"].startswith("on")
