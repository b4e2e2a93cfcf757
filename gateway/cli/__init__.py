"""The command `gateway …`: one module for each noun, plain words, exit codes of sysexits."""

from __future__ import annotations

import sys

from gateway.cli.ending import end_for

__all__ = ["main"]


def main() -> None:
    """Run the command line of this process and exit with its code."""
    from gateway.cli.app import run_command

    sys.exit(end_for(lambda: run_command(sys.argv[1:])))
