"""The table as text: figures, ratios, and whether the goal was met."""

from __future__ import annotations

import statistics

from benchmarks import fax, rows
from benchmarks.notifications import CONNECTIONS, Backlog, Claimed, Drained
from benchmarks.rows import Row
from benchmarks.submission import Crowded, Figures, Large, ratios

HEAD = f"{'row':<54} {'gateway':>12} {'Postfix':>12} {'ratio (spread)':>20}  {'must':>6} {'reach':>6}"


def lines_of(row: Row, ours: Figures, theirs: Figures, stock: float) -> list[str]:
    """Return the lines of one row: rates, then the 99th percentiles where the row asks for them."""
    lines = [_compared(row.title, "/s", ours.rates, theirs.rates, row.must, row.reach, at_least=True)]
    if row.p99:
        lines.append(_compared(f"{row.title}: p99", " ms", ours.p99s, theirs.p99s, *row.p99, at_least=False))
    if stock:
        lines.append(f"{'  stock aiosmtpd, which stores nothing (one round)':<54} {stock:>10.0f}/s")
    return lines


def lines_of_large(large: Large) -> list[str]:
    """Return the lines of the large messages."""
    count = f"{rows.LARGE_CONNECTIONS} × 150 MiB at once"
    seconds = statistics.median(large.seconds)
    return [
        _alone(f"{count}: memory growth", "MiB", large.growths, rows.GROWTH_MIB),
        _alone(f"{count}: longest stall of the event loop", "ms", large.stalls, rows.STALL_MS),
        f"{'  all four durable after':<54} {seconds:>10.1f} s",
    ]


def lines_of_bdat(chunks: Figures, data: Figures) -> list[str]:
    """Return the line of BDAT beside our own DATA."""
    ratio, low, high = ratios(chunks.rates, data.rates)
    mine, other = (f"{statistics.median(each.rates):.0f}/s" for each in (chunks, data))
    spread, goals = f"{ratio:.2f} ({low:.2f}–{high:.2f})", _goals(ratio, *rows.BDAT_TIMES, at_least=True)
    return [f"{'BDAT beside our own DATA, 10 MiB × 2':<54} {mine:>12} {other:>12} {spread:>20}  {goals}"]


def lines_of_crowd(crowd: Crowded) -> list[str]:
    """Return the lines of a crowd of bad peers: what it does to a good one."""
    times = [during / before for during, before in zip(crowd.during, crowd.before, strict=True)]
    name = "500 slow, 500 idle, 50 guessers"
    return [
        _alone(f"{name}: p99", "ms", crowd.during, rows.CROWD_P99_MS),
        _alone(f"{name}: p99, of that without", "×", times, rows.CROWD_P99, digits=1),
        _alone(f"{name}: memory growth", "MiB", crowd.growths, rows.CROWD_GROWTH_MIB),
        _alone(f"{name}: longest stall", "ms", crowd.stalls, rows.CROWD_STALL_MS),
    ]


def lines_of_notifications(drained: Drained) -> list[str]:
    """Return the lines of notifications beside Postfix, and beside the usual libraries."""
    title = f"notifications signed and sent, {CONNECTIONS} connections"
    usual = [drained.usual[0]] * len(drained.ours)
    ratio, low, high = ratios(drained.ours, usual)
    spread = f"{ratio:.2f} ({low:.2f}–{high:.2f})"
    goals = _goals(ratio, *rows.USUAL_TIMES, at_least=True)
    mine, other = f"{statistics.median(drained.ours):.0f}/s", f"{drained.usual[0]:.0f}/s"
    return [
        _compared(title, "/s", drained.ours, drained.postfix, *rows.NOTIFICATIONS_TIMES, at_least=True),
        f"{'  beside EmailMessage, dkimpy, aiosmtplib':<54} {mine:>12} {other:>12} {spread:>20}  {goals}",
    ]


def lines_of_claims(claimed: Claimed) -> list[str]:
    """Return the line of a claim among many rows, beside one among few."""
    times = [many / few for many, few in zip(claimed.many, claimed.few, strict=True)]
    return [_alone("claim and settle 10 rows: at 1e6, of that at 1e3", "×", times, rows.CLAIM_TIMES, digits=2)]


def lines_of_backlog(backlog: Backlog) -> list[str]:
    """Return the lines of a start with many notices due."""
    title = f"{rows.BACKLOG_NOTICES} due at the start"
    return [
        _alone(f"{title}: until the first is sent", "s", backlog.first, rows.BACKLOG_SECONDS, digits=1),
        f"{'  until those behind a dead domain are all sent':<54} {statistics.median(backlog.behind):>10.1f} s",
    ]


def lines_of_fax(waits: fax.Waits) -> list[str]:
    """Return the line of faxes that arrive one after the other."""
    title = f"fax of {fax.PAGES} pages ({waits.octets // rows.KIB} KiB): arrival to filed"
    return [_alone(title, "s", waits.seconds, rows.FAX_SECONDS, digits=2)]


def lines_of_fax_backlog(backlog: fax.Backlog) -> list[str]:
    """Return the lines of faxes that waited."""
    rate = f"{backlog.faxes / backlog.seconds:.0f}/s"
    return [
        _alone(
            f"{backlog.faxes} waiting faxes: growth of memory", "MiB", [backlog.growth / rows.MIB], rows.FAX_GROWTH_MIB
        ),
        f"{'  filed':<54} {rate:>12}",
    ]


def _compared(
    title: str,
    unit: str,
    ours: list[float],
    theirs: list[float],
    must: float | None,
    reach: float | None,
    *,
    at_least: bool,
) -> str:
    mine = f"{statistics.median(ours):.0f}{unit}"
    if not theirs:
        return f"{title:<54} {mine:>12} {'absent':>12}   needs Postfix: make peers"
    ratio, low, high = ratios(ours, theirs)
    other = f"{statistics.median(theirs):.0f}{unit}"
    spread = f"{ratio:.2f} ({low:.2f}–{high:.2f})"
    return f"{title:<54} {mine:>12} {other:>12} {spread:>20}  {_goals(ratio, must, reach, at_least=at_least)}"


def _alone(title: str, unit: str, values: list[float], goals: tuple[float, float], *, digits: int = 0) -> str:
    middle = statistics.median(values)
    spread = f"({min(values):.{digits}f}–{max(values):.{digits}f})"
    mine = f"{middle:.{digits}f} {unit}"
    return f"{title:<54} {mine:>12} {'':>12} {spread:>20}  {_goals(middle, *goals, at_least=False)}"


def _goals(value: float, must: float | None, reach: float | None, *, at_least: bool) -> str:
    if must is None or reach is None:
        return f"{'':>6} {'':>6}"
    sign = "" if at_least else "≤"
    met = [value >= goal if at_least else value <= goal for goal in (must, reach)]
    verdict = "reached" if met[1] else "met" if met[0] else "MISSED"
    return f"{sign + format(must, 'g'):>6} {sign + format(reach, 'g'):>6}  {verdict}"
