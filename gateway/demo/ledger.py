"""What the story's people know they sent: written down as it happens, so that a demo killed anywhere can be judged.

`sent.jsonl` has a line before each attempt (`{"begun": key}`) and one after its acknowledgement (`{"kept": key,
"reference": …}`); `key` is the message's own: its Message-ID, or the word of its form. Then: kept ⇒ present, once, and
there is nothing that nobody began.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path


class Ledger:
    """The file of one demo folder; lines are durable when a call returns."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self, key: str) -> None:
        """Note that a message is about to be sent; once is enough for all its attempts."""
        self._write({"begun": key})

    def keep(self, key: str, reference: str) -> None:
        """Note that it was acknowledged."""
        self._write({"kept": key, "reference": reference})

    @property
    def begun(self) -> frozenset[str]:
        """The messages that were ever begun."""
        return frozenset(line["begun"] for line in self._lines() if "begun" in line)

    @property
    def kept(self) -> Mapping[str, str]:
        """The references of the acknowledged messages, by key."""
        return {line["kept"]: line["reference"] for line in self._lines() if "kept" in line}

    def _write(self, line: Mapping[str, str]) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            # The line end stands first: one that a kill cut short spoils no other.
            os.write(descriptor, b"\n" + json.dumps(line).encode("ascii"))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _lines(self) -> Iterator[dict[str, str]]:
        try:
            text = self._path.read_text("ascii")
        except FileNotFoundError:
            return
        for line in text.splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue
