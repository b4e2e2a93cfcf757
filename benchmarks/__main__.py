"""`python -m benchmarks [ROW…] [--rounds N] [--seconds S] [--quick]`: print the table."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks import fax, notifications, rows, table
from benchmarks.screening import speed
from benchmarks.submission import Bench, peers


def main() -> None:
    asked = _arguments()
    rounds, seconds = (1, 1.0) if asked.quick else (asked.rounds, asked.seconds)
    folder = Path(tempfile.mkdtemp(prefix="gateway-benchmark-", dir=asked.folder))
    try:
        if set(asked.rows) - {rows.SCREENING, rows.RECOGNITION, *_OUTGOING, *_FAXES}:
            _submission(asked, folder, rounds, seconds)
        if set(asked.rows) & set(_OUTGOING):
            _outgoing(asked, folder, rounds)
        if set(asked.rows) & set(_FAXES):
            _fax_line(asked)
        if rows.SCREENING in asked.rows:
            for line in speed.lines(folder):
                _say(line)
        if rows.RECOGNITION in asked.rows:
            for line in _recognition(asked):
                _say(line)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _recognition(asked: argparse.Namespace) -> list[str]:
    os.environ["OMP_THREAD_LIMIT"] = "1"  # read when the engine is loaded
    from benchmarks.recognition import score

    return score.lines(rows.RECOGNITION_SEED, rows.RECOGNITION_FAXES // (10 if asked.quick else 1))


def _submission(asked: argparse.Namespace, folder: Path, rounds: int, seconds: float) -> None:
    with peers(folder) as (site, postfix, stock):
        _say(
            f"submission ({len(site.doors)} processes) beside Postfix on HOLD; {os.cpu_count()} cores, "
            f"{rounds} rounds of {seconds:g} s, medians"
        )
        _say(table.HEAD)
        bench = Bench(site, postfix, stock, seconds)
        for row in rows.ROWS:
            if row.key in asked.rows:
                for line in table.lines_of(row, *bench.compare(row, rounds)):
                    _say(line)
        if rows.BDAT in asked.rows:
            _say("\n".join(table.lines_of_bdat(*bench.compare_bdat(rounds))))
        if rows.LARGE in asked.rows:
            _say("\n".join(table.lines_of_large(bench.send_large(rounds))))
        if rows.CROWD in asked.rows:
            _say("\n".join(table.lines_of_crowd(bench.bear_crowd(rounds))))


def _outgoing(asked: argparse.Namespace, folder: Path, rounds: int) -> None:
    _say(f"notifier beside Postfix, giving to one smtp-sink; {os.cpu_count()} cores, {rounds} rounds, medians")
    _say(table.HEAD)
    scale = 0.1 if asked.quick else 1.0
    if rows.NOTIFICATIONS in asked.rows:
        drained = notifications.compare(folder, rounds, int(notifications.NOTICES * scale))
        _say("\n".join(table.lines_of_notifications(drained)))
    if rows.CLAIM in asked.rows:
        claimed = notifications.compare_claims(folder, rounds * 5, int(1_000_000 * scale))
        _say("\n".join(table.lines_of_claims(claimed)))
    if rows.BACKLOG in asked.rows:
        backlog = notifications.start_with_backlog(folder, int(rows.BACKLOG_NOTICES * scale))
        _say("\n".join(table.lines_of_backlog(backlog)))


def _fax_line(asked: argparse.Namespace) -> None:
    _say(f"fax line on a Dovecot, recognition beside it; {os.cpu_count()} cores")
    if absent := fax.why_absent():
        _say(absent)
        return
    scale = 0.1 if asked.quick else 1.0
    if rows.FAX in asked.rows:
        _say("\n".join(table.lines_of_fax(fax.file_each(int(fax.FAXES * scale)))))
    if rows.FAX_BACKLOG in asked.rows:
        _say("\n".join(table.lines_of_fax_backlog(fax.work_off(int(fax.BACKLOG * scale)))))


_FAXES = (rows.FAX, rows.FAX_BACKLOG)
_OUTGOING = (rows.NOTIFICATIONS, rows.CLAIM, rows.BACKLOG)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"some of: {', '.join(rows.KEYS)}; all by default")
    parser.add_argument("--rounds", type=int, default=5, help="alternating rounds of each row (5)")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a round (3)")
    parser.add_argument("--quick", action="store_true", help="one round of one second: a look, not a measurement")
    parser.add_argument(
        "--folder", type=Path, help="where both sides keep what they take (the system's temporary folder)"
    )
    asked = parser.parse_args()
    unknown = set(asked.rows) - set(rows.KEYS)
    if unknown:
        parser.error(f"there is no row {', '.join(sorted(unknown))}; choose from {', '.join(rows.KEYS)}")
    asked.rows = asked.rows or list(rows.KEYS)
    return asked


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
