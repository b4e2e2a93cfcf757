"""Names of files as senders wrote them, made fit for a person's screen and disk, and for one HTTP header."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

MAX_CHARACTERS = 150
MAX_OCTETS = 200
_EXTENSION = re.compile(r"\.[0-9A-Za-z]{1,10}\Z")
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|\Z)", re.IGNORECASE)


def clean_name(text: str | None, otherwise: str = "attachment") -> str:
    """Return a name without path, control, bidirectional or other invisible characters; never empty, never hidden."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", text or ""))[-1]
    visible = "".join(" " if letter.isspace() else letter for letter in last if _is_visible(letter))
    name = _FORBIDDEN.sub("_", " ".join(visible.split())).strip(". ")
    if not name:
        return otherwise
    if _RESERVED.match(name):
        name = f"_{name}"
    return _shortened(name)


def attachment_disposition(name: str) -> str:
    """Return a Content-Disposition value for a download (RFC 6266): an ASCII name, and the real one when it differs."""
    plain = "".join(letter if letter.isascii() and letter not in '%"\\' else "_" for letter in name)
    if plain == name:
        return f'attachment; filename="{name}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _is_visible(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _shortened(name: str) -> str:
    found = _EXTENSION.search(name)
    extension = found[0] if found else ""
    stem = name[: len(name) - len(extension)][: MAX_CHARACTERS - len(extension)]
    while len((stem + extension).encode("utf-8")) > MAX_OCTETS:
        stem = stem[:-1]
    return (stem.rstrip(". ") or "attachment") + extension
