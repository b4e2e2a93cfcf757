"""What invented people write on the papers of an enrolment."""

from __future__ import annotations

TIN = "12-3456789"
CONSENT = {
    "agent-name": "Vale Tours Ltd",
    "agent-tin": TIN,
    "agent-address": "1 Harbour Street, Lisbon",
    "matter": "Spring tour",
    "signer-name": "Ines Vale",
    "signer-title": "Director",
    "signature-date": "2026-01-05",
    "notification-address": "office@vale.example",
    "terms-version": "2026-01",
}
POWER = {
    "taxpayer": "Vale Tours Ltd",
    "representative-name": "Raul Reyes",
    "representative-address": "2 Harbour Street, Lisbon",
    "representative-telephone": "+351 21 000 0000",
    "matters": "withholding, 2026",
    "signature-date": "2026-01-05",
    "designation": "a",
}
INFORMATION = {
    "taxpayer": "Vale Tours Ltd",
    "designee": "Reyes and Partners",
    "matters": "withholding, 2026",
    "signature-date": "2026-01-05",
}
