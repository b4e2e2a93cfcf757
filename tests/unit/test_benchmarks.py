"""What the benchmarks compute: ratios, percentiles, verdicts, messages of an exact length."""

from __future__ import annotations

import pytest

from benchmarks import rows, table
from benchmarks.load import Load, Outcome, compose
from benchmarks.notifications import Backlog, Claimed, Drained
from benchmarks.submission import Crowded, Figures, Large, percentile, ratios


def load(octets: int) -> Load:
    return Load(port=1, connections=1, octets=octets, sender="a@b.example", recipient="c@d.example", tag="t")


@pytest.mark.parametrize("octets", [1024, 10 * 1024, 100 * 1024 + 1])
def test_a_message_has_the_length_of_its_row_and_whole_lines_only(octets: int) -> None:
    header, body = compose(load(octets), "<one@load.example>")
    message = header + body
    assert len(message) == octets
    assert message.count(b"\r\n") == message.count(b"\r") == message.count(b"\n")
    assert message.endswith(b"\r\n")
    assert b"\r\n." not in message


def test_the_ratio_is_of_medians_and_its_spread_of_neighbouring_rounds() -> None:
    assert ratios([2.0, 4.0, 6.0], [2.0, 2.0, 4.0]) == (2.0, 1.0, 2.0)


@pytest.mark.parametrize(("share", "expected"), [(0.99, 99.0), (0.5, 50.0), (1.0, 100.0)])
def test_a_percentile_is_one_of_the_values(share: float, expected: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], share) == expected


def test_one_value_is_every_percentile() -> None:
    assert percentile([7.0], 0.99) == 7.0


@pytest.mark.parametrize(("rate", "verdict"), [(150.0, "MISSED"), (200.0, "met"), (300.0, "reached")])
def test_a_row_says_whether_its_goal_was_met(rate: float, verdict: str) -> None:
    row = next(row for row in rows.ROWS if row.key == "10k-50")
    ours, theirs = Figures([rate], [50.0]), Figures([100.0], [100.0])
    first, second, *_ = table.lines_of(row, ours, theirs, 0.0)
    assert first.endswith(verdict)
    assert second.endswith("reached")


def test_a_row_without_its_peer_says_what_it_needs() -> None:
    line, *_ = table.lines_of(rows.ROWS[0], Figures([100.0], [5.0]), Figures(), 0.0)
    assert "needs Postfix: make peers" in line


def test_memory_and_stall_are_held_to_their_goals() -> None:
    growth, stall, _ = table.lines_of_large(Large([33.0], [19.0], [4.0]))
    assert growth.endswith("MISSED")
    assert stall.endswith("reached")


def test_figures_count_only_what_was_acknowledged() -> None:
    figures = Figures()
    figures.add(Outcome(acknowledged=10, seconds=2.0, latencies=[0.001] * 10))
    assert figures.rates == [5.0]
    assert figures.p99s == [1.0]


def test_chunks_are_held_to_our_own_data_and_a_crowd_to_what_was_before_it() -> None:
    [line] = table.lines_of_bdat(Figures([30.0], [1.0]), Figures([20.0], [1.0]))
    assert line.endswith("met")
    lines = table.lines_of_crowd(Crowded(before=[100.0], during=[250.0], growths=[20.0], stalls=[60.0]))
    assert [each.rsplit(maxsplit=1)[1] for each in lines] == ["reached", "MISSED", "reached", "MISSED"]


def test_notifications_are_held_to_postfix_and_to_the_usual_libraries() -> None:
    first, second = table.lines_of_notifications(Drained(ours=[1200.0], postfix=[1000.0], usual=[100.0]))
    assert first.endswith("met")
    assert second.endswith("met")


def test_a_claim_among_many_rows_is_held_to_one_among_few() -> None:
    [line] = table.lines_of_claims(Claimed(few=[1.0, 1.0, 1.0], many=[1.1, 1.1, 9.0]))
    assert line.endswith("reached")


def test_a_backlog_is_held_to_its_first_notice() -> None:
    first, _ = table.lines_of_backlog(Backlog(first=[6.0], behind=[9.0]))
    assert first.endswith("MISSED")
