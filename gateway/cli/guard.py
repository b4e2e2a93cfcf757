"""`gateway guard`: messages that the wrong client guard holds, and releasing one in place of an author who is away."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.casework.act import OPERATOR
from gateway.casework.guard_answers import say_yes_as_operator
from gateway.cli.asking import read, settings_of, write
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath
from gateway.cli.output import instant, say, show_json, show_rows
from gateway.domain.errors import UnknownRecipient
from gateway.domain.guard import RUN_OUT_US, Guarded
from gateway.store.guard import waiting_for_word
from gateway.wake import notify

app = typer.Typer(no_args_is_help=True, help="Messages that wait for their author's yes.")

_WHY = {Guarded.ANSWER.value: "another case", Guarded.OVERDUE.value: "not looked at"}


@app.command("list")
def list_(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List what waits for a yes; no address, no content, and no case beside the message's own."""
    rows = [
        {
            "reference": row.reference,
            "author": row.username or "",
            "why": _WHY[row.guard],
            "since": instant(row.since_us),
            "until": instant(row.since_us + RUN_OUT_US),
        }
        for row in read(settings_of(config), waiting_for_word)
    ]
    columns = {"reference": "MESSAGE", "author": "AUTHOR", "why": "WHY", "since": "SINCE", "until": "UNTIL"}
    show_rows(rows, columns, as_json=as_json, nothing="nothing waits for a yes")


@app.command()
def release(
    reference: Annotated[str, typer.Argument(metavar="MESSAGE", help="The reference that list shows.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Release a message whose author is away. The entry says that an operator did."""
    settings = settings_of(config)
    if not write(settings, say_yes_as_operator, reference.strip().upper(), OPERATOR):
        raise UnknownRecipient(f"{reference} does not wait for a yes. See: gateway guard list")
    notify(settings.site.run, "notifier")
    if as_json:
        show_json({"reference": reference, "released": True})
    else:
        say(f"{reference} is released.")
