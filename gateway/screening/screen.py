"""One mail to its verdict: what extraction yields goes to the examiner, until it is done, certain, or over the budget.

Runs within a sandboxed child (see `child`), and by itself in tests. It keeps what it has found when a limit, a lack of
memory or a fault of an extractor ends the look early, and says that the mail was not read to its end: never clean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import PurePath
from types import TracebackType

from gateway.domain.verdict import Unread, Unreadable, Verdict
from gateway.screening.chunk import Budget, Chunk, Limits, OverBudgetError
from gateway.screening.examiner import Examiner
from gateway.screening.extraction.mail import extract_mail
from gateway.screening.policy import Policy
from gateway.screening.protocol import MAIL

Extract = Callable[[bytes, Budget], Iterable[Chunk | Unreadable]]


class OutOfTime(BaseException):
    """The processor time of this mail is used up. No `except Exception` of an extractor may hold it back."""


def screen(
    octets: bytes,
    policy: Policy,
    *,
    first: bool = False,
    limits: Limits | None = None,
    on_fault: Callable[[str], None] | None = None,
    extract: Extract = extract_mail,
    examiner: Examiner | None = None,
) -> Verdict:
    """Look into one mail. `first` ends at the first certain finding; `on_fault` is told where our own code gave up;
    an `examiner` that is handed in can be asked for more than the verdict.

    Raises nothing: whatever ends the look early makes the mail unscreenable, beside what was found until then.
    """
    examiner = examiner or Examiner(policy)
    try:
        for item in extract(octets, Budget(limits)):
            examiner.take(item)
            if first and examiner.is_certain:
                break
    except OverBudgetError as problem:
        examiner.take(Unreadable(MAIL, Unread.OVER_LIMIT, problem.limit))
    except OutOfTime:
        examiner.take(Unreadable(MAIL, Unread.OVER_LIMIT, "time"))
    except MemoryError:
        examiner.take(Unreadable(MAIL, Unread.OVER_LIMIT, "memory"))
    except RecursionError:
        examiner.take(Unreadable(MAIL, Unread.OVER_LIMIT, "depth"))
    except Exception as problem:  # noqa: BLE001 - any fault over hostile octets means: not read
        examiner.take(Unreadable(MAIL, Unread.CORRUPT, "fault"))
        if on_fault is not None:
            on_fault(_where(problem))
    return examiner.verdict()


def _where(problem: BaseException) -> str:
    """Return `file:line Kind` of the innermost frame: a place in code, never its variables."""
    step: TracebackType | None = problem.__traceback__
    place = "unknown:0"
    while step is not None:
        place = f"{'/'.join(PurePath(step.tb_frame.f_code.co_filename).parts[-2:])}:{step.tb_lineno}"
        step = step.tb_next
    return f"{place} {type(problem).__name__}"
