"""`gateway tls-report` shows what was counted and what became of reports; what sends them is put together."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from gateway import config
from gateway.outbound.site import reporter_of
from gateway.store.database import Database
from gateway.store.tls_outcomes import PolicyType, ResultType, TlsOutcome, count_tls
from gateway.store.tls_reports import plan
from tests.cli.conftest import founded
from tests.notifying import NOON, Time


def test_counts_and_reports_are_shown(short_path: Path) -> None:
    site = founded(short_path / "site")
    settings = config.load(site.config)
    time = Time()
    store = Database(settings.store.url, clock=time)
    for result, count in ((ResultType.SUCCESS, 5), (ResultType.CERTIFICATE_EXPIRED, 2)):
        store.call(count_tls, "agent.example", TlsOutcome(PolicyType.TLSA, result, "mx.agent.example", count))
    time.now = NOON + timedelta(days=1)
    store.call(plan, lambda: timedelta(0))
    store.close()
    counts = site.asked("tls-report", "counts")
    assert [(one["policy"], one["result"], one["sessions"]) for one in counts] == [
        ("tlsa", "ok", 5), ("tlsa", "certificate-expired", 2),
    ]  # fmt: skip
    (report,) = site.asked("tls-report", "list")
    assert (report["day"], report["domain"], report["state"]) == ("2026-03-01", "agent.example", "waiting")
    shown = site.gateway("tls-report", "show", "2026-03-01", "agent.example")
    assert '"total-failure-session-count": 2' in shown
    assert "tls-report counts" in site.gateway("tls-report", "show", "2026-03-02", "a.example", code=os.EX_NOUSER)


def test_reports_are_sent_with_direct_delivery_alone(short_path: Path) -> None:
    site = founded(short_path / "site")
    text = site.config.read_text("utf-8")
    kept = {}
    for name, more in (
        ("relay", ""),
        ("direct", "[notifier.direct]\n"),
        ("off", "[notifier.direct]\ntls_reports = false\n"),
    ):
        site.config.write_text(text.replace("[notifier.dkim]", f"{more}[notifier.dkim]"), "utf-8")
        settings = config.load(site.config)
        store = Database(settings.store.url)
        kept[name] = reporter_of(settings, store) is not None
        store.close()
    assert kept == {"relay": False, "direct": True, "off": False}
