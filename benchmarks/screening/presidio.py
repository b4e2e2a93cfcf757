"""Presidio beside us over the same mails, in an environment of its own: `scripts/presidio` makes one, PRESIDIO_PYTHON
names another; skipped when there is none.

It is given what the standard library finds in a mail: the subject, and every text part decoded, mark-up taken off.
"""

from __future__ import annotations

import email
import email.policy
import html
import json
import os
import re
import subprocess
from pathlib import Path

from benchmarks.screening import corpus

_TAG = re.compile(r"<(style|script)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_PEER = Path(__file__).with_name("presidio_peer.py")
_MADE = Path(__file__).parents[2] / "var" / "presidio" / "bin" / "python"


def lines(seed: int, count: int, folder: Path) -> list[str]:
    """The rows of the peer, or one line that tells why there are none."""
    python = os.environ.get("PRESIDIO_PYTHON") or (str(_MADE) if _MADE.exists() else "")
    if not python:
        return [
            "presidio: skipped, it has no environment: scripts/presidio makes one, or PRESIDIO_PYTHON names another"
        ]
    path = folder / "texts.jsonl"
    with path.open("w", encoding="utf-8") as rows:
        for each in corpus.samples(seed, count):
            if each.label.wanted != "unscreenable":
                rows.write(json.dumps({"wanted": each.label.wanted, "text": text_of(each.octets)}) + "\n")
    done = subprocess.run([python, "-I", str(_PEER), str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        return [
            f"presidio: skipped, its run ended with {done.returncode}: {(done.stderr.strip().splitlines() or ['no word'])[-1]}"
        ]
    return done.stdout.splitlines()


def text_of(octets: bytes) -> str:
    """Subject and text parts, as the standard library reads them."""
    mail = email.message_from_bytes(octets, policy=email.policy.default)
    found = [str(mail.get("subject", ""))]
    for part in mail.walk():
        if part.get_content_maintype() == "text":
            try:
                text = str(part.get_content())
            except (LookupError, ValueError, KeyError):
                continue
            found.append(html.unescape(_TAG.sub(" ", text)) if part.get_content_subtype() == "html" else text)
    return "\n".join(found)
