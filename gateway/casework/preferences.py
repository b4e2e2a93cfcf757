"""How a person wants to be told: in which language, with or without a link; an employee, which of their messages are
confirmed, how long these wait, and whether replies come to them whole. They choose it themselves.
"""

from __future__ import annotations

import re
from typing import Any

from gateway.casework.act import Act
from gateway.domain.confirmation import MAX_DELAY_MINUTES, Wish
from gateway.domain.errors import Malformed
from gateway.domain.notice import is_zone
from gateway.domain.rights import Side
from gateway.store import tables

_LANGUAGE = re.compile(r"[a-z]{2}\Z")


def choose_notices(
    act: Act,
    *,
    person: str,
    language: str | None = None,
    wants_link: bool | None = None,
    time_zone: str | None = None,
    confirm: str | None = None,
    delay_minutes: int | None = None,
    full_copies: bool | None = None,
) -> dict[str, Any]:
    """Change what is named and leave the rest. An empty `time_zone` is the programme's; `confirm` is a word of Wish;
    `delay_minutes` below 0 are as many as the site has. With `full_copies` an employee is sent replies whole, where
    the site permits that. Raises Malformed.
    """
    row = act.person(person)
    if language is not None and not _LANGUAGE.match(language):
        raise Malformed("A language is two lower-case letters.")
    if time_zone and not is_zone(time_zone):
        raise Malformed("A time zone is one of the IANA database, such as Europe/Zurich.")
    chosen = _of_own_messages(confirm, delay_minutes)
    if full_copies is not None:
        if full_copies and row.side != Side.OFFICE.value:
            raise Malformed("Full copies are for employees.")
        chosen["full_copies"] = int(full_copies)
    if language is not None:
        chosen["language"] = language
    if wants_link is not None:
        chosen["wants_link"] = int(wants_link)
    if time_zone is not None:
        chosen["time_zone"] = time_zone or None
    if chosen:
        act.tx.execute(tables.person.update().where(tables.person.c.id == row.id).values(**chosen))
        act.record("notices_chosen", person=row.id, chosen=sorted(chosen))
    return {"person": row.id}


def _of_own_messages(confirm: str | None, delay_minutes: int | None) -> dict[str, str | int | None]:
    chosen: dict[str, str | int | None] = {}
    if confirm is not None:
        if confirm not in {*Wish}:
            raise Malformed(f"Messages are confirmed: {', '.join(Wish)}.")
        chosen["confirm"] = confirm
    if delay_minutes is not None:
        if delay_minutes > MAX_DELAY_MINUTES:
            raise Malformed(f"A message waits for {MAX_DELAY_MINUTES} minutes at most.")
        chosen["delay_minutes"] = delay_minutes if delay_minutes >= 0 else None
    return chosen
