"""`gateway intake cover-sheet, cover-sheets, letter`: what is printed for people who fax, and what was made of it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.asking import programme_of, programmes_of, read, settings_of, write
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath
from gateway.cli.output import instant, now_us, say, show_json, show_rows, today
from gateway.domain.clock import from_microseconds
from gateway.domain.cover_sheet import DAYS, MOST_DAYS, MOST_SHEETS
from gateway.domain.letter import Reason, Received
from gateway.domain.notice import PRODUCTION

sheets = typer.Typer(no_args_is_help=True, help="Cover sheets that were made: list, withdraw.")
MOST = 500
STDOUT = Path("-")

Output = Annotated[Path, typer.Option("--output", metavar="FILE", help="Where the PDF goes; - for standard output.")]
Language = Annotated[str, typer.Option(help="The language, if not the programme's first.")]


def cover_sheet(
    output: Output,
    cases: Annotated[list[str] | None, typer.Argument(metavar="CASE...", help="References of open cases.")] = None,
    agreement: Annotated[
        list[str] | None, typer.Option("--agreement", metavar="REF", help="For documents of an agreement.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=MOST_SHEETS, help="So many sheets for each.")] = 1,
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="For how many days they are good.")] = DAYS,
    language: Language = "",
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Make cover sheets to fax documents by. A page each, as one PDF. This is put on record."""
    from gateway.casework.cover_sheets import make_sheets
    from gateway.letters.wording import Letters

    settings = settings_of(config)
    programmes = programmes_of(settings)
    lines = frozenset(key for key, one in programmes.items() if one.fax)
    trial = settings.site.environment != PRODUCTION
    letters = Letters(settings.site.environment)
    _require_room(output)
    made = write(settings, make_sheets, cases or [], agreement or [], count=count, days=days, lines=lines, trial=trial)
    told = [(one.reference, from_microseconds(one.expires_us)) for one in made]
    _put(output, letters.cover_sheets(programmes[made[0].programme], language, told))
    if output != STDOUT:
        for one in made:
            say(f"{one.reference} is for {one.place}, good until {instant(one.expires_us)}.")


@sheets.command("list")
def list_(
    known_as: Annotated[str, typer.Argument(metavar="[REF]", help="Of this case or agreement, or this one.")] = "",
    all_of_them: Annotated[bool, typer.Option("--all", help="Those that were withdrawn, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="At most so many, the newest.")] = MOST,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """List cover sheets, the newest first."""
    from gateway.store.cover_sheets import sheets as made

    found = read(settings_of(config), lambda rows: made(rows, known_as=known_as, all_of_them=all_of_them, limit=limit))
    now = now_us()
    shown = [
        {
            "sheet": row.reference, "for": row.case_reference or row.agreement_reference,
            "state": "withdrawn" if row.withdrawn_us else "good" if row.expires_us > now else "over",
            "made": instant(row.made_us), "made_by": row.made_by, "until": instant(row.expires_us),
        }
        for row in found
    ]  # fmt: skip
    columns = {
        "sheet": "SHEET", "for": "FOR", "state": "STATE", "made": "MADE", "made_by": "BY", "until": "UNTIL",
    }  # fmt: skip
    show_rows(shown, columns, as_json=as_json, nothing="no cover sheets")


@sheets.command()
def withdraw(
    references: Annotated[list[str], typer.Argument(metavar="SHEET...", help="References such as CS-7K2Q-9F4T.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Withdraw cover sheets: what is faxed by them proposes nothing from now on. This is put on record."""
    from gateway.casework.cover_sheets import withdraw_sheets

    withdrawn = write(settings_of(config), withdraw_sheets, references)
    if as_json:
        show_json({"withdrawn": withdrawn})
    else:
        say(f"Withdrawn: {', '.join(withdrawn) or 'none that was still good'}")


def letter(
    item: Annotated[str, typer.Argument(metavar="ITEM", help="The reference that list shows, such as U-7K2Q-9F4T.")],
    output: Output,
    reason: Annotated[Reason, typer.Option(help="What the letter says.")] = Reason.RECEIVED,
    programme: Annotated[str, typer.Option(help="Which programme writes, where several run.")] = "",
    language: Language = "",
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Make a letter to the sender of a fax. They have no account, and it tells nothing of it. This is put on record."""
    from gateway.casework.acknowledging import enter_letter
    from gateway.letters.wording import Letters

    settings = settings_of(config)
    writer = programme_of(settings, programme)
    letters = Letters(settings.site.environment)
    _require_room(output)
    told = write(settings, enter_letter, item, reason.value, writer.language_for(language))
    fax = Received(told.reference, from_microseconds(told.at_us), told.is_own_time)
    _put(output, letters.letter(writer, language, reason, fax, today()))
    if output != STDOUT:
        say(f"The letter about {told.reference} is in {output}: received {instant(told.at_us)}.")


def _require_room(output: Path) -> None:
    """Raise BadParameter where a PDF cannot be written, before anything is entered."""
    if output == STDOUT:
        if sys.stdout.isatty():
            raise typer.BadParameter("A PDF is for a file or a program: --output FILE.pdf, or a pipe.")
    elif output.is_dir() or not os.access(output if output.exists() else output.parent, os.W_OK):
        raise typer.BadParameter(f"{output} cannot be written.")


def _put(output: Path, octets: bytes) -> None:
    if output == STDOUT:
        sys.stdout.buffer.write(octets)
        sys.stdout.buffer.flush()
    else:
        output.write_bytes(octets)
