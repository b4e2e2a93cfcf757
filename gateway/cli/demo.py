"""`gateway demo`: the whole product on this machine's loopback, with invented people."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

DEFAULT_PORTS = 9400


def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo lives; delete it to be rid of everything.")] = Path(
        "var/demo"
    ),
    check: Annotated[bool, typer.Option("--check", help="Play the story, then end: 0 when all of it is so.")] = False,
    ports: Annotated[
        int, typer.Option(min=1024, max=65000, help="The demo listens on seven ports within 100 above this.")
    ] = DEFAULT_PORTS,
) -> None:
    """Play the main job through the real doors, a line a step with its proof, then stay up to be tried."""
    from gateway.demo.show import show
    from gateway.demo.site import Ports

    code = asyncio.run(show(folder, Ports.above(ports), check=check))
    if code:
        raise typer.Exit(code)
