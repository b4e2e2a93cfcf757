"""Text and HTML of messages made fit for a page: nothing in it runs, nothing in it is fetched.

Plain text keeps its lines, quoted ones are told apart. HTML is cut down by nh3 to structure without styles, pictures or
forms, and then still stands in a sandboxed frame of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import nh3

MAX_SHOWN_OCTETS = 1024 * 1024
_TAGS = set(
    "a abbr b bdi bdo big blockquote br caption center cite code col colgroup dd del details dfn div dl dt em "
    "figcaption figure font h1 h2 h3 h4 h5 h6 hr i ins kbd li mark ol p pre q rp rt ruby s samp small span strike "
    "strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr".split()
)
_DROPPED_WHOLE = set(
    "applet audio canvas embed frame frameset head iframe math noembed noframes noscript object plaintext script "
    "select style svg template textarea title video xmp".split()
)
_ATTRIBUTES = {
    "*": {"dir", "lang"},
    "a": {"href"},
    "ol": {"start", "type", "reversed"},
    "td": {"colspan", "rowspan", "align", "valign"},
    "th": {"colspan", "rowspan", "align", "valign", "scope"},
    "col": {"span"},
    "colgroup": {"span"},
    "time": {"datetime"},
}
_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags=_DROPPED_WHOLE,
    attributes=_ATTRIBUTES,
    url_schemes={"http", "https"},
    url_relative="deny",  # a sender's page has no address that it could be relative to: it would be ours
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
    strip_comments=True,
)


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines of one quoting depth, joined by line feeds; depth 0 is the author's own text."""

    depth: int
    text: str


def passages(text: str) -> list[Passage]:
    """Return the passages of a plain text with LF line ends, in order: own words, quoted words, words quoted twice."""
    found: list[tuple[int, list[str]]] = []
    for line in text.split("\n"):
        depth, content = _quoted(line)
        if found and found[-1][0] == depth:
            found[-1][1].append(content)
        else:
            found.append((depth, [content]))
    return [Passage(depth, "\n".join(lines).strip("\n")) for depth, lines in found if any(lines)]


def frame_document(html: str, style_sheet: str, language: str) -> str:
    """Return a whole document for the sandboxed frame: sender's HTML cut down, our style sheet by its address."""
    body = _CLEANER.clean(html)
    return (
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8"><title>.</title>'
        f'<link rel="stylesheet" href="{escape(style_sheet)}"></head><body>{body}</body></html>'
    )


def _quoted(line: str) -> tuple[int, str]:
    depth = 0
    rest = line
    while rest.startswith(">"):
        depth += 1
        rest = rest[1:].removeprefix(" ")
    return depth, rest
