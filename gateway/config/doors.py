"""What the tables of doors have in common: their limits, their certificate, the shape of a host's name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from gateway.config.reading import Table
from gateway.config.settings import SubmissionLimits, TlsSettings

HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*\Z")
HOST_SHAPE: Final = 'a host name in lower-case letters, such as "secure.example.gov"'

ADDRESS: Final = re.compile(r"[^\s@<>,;]{1,64}@[a-z0-9.-]{1,253}\Z")


def read_limits(table: Table, in_flight: str) -> SubmissionLimits:
    """Read the limits of a mail door; `in_flight` is that key's default."""
    return SubmissionLimits(
        connections=table.whole("connections", 1000, 1, 1_000_000),
        connections_per_address=table.whole("connections_per_address", 50, 1, 1_000_000),
        in_flight_octets=table.size("in_flight", in_flight, 1024 * 1024),
        recipients=table.whole("recipients", 100, 1, 10_000),
        soft_errors=table.whole("soft_errors", 10, 1, 1000),
        hard_errors=table.whole("hard_errors", 20, 1, 1000),
        auth_failures=table.whole("auth_failures", 5, 1, 1000),
        command_seconds=table.time("command_time", "300 s"),
        stress_command_seconds=table.time("stress_command_time", "10 s"),
        chunk_seconds=table.time("chunk_time", "180 s"),
        minimum_rate=table.whole("minimum_rate", 500, 1, 1_000_000_000),
    )


def read_certificate(table: Table, tls: TlsSettings) -> tuple[Path, Path]:
    """Read a door's own certificate and key, or take those of [tls]."""
    if table.has("certificate") != table.has("key"):
        table.complain("certificate", "and key go together.", "Give both, or leave both out to use those of [tls].")
    return table.path("certificate", tls.certificate), table.path("key", tls.key)
