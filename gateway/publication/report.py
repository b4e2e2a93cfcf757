"""What a look at DNS comes to: findings, and every record that the site has to publish with how it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from gateway.domain.dns_record import DnsRecord
from gateway.findings import Finding, State


class Standing(StrEnum):
    """How a record that is to be published stands in DNS."""

    THERE = "there"
    MISSING = "missing"
    DIFFERENT = "different"
    UNKNOWN = "not looked up"


@dataclass(slots=True)
class Report:
    """Filled by the looks, in their order. `policy` is the MTA-STS policy to be served at `policy_url`."""

    findings: list[Finding] = field(default_factory=list)
    records: dict[DnsRecord, Standing] = field(default_factory=dict)
    policy_url: str = ""
    policy: str = ""

    def ok(self, name: str, found: str) -> None:
        """All is well."""
        self.findings.append(Finding(name, State.OK, found))

    def off(self, name: str, found: str, advice: str) -> None:
        """Something optional is not there."""
        self.findings.append(Finding(name, State.OFF, found, advice))

    def warning(self, name: str, found: str, advice: str) -> None:
        """Mail goes, and might go better."""
        self.findings.append(Finding(name, State.WARNING, found, advice))

    def problem(self, name: str, found: str, advice: str) -> None:
        """Mail is lost, refused or not believed."""
        self.findings.append(Finding(name, State.PROBLEM, found, advice))

    def wants(self, record: DnsRecord, standing: Standing = Standing.UNKNOWN) -> None:
        """Note a record to be published, or how one that was noted stands."""
        self.records[record] = standing
