"""`gateway intake`: mail from outside and faxes that wait for somebody to look, and what becomes of them.

What a stranger wrote is printed without the characters that could steer a terminal.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import intake_desk, intake_fax, intake_paper, intake_recognition
from gateway.cli.asking import operator_of_keyholder, read, settings_of
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath
from gateway.cli.output import instant, now_us, say, show_facts, show_json, show_rows
from gateway.cli.site_reports import tls_report_facts
from gateway.config import Settings
from gateway.domain.errors import UnknownRecipient
from gateway.domain.intake import Tray
from gateway.mime.automatic import AutomaticKind

if TYPE_CHECKING:
    from sqlalchemy import Row

    from gateway.domain.summary import Mailbox, Summary
    from gateway.keyholder.protocol import OpenGrant
    from gateway.portal.vault import SealedOctets

app = typer.Typer(
    no_args_is_help=True, help="Mail from outside and faxes that wait: list, show, file, discard, put back."
)
for _verb in (intake_desk.claim, intake_desk.release, intake_desk.pages, intake_desk.misdirect, intake_desk.undo):
    app.command()(_verb)
app.command("try")(intake_fax.try_)
app.command()(intake_fax.sources)
app.command()(intake_fax.reports)
app.command()(intake_fax.octets)
app.command()(intake_recognition.recognise)
app.command("cover-sheet")(intake_paper.cover_sheet)
app.command()(intake_paper.letter)
app.add_typer(intake_paper.sheets, name="cover-sheets")

Item = Annotated[str, typer.Argument(metavar="ITEM", help="The reference that list shows, such as U-7K2Q-9F4T.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
MOST = 100
_MINUTE_US = 60_000_000
_SPANS = ((24 * 60, "d"), (60, "h"), (1, "min"))


@app.command("list")
def list_(
    tray: Annotated[Tray | None, typer.Option(help="Of this tray only.")] = None,
    summaries: Annotated[
        bool, typer.Option("--summaries", help="Open who wrote it and its subject, too. This is put on record.")
    ] = False,
    discarded: Annotated[bool, typer.Option("--discarded", help="What was discarded, in place of what waits.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="At most so many, the oldest.")] = MOST,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """List what waits, the oldest first."""
    from gateway.store.fax import facts_of
    from gateway.store.intake import items

    settings = settings_of(config)
    found = read(settings, lambda rows: items(rows, tray, discarded=discarded, limit=limit))
    opened = _summaries(settings, found) if summaries and found else {}
    faxes = read(settings, lambda rows: facts_of(rows, [row.id for row in found]))
    shown = [_facts(row) | intake_fax.fax_columns(faxes, row.id) | _headline(opened.get(row.id)) for row in found]
    columns = {
        "item": "ITEM", "age": "AGE", "tray": "TRAY", "kind": "KIND", "proposed": "PROPOSED CASE",
        "proposed_by": "BY ITS", "sender": "SENDER", "octets": "OCTETS",
    }  # fmt: skip
    columns |= {"source": "SOURCE", "pages": "PAGES", "review": "FOR REVIEW"} if faxes else {}
    columns |= {"from": "FROM (AS IT SAYS)", "subject": "SUBJECT"} if summaries else {}
    show_rows(shown, columns, as_json=as_json, nothing="nothing waits")


@app.command()
def show(
    item: Item,
    text: Annotated[bool, typer.Option("--text", help="Its text, too.")] = False,
    fields: intake_recognition.Fields = False,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Open one item and show what it is. Who says to have written it, to whom, its attachments, of a fax also what
    its pages seem to be. This is put on record.
    """
    from gateway.store.fax import facts_of, repeats_of

    settings = settings_of(config)
    row = _row(settings, item)
    faxes = read(settings, lambda rows: facts_of(rows, [row.id]))
    facts = _facts(row) | intake_fax.fax_columns(faxes, row.id)
    if faxes:
        facts["repeats"] = read(settings, lambda rows: repeats_of(rows, row.id))
    if row.case_id is None:
        grant = operator_of_keyholder(settings, lambda keyholder: keyholder.intake_open(row.reference))
        summary = _summary(grant.summary_key, row)
        facts |= _headline(summary) | _details(summary) | intake_fax.fax_details(summary.fax)
        facts |= intake_recognition.recognised_facts(settings, row.id, summary, fields=fields)
        if row.kind == AutomaticKind.TLS_REPORT:
            facts |= tls_report_facts(summary.part_map, _octets(settings, grant))
        words = _text(settings, grant, summary) if text else ""
    else:
        words = f"It is filed as {row.filed_as}: the employees of that case read it in the portal." if text else ""
    if as_json:
        show_json(facts | ({"text": words} if text else {}))
        return
    show_facts(intake_recognition.in_words(facts), as_json=False)
    if text:
        say()
        say(words)


