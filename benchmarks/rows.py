"""The rows of the table: what is sent, and what the whole product must reach beside the peer."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Row:
    """One load. `must` and `reach` are ratios to Postfix's rate; `p99` those to its 99th percentile, where asked."""

    key: str
    title: str
    octets: int
    connections: int
    must: float | None
    reach: float | None
    tls: bool = False
    p99: tuple[float, float] | None = None


ROWS = (
    Row("10k-50", "10 KiB × 50 connections", 10 * KIB, 50, 2.0, 3.0, p99=(0.8, 0.5)),
    Row("10k-10", "10 KiB × 10", 10 * KIB, 10, 1.5, 2.0),
    Row("1k-10", "1 KiB × 10", KIB, 10, None, None),
    Row("100k-10", "100 KiB × 10", 100 * KIB, 10, 0.75, 1.1),
    Row("1m-10", "1 MiB × 10", MIB, 10, 0.9, 1.1),
    Row("10m-2", "10 MiB × 2", 10 * MIB, 2, 0.9, 1.1),
    Row("starttls", "STARTTLS + AUTH, one 10 KiB message a connection × 10", 10 * KIB, 10, 1.0, 1.5, tls=True),
)
LARGE = "4x150m"
LARGE_OCTETS = 150 * MIB
LARGE_CONNECTIONS = 4
GROWTH_MIB = (32, 16)
STALL_MS = (50, 20)
SCREENING = "screening"
RECOGNITION = "recognition"
RECOGNITION_SEED = 20_260
"""Another one than recognition was developed on."""
RECOGNITION_FAXES = 40
BDAT = "bdat"
BDAT_TIMES = (1.5, 1.7)
"""BDAT beside our own DATA, 10 MiB × 2."""
CROWD = "crowd"
CROWD_P99 = (2.0, 1.5)
CROWD_P99_MS = (1000, 500)
CROWD_GROWTH_MIB = (200, 100)
CROWD_STALL_MS = (50, 20)
NOTIFICATIONS = "notifications"
NOTIFICATIONS_TIMES = (1.0, 1.8)
"""Made, signed and delivered, beside Postfix's unsigned drain to the same sink."""
USUAL_TIMES = (10.0, 15.0)
"""The same beside EmailMessage, dkimpy and aiosmtplib."""
CLAIM = "claim"
CLAIM_TIMES = (1.5, 1.2)
"""Ten rows claimed and settled: at a million rows beside a thousand."""
BACKLOG = "backlog"
BACKLOG_SECONDS = (5.0, 2.0)
BACKLOG_NOTICES = 100_000
FAX = "fax"
FAX_SECONDS = (5.0, 5.0)
"""From a fax of ten pages in the mailbox to its being filed, median."""
FAX_BACKLOG = "fax-backlog"
FAX_GROWTH_MIB = (32, 16)
_LOADS = (BDAT, LARGE, CROWD, NOTIFICATIONS, CLAIM, BACKLOG)
KEYS = (*(row.key for row in ROWS), *_LOADS, SCREENING, RECOGNITION, FAX, FAX_BACKLOG)
