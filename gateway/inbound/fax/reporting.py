"""Which reports a fax server gets of a mail (RFC 2532): those it asks for, at addresses that the site lists for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from gateway.domain.address import parse_address
from gateway.domain.errors import Malformed
from gateway.domain.fax_report import FaxReport, ReportKind, is_listed
from gateway.inbound.listener.seam import RecipientParameters
from gateway.mime.fax.asking import notification_to
from gateway.mime.fax.view import FaxView
from gateway.store.fax_reports import SealedReport, seal_report

SUCCESS = "SUCCESS"


@dataclass(frozen=True, slots=True)
class Asking:
    """What the envelope of a mail asks for: its sender, its id and its recipients with what each wants to know."""

    sender: str
    envelope_id: str
    recipients: tuple[RecipientParameters, ...]


def reports_of(asking: Asking | None, view: FaxView, listed: tuple[str, ...], arrived_us: int) -> list[FaxReport]:
    """Return the reports of a mail that is being filed; none where no address is listed, whatever it asks."""
    if asking is None or not listed:
        return []
    found: list[FaxReport] = []
    for kind, to, recipients in _wanted(asking, view):
        with suppress(ValueError, Malformed):  # what cannot stand in a report is not reported on
            if recipients and is_listed(parse_address(to), listed):
                told = tuple((one.address, one.orcpt or "") for one in recipients)
                envelope_id = asking.envelope_id if kind is ReportKind.DELIVERED else ""
                found.append(FaxReport(kind, to, told, view.facts.message_id, envelope_id, arrived_us))
    return found


def sealed_reports(key: bytes, reports: Sequence[FaxReport]) -> tuple[SealedReport, ...]:
    """Return reports as they rest until they are sent."""
    return tuple(seal_report(key, one) for one in reports)


def _wanted(asking: Asking, view: FaxView) -> Iterator[tuple[ReportKind, str, Sequence[RecipientParameters]]]:
    delivered = [one for one in asking.recipients if one.notify is not None and SUCCESS in one.notify]
    yield ReportKind.DELIVERED, asking.sender, delivered
    yield ReportKind.PROCESSED, notification_to(view.outer), asking.recipients[:1]
