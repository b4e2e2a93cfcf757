"""`gateway employee full-copies`: whether an employee has replies whole in their mail, and what keeps them from it."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli import credentials
from gateway.cli.asking import authority_of, enact, read, settings_of
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, Who
from gateway.cli.output import show_facts
from gateway.clock import system_clock
from gateway.store.people import wishes_of
from gateway.store.recipient_keys import recipient_key_of


def full_copies(
    who: Who,
    on: Annotated[bool | None, typer.Option("--on/--off", help="Replies whole and encrypted, or notices only.")] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show whether replies come to an employee whole, encrypted to their key, or change it."""
    settings = settings_of(config)
    employee = credentials.require_employee(settings, who)
    if on is not None:
        enact(settings, "choose_notices", person=employee.id, full_copies=on)
    authority, now = authority_of(settings), system_clock()
    key = read(settings, lambda rows: recipient_key_of(rows, authority, employee.id, now))
    kept = read(settings, lambda rows: wishes_of(rows, employee.id))
    permitted = employee.programme in settings.full_copies.programmes
    facts = {
        "full_copies": kept.full_copies,
        "permitted": permitted,
        "key": key.fingerprint if key is not None else "",
        "in_force": kept.full_copies and permitted and key is not None,
    }
    show_facts(facts, as_json=as_json)
