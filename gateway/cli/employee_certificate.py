"""`gateway employee certificate`: client certificates that employees' mail tools sign in with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import credentials
from gateway.cli.asking import settings_of
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, Who
from gateway.domain.credential import CredentialKind
from gateway.domain.errors import Malformed

MAX_FILE = 64 * 1024

app = typer.Typer(no_args_is_help=True, help="Client certificates for mail tools, such as those of PIV cards.")


@app.command()
def add(
    who: Who,
    file: Annotated[Path | None, typer.Argument(help="The certificate (PEM), never its key.")] = None,
    name: Annotated[str, typer.Option(help="In place of a file: the name in it, of the kind that is configured.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Register a certificate as an employee's: the name in it counts, so that its successor does, too."""
    if (file is None) == (not name):
        raise Malformed("Give a file, or --name.")
    credentials.give_certificate(settings_of(config), who, name if file is None else _read(file), as_json=as_json)


@app.command("list")
def list_(who: Who, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List the certificates of an employee."""
    kind = CredentialKind.CERTIFICATE
    credentials.list_credentials(settings_of(config), who, as_json=as_json, kind=kind)


@app.command()
def remove(
    who: Who,
    credential: Annotated[str, typer.Argument(help="Its id, as the list has it.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """End a registration, now."""
    credentials.revoke_credential(settings_of(config), who, credential, as_json=as_json)


def _read(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            octets = stream.read(MAX_FILE)
    except OSError as problem:
        raise Malformed(f"{file} cannot be read: {problem.strerror}.") from None
    if b"PRIVATE KEY" in octets or not octets.lstrip().startswith(b"-----BEGIN CERTIFICATE-----"):
        raise Malformed(f"{file} is no certificate in PEM, or has more than one in it.")
    return octets.decode("ascii", "replace")
