"""How a line of the log is written: configured once a program, checked value by value, libraries silenced.

The vocabulary beside this module is the only one that calls `say`.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import sys
import threading
from pathlib import PurePath
from types import TracebackType
from typing import Any, TextIO

import structlog

from gateway.domain.jsontext import json_writer

_FIT = re.compile(r"[A-Za-z0-9_.:/+-]{0,100}\Z")
_DEPTH = 30  # frames told of one exception, the innermost ones


def configure(program: str, *, stream: TextIO, level: str = "info", json: bool = False, process: int = 0) -> None:
    """Send the events of `program` from `level` (debug, info, warning, error) up to `stream`: JSON lines, or for eyes.

    `process` is the number of this one where the program has several, from 1 on; 0 where it has one, or is the first.
    Takes over for good what else could write text into a log: records of libraries, which are cut to WARNING and
    stripped of their words before a handler sees them, and uncaught exceptions of the program, threads and finalisers.
    """
    colours = stream.isatty() and "NO_COLOR" not in os.environ
    renderer = structlog.processors.JSONRenderer(_serialise) if json else structlog.dev.ConsoleRenderer(colors=colours)
    own = {"program": program, **({"process": process} if process else {})}
    structlog.configure(
        processors=[
            lambda _, __, event: {**own, **event},
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
    )
    _cap_libraries()
    sys.excepthook = lambda _, problem, __: _uncaught("main", problem)
    sys.unraisablehook = lambda what: _uncaught("finaliser", what.exc_value)
    threading.excepthook = lambda what: _uncaught("thread", what.exc_value)


def incident(where: str, problem: BaseException, incident_id: str = "") -> str:
    """Tell of an exception no rule foresaw. Returns the id the peer is told: 8 hex digits, made here unless given."""
    incident_id = incident_id or secrets.token_hex(4)
    say(
        "error",
        "incident",
        incident=incident_id,
        where=where,
        kinds=_kinds(problem),
        frames=_frames(problem.__traceback__),
    )
    return incident_id


_write = json_writer()


def _serialise(event: object, **_: object) -> str:
    """What `json.dumps` writes; values that are no JSON were withheld."""
    return _write(event)


class _Plain(str):
    """Text made by this module: types and frames."""

    __slots__ = ()


def say(level: str, event: str, **fields: str | int) -> None:
    """Write one event, for the vocabulary alone. A value that is no id, count, kind or code is withheld."""
    told = {name: value if _passes(value) else "(withheld)" for name, value in fields.items()}
    try:
        getattr(structlog.get_logger(), level)(event, **told)
    except (OSError, ValueError):  # the stream is full or closed
        return


def _passes(value: str | int) -> bool:
    return isinstance(value, int | _Plain) or _FIT.match(value) is not None


def _kinds(problem: BaseException | None) -> _Plain:
    kinds: list[str] = []
    while problem is not None and len(kinds) < _DEPTH:
        kinds.append(type(problem).__qualname__)
        problem = problem.__cause__ or problem.__context__
    return _Plain(" < ".join(kinds))


def _frames(traceback: TracebackType | None) -> _Plain:
    frames: list[str] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"{_short(code.co_filename)}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return _Plain("; ".join(frames[-_DEPTH:]))


def _short(path: str) -> str:
    return "/".join(PurePath(path).parts[-2:])


def _uncaught(where: str, problem: BaseException | None) -> None:
    if problem is not None and not isinstance(problem, (KeyboardInterrupt, SystemExit)):
        incident(where, problem)


def _cap_libraries() -> None:
    """Nothing below WARNING is logged whatever level a library sets; any other record is stripped as it is made."""
    logging.disable(logging.INFO)
    logging.setLogRecordFactory(_stripped)
    logging.captureWarnings(capture=True)
    logging.getLogger().handlers[:] = [_LibraryHandler()]


def _stripped(
    name: str,
    level: int,
    path: str,
    line: int,
    _msg: object,
    _args: object,
    exc_info: Any,
    func: str | None = None,
    *_: Any,
) -> logging.LogRecord:
    record = logging.LogRecord(name, level, path, line, "(words of a library, withheld)", (), None, func)
    record.kinds = _kinds(exc_info[1]) if isinstance(exc_info, tuple) else _Plain()
    return record


class _LibraryHandler(logging.Handler):
    """Tells that a library had something to say, and where, without its words."""

    def emit(self, record: logging.LogRecord) -> None:
        place = _Plain(f"{_short(record.pathname)}:{record.lineno} {record.funcName}")
        kinds: _Plain = vars(record).get("kinds", _Plain())
        say("warning", "library", logger=record.name, place=place, kinds=kinds)


# Until a program configures its log (a command of the CLI never does): warnings only, and never on standard output.
structlog.configure(
    wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
)
