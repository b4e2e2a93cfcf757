"""`gateway run [PROGRAM]`: one program, or all of them under the supervisor."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Annotated

import typer

from gateway import maillog
from gateway.cli.options import DEFAULT_CONFIG, ConfigPath
from gateway.config import PROGRAMS, ConfigProblems, Settings, file_problems, load
from gateway.process import end_with_supervisor, make_run_folder, on_hangup
from gateway.programmes import load_programmes


def run(
    program: Annotated[str, typer.Argument(help=f"One of {', '.join(PROGRAMS)}; without it, all.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Start one PROGRAM, or all under a supervisor. SIGTERM and Ctrl-C stop; SIGHUP renews certificates."""
    if program and program not in PROGRAMS:
        raise typer.BadParameter(f'There is no program "{program}". Choose from: {", ".join(PROGRAMS)}.')
    settings = load(config)
    if program:
        from gateway.roles import run_program

        run_program(program, settings)
    else:
        asyncio.run(_supervise(settings))


async def _supervise(settings: Settings) -> None:
    from gateway.supervisor import Supervisor, program_command, stages_of

    end_with_supervisor()  # of whoever runs the whole gateway as a part of something
    if problems := file_problems(settings):
        raise ConfigProblems(problems)
    load_programmes(settings.programmes)
    if settings.notifier.templates or settings.notifier.smime:
        from gateway.outbound.wording import check_wording

        check_wording(settings)
    os.umask(0o077)
    as_json = settings.log.is_json(terminal=sys.stderr.isatty())
    maillog.configure("supervisor", stream=sys.stderr, level=settings.log.level, json=as_json)
    make_run_folder(settings.site.run)
    supervisor = Supervisor(
        settings.site.run,
        program_command(settings.file),
        environment=settings.site.environment,
        stages=stages_of(settings.programs),
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, supervisor.stop)
    on_hangup(supervisor.renew)
    await supervisor.serve()
