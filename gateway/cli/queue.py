"""`gateway queue`: notifications that wait or could not be sent, and reminders that are planned."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli import destinations
from gateway.cli.asking import read, settings_of, write
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath
from gateway.cli.output import instant, say, show_json, show_rows
from gateway.domain.errors import UnknownRecipient
from gateway.store.outbox import OutboxState, retry, waiting
from gateway.store.reminders import planned, stop
from gateway.wake import notify

app = typer.Typer(no_args_is_help=True, help="Notifications that wait or have failed, and reminders to come.")
app.command("tls")(destinations.tls)
app.command("forget-tls")(destinations.forget_tls)

BY = "operator"
MOST = 100_000


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="At most so many, the newest.")] = 100,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """List what waits or has failed; no address, no content."""
    rows = [
        {
            "id": row.id,
            "kind": row.kind,
            "state": OutboxState(row.state).name.lower(),
            "attempts": row.attempts,
            "created": instant(row.created_us),
            "due": instant(row.due_us),
            "last_reply": row.last_reply,
        }
        for row in read(settings_of(config), lambda connection: waiting(connection, limit))
    ]
    columns = {
        "id": "ID", "kind": "KIND", "state": "STATE", "attempts": "TRIED", "created": "CREATED", "due": "DUE",
        "last_reply": "LAST REPLY",
    }  # fmt: skip
    show_rows(rows, columns, as_json=as_json, nothing="nothing waits")


@app.command("retry")
def retry_(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids that list shows.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that wait or have failed.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Try again now."""
    settings = settings_of(config)
    if not ids and not everything:
        raise typer.BadParameter("Name ids, or say --all.")
    wanted = [row.id for row in read(settings, lambda rows: waiting(rows, MOST))] if everything else list(ids or [])
    retried = [one for one in wanted if write(settings, retry, one, BY)]
    notify(settings.site.run, "notifier")
    if as_json:
        show_json({"retried": retried})
    elif not everything and len(retried) < len(wanted):
        raise UnknownRecipient(f"{len(wanted) - len(retried)} of these do not wait. See: gateway queue list")
    else:
        say(f"{len(retried)} to be tried now")


@app.command("planned")
def planned_(
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="At most so many, the next.")] = 100,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """List what somebody has still to read, and when that is looked at for a reminder; no address, no content."""
    rows = [
        {
            "reference": row.reference,
            "username": row.username,
            "received": instant(row.received_us),
            "reminded": row.reminded,
            "next": instant(row.remind_us),
        }
        for row in read(settings_of(config), lambda connection: planned(connection, limit))
    ]
    columns = {
        "reference": "MESSAGE", "username": "UNREAD BY", "received": "RECEIVED", "reminded": "REMINDED",
        "next": "NEXT LOOK",
    }  # fmt: skip
    show_rows(rows, columns, as_json=as_json, nothing="nothing is unread, or all reminders are over")


@app.command("stop")
def stop_(
    reference: Annotated[str, typer.Argument(metavar="MESSAGE", help="The reference that planned shows.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Stop all reminders of a message, as when its people were told by telephone; it stays unread."""
    stopped = write(settings_of(config), stop, reference.strip().upper(), BY)
    if stopped is None:
        raise UnknownRecipient(f"There is no message {reference}. See: gateway queue planned")
    if as_json:
        show_json({"reference": reference, "people": stopped})
    else:
        say(f"Nobody is reminded of {reference} any more.")
