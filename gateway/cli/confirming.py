"""`gateway employee confirm`: which of an employee's messages are confirmed by mail, and how long they wait."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli import credentials
from gateway.cli.asking import enact, read, settings_of
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, Who
from gateway.cli.output import show_facts
from gateway.domain.confirmation import MAX_DELAY_MINUTES, Wish, delay_us
from gateway.store.people import wishes_of

_MINUTE_US = 60_000_000
_DELAY = typer.Option(min=-1, max=MAX_DELAY_MINUTES, help="Minutes that their messages wait; -1: as the site has them.")


def confirm(
    who: Who,
    wish: Annotated[Wish | None, typer.Argument(help="Which of their messages are confirmed.")] = None,
    delay: Annotated[int | None, _DELAY] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show which of an employee's messages are confirmed by mail and how long they wait, or change it."""
    settings = settings_of(config)
    employee = credentials.require_employee(settings, who)
    chosen = {"confirm": None if wish is None else wish.value, "delay_minutes": delay}
    if any(one is not None for one in chosen.values()):
        enact(
            settings,
            "choose_notices",
            person=employee.id,
            **{key: one for key, one in chosen.items() if one is not None},
        )
    kept = read(settings, lambda rows: wishes_of(rows, employee.id))
    minutes = delay_us(kept.delay_minutes, settings.submission.release_delay_minutes) // _MINUTE_US
    show_facts({"confirm": kept.confirm.value, "delay_minutes": minutes}, as_json=as_json)
