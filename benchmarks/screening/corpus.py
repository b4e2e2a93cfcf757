"""The corpus: mail number i of a seed is always the same mail, whichever of them are made, but for what encryption draws."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

from benchmarks.screening import negatives, positives, unscreenables
from benchmarks.screening.sample import Sample

# Of 20 mails: tainted, clean, unscreenable.
_TURNS = "pcpcpcpcpcpcpcpcpccu"


def sample(seed: int, at: int) -> Sample:
    """Mail `at` of the corpus that `seed` names."""
    rng = Random(f"{seed}/{at}")
    ident = f"{seed}-{at:05}"
    role = _TURNS[at % len(_TURNS)]
    if role == "p":
        return positives.sample(rng, ident)
    return unscreenables.sample(rng, ident) if role == "u" else negatives.sample(rng, ident)


def samples(seed: int, count: int) -> Iterator[Sample]:
    return (sample(seed, at) for at in range(count))


def write(folder: Path, seed: int, count: int) -> None:
    """Every mail as `IDENT.eml`, and `labels.jsonl` beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "labels.jsonl").open("w", encoding="utf-8") as rows:
        for each in samples(seed, count):
            (folder / f"{each.label.ident}.eml").write_bytes(each.octets)
            rows.write(json.dumps(each.label.as_row()) + "\n")
