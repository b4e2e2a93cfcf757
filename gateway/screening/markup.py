"""HTML and its like as text: what is shown, the same without what is hidden, what stands in attributes and comments.

Inline tags join what they part (`1<b>2</b>`), block tags break lines, cells of a row are joined by a tab. Nothing is
parsed into a tree: each step is one pass with bounded look-ahead, so that hostile markup costs no more than its length.
All functions take and give ASCII (see folding), but for what character references stand for.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import cache
from typing import Final

import re2

from gateway.screening.folding import BEGIN, END

_COMMENT: Final = re.compile(r"<!--(.*?)(?:--!?>|\Z)", re.DOTALL)
_CODE: Final = re.compile(r"<(style|script)\b[^<>]*>(.*?)(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
# Both begin with their one sign and part what follows by its first letter: a text has many tags, and few are these.
_CLOSED: Final = r"/(?:p|div|span|b|strong|font)>[ ]{0,20}"
_CELL: Final = re.compile(
    rf"<(?:(?:{_CLOSED}(?:<{_CLOSED}){{0,2}}<)?/t[dh]\s{{0,20}}>\s*|"
    r"t[dh]\b[^<>]*>(?:\s{0,40}<(?:p|div)\b[^<>]*>){1,2})",
    re.IGNORECASE,
)
_BLOCK: Final = re.compile(
    r"<(?:tr|/?(?:p(?:re)?|d(?:iv|[dtl])|t(?:able|body|head|itle)|l(?:i|abel|egend)|ul|o(?:l|ption)|"
    r"h(?:[1-6r]|eader|tml)|b(?:lockquote|ody)|s(?:ection|elect)|a(?:rticle|ddress)|f(?:ooter|orm|ieldset)|"
    r"c(?:enter|aption))|br)(?![a-z0-9])[^<>]*>\s*",
    re.IGNORECASE,
)
_TAG: Final = re.compile(r"<(?:[a-zA-Z/!?][^<>]*|)(?:>|\Z)")
# What follows the name of a tag, up to its end, where there is a sign of equality; the name may have taken one in.
_ATTRIBUTES: Final = re.compile(r"<[a-zA-Z](?:[^<>\s]*+(?=\s[^<>=]*+=)|[^<>\s]*(?==))([^<>]*+)>")
_ATTRIBUTE: Final = re.compile(r"""([a-zA-Z][\w:.-]*)\s{0,20}=\s{0,20}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_LAYOUT: Final = frozenset(
    "style class width height bgcolor color align valign border cellpadding cellspacing size face colspan rowspan "
    "target rel xmlns lang dir role type http-equiv charset media srcset sizes loading usemap coords shape".split()
)
_FIELD: Final = re.compile(r"<input\b[^<>]*>", re.IGNORECASE)
_VALUE: Final = re.compile(r"""\svalue\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_UNSEEN: Final = re.compile(
    r"""\stype\s{0,9}=\s{0,9}["']?(?:hidden|submit|button|image|checkbox|radio|reset)""", re.IGNORECASE
)
_HIDING: Final = re.compile(
    r"display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}hidden|font-size\s{0,9}:\s{0,9}0(?![.\d]*[1-9])|"
    r"opacity\s{0,9}:\s{0,9}0(?![.\d]*[1-9])|mso-hide\s{0,9}:\s{0,9}all|\shidden[\s>=/]",
    re.IGNORECASE,
)
_MAY_HIDE: Final = re2.compile(
    rb"(?i)display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0|mso-hide|\shidden[\s>=/]"
)
_PRE: Final = re.compile(r"(<pre\b[^<>]*>.*?(?:</pre\s*>|\Z))", re.DOTALL | re.IGNORECASE)
_LINE_END: Final = re.compile(r"\n(?![^\n<]{1,200}(?: \| |\S\t\S))")  # a row of a table in plain text stays one
_MAY_TURN: Final = re2.compile(rb"(?i)\bdir\s*=\s*.?rtl|direction\s*:\s*rtl|<bdo")
_MAY_EITHER: Final = re2.compile(_MAY_HIDE.pattern + b"|" + _MAY_TURN.pattern)
_RTL: Final = re.compile(r"""\bdir\s{0,9}=\s{0,9}["']?rtl|direction\s{0,9}:\s{0,9}rtl""", re.IGNORECASE)
_CLASS_RULE: Final = re.compile(r"\.([\w-]{1,60})[^{}]{0,60}\{([^{}]*)\}")
_CLASSES: Final = re.compile(r"""class\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE)
_ELEMENT: Final = re.compile(r"<(/?)([a-zA-Z][\w:-]*)([^<>]*)>")
_VOID: Final = frozenset("area base br col embed hr img input link meta source track wbr".split())
_PARTED: Final = re2.compile(
    rb"(?i)<(?:html|body|table|div|span|font|td|br)\b[^<>]*>|[a-z0-9-]<(?:/?[a-z]{1,10}[1-6]?\s*/?|!--[^<>]*--)>"
)


def looks_like_markup(octets: bytes) -> bool:
    """Whether tags part the characters of a text that does not say it is markup."""
    return b"<" in octets and _PARTED.search(octets) is not None


def shown(source: str) -> str:
    """The text of markup, references resolved; hidden text is in it, comments, style and script are not."""
    return _unmark(_without_code(source))


def may_be_otherwise(octets: bytes) -> bool:
    """Whether some element may be hidden, or run from right to left; else there is nothing unhidden or turned."""
    return _MAY_EITHER.search(octets) is not None


def unhidden(source: str, octets: bytes) -> str | None:
    """What a browser shows, hidden elements left out; None when nothing is hidden."""
    if _MAY_HIDE.search(octets) is None:
        return None
    styles = (style.group(2) for style in _CODE.finditer(source) if style.group(1).lower() == "style")
    hiding = {
        rule.group(1) for style in styles for rule in _CLASS_RULE.finditer(style) if _HIDING.search(rule.group(2))
    }
    outside, inside = _parted(_without_code(source), lambda told: _is_hidden(told, hiding))
    return _unmark(outside) if inside else None


def turned(source: str, octets: bytes) -> str | None:
    """Text of elements that run from right to left, turned round; None when there is none."""
    if _MAY_TURN.search(octets) is None:
        return None
    styles = (style.group(2) for style in _CODE.finditer(source) if style.group(1).lower() == "style")
    turning = {rule.group(1) for style in styles for rule in _CLASS_RULE.finditer(style) if _RTL.search(rule.group(2))}
    pieces = _pieces(_without_code(source), lambda told: _is_turned(told, turning))
    if not any(inside for _, inside in pieces):
        return None
    return _unmark("".join(_turn(text) if inside else text for text, inside in pieces))


def _turn(text: str) -> str:
    """The lines of an element backwards, between marks, in its place."""
    lines = (html.escape(line[::-1], quote=False) for line in _unmark(text).split("\n"))
    return BEGIN + "<br>".join(lines) + END


def aside(source: str) -> str:
    """What stands in comments, style, script and attributes: a line each, the attributes of one tag on one line."""
    lines = [comment.group(1) for comment in _COMMENT.finditer(source)] if "<!--" in source else []
    lines += [code.group(2) for code in _CODE.finditer(source)]
    lines += filter(None, map(cache(_told), _ATTRIBUTES.findall(source)))
    return resolve("\n".join(lines))


def _told(attributes: str) -> str:
    """What the attributes of one tag say; most tags of a text have the same."""
    told = [
        f"{pair.group(1)}\t{pair.group(2) or pair.group(3) or pair.group(4) or ''}"
        for pair in _ATTRIBUTE.finditer(attributes)
        if pair.group(1).lower() not in _LAYOUT
    ]
    return _input(told) if told else ""


def _input(told: list[str]) -> str:
    """`name` and `value` of one field as label and value; else one attribute a column."""
    pairs = dict(pair.split("\t", 1) for pair in told)
    value = pairs.pop("value", None) or pairs.pop("content", None)
    label = " ".join(
        pairs.pop(key) for key in ("name", "id", "label", "aria-label", "placeholder", "title") if key in pairs
    )
    rest = "\t\n".join(f"{name}\t{text}" for name, text in pairs.items())
    return "\n".join(line for line in (f"{label}\t{value}" if value is not None else label, rest) if line)


def resolve(text: str) -> str:
    """Character references as characters."""
    if "&" not in text:
        return text
    return html.unescape(text.replace("&nbsp;", " ").replace("&zwnj;", "").replace("&shy;", ""))


def _without_code(source: str) -> str:
    text = _COMMENT.sub("", source) if "<!--" in source else source
    text = _CODE.sub("\n", text)
    return text.replace("<![CDATA[", "").replace("]]>", "") if "<![CDATA[" in text else text


def _unmark(text: str) -> str:
    if "<input" in text or "<INPUT" in text:
        text = _FIELD.sub(_typed, text)
    if "<pre" not in text:
        text = _LINE_END.sub(" ", text)
    else:
        text = "".join(_LINE_END.sub(" ", part) if at % 2 == 0 else part for at, part in enumerate(_PRE.split(text)))
    return resolve(_TAG.sub("", _BLOCK.sub("\n", _CELL.sub(_cell, text))))


def _typed(match: re.Match[str]) -> str:
    """What stands in a field of a form, as text beside it."""
    value = _VALUE.search(match.group())
    said = next(filter(None, value.groups()), "") if value else ""
    if not said or _UNSEEN.search(match.group()):
        return ""
    return f" {said}" if match.string[match.end() : match.end() + 1].isspace() else f" {said} "


def _cell(match: re.Match[str]) -> str:
    return "\t" if "</t" in match.group().lower() else ""


def _parted(text: str, chosen: Callable[[str], bool]) -> tuple[str, str]:
    """Text outside and inside of chosen elements."""
    pieces = _pieces(text, chosen)
    inner = "".join(f"{piece}\n" for piece, inside in pieces if inside)
    return "".join(piece for piece, inside in pieces if not inside), inner


def _pieces(text: str, chosen: Callable[[str], bool]) -> list[tuple[str, bool]]:
    """Text cut at chosen elements, and whether a piece is one: it ends where as many of its name closed as opened."""
    pieces: list[tuple[str, bool]] = []
    name, open_, last = "", 0, 0
    for tag in _ELEMENT.finditer(text):
        closing, tag_name, told = tag.group(1), tag.group(2).lower(), tag.group(3)
        if not name:
            if closing or tag_name in _VOID or not chosen(f" {tag_name} {told} "):
                continue
            pieces.append((text[last : tag.start()], False))
            name, open_, last = tag_name, 1, tag.start()
        elif tag_name == name and not told.endswith("/"):
            open_ += -1 if closing else 1
            if open_ == 0:
                pieces.append((text[last : tag.end()], True))
                name, last = "", tag.end()
    pieces.append((text[last:], bool(name)))
    return pieces


def _is_hidden(told: str, hiding: set[str]) -> bool:
    return _HIDING.search(told) is not None or _is_of(told, hiding)


def _is_turned(told: str, turning: set[str]) -> bool:
    return _RTL.search(told) is not None or _is_of(told, turning)


def _is_of(told: str, classes: set[str]) -> bool:
    named = _CLASSES.search(told) if classes else None
    return named is not None and not classes.isdisjoint(
        (named.group(1) or named.group(2) or named.group(3) or "").split()
    )