@app.command()
def file(
    item: Item,
    case: Annotated[str, typer.Argument(metavar="CASE", help="The case's reference.")],
    yes: Yes = False,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Put an item into a case. Its employees can read it from then on, and are told."""
    settings = settings_of(config)
    row = _row(settings, item)
    named = f"{row.reference} was proposed for {row.proposed}" if row.proposed else f"{row.reference} names no case"
    _confirm(f"{named}. Show it to the employees of {case.strip().upper()}, marked as unverified?", yes=yes)
    done = operator_of_keyholder(settings, lambda keyholder: keyholder.intake_file(row.reference, case))
    if as_json:
        show_json({"item": row.reference, **done})
    elif done["repeated"]:
        say(f"{row.reference} is filed there already, as {done['reference']}.")
    else:
        say(f"{row.reference} is filed as {done['reference']}. Employees told: {done['told']}")
        say(f"If that was the wrong case: gateway intake put-back {row.reference}")


@app.command()
def discard(item: Item, yes: Yes = False, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Hide an item from its tray. It is kept, sealed, and can be put back."""
    settings = settings_of(config)
    row = _row(settings, item)
    _confirm(f"Discard {row.reference}, which has waited for {_age(row)}? Its sender is not told.", yes=yes)
    done = operator_of_keyholder(settings, lambda keyholder: keyholder.intake_discard(row.reference))
    if as_json:
        show_json({"item": row.reference, "discarded": True, "repeated": not done})
    else:
        say(f"{row.reference} is discarded. To undo it: gateway intake put-back {row.reference}")


@app.command("put-back")
def put_back(item: Item, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Put a discarded or filed item back. Into its tray: nobody of the case can read it from then on."""
    settings = settings_of(config)
    row = _row(settings, item)
    done = operator_of_keyholder(settings, lambda keyholder: keyholder.intake_put_back(row.reference))
    if as_json:
        show_json({"item": row.reference, "waits": True, "repeated": not done})
    else:
        say(f"{row.reference} waits in the tray again." if done else f"{row.reference} waits in the tray already.")


def open_item(settings: Settings, known_as: str) -> tuple[Summary, SealedOctets]:
    """Open an item of the tray, on record: its summary, and its octets as they came. Raises UnknownRecipient."""
    row = _row(settings, known_as)
    if row.case_id is not None:
        raise UnknownRecipient(f"It is filed as {row.filed_as}: the employees of that case read it in the portal.")
    grant = operator_of_keyholder(settings, lambda keyholder: keyholder.intake_open(row.reference))
    return _summary(grant.summary_key, row), _octets(settings, grant)


def _row(settings: Settings, known_as: str) -> Row[Any]:
    from gateway.store.intake import item

    row = read(settings, lambda rows: item(rows, known_as))
    if row is None:
        raise UnknownRecipient("There is no such item. See: gateway intake list")
    return row


def _confirm(question: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter("Nobody is here to be asked: say --yes.")
    typer.confirm(question, abort=True)


def _facts(row: Row[Any]) -> dict[str, Any]:
    """What is known of an item without opening it."""
    filed = "linked" if row.case_id is None else "filed"
    state = filed if row.filed_us is not None else "discarded" if row.discarded_us is not None else "waits"
    return {
        "item": row.reference,
        "state": state,
        "tray": row.tray,
        "kind": row.kind,
        "received": instant(row.received_us),
        "age": _age(row),
        "octets": row.octets,
        "proposed": row.proposed,
        "proposed_by": row.proposed_by,
        "filed_as": row.filed_as,
        "sender": row.sender_result,
    }


def _age(row: Row[Any]) -> str:
    minutes = max(0, now_us() - row.received_us) // _MINUTE_US
    return next((f"{minutes // span} {unit}" for span, unit in _SPANS if minutes >= span), "0 min")


def _summaries(settings: Settings, rows: Any) -> dict[str, Summary]:
    ids = [row.id for row in rows]
    grants = operator_of_keyholder(settings, lambda keyholder: keyholder.intake_summaries(ids))
    keys = {grant.message_id: grant.summary_key for grant in grants}
    return {row.id: _summary(keys[row.id], row) for row in rows if row.id in keys}


def _summary(key: bytes, row: Row[Any]) -> Summary:
    from gateway.domain.summary import Summary
    from gateway.store.sealing import open_box, summary_context

    return Summary.from_bytes(open_box(key, bytes(row.sealed_summary), summary_context(row.id)))


def _headline(summary: Summary | None) -> dict[str, Any]:
    if summary is None:
        return {}
    return {"from": _box(summary.author), "subject": _line(summary.subject)}


def _details(summary: Summary) -> dict[str, Any]:
    came = summary.arrival
    arrival = {} if came is None else {
        "envelope_sender": _line(came.sender) or "<>",
        "envelope_recipients": [_line(one) for one in came.recipients],
        "helo": _line(came.helo),
        "peer": _line(came.address),
        "authentication": _line(came.authentication),
    }  # fmt: skip
    return {
        "to": [_box(box) for box in summary.to],
        "cc": [_box(box) for box in summary.cc],
        "dated": instant(summary.date_us),
        "attachments": [_line(part.filename or part.media_type) for part in summary.part_map.attachments()],
        **arrival,
    }


def _text(settings: Settings, grant: OpenGrant, summary: Summary) -> str:
    """Return what the mail says, as text: of formatted text alone its words."""
    import nh3

    from gateway.portal.content import PartOctets, shown_text

    best = summary.part_map.best_text()
    part = best.plain or best.html
    if part is None:
        return "(no text)"
    shown = shown_text(PartOctets(part, _octets(settings, grant)))
    words = shown.text
    if best.plain is None:
        from html import unescape

        words = unescape(nh3.clean(words, tags=set(), clean_content_tags={"script", "style"}))
    more = "\n(The text goes on.)" if shown.is_cut else ""
    return "\n".join(_line(line) for line in words.splitlines()) + more


def _octets(settings: Settings, grant: OpenGrant) -> SealedOctets:
    from gateway.opening import open_blobs
    from gateway.portal.vault import SealedOctets
    from gateway.store.messages import segments_of
    from gateway.store.segments import SegmentReader

    blobs = open_blobs(settings)
    rows = read(settings, lambda connection: segments_of(connection, grant.message_id))
    return SealedOctets([SegmentReader(blobs, row, grant.key) for row in rows])


def _box(box: Mailbox) -> str:
    return _line(f"{box.name} <{box.address}>" if box.name else box.address)


def _line(text: str) -> str:
    """Return text as one line without control, bidirectional and other unseen characters."""
    return "".join(one if one.isprintable() else " " for one in text)
