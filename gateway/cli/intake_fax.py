"""`gateway intake try, sources, reports, octets`: how fax mail is read, how its sources do, what they are told, and a
document as it came.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.asking import read, settings_of
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath
from gateway.cli.output import instant, now_us, say, show_facts, show_json, show_rows
from gateway.domain.errors import Malformed, UnknownRecipient
from gateway.domain.fax import CLOCK_US, DocumentKind, Outcome
from gateway.domain.fax_profile import Field

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from gateway.config import FaxSettings
    from gateway.domain.fax import Fax
    from gateway.mime.fax.reading import FaxMail, File
    from gateway.store.fax import SourceCount

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="Fax mails, each as it came, in a file of its own.")
]
MAX_OCTETS = 200 * 1024 * 1024
MOST_REPORTS = 1_000


def try_(
    files: Files,
    profile: Annotated[str, typer.Option(help="Read them by this profile, whatever they say.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show what would be read of fax mails. By which rule, and the lines of the profile; nothing is kept."""
    from gateway.mime.fax.reading import read_fax

    own = settings_of(config).fax
    profiles = own.profiles if own else ()
    mails = {path: read_fax(_octets_of(path), profiles, profile=profile) for path in files}
    counted = asyncio.run(_counted([file for mail in mails.values() for file in mail.files]))
    told = [_tried(path, mail, counted) for path, mail in mails.items()]
    if as_json:
        show_json(told)
        return
    for facts, mail in zip(told, mails.values(), strict=True):
        show_facts(facts, as_json=False)
        say()
        for line in mail.profile.lines():
            say(line)
        say()


