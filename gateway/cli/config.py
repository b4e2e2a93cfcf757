"""`gateway config`: check the configuration, show what it comes to."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from enum import Enum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

import typer

from gateway import config as configuration
from gateway.cli.asking import programmes_of
from gateway.cli.ending import complain
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath
from gateway.cli.output import say, show_json
from gateway.config import (
    CLEAN_CONSEQUENCES,
    ConfigProblems,
    Listen,
    Problem,
    Settings,
    consequence,
    consequences,
    in_force,
)
from gateway.config.full_copies import warning_of
from gateway.config.security import YEAR
from gateway.domain.errors import ConfigError

app = typer.Typer(no_args_is_help=True, help="Check and show the configuration.")


@app.command()
def check(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Find every problem of the configuration, its files and its programmes; say what the settings mean."""
    problems = _problems(config)
    if as_json:
        show_json([dataclasses.asdict(problem) for problem in problems])
    elif problems:
        complain("\n".join(map(str, problems)))
    else:
        say(f"{config}: no problem found")
        settings = configuration.load(config)
        for line in consequences(settings):
            say(line)
        if settings.mx is not None:
            say(consequence(settings.mx))
            say(CLEAN_CONSEQUENCES[settings.mx.clean])
        if warning := warning_of(settings.full_copies):
            say(warning)
    if problems:
        raise typer.Exit(os.EX_CONFIG)


@app.command()
def show(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show every setting with its value, defaults included."""
    settings = configuration.load(config)
    tables, figures = _plain(settings), in_force(settings.security)
    if as_json:
        show_json({**tables, "figures": figures})
        return
    for key, value in _flat(tables):
        say(f"{key} = {value}")
    for key, words in figures.items():
        say(f"# {key}: {words}")


def _problems(path: Path) -> list[Problem]:
    try:
        settings = configuration.load(path)
    except ConfigProblems as found:
        return list(found.problems)
    problems = configuration.file_problems(settings)
    return [*problems, *_no_database(settings), *(_programme_problems(settings) or _wording_problems(settings))]


def _no_database(settings: Settings) -> Iterator[Problem]:
    """Say what a start would say. Where this user may not look, nothing is known to be missing."""
    from gateway.opening import WHERE_IS_THE_DATABASE, missing_database

    with suppress(PermissionError):
        path = missing_database(settings.store.url)
        if path is not None:
            yield Problem(str(settings.file), "store.url", f"There is no database {path}.", WHERE_IS_THE_DATABASE)


def _programme_problems(settings: Settings) -> list[Problem]:
    from gateway.screening.site import orders_of

    try:
        orders_of(settings.screening, programmes_of(settings).values())
    except ConfigError as found:
        return [Problem(str(settings.file), "programmes.use", line, "") for line in found.advice.splitlines()]
    return [*_kept_too_short(settings), *_unknown_copies(settings)]


def _kept_too_short(settings: Settings) -> Iterator[Problem]:
    """Hold each record series of each programme to how long the site keeps the record at least."""
    least = settings.security.record_keep_seconds // YEAR
    for key, programme in programmes_of(settings).items():
        for series in programme.records:
            if series.keep_years < least:
                what = f"is {least} years, and series {series.key} of programme {key} is kept for {series.keep_years}."
                do = "Let the programme keep it longer, or choose another profile."
                yield Problem(str(settings.file), "security.record_keep", what, do)


def _unknown_copies(settings: Settings) -> Iterator[Problem]:
    known = programmes_of(settings)
    for key in settings.full_copies.programmes:
        if key not in known:
            what, do = f'names "{key}", and no programme has that key.', f"There are: {', '.join(sorted(known))}."
            yield Problem(str(settings.file), "full_copies.programmes", what, do)


def _wording_problems(settings: Settings) -> list[Problem]:
    from gateway.outbound.wording import check_wording

    try:
        check_wording(settings)
    except ConfigError as found:
        return [Problem(str(settings.file), "notifier", line, "") for line in found.advice.splitlines()]
    return []


def _plain(value: object) -> Any:
    if isinstance(value, Listen | IPv4Network | IPv6Network):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, frozenset):
        return sorted(map(str, value))
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Path | Enum | date):
        return str(value)
    return value


def _flat(tables: Mapping[str, Any], above: str = "") -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for key, value in tables.items():
        name = f"{above}{key}"
        found += _flat(value, f"{name}.") if isinstance(value, Mapping) else [(name, value)]
    return found
