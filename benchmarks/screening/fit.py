"""`python -m benchmarks.screening.fit`: move each weight of screening a little, and keep what judges the corpus better.

It knows of the weights their file only: lines `name = number`. Every mail is taken apart once; then each trial judges
all the pieces in a process of its own, over a copy of the code that has the changed file. What counts is misses among
planted mails and, four times as dear, refusals among clean ones, at the policy's threshold and a little to both sides,
so that a weight that leaves more room is better than one that just passes. Pages stay out: reading them has no weights.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.screening import corpus, score
from gateway.domain.verdict import Outcome

_ROOT = Path(__file__).parents[2]
_WEIGHTS = Path("gateway/screening/weights.toml")
_LINE = re.compile(r"^(?P<name>\w+)(?P<equals>\s*=\s*)(?P<value>-?\d+(?:\.\d+)?)(?P<rest>.*)$")
_ALARM = 4.0
_MARGINS = (0.0, -0.25, 0.25)


def main() -> None:
    asked = _arguments()
    if asked.judge:
        sys.stdout.write(json.dumps(_loss(asked.judge)))
        return
    with tempfile.TemporaryDirectory(prefix="gateway-fit-") as folder:
        trial = Trial(Path(folder), asked.seed, asked.count)
        lines = (_ROOT / _WEIGHTS).read_text(encoding="utf-8").splitlines()
        best = trial.loss(lines)
        _say(f"at first {best:.5f} over {asked.count} mails")
        for round_ in range(asked.rounds):
            step = asked.step / 2**round_
            for at, line in enumerate(lines):
                for changed in _moved(line, step):
                    made = [*lines[:at], changed, *lines[at + 1 :]]
                    if (loss := trial.loss(made)) < best - 1e-9:
                        _say(
                            f"{best:.5f} -> {loss:.5f}  {line.partition('#')[0].strip()}  ->  {changed.partition('#')[0].strip()}"
                        )
                        lines, best = made, loss
                        break
        if asked.keep:
            (_ROOT / _WEIGHTS).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screening.fit", description=__doc__)
    parser.add_argument("--seed", type=int, default=1000, help="which corpus to fit on (1000: not one that is scored)")
    parser.add_argument("--count", type=int, default=2000, help="how many mails of it (2000)")
    parser.add_argument("--rounds", type=int, default=2, help="passes over all weights, each with half the step (2)")
    parser.add_argument("--step", type=float, default=1.0, help="how far a weight is moved at first (1.0)")
    parser.add_argument("--keep", action="store_true", help="write what was found into the file of weights")
    parser.add_argument("--judge", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


class Trial:
    """A copy of the code, and the pieces of a corpus, to judge with one set of weights after the other."""

    def __init__(self, folder: Path, seed: int, count: int) -> None:
        self._copy = folder / "code"
        shutil.copytree(_ROOT / "gateway", self._copy / "gateway", ignore=shutil.ignore_patterns("__pycache__"))
        self._pieces = folder / "pieces"
        with self._pieces.open("wb") as file:
            pickle.dump(list(_pieces(seed, count)), file)

    def loss(self, lines: list[str]) -> float:
        (self._copy / _WEIGHTS).write_text("\n".join(lines) + "\n", encoding="utf-8")
        environment = os.environ | {"PYTHONPATH": f"{self._copy}:{_ROOT}"}
        command = [sys.executable, "-m", "benchmarks.screening.fit", "--judge", str(self._pieces)]
        done = subprocess.run(command, cwd=self._copy, env=environment, capture_output=True, text=True, check=True)
        return float(json.loads(done.stdout))


def _pieces(seed: int, count: int) -> Iterator[tuple[bool, list[object]]]:
    """Of each mail whether it is planted, and all that extraction yields of it."""
    from gateway.screening.chunk import Budget
    from gateway.screening.extraction.mail import extract_mail

    for each in corpus.samples(seed, count):
        if each.label.wanted != "unscreenable" and each.label.place not in score.PAGES:
            yield each.label.wanted == "tainted", list(extract_mail(each.octets, Budget()))


def _loss(pieces: Path) -> float:
    from gateway.screening.examiner import Examiner
    from gateway.screening.policy import Policy

    known = Policy.default()
    mails = pickle.loads(pieces.read_bytes())
    counts = {planted: sum(mail[0] == planted for mail in mails) for planted in (True, False)}
    total = 0.0
    for margin in _MARGINS:
        policy = dataclasses.replace(known, threshold=known.threshold + margin)
        for planted, items in mails:
            examiner = Examiner(policy)
            for item in items:
                examiner.take(item)
            wrong = (examiner.verdict().outcome is Outcome.TAINTED) != planted
            total += wrong * (1.0 if planted else _ALARM) / counts[planted]
    return total / len(_MARGINS)


def _moved(line: str, step: float) -> Iterator[str]:
    found = _LINE.match(line)
    if found:
        for change in (step, -step):
            yield f"{found['name']}{found['equals']}{round(float(found['value']) + change, 2):g}{found['rest']}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