def sources(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List where faxes come from. What each brought, what waits of it, when the last one came."""
    own = settings_of(config).fax
    found = read(settings_of(config), lambda rows: [_source(rows, one, own) for one in _counts(rows, own)])
    columns = {
        "source": "SOURCE", "state": "STATE", "received": "RECEIVED", "filed": "FILED", "repeated": "REPEATED",
        "failures": "FAILURES", "left": "LEFT", "review": "FOR REVIEW", "recognised": "RECOGNISED",
        "unrecognised": "TO RECOGNISE", "waiting": "WAITING", "oldest": "OLDEST", "last": "LAST", "clock": "CLOCK",
    }  # fmt: skip
    show_rows(found, columns, as_json=as_json, nothing="no source is named, and none ever brought anything")


def reports(
    ended: Annotated[bool, typer.Option("--all", help="Those that were sent or given up, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST_REPORTS, help="At most so many, the newest.")] = 100,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """List the reports that wait for fax servers. These asked for them. What they name stays sealed."""
    from gateway.store.fax_reports import listed

    found = read(settings_of(config), lambda rows: listed(rows, ended=ended, limit=limit))
    columns = {
        "report": "REPORT", "source": "SOURCE", "asked": "ASKED", "state": "STATE", "attempts": "ATTEMPTS",
        "next": "NEXT OR ENDED", "answer": "LAST ANSWER",
    }  # fmt: skip
    nothing = "no report was asked for" if ended else "no report waits"
    show_rows([_report(row) for row in found], columns, as_json=as_json, nothing=nothing)


def octets(
    item: Annotated[str, typer.Argument(metavar="ITEM", help="The reference that list shows.")],
    part: Annotated[str, typer.Argument(metavar="[PART]", help="A part that show names; without it the whole.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Write an item to standard output as it came. Or one part of it, octet for octet. This is put on record."""
    from gateway.cli.intake import open_item

    if sys.stdout.isatty():
        raise typer.BadParameter("These octets are for a file or a program: > FILE, or a pipe.")
    from gateway.portal.content import PartOctets

    summary, sealed = open_item(settings_of(config), item)
    if not part:
        pieces = sealed.read(0, sealed.length)
    else:
        named = next((one for one in summary.part_map.parts if one.path == part), None)
        if named is None:
            raise UnknownRecipient("It has no such part. See: gateway intake show")
        pieces = PartOctets(named, sealed).decoded()
    for piece in pieces:
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def fax_columns(rows: Mapping[str, Row[Any]], message_id: str) -> dict[str, Any]:
    """What is known of a fax without opening it; nothing for what is none."""
    row = rows.get(message_id)
    if row is None:
        return {}
    pages = "?" if row.pages_counted is None else str(row.pages_counted)
    claimed = "" if row.pages_claimed in (None, row.pages_counted) else f" of {row.pages_claimed}"
    return {"source": row.source, "pages": pages + claimed, "review": row.review, "fax_received": instant(row.told_us)}


def fax_details(fax: Fax | None) -> dict[str, Any]:
    """What a fax tells of its sender, once it is opened: nothing of it is proven."""
    if fax is None:
        return {}
    return {
        "profile": fax.profile, "calling": fax.calling, "called": fax.called, "station": fax.station, "job": fax.job,
        "documents": [_document(one.path, one.kind, one.pages, one.copy_of) for one in fax.documents],
    }  # fmt: skip


def _counts(rows: Connection, own: FaxSettings | None) -> list[SourceCount]:
    from gateway.store.fax import source_counts

    return source_counts(rows, [one.name for one in own.sources] if own else [])


def _report(row: Row[Any]) -> dict[str, Any]:
    from gateway.store.fax_reports import ReportState

    state = ReportState(row.state)
    return {
        "report": row.id, "source": row.source, "asked": instant(row.created_us), "state": state.name.lower(),
        "attempts": row.attempts, "answer": row.last_reply or "",
        "next": instant(row.due_us) if state is ReportState.WAITING else instant(row.settled_us),
    }  # fmt: skip


def _source(rows: Connection, count: SourceCount, own: FaxSettings | None) -> dict[str, Any]:
    from gateway.inbound.fax.alarms import silent_after_us
    from gateway.store.fax import clock_offset_us, rhythm

    named = next((one for one in own.sources if one.name == count.source), None) if own else None
    found = rhythm(rows, count.source, now_us())
    is_silent = named and found and found.is_silent(now_us(), silent_after_us(named))
    state = "not configured" if named is None else "silent" if is_silent else "ok" if count.last_us else "nothing yet"
    return {
        "source": count.source, "state": state, "received": count.received, "review": count.review,
        "filed": count.outcomes.get(Outcome.FILED, 0), "repeated": count.outcomes.get(Outcome.REPEATED, 0),
        "failures": count.outcomes.get(Outcome.FAILURE, 0), "left": count.outcomes.get(Outcome.LEFT, 0),
        "recognised": count.recognised, "unrecognised": count.unrecognised, "waiting": count.waiting,
        "oldest": instant(count.oldest_us), "last": instant(count.last_us),
        "clock": _clock(clock_offset_us(rows, count.source)),
    }  # fmt: skip


def _clock(before_us: int | None) -> str:
    """Say how a source's clock goes: nothing where that is not known."""
    if before_us is None:
        return ""
    if abs(before_us) <= CLOCK_US:
        return "ok"
    return f"{abs(before_us) // 60_000_000} min {'before' if before_us > 0 else 'behind'}"


def _octets_of(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            found = stream.read(MAX_OCTETS + 1)
    except OSError as problem:
        raise Malformed(f"{path}: {problem.strerror}.") from None
    if len(found) > MAX_OCTETS:
        raise Malformed(f"{path} is too long.")
    return found


async def _counted(files: Sequence[File]) -> dict[int, int | None]:
    """Have the PDFs among the files counted, in a child as the program does; by the identity of each file."""
    from gateway.screening.pool import Pool, Sizes

    wanted = [file for file in files if file.document.kind is DocumentKind.PDF]
    if not wanted:
        return {}
    pool = Pool(sizes=Sizes(1, 1))
    pool.start_soon()
    try:
        return {id(file): await pool.count_pages(file.octets) for file in wanted}
    finally:
        await pool.close()


def _tried(path: Path, mail: FaxMail, counted: Mapping[int, int | None]) -> dict[str, Any]:
    from gateway.mime.fax.reading import conclude

    files = [
        replace(
            file,
            document=replace(file.document, pages=counted[id(file)]),
            fault="" if counted[id(file)] else "no pages",
        )
        if id(file) in counted
        else file
        for file in mail.files
    ]
    fax = conclude(mail, files)
    facts: dict[str, Any] = {"file": str(path), "profile": f"{fax.profile}, by {mail.why}"}
    for name in Field:
        found = mail.found.get(name)
        value = instant(fax.told_us) or "" if name is Field.RECEIVED and found else found.value if found else ""
        facts[name.value] = f"{value}    by {found.rule}" if found else ""
    faults = {file.document.path: file.fault for file in files}
    facts["documents"] = [
        _document(one.path, one.kind, one.pages, one.copy_of, faults.get(one.path, "")) for one in fax.documents
    ]
    facts["pages_counted"] = fax.pages_counted
    facts["errors"] = f"by {mail.errors}" if mail.errors else ""
    facts["failure"] = f"by {mail.failure}" if mail.failure else ""
    facts["for_review"] = [str(one) for one in fax.review] if not mail.failure else []
    return facts


def _document(path: str, kind: DocumentKind, pages: int | None, copy_of: str, fault: str = "") -> str:
    words = [f"part {path}: {kind}", "pages not counted" if pages is None else f"{pages} pages"]
    words += [f"a copy of part {copy_of}"] if copy_of else []
    words += [f"cannot be read: {fault}"] if fault else []
    return ", ".join(words)
