"""`gateway notification`: the wording of what people are told by plain mail, and how each person wants it."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from gateway.cli import credentials
from gateway.cli.asking import enact, programme_of, read, settings_of, write
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, ProgrammeKey, Who
from gateway.cli.output import instant, now_us, say, show_facts, show_json, show_rows
from gateway.config import Settings
from gateway.domain.address import parse_address
from gateway.domain.errors import Malformed, UnknownRecipient
from gateway.domain.notice import NoticeKind, is_zone
from gateway.domain.programme import Programme
from gateway.domain.rights import Side

app = typer.Typer(no_args_is_help=True, help="The wording of notifications, samples, and how people want to be told.")

BY = "operator"
WAIT_SECONDS = 15.0

Kind = Annotated[NoticeKind, typer.Argument(metavar="KIND", help="A kind that list shows.")]
Language = Annotated[str, typer.Option(help="Two letters; the programme's first language when left out.")]


@app.command("list")
def list_(programme: ProgrammeKey = "", config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List the kinds of notices, whom each tells, and whether the programme uses it."""
    from gateway.outbound.wording import specimens_of

    settings = settings_of(config)
    chosen = programme_of(settings, programme)
    specimens = specimens_of(settings)
    rows = [
        {
            "kind": kind.value,
            "subject": specimens.subject(chosen.key, kind, chosen.languages[0]),
            "tells": "employees" if kind.is_for_employees else "people of the other side",
            "used": kind in chosen.notices or kind.is_of_the_site,
            "languages": list(chosen.languages),
        }
        for kind in NoticeKind
    ]
    columns = {"kind": "KIND", "tells": "TELLS", "used": "USED", "languages": "LANGUAGES", "subject": "SUBJECT"}
    show_rows(rows, columns, as_json=as_json, nothing="no kinds")


@app.command()
def preview(
    kind: Kind,
    language: Language = "",
    html: Annotated[bool, typer.Option("--html", help="The HTML, for a browser to show.")] = False,
    programme: ProgrammeKey = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show a notification of invented facts as it will look."""
    from gateway.outbound.wording import specimens_of

    settings = settings_of(config)
    chosen = programme_of(settings, programme)
    spoken = _language(chosen, language)
    specimen = specimens_of(settings).show(chosen.key, kind, spoken)
    if as_json:
        show_json({
            "sender": specimen.sender, "subject": specimen.subject, "language": spoken, "text": specimen.text,
            "html": specimen.html,
        })  # fmt: skip
    elif html:
        say(specimen.html)
    else:
        say(f"From: {specimen.sender}")
        say(f"Subject: {specimen.subject}\n")
        say(specimen.text)


@app.command()
def sample(
    kind: Kind,
    address: Annotated[str, typer.Argument(help="An employee's address: a sample goes to nobody else.")],
    language: Language = "",
    wait: Annotated[float, typer.Option(min=0, max=600, help="Wait so many seconds for what becomes of it.")] = (
        WAIT_SECONDS
    ),
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Send an employee a notification that says it is a sample, on the way that all of them go."""
    from gateway.casework.samples import order_sample
    from gateway.wake import notify

    settings = settings_of(config)
    person, own, programme = _employee_at(settings, address)
    spoken = _language(programme_of(settings, programme), language)
    row_id = write(settings, order_sample, person, kind, spoken, BY, own)
    notify(settings.site.run, "notifier")
    found = _fate(settings, row_id, wait)
    if as_json:
        show_json({"id": row_id, "language": spoken, **found})
    else:
        say(f"{found['state']}: {found['last_reply'] or 'not tried so far. See: gateway queue list'}")
    if found["state"] == "failed":
        raise typer.Exit(1)


@app.command()
def wishes(
    who: Who,
    language: Annotated[str, typer.Option(help="Two letters, of a language that the programme speaks.")] = "",
    link: Annotated[bool | None, typer.Option("--link/--no-link", help="With a link to the portal or without.")] = None,
    time_zone: Annotated[
        str | None, typer.Option(help='Their own, such as Europe/Zurich; "" for the programme\'s.')
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show how somebody wants to be told, or change it."""
    from gateway.store.people import person_by_id, wishes_of

    settings = settings_of(config)
    person = credentials.require_person(settings, who)
    known = read(settings, lambda rows: person_by_id(rows, person))
    if known is None:
        raise UnknownRecipient(f"{who} is not known here.")
    if language or link is not None or time_zone is not None:
        if language:
            _language(programme_of(settings, known.programme), language)
        if time_zone and not is_zone(time_zone):
            raise Malformed("A time zone is one of the IANA database, such as Europe/Zurich.")
        chosen = {"language": language or None, "wants_link": link, "time_zone": time_zone}
        enact(settings, "choose_notices", person=person, **{key: one for key, one in chosen.items() if one is not None})
    kept = read(settings, lambda rows: wishes_of(rows, person))
    facts = {"language": kept.language, "link": kept.wants_link, "time_zone": kept.time_zone or "the programme's"}
    show_facts(facts, as_json=as_json)


def _language(programme: Programme, wanted: str) -> str:
    if wanted and wanted not in programme.languages:
        raise Malformed(f"{programme.key} speaks {', '.join(programme.languages)}.")
    return wanted or programme.languages[0]


def _employee_at(settings: Settings, text: str) -> tuple[str, str, str]:
    """Return the employee at an address: their id, the address as it is kept, their programme."""
    from gateway.store.people import addresses_of, people_by_address

    address = parse_address(text)
    found = read(settings, lambda rows: people_by_address(rows, address.key, now_us()))
    employee = next((one for one in found if one.side is Side.OFFICE), None)
    if employee is None:
        raise UnknownRecipient("No employee has this address, and a sample goes to nobody else.")
    own = read(settings, lambda rows: addresses_of(rows, [employee.id], now_us()))[employee.id]
    kept = next(one for one in own if parse_address(one).key == address.key)
    return employee.id, kept, employee.programme


def _fate(settings: Settings, row_id: str, seconds: float) -> dict[str, Any]:
    """Return what became of a row of the outbox, after at most so many seconds."""
    from sqlalchemy import select

    from gateway.store.outbox import OutboxState
    from gateway.store.tables import outbox

    columns = (outbox.c.state, outbox.c.attempts, outbox.c.settled_us, outbox.c.last_reply)
    until = time.monotonic() + seconds
    while True:
        row = read(settings, lambda rows: rows.execute(select(*columns).where(outbox.c.id == row_id)).one())
        state = OutboxState(row.state)
        if state is not OutboxState.WAITING or row.last_reply or time.monotonic() >= until:
            return {
                "state": state.name.lower(), "attempts": row.attempts, "settled": instant(row.settled_us),
                "last_reply": row.last_reply,
            }  # fmt: skip
        time.sleep(0.25)
