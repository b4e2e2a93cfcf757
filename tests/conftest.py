"""What holds for every test: which run, and that a skip cannot hide.

With CI=true a skipped test fails the run unless a line of `tests/skips.txt` names it: `node id — reason`, where `*`
stands for any text. Tests marked `sweep` run with SWEEP=all only, and then alone with `tests/crash/`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import hypothesis
import pytest

from tests.worlds import office, outside, world

__all__ = ["office", "outside", "world"]  # one running gateway for all that ask for it

SKIPS = Path(__file__).with_name("skips.txt")
UNLISTED_SKIPS = 6
"""An exit code of its own, behind those of pytest: no second try of tests that failed makes such a run good."""

# No limit of time, neither on an example nor on drawing the first of them: that would be one on who else runs here.
hypothesis.settings.register_profile(
    "gateway",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("gateway")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(SkipWatch(SKIPS.read_text("utf-8")), "skip-watch")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    sweeping = os.environ.get("SWEEP") == "all"
    chosen = [item for item in items if sweeping == is_swept(item, sweeping)]
    if len(chosen) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
        items[:] = chosen


def is_swept(item: pytest.Item, sweeping: bool) -> bool:
    return item.get_closest_marker("sweep") is not None or (sweeping and "crash" in item.path.parts)


class SkipWatch:
    """Collects skips; in CI those that no line of the list names turn the run red."""

    def __init__(self, listed: str) -> None:
        self.patterns = [as_pattern(line) for line in listed.splitlines() if line.strip() and not line.startswith("#")]
        self.unlisted: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.note(report)

    def note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        is_skip = report.skipped and not hasattr(report, "wasxfail")
        if is_skip and not any(pattern.fullmatch(report.nodeid) for pattern in self.patterns):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self.unlisted[report.nodeid] = reason

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        ran = session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
        if ran and self.unlisted and os.environ.get("CI") == "true":
            session.exitstatus = UNLISTED_SKIPS

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.unlisted and os.environ.get("CI") == "true":
            terminalreporter.section("skipped, and not listed in tests/skips.txt: the run fails", red=True)
            for node, reason in sorted(self.unlisted.items()):
                terminalreporter.line(f"{node} — {reason}")


def as_pattern(line: str) -> re.Pattern[str]:
    node, dash, reason = line.partition(" — ")
    if not dash or not reason.strip():
        raise pytest.UsageError(f"tests/skips.txt: a line is `node id — reason`, not: {line}")
    return re.compile(".*".join(map(re.escape, node.strip().split("*"))))
