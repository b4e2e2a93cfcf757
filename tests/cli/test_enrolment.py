"""`gateway enrolment` over a running site: from the paper to access, and the way out, as clerks do it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Site
from tests.cli.test_intake import Door

CONSENT = {
    "agent-name": "Vale Tours Ltd",
    "agent-tin": "12-3456789",
    "agent-address": "1 Harbour Street, Lisbon",
    "matter": "Spring tour",
    "signer-name": "Ines Vale",
    "signer-title": "Director",
    "signature-date": "2026-01-05",
    "notification-address": "office@vale.example",
    "terms-version": "2026-01",
}
INES = {"name": "Ines Vale", "address": "ines@vale.example", "telephone": "+351 21 000 0000", "role": "agent"}
DORA = {"name": "Dora Diaz", "address": "dora@diaz.example", "telephone": "+351 21 000 0001", "role": "designee"}
INFORMATION = {
    "taxpayer": "Vale Tours Ltd",
    "designee": "Dora Diaz",
    "matters": "withholding, 2026",
    "signature-date": "2026-01-05",
}


@pytest.fixture(scope="module")
def door(site: Site) -> Iterator[Door]:
    made = Door(site)
    yield made
    made.database.close()


@pytest.fixture(scope="module")
def case(site: Site) -> str:
    site.gateway("employee", "add", "Dana Day", "dana@agency.example", "--username", "dana")
    return str(site.asked("case", "open", "--person", "dana")["reference"])


def opened(site: Site, case: str, *users: dict[str, str], **fields: str) -> Any:
    given = json.dumps({**CONSENT, **fields, "users": list(users)})
    return site.asked("enrolment", "open", "--from", "-", "--case", case, given=given)


def test_the_whole_way_in(site: Site, case: str, tmp_path: Path) -> None:
    made = opened(site, case, INES)
    agreement, user = made["reference"], f"{made['reference']}.1"
    assert (made["state"], made["missing"], made["left_out"]) == ("received", [], [])
    assert made["fields"]["agent-tin"] == "(sealed)"
    assert "reviewed" in site.gateway("enrolment", "review", agreement)
    invite = tmp_path / "meeting.ics"
    told = site.gateway(
        "enrolment", "meeting", user, "--at", "2099-01-01T10:00", "--calendar", invite, code=os.EX_DATAERR
    )
    assert "within a year" in told
    site.gateway(
        "enrolment", "meeting", user, "--at", next_month(), "--link", "https://meet.example/x", "--calendar", invite
    )
    ics = invite.read_bytes()
    assert b"SUMMARY:Video meeting with IRS Secure Messaging\r\n" in ics
    assert not any(word in ics for word in (b"Vale", b"Ines", case.encode(), agreement.encode()))
    site.gateway("enrolment", "hold", user, "--outcome", "identified", "--document", "passport", "--every")
    first = site.asked("enrolment", "invite", user)
    again = site.asked("enrolment", "reissue", user)
    assert first["code"] != again["code"]
    assert "Say this code" in site.gateway("enrolment", "reissue", user)
    waits = site.asked("enrolment", "funnel")
    assert (waits["reached"]["invited"], waits["stopped"]["invited"], waits["gone"]) == (1, 1, 0)
    assert [(one["user"], one["stage"]) for one in waits["waiting"]] == [(user, "invited")]
    assert "active" in site.gateway("enrolment", "join", user)
    printed = site.gateway("enrolment", "funnel", "--days", "7", "--programme", "cwa")
    assert "signed in by a way of their own" in printed
    assert user in printed
    assert "by-hand" in printed
    (shown,) = site.asked("enrolment", "show", agreement)["designated_users"]
    assert (shown["state"], shown["meetings"][0]["document"]) == ("active", "passport")
    assert shown["username"] == "ines@vale.example"
    site.gateway("designated-user", "password", shown["username"], given="a passphrase of some length\n")
    assert case in site.gateway("designated-user", "list")


def test_half_a_form_is_asked_for_and_a_number_is_never_an_argument(site: Site, case: str) -> None:
    made = site.asked("enrolment", "open", "--case", case, "--from", "-", given='{"agent-name": "Half Ltd"}')
    agreement = made["reference"]
    assert "Taxpayer identification number" in site.gateway("enrolment", "ask", agreement)
    assert "Still missing" in site.gateway("enrolment", "review", agreement, code=os.EX_DATAERR)
    refused = site.gateway("enrolment", "set", agreement, "agent-tin", "987654321", code=os.EX_DATAERR)
    assert "sealed" in refused
    assert "987654321" not in refused
    site.gateway("enrolment", "set", agreement, "agent-tin", given="98-7654321\n")
    assert [one["reference"] for one in site.asked("enrolment", "find", given="987654321\n")] == [agreement]
    assert site.asked("enrolment", "show", agreement)["fields"]["agent-tin"] == "(sealed)"
    assert site.asked("enrolment", "show", agreement, "--sealed")["fields"]["agent-tin"] == "987654321"
    assert agreement in site.gateway("enrolment", "list", "--state", "asked")
    site.gateway("enrolment", "refuse", agreement, "--reason", "incomplete")
    assert "asked" in site.gateway("enrolment", "undo", agreement)


def test_a_document_of_the_tray_shows_the_paper(site: Site, door: Door, case: str) -> None:
    item = door.take("\r\nThe form, as it was faxed.\r\n")
    made = site.asked("enrolment", "open", "--item", item, "--from", "-", given=json.dumps(CONSENT))
    assert [one["item"] for one in made["documents"]] == [item]
    assert item not in {one["item"] for one in site.asked("intake", "list")}
    assert "as it was faxed" in site.gateway("intake", "show", item, "--text")
    assert site.asked("intake", "show", item)["state"] == "linked"
    site.gateway("intake", "file", item, case, "--yes")
    assert site.asked("intake", "show", item)["state"] == "filed"
    assert [one["item"] for one in site.asked("enrolment", "show", made["reference"])["documents"]] == [item]
    site.gateway("intake", "put-back", item)
    assert item in {one["item"] for one in site.asked("intake", "list")}
    assert site.asked("enrolment", "show", made["reference"])["documents"] == []


def test_a_designee_is_authorised_and_the_way_out(site: Site, case: str, tmp_path: Path) -> None:
    made = opened(site, case, DORA, {**INES, "role": "pilot"})
    agreement, user = made["reference"], f"{made['reference']}.1"
    assert [one["number"] for one in made["left_out"]] == [2]
    fields = tmp_path / "fields.json"
    fields.write_text(json.dumps(INFORMATION), "utf-8")
    kind = ("--kind", "authorisation-see", "--from", fields)
    assert "is authorised until the end of" in site.gateway("enrolment", "authorise", user, *kind)
    assert "Revoked by it: 1" in site.gateway("enrolment", "authorise", user, *kind, "--case", case)
    shown = site.gateway("enrolment", "show", agreement)
    assert "authorisation 2: authorisation-see, see, until" in shown
    site.gateway("enrolment", "revoke-authorisation", user, 2)
    site.gateway("enrolment", "revoke-authorisation", user, 3, code=67)
    site.gateway("enrolment", "review", agreement)
    assert "suspended" in site.gateway("enrolment", "suspend", agreement)
    assert "reviewed" in site.gateway("enrolment", "resume", agreement)
    assert "until" in site.gateway("enrolment", "notice", agreement)
    site.gateway("enrolment", "change-address", user, "new@diaz.example")
    told = site.gateway("enrolment", "revoke", user)
    assert told == f"{user} is revoked.\nTo undo it, within a day: gateway enrolment undo {user}\n"
    assert "ended" in site.gateway("enrolment", "end", agreement)
    assert "cannot be undone" in site.gateway("enrolment", "undo", agreement, code=os.EX_DATAERR)
    site.gateway("enrolment", "show", "E-2222-2222", code=67)
    site.gateway("enrolment", "show", f"{agreement}.9", code=67)


def test_an_employee_gets_a_role_with_an_end(site: Site, case: str) -> None:
    assert case
    assert "until the end of 2099-01-31" in site.gateway(
        "employee", "give-role", "dana", "enroller", "--until", "2099-01-31"
    )
    assert "enroller" in site.asked("employee", "show", "dana")["role"]
    site.gateway("employee", "give-role", "dana", "enroller", "--until", "2020-01-31", code=os.EX_DATAERR)
    site.gateway("employee", "end-role", "dana", "enroller")
    site.gateway("employee", "end-role", "dana", "enroller", code=67)


def test_what_is_no_json_is_said(site: Site) -> None:
    for given in ("not json", "[1]", '{"agent-name": 5}', '{"users": "Ines"}'):
        site.gateway("enrolment", "open", "--from", "-", given=given, code=os.EX_DATAERR)


def next_month() -> str:
    from datetime import UTC, datetime, timedelta

    return (datetime.now(UTC) + timedelta(days=30)).strftime("%Y-%m-%dT10:00")
