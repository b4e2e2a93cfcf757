"""Access that will end is told of before it does, once for each stage: over SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from gateway.casework.endings import SOURCES, tell_endings
from gateway.domain.clock import to_microseconds
from gateway.domain.credential import CredentialKind
from gateway.domain.notice import NoticeKind, NoticeState
from gateway.store import tables
from gateway.store.outbox import Entry
from tests.timed import ZONE, Time, Timed


def in_days(time: Time, days: float) -> int:
    return to_microseconds(time.now + timedelta(days=days))


def end_of(day: str) -> int:
    following = datetime.fromisoformat(day).replace(tzinfo=ZONE) + timedelta(days=1)
    return to_microseconds(following.astimezone(UTC))


def told_until(timed: Timed, days: int) -> list[tuple[int, Entry]]:
    """Look each day; return on which one who was told of an ending."""
    found = []
    for day in range(days):
        found += [(day, entry) for entry in timed.send() if entry.kind is NoticeKind.ACCESS_ENDING]
        timed.time.pass_by(days=1)
    return found


def agreement_rows(timed: Timed, name: str) -> list[str]:
    rows = select(tables.agreement_case.c.id).where(
        tables.agreement_case.c.agreement_id == timed.site.users[name]["agreement"]
    )
    return timed.database.read_now(lambda c: list(c.execute(rows).scalars()))


def test_a_place_that_ends_is_told_of_thirty_days_before_and_seven(timed: Timed, time: Time) -> None:
    timed.change(tables.designated_user, timed.site.users["ines"]["designated_user"], until_us=end_of("2026-04-15"))
    told = told_until(timed, 50)
    assert [(day, entry.person_id) for day, entry in told] == [(15, timed.people["ines"]), (38, timed.people["ines"])]
    first = told[0][1]
    assert str(first.reference) == timed.site.tour["reference"]
    assert first.count == 1
    assert first.until is not None
    assert first.until.astimezone(ZONE).date().isoformat() == "2026-04-15"


def test_an_end_that_is_near_when_it_is_first_seen_is_told_once(timed: Timed, time: Time) -> None:
    timed.change(tables.designated_user, timed.site.users["ines"]["designated_user"], until_us=in_days(time, 5))
    assert [day for day, _ in told_until(timed, 10)] == [0]


def test_an_end_that_was_moved_is_told_anew(timed: Timed, time: Time) -> None:
    place = timed.site.users["ines"]["designated_user"]
    timed.change(tables.designated_user, place, until_us=in_days(time, 5))
    assert len(timed.send()) == 1
    timed.change(tables.designated_user, place, until_us=in_days(time, 25))
    assert len(timed.send()) == 1
    assert timed.send() == []


def test_an_agreement_that_ends_is_told_to_everybody_of_it(timed: Timed, time: Time) -> None:
    for row in agreement_rows(timed, "raul"):
        timed.change(tables.agreement_case, row, until_us=in_days(time, 20))
    (told,) = timed.send()
    assert (told.person_id, told.count, told.reference) == (timed.people["raul"], 2, None)
    assert timed.send() == []


def test_one_case_of_an_agreement_that_ends_is_named(timed: Timed, time: Time) -> None:
    timed.change(tables.agreement_case, agreement_rows(timed, "raul")[0], until_us=in_days(time, 20))
    (told,) = timed.send()
    assert (told.count, told.reference is None) == (1, False)


def test_an_authorisation_that_ends_is_told_unless_it_was_revoked(timed: Timed, time: Time) -> None:
    def give(row_id: str, revoked_us: int | None) -> None:
        row: dict[str, Any] = {
            "id": row_id, "designated_user_id": timed.site.users["ines"]["designated_user"], "form_id": "form",
            "kind": "authorisation-see", "right": "see", "cases": "", "specific_use": 0, "from_us": 0,
            "until_us": in_days(time, 20), "revoked_us": revoked_us,
        }  # fmt: skip
        signed = timed.site.authority.sign(tables.authorisation, row)
        timed.database.call(lambda tx: tx.insert(tables.authorisation, **signed))

    form = {"id": "form", "agreement_id": timed.site.users["ines"]["agreement"], "kind": "x", "received": "2026-01-01"}
    timed.database.call(lambda tx: tx.insert(tables.form, **form, designated_user_id=None, created_us=0))
    give("revoked", in_days(time, -1))
    assert timed.send() == []
    give("in-force", None)
    (told,) = timed.send()
    assert told.person_id == timed.people["ines"]


def test_an_app_password_and_a_role_that_end_are_told_as_such(timed: Timed, time: Time) -> None:
    credential = {"kind": CredentialKind.APP_PASSWORD.value, "lookup": "l", "data": "d", "label": "mail tool"}
    timed.site.enact("add_credential", person="dana", **credential, expires_us=in_days(time, 6))
    timed.site.enact("add_credential", person="omar", **credential, expires_us=in_days(time, 60))
    role = timed.database.read_now(
        lambda c: c.execute(select(tables.role.c.id).where(tables.role.c.person_id == timed.people["omar"])).scalar()
    )
    timed.change(tables.role, str(role), until_us=in_days(time, 29))
    told = {(entry.person_id, entry.state, entry.count) for entry in timed.send()}
    assert told == {
        (timed.people["dana"], NoticeState.SIGN_IN_ENDING, 0),
        (timed.people["omar"], NoticeState.ROLE_ENDING, 0),
    }
    assert timed.send() == []


def test_that_a_first_code_will_be_over_is_told_to_nobody(timed: Timed, time: Time) -> None:
    code = {"kind": CredentialKind.FIRST_CODE.value, "lookup": "l", "data": "d", "label": "invitation"}
    timed.site.enact("add_credential", person="ines", **code, expires_us=in_days(time, 2))
    assert timed.send() == []


def test_who_lost_the_place_already_or_has_left_is_not_told(timed: Timed, time: Time) -> None:
    for name in ("ines", "raul"):
        timed.change(tables.designated_user, timed.site.users[name]["designated_user"], until_us=in_days(time, 20))
    timed.site.enact("end_person", person="raul")
    timed.change(tables.agreement_case, agreement_rows(timed, "ines")[0], until_us=in_days(time, -1))
    assert timed.send() == []


def test_what_ended_before_anybody_looked_is_not_told_any_more(timed: Timed, time: Time) -> None:
    timed.change(tables.designated_user, timed.site.users["ines"]["designated_user"], until_us=in_days(time, 40))
    time.pass_by(days=41)
    assert timed.send() == []


def test_a_clock_set_back_tells_of_no_end_twice(timed: Timed, time: Time) -> None:
    timed.change(tables.designated_user, timed.site.users["ines"]["designated_user"], until_us=in_days(time, 31))
    time.pass_by(days=28)
    assert len(timed.send()) == 1
    time.pass_by(days=-10)
    assert timed.send() == []


def test_ends_beyond_what_is_told_at_once_are_told_next(timed: Timed, time: Time) -> None:
    for name in ("ines", "raul"):
        timed.change(tables.designated_user, timed.site.users[name]["designated_user"], until_us=in_days(time, 20))
    assert timed.notifier.call(tell_endings, timed.authority, timed.programmes, 1) == 1
    assert timed.notifier.call(tell_endings, timed.authority, timed.programmes, 1) == 1
    assert timed.notifier.call(tell_endings, timed.authority, timed.programmes, 1) == 0
    assert {entry.person_id for entry in timed.send()} == {timed.people["ines"], timed.people["raul"]}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.table.name)
def test_ends_are_found_by_an_index_of_their_own(timed: Timed, source: Any) -> None:
    assert f"ix_{source.table.name}_ending" in {index.name for index in source.table.indexes}
