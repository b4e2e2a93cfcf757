"""The table [full_copies]: in which programmes employees may have the replies themselves in their mail, encrypted."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.config.copy_keys import CopyKeys, read_copy_keys
from gateway.config.security import Sealing

if TYPE_CHECKING:
    from gateway.config.reading import Table

MAX_OCTETS: Final = 64 * 1024 * 1024
_KEY: Final = re.compile(r"[a-z][a-z0-9-]{0,31}\Z")


@dataclass(frozen=True, slots=True)
class FullCopySettings:
    """Keys of the programmes that permit full copies (none: no parcel is ever made), and the most octets that a reply
    may have as a mail to be copied.
    """

    programmes: tuple[str, ...] = ()
    max_octets: int = 10 * 1024 * 1024
    keys: CopyKeys = field(default_factory=CopyKeys)


def read_full_copies(table: Table, keys: Path, sealing: Sealing) -> FullCopySettings:
    """Read the table. `keys` is the folder of the site's keys."""
    most = table.size("max_size", "10 MiB", 64 * 1024)
    if most > MAX_OCTETS:
        what = f"is more than {MAX_OCTETS // 1024**2} MiB, and each copy stands in memory while it is made."
        table.complain("max_size", what, "Make it smaller: of what is larger, employees get the link.")
    return FullCopySettings(
        programmes=table.texts("programmes", (), _KEY, "the key of a programme: a lower-case word"),
        max_octets=most,
        keys=read_copy_keys(table, keys, sealing),
    )


def warning_of(own: FullCopySettings) -> str:
    """Return what the permission means, "" where there is none."""
    if not own.programmes:
        return ""
    return (
        f"full copies ({', '.join(own.programmes)}): warning: replies leave this gateway. An employee who chooses so "
        "gets each one whole, encrypted to their own key, in their mailbox: out of reach of retention and the record, "
        "and whoever has that key and that mailbox reads it."
    )
