"""`python -m benchmarks.recognition [--seed N] [--count N] [--wrong FILE]`: recognise synthetic faxes and print figures."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recognition", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="which faxes (1)")
    parser.add_argument("--count", type=int, default=40, help="how many (40)")
    parser.add_argument("--wrong", type=Path, metavar="FILE", help="write what was wrong there, a line each")
    asked = parser.parse_args()
    os.environ["OMP_THREAD_LIMIT"] = "1"  # before the engine is loaded
    from benchmarks.recognition import score

    tally = score.run(asked.seed, asked.count)
    if asked.wrong:
        asked.wrong.write_text("".join(f"{line}\n" for line in tally.wrong), "utf-8")
    sys.stdout.write("".join(f"{line}\n" for line in score.lines_of(tally, asked.seed, asked.count)))


if __name__ == "__main__":
    main()
