"""What the parts of a mail are called: "body", "attachment 2", "attachment 1, body"; never by a name they bear."""

from __future__ import annotations

from typing import Final

from gateway.domain.partmap import MESSAGE_TYPES, Part
from gateway.mime.structure import Structure

_BODY_TYPES: Final = ("text/plain", "text/html", "text/enriched", "text/richtext", "text/x-amp-html")


def places_of(structure: Structure, prefix: str = "") -> dict[str, str]:
    """The place of every part by its path. Attachments are counted as they come, those of an attached message anew."""
    places: dict[str, str] = {}
    scopes: dict[str, str] = {}
    counts: dict[str, int] = {}
    for part in structure.part_map.parts:
        scope = _scope(part.path, scopes)
        begin = scopes.get(scope, prefix)
        if part.is_container:
            places[part.path] = begin + "structure"
        elif _is_body(part):
            places[part.path] = begin + "body"
        else:
            counts[scope] = counts.get(scope, 0) + 1
            places[part.path] = f"{begin}attachment {counts[scope]}"
        if part.media_type in MESSAGE_TYPES:
            scopes[part.path] = places[part.path] + ", "
    return places


def _scope(path: str, scopes: dict[str, str]) -> str:
    """The path of the innermost attached message that this part is in; "" for those of the mail itself."""
    while path:
        path = path.rpartition(".")[0]
        if path in scopes:
            return path
    return ""


def _is_body(part: Part) -> bool:
    return part.media_type in _BODY_TYPES and part.disposition != "attachment" and not part.filename
