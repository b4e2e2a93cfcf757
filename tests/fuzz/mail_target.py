"""A target for atheris, which changes octets by what code they reach.

`python tests/fuzz/mail_target.py FOLDER -runs=N`: FOLDER holds what was found before (`tests/fuzz/seeds` to begin
with). Ends with a trace when reading a mail raises, or when a number that another reader finds is missed in silence.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

with atheris.instrument_imports(include=["gateway.mime", "gateway.screening.extraction"]):
    from gateway.domain.verdict import Unread
    from tests.fuzz.soup import found, is_missed


def read_one(octets: bytes) -> None:
    """One mail."""
    _, unread = found(octets)
    if any(each.why is Unread.CORRUPT and each.detail == "mail" for each in unread):
        raise AssertionError("reading a mail raised")
    if is_missed(octets):
        raise AssertionError("a number was missed in silence")


if __name__ == "__main__":
    atheris.Setup(sys.argv, read_one)
    atheris.Fuzz()
