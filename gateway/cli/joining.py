"""`gateway enrolment funnel`: how many of those who were invited came how far, and who stands still where."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from gateway.cli.asking import authority_of, programme_of, read, settings_of
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, ProgrammeKey
from gateway.cli.output import instant, now_us, say, show_json, show_rows
from gateway.domain.enrolment import Stage

_WORDS = {
    Stage.INVITED: "invited",
    Stage.STARTED: "typed the code",
    Stage.CHOSEN: "signed in by a way of their own",
    Stage.AGREED: "agreed to the terms",
    Stage.FINISHED: "through, with access to the inbox",
}


def funnel(
    days: Annotated[int, typer.Option(min=1, max=4000, help="Of those first invited in so many days.")] = 90,
    programme: ProgrammeKey = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show how far those who were invited came. Counts of each stage, and who waits where."""
    from gateway.store.funnel import funnel as figures

    settings = settings_of(config)
    key = programme_of(settings, programme).key if programme else None
    since_us = now_us() - timedelta(days=days) // timedelta(microseconds=1)
    found = read(settings, lambda rows: figures(rows, authority_of(settings), key, since_us))
    waiting = [
        {"user": one.user, "stage": one.stage.value, "since": instant(one.since_us), "way": one.way}
        for one in found.waiting
    ]
    hours = None if found.median_us is None else round(found.median_us / 3_600_000_000, 1)
    if as_json:
        counts = {"reached": dict(found.reached), "stopped": dict(found.stopped), "gone": found.gone}
        show_json({**counts, "median_hours": hours, "waiting": waiting})
        return
    stages = [
        {"stage": _WORDS[stage], "reached": found.reached[stage], "stopped": found.stopped.get(stage, "")}
        for stage in Stage
    ]
    show_rows(stages, {"stage": "STAGE", "reached": "CAME SO FAR", "stopped": "WAIT HERE"}, as_json=False, nothing="")
    if found.gone:
        say(f"{found.gone} were taken out before they were through.")
    if found.median_minutes is not None:
        took = f"{hours} hours" if found.median_minutes >= 60 else f"{found.median_minutes} min"
        say(f"Half of those who are through took no more than {took}.")
    say()
    show_rows(
        waiting,
        {"user": "USER", "stage": "CAME TO", "since": "SINCE", "way": "WAY"},
        as_json=False,
        nothing="nobody waits on the way",
    )
