"""How a command ends: every error to one or two lines that say what to do, and to an exit code (`sysexits.h`)."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import typer

from gateway import maillog
from gateway.domain import errors

EX_OK = 0
INTERRUPTED = 130

_CODES: tuple[tuple[type[errors.GatewayError], int], ...] = (
    (errors.ConfigError, os.EX_CONFIG),
    (errors.UnknownRecipient, os.EX_NOUSER),
    (errors.NotAllowed, os.EX_NOPERM),
    (errors.NotAuthenticated, os.EX_NOPERM),
    (errors.Refused, os.EX_DATAERR),
    (errors.Tampered, os.EX_DATAERR),
    (errors.StoreFull, os.EX_CANTCREAT),
    (errors.Overloaded, os.EX_TEMPFAIL),
    (errors.RateExceeded, os.EX_TEMPFAIL),
    (errors.Unavailable, os.EX_UNAVAILABLE),
    (errors.GatewayError, os.EX_SOFTWARE),
)
_USAGE: type[Exception] = typer.BadParameter.__bases__[0]


def end_for(command: Callable[[], int]) -> int:
    """Run `command`; tell whatever goes wrong on standard error, and return the exit code."""
    try:
        return command()
    except errors.GatewayError as problem:
        complain(problem.advice)
        return code_of(problem)
    except _USAGE as problem:
        _tell_usage(problem)
        return os.EX_USAGE
    except (typer.Abort, KeyboardInterrupt):
        complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EX_OK
    except OSError as problem:
        complain(f"{problem.filename or 'the system'}: {problem.strerror or 'refused'}")
        return os.EX_CANTCREAT if isinstance(problem, PermissionError | FileExistsError) else os.EX_OSERR
    except Exception as problem:  # noqa: BLE001 - the unexpected gets a number, never a traceback
        number = maillog.incident("cli", problem)
        complain(f"Something failed here that nobody foresaw: incident {number}. The log has it under this number.")
        return os.EX_SOFTWARE


def code_of(problem: errors.GatewayError) -> int:
    """Return the exit code that stands for an error: its own where it brings one."""
    own = getattr(problem, "code", 0)
    return own if own > 0 else next(code for kind, code in _CODES if isinstance(problem, kind))


def _tell_usage(problem: Exception) -> None:
    words = str(getattr(problem, "format_message", lambda: "This was not understood.")())
    if words.startswith("Usage:"):  # a noun without a verb: its help is the answer
        sys.stderr.write(f"{words}\n")
    else:
        called = getattr(getattr(problem, "ctx", None), "command_path", "gateway")
        complain(f"{words} Try: {called} --help")


def complain(text: str) -> None:
    """Write lines to standard error, each named as the gateway's."""
    for line in text.splitlines():
        sys.stderr.write(f"gateway: {line}\n")
