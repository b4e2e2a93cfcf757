"""`python -m benchmarks.screening`: make a corpus, have it judged, print what was found, and which goals are met."""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.screening import corpus, presidio, score, speed
from benchmarks.screening.drive import Answer, run
from benchmarks.screening.sample import Sample

_WITHIN = 0.02  # two seeds' recall and false alarms may differ by this much


def main() -> int:
    asked = _arguments()
    if asked.write:
        corpus.write(asked.write, asked.seed, asked.count)
        return 0
    folder = Path(tempfile.mkdtemp(prefix="gateway-screening-", dir=asked.folder))
    try:
        answers = _judge(asked, folder, asked.seed)
        rate = None if asked.only else speed.text_rate(asked.screener, folder)
        if asked.misses:
            _write_misses(asked.misses, answers)
        _say(*score.table(answers, rate))
        agree = _compare(asked, folder, answers) if asked.second_seed is not None else True
        if not asked.only:
            _say("", *presidio.lines(asked.seed, min(asked.count, 1000), folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if agree and not any(goal.met is False for goal in score.goals(answers, rate)) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screening", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="which corpus (1)")
    parser.add_argument("--count", type=int, default=3000, help="how many mails (3000)")
    parser.add_argument(
        "--jobs", type=int, default=1, help="screeners side by side (1: times are those of an idle machine)"
    )
    parser.add_argument(
        "--only", metavar="TEXT", help="judge only mails one of whose parameters is TEXT, such as a place or a disguise"
    )
    parser.add_argument(
        "--misses",
        type=Path,
        metavar="FILE",
        help="write the parameters of every mail judged wrongly, one JSON object a line",
    )
    parser.add_argument(
        "--write", type=Path, metavar="FOLDER", help="write the mails and labels.jsonl there, and judge nothing"
    )
    parser.add_argument("--second-seed", type=int, metavar="N", help="judge a second corpus and compare")
    parser.add_argument(
        "--folder", type=Path, help="where the mail under judgement lies (the system's temporary folder)"
    )
    parser.add_argument("--screener", type=shlex.split, default=speed.SCREENER, help="the command that judges")
    return parser.parse_args()


def _judge(asked: argparse.Namespace, folder: Path, seed: int) -> list[Answer]:
    make: Callable[[int], Sample] = lambda at: corpus.sample(seed, at)  # noqa: E731 - one of two makers
    count = asked.count
    if asked.only:
        chosen = [
            each for each in corpus.samples(seed, asked.count) if asked.only in map(str, each.label.as_row().values())
        ]
        make, count = chosen.__getitem__, len(chosen)
    return run(asked.screener, make, count, asked.jobs, folder, _progress(count))


def _progress(count: int) -> Callable[[int], None]:
    def tell(done: int) -> None:
        if sys.stderr.isatty() and (done % 20 == 0 or done == count):
            sys.stderr.write(f"\r{done}/{count} ")
            sys.stderr.write("\r\033[K" if done == count else "")
            sys.stderr.flush()

    return tell


def _compare(asked: argparse.Namespace, folder: Path, first: Sequence[Answer]) -> bool:
    second = _judge(asked, folder, asked.second_seed)
    rows: dict[str, Callable[[Sequence[Answer]], score.Share]] = {
        "recall": score.recall,
        "false alarms": score.false_alarms,
        "precision": score.precision,
    }
    agree = True
    _say("", f"seed {asked.seed} beside seed {asked.second_seed}")
    for name, measure in rows.items():
        here, there = measure(first), measure(second)
        near = abs((here.value or 0) - (there.value or 0)) <= _WITHIN
        agree = agree and near
        _say(f"  {name:<14} {here!s:<22} {there!s:<22} {'within' if near else 'NOT within'} 2 points")
    return agree


def _write_misses(path: Path, answers: Sequence[Answer]) -> None:
    with path.open("w", encoding="utf-8") as rows:
        for each in answers:
            wrong = (
                not score.refused(each) if each.label.wanted == "unscreenable" else each.verdict != each.label.wanted
            )
            if wrong:
                said = {"verdict": each.verdict, "reason": each.reason, "said": sorted(each.kinds), "ms": each.took}
                rows.write(json.dumps(each.label.as_row() | said) + "\n")


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
