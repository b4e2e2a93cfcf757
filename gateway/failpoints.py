"""Named places where a test may kill this process or make a step fail.

`GATEWAY_FAILPOINTS` holds comma-separated `name=action[@n]`: action `kill` (SIGKILL to itself), `exit`, `enospc`, `eio`
or `error`; `@n` acts at the n-th passing only, counted from 1. Without that variable a call is one dictionary look-up.
`GATEWAY_FAILPOINT_ONCE` names a folder that remembers what has acted: no point acts twice, not even in a later process.
`GATEWAY_FAILPOINT_LOG` names a file that receives each name passed, so that a sweep knows what a story touches.
"""

from __future__ import annotations

import errno
import os
import signal
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "GATEWAY_FAILPOINTS"
ONCE_VARIABLE = "GATEWAY_FAILPOINT_ONCE"
LOG_VARIABLE = "GATEWAY_FAILPOINT_LOG"


@dataclass(slots=True)
class _Plan:
    action: str
    at: int
    passed: int = 0


def _parse(text: str) -> dict[str, _Plan]:
    plans: dict[str, _Plan] = {}
    for item in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, action = item.partition("=")
        action, _, nth = action.partition("@")
        plans[name] = _Plan(action or "kill", int(nth or 0))
    return plans


_plans = _parse(os.environ.get(VARIABLE, ""))
_once_folder = os.environ.get(ONCE_VARIABLE)
_log_path = os.environ.get(LOG_VARIABLE)
_seen: set[str] = set()


class FailpointError(Exception):
    """What the action `error` raises: an exception no code of ours knows."""


def failpoint(name: str) -> None:
    """Pass the named place: nothing happens unless a test armed it."""
    if _log_path is not None and name not in _seen:
        _seen.add(name)
        with open(_log_path, "a", encoding="ascii") as log:
            log.write(name + "\n")
    plan = _plans.get(name)
    if plan is None:
        return
    plan.passed += 1
    if plan.at in (0, plan.passed) and _is_first(name):
        _act(plan.action, name)


def arm(text: str) -> None:
    """Replace the armed failpoints of this process (tests only run this in a process of their own)."""
    _plans.clear()
    _plans.update(_parse(text))


def _is_first(name: str) -> bool:
    if _once_folder is None:
        return True
    try:
        Path(_once_folder, name).touch(0o600, exist_ok=False)
    except FileExistsError:
        return False
    return True


def _act(action: str, name: str) -> None:
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "exit":
        os._exit(70)
    if action in ("enospc", "eio"):
        number = errno.ENOSPC if action == "enospc" else errno.EIO
        raise OSError(number, os.strerror(number))
    raise FailpointError(name)
