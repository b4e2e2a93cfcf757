"""Folding: any text to plain ASCII that reads the same, so that every pattern behind it is written once.

Decimal digits of every script, circled, full-width and mathematical ones become 0 to 9; dashes, blanks and other signs
become a plain one; marks and invisible characters go; letters lose their accents, and letters that merely look Latin
become Latin. What is left over becomes `~`. Time and memory are linear in the text.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from gateway.screening.lexicon import LEXICON

OTHER_LETTER: Final = "~"

_CYRILLIC: Final = dict(zip("АВЕЅЗІЇЈКМНОРСТУХЬаеѕіїјорсухԁԛԝһӏ", "ABES3IIJKMHOPCTYXbaesiijopcyxdqwhl", strict=True))
_GREEK: Final = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαικνορτυχ", "ABEZHIKMNOPTYXaikvoptux", strict=True))
_OTHERS: Final = dict(zip("ıæœøØđĐłŁɑɡʟⅼ", "iaooOdDlLaglI", strict=True)) | {"ß": "ss", "ẞ": "SS", "þ": "th", "ð": "d"}
_SIGNS: Final = {
    "№": "#",
    "º": "",
    "ª": "",
    "⁄": "/",
    "∕": "/",
    "：": ":",
    "｜": "|",
    "−": "-",
    "‖": "|",
    "¦": "|",
    "│": "|",
}
_SIGNS_MORE: Final = {
    "┃": "|",
    "∣": "|",
    "ǀ": "|",
    "׀": "|",
    "￨": "|",
    "‚": ",",
    "،": ",",
    "＿": "_",
    "‿": "_",
    "⁓": "-",
    "～": "-",
}
BEGIN, END = "\x01", "\x02"  # round text that was read otherwise; mail that holds them itself loses them
MARK_BEGIN, MARK_END = "\ufdd0", "\ufdd1"  # the same before folding
_INVISIBLE: Final = dict.fromkeys("\u115f\u1160\u3164\uffa0\u2800\u17b4\u17b5", "")
_KNOWN: Final[dict[str, str]] = (
    _CYRILLIC | _GREEK | _OTHERS | _SIGNS | _SIGNS_MORE | _INVISIBLE | {MARK_BEGIN: BEGIN, MARK_END: END}
)
_TAGS: Final = range(0xE0020, 0xE007F)  # invisible copies of ASCII

_COUNTED: Final = str.maketrans("〇零一二三四五六七八九壹贰叁肆伍陆柒捌玖貳參陸", "00123456789123456789236")
_COUNTED_RUN: Final = re.compile(
    r"[〇零一二三四五六七八九壹贰叁肆伍陆柒捌玖貳參陸](?:[\s\-.,、・]{0,2}[〇零一二三四五六七八九壹贰叁肆伍陆柒捌玖貳參陸]){6,}"
)
_BRAILLE: Final = str.maketrans("⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚", "1234567890", "⠼")
_SCRIPTS: Final = re.compile("|".join(sorted(map(re.escape, LEXICON.scripts), key=len, reverse=True)), re.IGNORECASE)
_BEYOND_LATIN: Final = re.compile("[\u0370-\u1fff\u2800-\u28ff\u3000-\uffff]")
_CONTROLS: Final = bytes((0, *range(3, 9), 11, *range(14, 32), 127))


class _Table(dict[int, str]):
    """Code point to its folded text, worked out once each."""

    def __missing__(self, code: int) -> str:
        folded = _fold_character(chr(code))
        self[code] = folded
        return folded


_TABLE: Final = _Table()


def fold(text: str) -> bytes:
    """ASCII octets that read as `text` does. Line ends become LF."""
    if not text.isascii():
        if _BEYOND_LATIN.search(text):
            text = _SCRIPTS.sub(_name_script, text)
            text = _COUNTED_RUN.sub(lambda match: match.group().translate(_COUNTED), text)
            if "\u283c" in text:
                text = text.translate(_BRAILLE)
        text = text.translate(_TABLE)
    octets = text.encode("ascii")
    if b"\r" in octets:
        octets = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return octets.translate(None, _CONTROLS)


def _name_script(match: re.Match[str]) -> str:
    return f" {LEXICON.scripts[match.group().lower()]} "


def _fold_character(character: str) -> str:
    """What one character becomes: ASCII of any length, or nothing."""
    if character.isascii():
        return character
    if character in _KNOWN:
        return _KNOWN[character]
    if ord(character) in _TAGS:
        return chr(ord(character) - 0xE0000)
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(character)
    if category in {"Mn", "Me", "Cf", "Cs"}:
        return ""
    apart = unicodedata.normalize("NFKD", character)
    if apart != character:
        return "".join(map(_fold_character, apart))
    return _fold_sign(character, category)


def _fold_sign(character: str, category: str) -> str:
    if category == "Zs":
        return " "
    if category in {"Zl", "Zp", "Cc"}:
        return "\n" if character in "\x85\u2028\u2029" else ""
    if category == "Pd":
        return "-"
    if category in {"Pi", "Pf"}:
        return "'"
    if category == "Sc":
        return "$"
    if category[0] in "PS":
        return "."
    return OTHER_LETTER if category[0] in "LNM" else "."
