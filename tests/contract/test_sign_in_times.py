"""Nobody learns by the clock who is known: sign-ins of known and unknown names take the same time.

Long and only meaningful on a quiet machine, so part of `make sweep` alone.
"""

from __future__ import annotations

import math
import os
import random
import statistics
import time
from pathlib import Path

import pytest

from gateway.authenticator.server import TICK_SECONDS
from gateway.domain.errors import NotAuthenticated
from gateway.store.migrations import upgrade
from tests.keyed_site import KeyedSite

EACH = 1_000
ACCOUNTS = 20
"""Below a hundred failures in a row for each."""
LEAST_T = 4.5


@pytest.mark.sweep
@pytest.mark.timeout(900)
async def test_known_and_unknown_names_are_answered_in_the_same_time(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gateway.db"
    upgrade(url)
    async with KeyedSite(tmp_path, url, tick=TICK_SECONDS).running() as site:
        names = [f"person{number}" for number in range(ACCOUNTS)]
        for name in names:
            await site.enrol(await site.employee(name))
        tries = [(True, names[n % ACCOUNTS]) for n in range(EACH)] + [(False, f"nobody{n}") for n in range(EACH)]
        random.Random(20261122).shuffle(tries)
        times: dict[bool, list[float]] = {True: [], False: []}
        for number, (known, name) in enumerate(tries):
            address = f"10.{number >> 8}.{number & 255}.1"  # each from elsewhere: below the slow-down
            began = time.perf_counter()
            with pytest.raises(NotAuthenticated):
                await site.authenticator.sign_in(name, "a wrong password", "000000", address)
            times[known].append(time.perf_counter() - began)
    found = welch(times[True], times[False])
    means = {("known" if known else "unknown"): statistics.mean(taken) for known, taken in times.items()}
    print(f"means {means}, t = {found:.2f}, load {os.getloadavg()[0]:.1f}")
    assert abs(found) < LEAST_T, means


def test_the_measure_notices_a_difference() -> None:
    drawn = random.Random(7)
    one = [drawn.gauss(0.1, 0.001) for _ in range(EACH)]
    assert abs(welch(one, [drawn.gauss(0.1, 0.001) for _ in range(EACH)])) < LEAST_T
    assert abs(welch(one, [drawn.gauss(0.1003, 0.001) for _ in range(EACH)])) > LEAST_T


def welch(one: list[float], other: list[float]) -> float:
    """Welch's t of two samples."""
    spread = statistics.variance(one) / len(one) + statistics.variance(other) / len(other)
    return (statistics.mean(one) - statistics.mean(other)) / math.sqrt(spread)
