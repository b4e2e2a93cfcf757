from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.notice import NoticeKind
from gateway.domain.timing import Quiet, Timing, day_after, topic_of, zone_of

NEW_YORK = ZoneInfo("America/New_York")
HONOLULU = ZoneInfo("Pacific/Honolulu")
NIGHT = Quiet(time(20), time(8))


def at(text: str, zone: ZoneInfo = NEW_YORK) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "over"),
    [
        ("2026-03-02T21:00", "2026-03-03T08:00"),
        ("2026-03-03T03:00", "2026-03-03T08:00"),
        ("2026-03-02T20:00", "2026-03-03T08:00"),
        ("2026-03-03T08:00", None),
        ("2026-03-03T19:59", None),
    ],
)
def test_quiet_hours_end_in_the_morning_of_the_zone(now: str, over: str | None) -> None:
    assert NIGHT.over(at(now), NEW_YORK) == (at(over) if over else None)


def test_the_same_hour_is_quiet_in_one_zone_and_not_in_another() -> None:
    morning = at("2026-06-01T10:00")
    assert NIGHT.over(morning, NEW_YORK) is None
    assert NIGHT.over(morning, HONOLULU) == at("2026-06-01T08:00", HONOLULU)


def test_quiet_hours_within_a_day_and_none_at_all() -> None:
    assert Quiet(time(12), time(14)).over(at("2026-03-02T13:00"), NEW_YORK) == at("2026-03-02T14:00")
    assert Quiet().over(at("2026-03-02T00:00"), NEW_YORK) is None


@pytest.mark.parametrize(
    ("quiet", "now", "over"),
    [
        # The night in which clocks go forward has an hour less, the one in which they go back an hour more.
        (NIGHT, "2026-03-08T01:30:00-05:00", "2026-03-08T08:00:00-04:00"),
        (NIGHT, "2026-11-01T01:30:00-05:00", "2026-11-01T08:00:00-05:00"),
        # An end that the clock skips, and one that it shows twice.
        (Quiet(time(20), time(2, 30)), "2026-03-08T01:00:00-05:00", "2026-03-08T03:30:00-04:00"),
        (Quiet(time(20), time(1, 30)), "2026-11-01T01:10:00-04:00", "2026-11-01T01:30:00-04:00"),
        (Quiet(time(20), time(1, 30)), "2026-11-01T01:10:00-05:00", "2026-11-01T01:30:00-05:00"),
    ],
)
def test_quiet_hours_follow_the_wall_clock_through_daylight_saving(quiet: Quiet, now: str, over: str) -> None:
    assert quiet.over(datetime.fromisoformat(now), NEW_YORK) == datetime.fromisoformat(over)


@given(
    st.timedeltas(timedelta(0), timedelta(days=15 * 365)),
    st.sampled_from(["America/New_York", "Europe/Zurich", "Africa/Casablanca", "Asia/Beirut", "Australia/Lord_Howe"]),
    st.times(),
    st.times(),
)
def test_quiet_hours_always_end_and_within_a_day(since: timedelta, zone: str, start: time, end: time) -> None:
    instant = datetime(2020, 1, 1, tzinfo=UTC) + since
    over = Quiet(start, end).over(instant, ZoneInfo(zone))
    assert over is None or instant < over <= instant + timedelta(hours=26)


def test_reminders_come_at_the_messages_time_of_day_whatever_the_clocks_do() -> None:
    timing, received = Timing(), at("2026-03-06T15:00")
    assert [timing.reminder_at(received, number, NEW_YORK) for number in range(4)] == [
        at("2026-03-08T15:00"), at("2026-03-11T15:00"), at("2026-03-16T15:00"), None,
    ]  # fmt: skip
    assert timing.reminders_by(received, at("2026-03-11T14:59"), NEW_YORK) == 1
    assert timing.reminders_by(received, at("2027-01-01T00:00"), NEW_YORK) == 3


def test_a_message_is_unread_when_the_last_day_for_reading_is_over() -> None:
    assert Timing(not_read_days=7).unread_at(at("2026-03-06T23:30"), NEW_YORK) == at("2026-03-14T00:00")
    assert Timing(not_read_days=0).unread_at(at("2026-03-06T23:30"), NEW_YORK) is None


def test_a_day_that_begins_later_than_midnight_begins_all_the_same() -> None:
    beirut = ZoneInfo("Asia/Beirut")  # on 2026-03-29 clocks go from 00:00 to 01:00
    assert day_after(date(2026, 3, 28), beirut).astimezone(beirut).isoformat() == "2026-03-29T01:00:00+03:00"


def test_what_is_answered_in_its_case_is_told_by_case() -> None:
    assert topic_of(NoticeKind.MESSAGE_WAITING, "a") == topic_of(NoticeKind.MESSAGE_WAITING, "b")
    assert topic_of(NoticeKind.REPLY_RECEIVED, "a") != topic_of(NoticeKind.REPLY_RECEIVED, "b")
    assert topic_of(NoticeKind.SUBMISSION_SUCCESSFUL, "a") is None


def test_a_site_lets_no_notice_wait_longer_than_it_says() -> None:
    timing = Timing(merge_seconds=60, hold_seconds=30)
    assert timing.at_most(3600) == timing
    assert timing.at_most(10) == Timing(merge_seconds=10, hold_seconds=10)


def test_a_person_without_a_zone_that_we_know_has_the_programmes() -> None:
    assert zone_of(None, NEW_YORK) is NEW_YORK
    assert zone_of("Mars/Olympus", NEW_YORK) is NEW_YORK
    assert zone_of("Pacific/Honolulu", NEW_YORK).key == "Pacific/Honolulu"


@pytest.mark.parametrize(
    "wrong",
    [
        {"merge_seconds": -1},
        {"hold_seconds": 61},
        {"reminder_days": (5, 2)},
        {"reminder_days": (0,)},
        {"reminder_days": (2, 2)},
        {"ending_days": (7, 30)},
        {"not_read_days": -1},
        {"reminders_a_day": 0},
    ],
)
def test_times_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"days|held|counted"):
        Timing(**wrong)  # type: ignore[arg-type]
