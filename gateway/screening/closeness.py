"""How close a label is to a number: 1 beside it, less with words, sentence ends, line breaks and numbers between."""

from __future__ import annotations

import re
from typing import Final

from gateway.screening.lexicon import Label

_LETTERS: Final = re.compile(r"[A-Za-z0-9]+")
_SENTENCE: Final = re.compile(r"[.;!?](?:\s|\Z)")
_NUMBER: Final = re.compile(r"\d(?:[ .-]?\d){4,}")
_ROW: Final = re.compile(r"\n[A-Za-z ]{0,20}\t\Z")  # the value stands in the next field


def closeness_before(text: str, label: Label, start: int, *, fields: bool = False) -> float:
    """Closeness of a label before a number that begins at `start`; `fields`: a line each, of label and value."""
    gap = _ASIDE.sub("", _gap(text, label.end, start))
    if fields and "\n" in gap:
        return 0.9 if _ROW.match(gap) else 0.3
    if "?" in gap and _ASKS.match(gap):
        return 0.85
    ended = gap[:1] == "." and _NEXT_SENTENCE.match(gap) is not None
    gap = gap.lstrip(".:)")
    letters = sum(map(len, _LETTERS.findall(gap)))
    close = 1.0 if letters <= 3 else 0.92 if letters <= 15 else 0.75 if letters <= 40 else 0.5 if letters <= 80 else 0.3
    if "\n" in gap and not _WRAPPED.match(gap):
        close *= 0.92 if letters <= 3 else 0.5
        if letters > 3 and ("\n\n" in gap or gap.count("\n") > 2):
            close *= 0.4
    if ended or _SENTENCE.search(gap):
        close *= 0.6 if letters > 3 else 0.95
    if "\n" in gap and _ANSWERED.match(gap):
        close *= 0.4
    if letters > 3 and not fields and ("\t" in gap or "|" in gap):
        close *= 0.5
    if _NUMBER.search(gap):
        close *= 0.3 if "\n" in gap else 0.6
    return close


def _gap(text: str, after: int, start: int) -> str:
    """What stands between a label and a number; where prose is wrapped once between them, as one line."""
    gap = text[after:start]
    at = gap.find("\n")
    if at < 0:
        return gap
    line = text[text.rfind("\n", 0, after) + 1 : after + at].rstrip()
    wrapped = len(line) >= _PROSE and line[-1].islower() and line.count(" ") >= 5 and not _CELLS.search(line)
    return f"{gap[:at]} {gap[at + 1 :]}" if wrapped and _GOES_ON.match(gap, at) else gap


_PROSE: Final = 45  # characters that a line of prose has before it is wrapped
_CELLS: Final = re.compile(r"[\t|;]|\S {2,}\S")
_GOES_ON: Final = re.compile(r"\n[ \t>]*(?:[a-z][^\n]*)?\Z")


_NEXT_SENTENCE: Final = re.compile(r"\.\s+[A-Z][a-z]{2,14} (?!is\b|was\b)(?:[^\s:]|\Z)")
_WRAPPED: Final = re.compile(  # prose goes on in the next line
    r"[^\n]*(?:[a-z,] ?\n[ \t>]*[a-z][^\n]*|"
    r"\b(?:is|was|as|of|under|es|ist|lautet|est|e|jest|ar|er|number) ?\n[ \t>]*)\Z"
)
_ANSWERED: Final = re.compile(r"\s?[:=]\s?\d[\w.,/-]*[ \t]*\n")  # "status=200", and the number in another line
_ASIDE: Final = re.compile(r"\([^()\n]{0,40}\)")
_ASKS: Final = re.compile(  # "What is her ...? It's 123"
    r"\.?[^.?\n]{0,60}\?[\s>*-]{1,8}(?:(?:it.?s|it is|sure|yes|ok|here(?: it is| you go)?|a|answer|claro|es(?: el)?|"
    r"klar|bien sur|oui|c.est|certo|ecco|ja|si|sim|voici)[ ,.:!-]{1,3}){0,2}\Z",
    re.IGNORECASE,
)
_SAYS: Final = re.compile(  # "123 is her ...", "123. That's the ...", "123 as ...", "123 <- ..."
    r"[\s\"')]{0,3}(?:[.,;!-] ?)?(?:(?:that.?s|that is|this is|is|was|as|in (?:the )?(?:field|box|line)|c.est|es|son|"
    r"das ist|ist|e|sono|is het|er|to)\b|=|<[-=]{1,3})[\s\"']{0,2}(?:[A-Za-z.'-]{1,14} ){0,3}[\"'(]?\Z",
    re.IGNORECASE,
)


def closeness_after(text: str, end: int, label: Label) -> float:
    """Closeness of a label after a number: less than before it, and next to nothing when it heads what follows."""
    gap = text[end : label.start]
    if _SAYS.match(gap):
        return 0.9
    if "\f" in gap or "\n\n" in gap:
        return 0.0
    letters = sum(map(len, _LETTERS.findall(gap)))
    close = 0.85 if letters <= 3 else 0.7 if letters <= 14 else 0.4 if letters <= 30 else 0.2
    if re.match(r"\s{0,3}(?:no\.?|number|nr\.?)?\s{0,3}[:=#]\s{0,4}[(+]?\w{0,3}\d", text[label.end : label.end + 24]):
        close *= 0.1
    if "(" in gap and letters == 0:
        return 0.95 * (close / 0.85)
    if "\n" in gap or "\t" in gap or "|" in gap:
        close *= 0.15
    elif any(sign in gap for sign in ",;.") or _NUMBER.search(gap):
        close *= 0.3
    return close
