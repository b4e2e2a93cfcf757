"""How a person wants to be told: in which language, with or without a link. They choose it themselves."""

from __future__ import annotations

import re
from typing import Any

from gateway.casework.act import Act
from gateway.domain.errors import Malformed
from gateway.domain.notice import is_zone
from gateway.store import tables

_LANGUAGE = re.compile(r"[a-z]{2}\Z")


def choose_notices(
    act: Act,
    *,
    person: str,
    language: str | None = None,
    wants_link: bool | None = None,
    time_zone: str | None = None,
) -> dict[str, Any]:
    """Change what is named and leave the rest. An empty `time_zone` is the programme's. Raises Malformed."""
    row = act.person(person)
    if language is not None and not _LANGUAGE.match(language):
        raise Malformed("A language is two lower-case letters.")
    if time_zone and not is_zone(time_zone):
        raise Malformed("A time zone is one of the IANA database, such as Europe/Zurich.")
    chosen: dict[str, str | int | None] = {}
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
