"""What other sites' reports of this one come to, in a few words for whoever opens them from the intake tray."""

from __future__ import annotations

from typing import Any, Final

from gateway.domain.errors import Malformed, TooLarge
from gateway.domain.partmap import Part, PartMap
from gateway.mime.tls_report import MEDIA_TYPES, MOST_PACKED, TlsReportRead, read_tls_report
from gateway.portal.content import Octets, PartOctets

_NAMES: Final = (".json", ".json.gz")
_MOST_SHOWN: Final = 20


def tls_report_facts(part_map: PartMap, octets: Octets) -> dict[str, Any]:
    """Return days, domains, sessions and failures by reason, and an alarm where there were failures.

    Of what cannot be read, why not. Raises Tampered.
    """
    part = next((one for one in part_map.leaves if _is_report(one)), None)
    if part is None:
        return {"tls_report": "none in it"}
    found, is_cut = PartOctets(part, octets).head(MOST_PACKED)
    try:
        if is_cut:
            raise TooLarge("The report is too long.")
        report = read_tls_report(found)
    except (Malformed, TooLarge) as problem:
        return {"tls_report": f"cannot be read: {problem.advice}"}
    return _facts(report)


def _facts(report: TlsReportRead) -> dict[str, Any]:
    domains = dict.fromkeys(one.domain for one in report.policies)
    reasons = [f"{reason} {sessions}" for reason, sessions in report.failures().items()]
    hosts = dict.fromkeys(each.host for one in report.policies for each in one.failures if each.host)
    facts: dict[str, Any] = {
        "tls_report": f"by {report.organisation or 'nobody named'}, {report.begin} to {report.end}",
        "tls_domains": list(domains)[:_MOST_SHOWN],
        "tls_policies": sorted({one.policy for one in report.policies}),
        "tls_succeeded": report.succeeded,
        "tls_failed": report.failed,
        "tls_failures": reasons[:_MOST_SHOWN],
        "tls_hosts": list(hosts)[:_MOST_SHOWN],
    }
    if report.failed:
        facts["alarm"] = (
            f"{report.failed} of {report.failed + report.succeeded} sessions with this site's servers had no good TLS. "
            "See: gateway doctor dns"
        )
    return facts


def _is_report(part: Part) -> bool:
    name = (part.filename or "").lower()
    return part.media_type in MEDIA_TYPES and (
        part.media_type.startswith("application/tlsrpt") or name.endswith(_NAMES)
    )
