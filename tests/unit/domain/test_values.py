from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import errors
from gateway.domain.clock import from_microseconds, to_microseconds
from gateway.domain.intake import month_of, new_reference
from gateway.domain.partmap import Part, PartMap
from gateway.domain.reference import find
from gateway.domain.reply import MAX_LINE, SmtpReply
from gateway.domain.rights import Right, Side, Standing, Verb, in_force
from gateway.domain.summary import Arrival, Mailbox, Summary
from gateway.store.ids import new_id

# ---- instants


@given(st.datetimes(timezones=st.timezones()))
def test_an_instant_survives_to_the_microsecond_in_utc(instant: datetime) -> None:
    assert from_microseconds(to_microseconds(instant)) == instant.astimezone(UTC)
    assert from_microseconds(to_microseconds(instant)).tzinfo is UTC


def test_instants_count_from_1970_in_utc() -> None:
    assert to_microseconds(datetime(1970, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == 0
    assert to_microseconds(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1


def test_a_naive_datetime_is_no_instant() -> None:
    with pytest.raises(ValueError, match="time zone"):
        to_microseconds(datetime(2026, 1, 1))  # noqa: DTZ001


# ---- rights


@pytest.mark.parametrize(
    ("now", "since", "until", "holds"),
    [
        (5, None, None, True),
        (5, 5, None, True),
        (5, 6, None, False),
        (5, None, 6, True),
        (5, None, 5, False),
        (5, 5, 5, False),
        (5, 0, 9, True),
        (5, 0, 0, False),
    ],
)
def test_a_right_holds_from_its_first_instant_up_to_its_end(
    now: int, since: int | None, until: int | None, *, holds: bool
) -> None:
    assert in_force(now, since, until) is holds


def test_only_a_right_to_act_writes() -> None:
    assert Standing("p", "c", Side.CORRESPONDENT, Right.ACT).may(Verb.WRITE)
    seeing = Standing("p", "c", Side.CORRESPONDENT, Right.SEE)
    assert seeing.may(Verb.READ)
    assert not seeing.may(Verb.WRITE)


# ---- SMTP replies


def test_a_reply_is_one_line() -> None:
    assert str(SmtpReply(250, "2.6.0", "SM-7K2Q-9F4T sealed")) == "250 2.6.0 SM-7K2Q-9F4T sealed"
    assert str(SmtpReply(354, "", "go on")) == "354 go on"
    assert SmtpReply(550, "5.7.1", "no").is_permanent
    assert not SmtpReply(451, "4.3.0", "later").is_permanent


@pytest.mark.parametrize(
    ("code", "enhanced", "text"),
    [
        (550, "4.7.1", "x"),
        (451, "5.3.0", "x"),
        (250, "5.0.0", "x"),
        (199, "", "x"),
        (600, "", "x"),
        (354, "3.0.0", "x"),
        (250, "2.6", "x"),
        (250, "2.6.0\n", "x"),
        (250, "2.6.1000", "x"),
        (250, "2.6.0", "two\r\nlines"),
        (250, "2.6.0", "two\nlines"),
        (250, "2.6.0", "nul\x00"),
        (250, "2.6.0", "tab\t"),
        (250, "2.6.0", "Müller"),
        (250, "2.6.0", "x" * MAX_LINE),
    ],
)
def test_a_reply_that_contradicts_itself_or_breaks_its_line_cannot_be_made(code: int, enhanced: str, text: str) -> None:
    with pytest.raises(ValueError):
        SmtpReply(code, enhanced, text)


# ---- errors and ids


def test_every_error_is_in_the_one_tree_and_carries_its_advice() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(kinds) > 10
    for kind in kinds:
        assert issubclass(kind, errors.GatewayError)
        assert kind("Do this.").advice == str(kind("Do this.")) == "Do this."
    for kind in kinds:
        roots = (errors.Refused, errors.Unavailable, errors.Tampered, errors.ConfigError)
        assert kind is errors.GatewayError or sum(issubclass(kind, root) for root in roots) == 1
    assert issubclass(errors.StoreFull, errors.StoreUnavailable)


def test_ids_are_new_each_time_and_stand_together_by_time() -> None:
    ids = [new_id() for _ in range(2000)]
    assert len(set(ids)) == 2000
    assert all(len(one) == 32 and int(one, 16) >= 0 for one in ids)
    assert [one[:12] for one in ids] == sorted(one[:12] for one in ids)


# ---- summaries


def test_a_summary_tells_how_mail_from_outside_came_and_of_other_mail_nothing() -> None:
    plain = Summary(
        "S", Mailbox("A", "a@b.example"), (), (), (), None, "", PartMap((Part("1", "text/plain"),)), (), "00", "11"
    )
    assert Summary.from_bytes(plain.to_bytes()) == plain
    assert b"arrival" not in plain.to_bytes()
    came = replace(plain, arrival=Arrival("", ("sm-7k2q@gateway.example",), "mail.example", "192.0.2.7", "spf=pass"))
    assert Summary.from_bytes(came.to_bytes()) == came


# ---- the intake tray


def test_a_reference_of_the_tray_passes_for_no_case() -> None:
    assert re.fullmatch(r"U-[2-9A-Z]{4}-[2-9A-Z]{4}", new_reference())
    assert list(find(f"Re: {new_reference()}")) == []


def test_a_month_is_named_so_that_months_sort() -> None:
    assert [month_of(datetime(2026, month, 30, tzinfo=UTC)) for month in (9, 10)] == ["2026-09", "2026-10"]
