"""`gateway intake claim`, `release`, `pages`, `misdirect`, `undo`: what clerks do at the intake desk, for operators."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from gateway.casework.handling import REASONS
from gateway.cli.asking import operator_of_keyholder, read, settings_of
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath
from gateway.cli.output import instant, say, show_json

Item = Annotated[str, typer.Argument(metavar="ITEM", help="The reference that list shows, such as U-7K2Q-9F4T.")]
_TURN = re.compile(r"([0-9]{1,4})=(0|90|180|270)\Z")


def claim(
    item: Item,
    take_over: Annotated[bool, typer.Option("--take-over", help="Also where somebody else has claimed it.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Claim an item. Nobody else at the desk works on it for as long as a claim holds."""
    settings = settings_of(config)
    minutes = settings.portal.claim_minutes
    asked = {"item": item, "minutes": minutes, "take_over": take_over}
    done = operator_of_keyholder(settings, lambda keyholder: keyholder.enact("claim_item", **asked))
    if as_json:
        show_json(done)
    else:
        say(f"{done['item']} is claimed until {instant(done['until_us'])}.")


def release(item: Item, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Give a claim back, whoever has it."""
    done = operator_of_keyholder(settings_of(config), lambda keyholder: keyholder.enact("release_item", item=item))
    if as_json:
        show_json(done)
    else:
        say(f"{done['item']} is free." if done["released"] else f"Nobody has claimed {done['item']}.")


def pages(
    item: Item,
    sections: Annotated[
        list[str] | None,
        typer.Option("--section", metavar="PAGES", help="Pages that belong together, such as 1-2 or 1,4; repeat it."),
    ] = None,
    turns: Annotated[
        list[str] | None, typer.Option("--turn", metavar="PAGE=DEGREES", help="Turn a page clockwise; repeat it.")
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Put an item's pages in sections, and turn them. In place of what a machine or somebody else has made of them."""
    from gateway.store.handling import arrangement_of
    from gateway.store.intake import item as row_of

    if not sections and not turns:
        raise typer.BadParameter("Say --section or --turn.")
    settings = settings_of(config)
    row = read(settings, lambda rows: row_of(rows, item))
    before = read(settings, lambda rows: arrangement_of(rows, row.id if row is not None else ""))
    turned = dict(before.turns) | {int(page): int(degrees) for page, degrees in map(_turn, turns or [])}
    put = [_pages(one) for one in sections] if sections else [list(one) for one in before.sections]
    asked = {
        "item": item,
        "kind": "split" if sections else "turned",
        "sections": [" ".join(map(str, one)) for one in put],
        "turns": {str(page): str(degrees) for page, degrees in turned.items()},
        "version": before.version,
    }
    done = operator_of_keyholder(settings, lambda keyholder: keyholder.enact("arrange_item", **asked))
    if as_json:
        show_json(done)
    else:
        say(f"The pages of {done['item']} are put so. To undo it: gateway intake undo {done['item']}")


def misdirect(
    item: Item,
    reason: Annotated[str, typer.Option(help=f"One of {', '.join(REASONS)}.")] = REASONS[0],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Note that an item was meant for somebody else. It leaves the tray and is kept, sealed."""
    asked = {"item": item, "reason": reason}
    done = operator_of_keyholder(settings_of(config), lambda keyholder: keyholder.enact("misdirect_item", **asked))
    if as_json:
        show_json(done)
    else:
        say(f"{done['item']} is marked as misdirected. To undo it: gateway intake undo {done['item']}")


def undo(item: Item, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Undo the latest act on an item. For ten minutes: it goes back to where it was."""
    act = operator_of_keyholder(settings_of(config), lambda keyholder: keyholder.intake_undo(item))
    if as_json:
        show_json({"item": item, "undone": act})
    else:
        say(f"Undone: {act}.")


def _pages(text: str) -> list[int]:
    found: list[int] = []
    for one in text.split(","):
        first, _, last = one.strip().partition("-")
        if not first.isdigit() or not (last or first).isdigit() or len(text) > 200:
            raise typer.BadParameter("Pages are written as 1-2 or 1,4.")
        found += range(int(first), int(last or first) + 1)
    return found


def _turn(text: str) -> tuple[str, str]:
    found = _TURN.match(text)
    if found is None:
        raise typer.BadParameter("A turn is written as 3=180: 0, 90, 180 or 270 degrees.")
    return found[1], found[2]
