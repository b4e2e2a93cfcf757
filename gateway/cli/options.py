"""The options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigPath = Annotated[
    Path, typer.Option("--config", envvar="GATEWAY_CONFIG", help="The configuration file.", show_envvar=True)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs to read.")]
ProgrammeKey = Annotated[str, typer.Option("--programme", help="The programme's key, where several run here.")]
Who = Annotated[str, typer.Argument(metavar="WHO", help="A username or address.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--from", metavar="FILE", help="Read the password from a file's first line; - is standard input."),
]
NameServer = Annotated[
    str, typer.Option(metavar="ADDRESS[:PORT]", help="Ask this name server; else those configured, or the machine's.")
]

DEFAULT_CONFIG = Path("gateway.toml")
FirstCodeHours = Annotated[int, typer.Option("--hours", min=24, max=72, help="How long the code is good for.")]
