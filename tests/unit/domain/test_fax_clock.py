"""When a fax's time and its arrival do not go together."""

from __future__ import annotations

import pytest

from gateway.domain.fax import is_clock_odd

MINUTE = 60_000_000
NOON = 1_700_000_000_000_000


@pytest.mark.parametrize(
    ("minutes", "pages", "odd"),
    [
        (0, 1, False), (9, 1, False), (10, 0, False), (11, 0, True), (-9, 1, False), (-11, 1, True),
        (25, 20, False), (31, 20, True), (-11, 200, True), (11, None, True),
    ],
)  # fmt: skip
def test_a_fax_comes_soon_after_its_time_or_its_clock_is_odd(minutes: int, pages: int | None, odd: bool) -> None:
    assert is_clock_odd(NOON, NOON + minutes * MINUTE, pages) is odd


def test_what_is_not_known_is_not_odd() -> None:
    assert not is_clock_odd(None, NOON, 1)
    assert not is_clock_odd(NOON, None, 1)
