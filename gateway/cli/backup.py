"""`gateway backup` and `gateway restore`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.asking import settings_of
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath
from gateway.cli.output import say, show_json, today
from gateway.store.archive import Outcome, back_up
from gateway.store.archive import restore as restore_archive

KIBIBYTE = 1024


def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder for the vault's backup: ciphertext only.")],
    keys_to: Annotated[Path | None, typer.Option(help="A new folder on another medium for the keys.")] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Back up the vault while it is in use, and the keys to another place."""
    outcome = back_up(settings_of(config), folder.absolute(), None if keys_to is None else keys_to.absolute(), today())
    if as_json:
        show_json(_plain(outcome))
        return
    say(f"{folder}: {_words(outcome)}, read back and verified")
    if keys_to is None:
        say("The keys are not in it: without them nobody reads it. Back them up too: --keys-to FOLDER")
    else:
        say(f"{keys_to}: the keys. Keep it away from {folder}, and the passphrase away from both.")
    for path in outcome.apart:
        say(f"not copied, it lies outside of the site's folder: {path}")


def restore(
    folder: Annotated[Path, typer.Argument(help="A backup of the vault.")],
    into: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    keys_from: Annotated[Path | None, typer.Option(help="The backup of the keys.")] = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup into a new folder, verified before and after."""
    settings, outcome = restore_archive(folder.absolute(), None if keys_from is None else keys_from.absolute(), into)
    if as_json:
        show_json({**_plain(outcome), "config": settings.file})
        return
    say(f"{into}: {_words(outcome)}, verified")
    if keys_from is None:
        say(f"The keys are not there: put them into {settings.keys.folder}, or restore with --keys-from FOLDER.")
    passphrase = settings.keys.passphrase_file
    if passphrase is not None and not passphrase.exists():
        say(f"Put the passphrase back: {passphrase}, mode 0600, in a folder of mode 0700.")
    say(f"Then: gateway run --config {settings.file}")


def _words(outcome: Outcome) -> str:
    copied = outcome.vault
    return f"{copied.files} files, {copied.blobs} of them blobs, {-(-copied.octets // KIBIBYTE)} KiB"


def _plain(outcome: Outcome) -> dict[str, object]:
    return {
        "vault": dataclasses.asdict(outcome.vault),
        "keys": None if outcome.keys is None else dataclasses.asdict(outcome.keys),
        "apart": [str(path) for path in outcome.apart],
    }
