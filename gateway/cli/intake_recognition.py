"""`gateway intake recognise`, and what `show` tells of a fax: which forms its pages seem to be, what may stand in them.

All of it is a suggestion of a machine, and is printed as such.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.asking import programmes_of, read, settings_of
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath
from gateway.cli.output import instant, say, show_facts, show_json
from gateway.domain.errors import Malformed

if TYPE_CHECKING:
    from gateway.config import Settings
    from gateway.domain.recognition import Recognition, Section, Suggestion
    from gateway.domain.summary import Summary

Fields = Annotated[bool, typer.Option("--fields", help="What may stand in the fields of its forms, too.")]
NOTHING = "nothing so far"
_CHILD_SECONDS = 120.0  # they have to be loaded first


def recognise(
    item: Annotated[str, typer.Argument(metavar="ITEM", help="The reference that list shows.")],
    fields: Fields = False,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Have a fax's pages recognised anew. Shows what they seem to be. This is put on record."""
    from gateway.cli.intake import open_item
    from gateway.store.intake import item as intake_item

    settings = settings_of(config)
    summary, octets = open_item(settings, item)
    row = read(settings, lambda rows: intake_item(rows, item))
    if row is None or summary.fax is None:
        raise Malformed("It is no fax.")
    found = asyncio.run(_recognised(settings, row.id, summary, b"".join(octets.read(0, octets.length))))
    facts = {"item": row.reference, "kept": summary.own_key is not None} | _facts(found, fields=fields)
    _show(facts, as_json=as_json)


def recognised_facts(settings: Settings, message_id: str, summary: Summary, *, fields: bool) -> dict[str, Any]:
    """Return what was recognised of an open fax, nothing for what is none."""
    from gateway.store.recognition import open_recognition, recognition_row

    if summary.fax is None:
        return {}
    row = read(settings, lambda rows: recognition_row(rows, message_id))
    found = open_recognition(summary, row)
    if found is None or row is None:
        return {"recognised": NOTHING}
    return {"recognised": instant(row.recognised_us)} | _facts(found, fields=fields)


def in_words(facts: dict[str, Any]) -> dict[str, Any]:
    """Return facts as people are shown them: a section, and what may stand in its fields, in a line each."""
    shown = {name: value for name, value in facts.items() if name != "sections"}
    for number, section in enumerate(facts.get("sections", ()), 1):
        pages = ", ".join(map(str, section["pages"]))
        what = section["form"] or section["sort"]
        edition = f" ({section['edition']})" if section["edition"] else ""
        reference = f" {section['reference']}" if section["reference"] else ""
        signed = "".join(f", signature field of page {page}: {state}" for page, state in section["signatures"].items())
        shown[f"section_{number}"] = f"{what}{edition}{reference}: pages {pages}, {section['confidence']} %{signed}"
        for at, one in enumerate(section.get("fields", ()), 1):
            row = f" {one['row']}" if one["row"] else ""
            told = f"{one['field']}{row}: {one['value']} ({one['confidence']} %, page {one['page']})"
            shown[f"section_{number}_field_{at}"] = told
    return shown


def _show(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(facts)
        return
    show_facts(in_words(facts), as_json=False)
    if not facts["kept"]:
        say("It came before faxes had keys of their own: this is shown, and not kept.")


def _facts(found: Recognition, *, fields: bool) -> dict[str, Any]:
    return {
        "all_pages_read": found.complete,
        "pages_recognised": len(found.pages),
        "sections": [dict(_section(one, fields=fields)) for one in found.sections],
    }


def _section(section: Section, *, fields: bool) -> Iterator[tuple[str, Any]]:
    yield from (("form", section.form), ("sort", section.sort.value), ("pages", list(section.pages)))
    yield from (("confidence", section.confidence), ("edition", section.edition), ("reference", section.reference))
    yield "signatures", {str(one.page): "drawn" if one.drawn else "empty" for one in section.signatures}
    if fields:
        yield "fields", [_field(one) for one in section.likely]


def _field(one: Suggestion) -> dict[str, Any]:
    return {
        "field": one.field, "row": one.row, "value": one.value, "confidence": one.confidence, "page": one.page,
    }  # fmt: skip


async def _recognised(settings: Settings, message_id: str, summary: Summary, octets: bytes) -> Recognition:
    """Have locked children read the pages, as the program does, and enter what they find."""
    from gateway.casework.act import OPERATOR
    from gateway.casework.recognising import recognise_now
    from gateway.domain.layout import joined
    from gateway.screening.pool import Patience, Pool, Sizes
    from gateway.store.database import Database

    layouts = joined(one.layouts for one in programmes_of(settings).values())
    pool = Pool(sizes=Sizes.by_cores(1, settings.screening.page_children), patience=Patience(child=_CHILD_SECONDS))
    database = Database(settings.store.url)
    try:
        pool.start_soon(pages=True)
        return await recognise_now(database, pool, layouts, message_id, summary, octets, by=OPERATOR, proposes=True)
    finally:
        await pool.close()
        await asyncio.to_thread(database.close)
