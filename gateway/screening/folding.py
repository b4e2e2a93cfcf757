"""Folding: any text to plain ASCII that reads the same, so that every pattern behind it is written once.

Decimal digits of every script, circled, full-width and mathematical ones become 0 to 9; dashes, blanks and other signs
become a plain one; marks and invisible characters go; letters lose their accents, and letters that merely look Latin
become Latin. What is left over becomes `~`. Time and memory are linear in the text.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import re2

from gateway.screening.lexicon import LEXICON
from gateway.screening.spans import find_spans

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
_LEADS_OF_COUNTED: Final = sorted({chr(code).encode("utf-8")[:1] for code in _COUNTED})  # Cyrillic has none of them
_COUNTED_RUN: Final = re.compile(
    r"[〇零一二三四五六七八九壹贰叁肆伍陆柒捌玖貳參陸](?:[\s\-.,、・]{0,2}[〇零一二三四五六七八九壹贰叁肆伍陆柒捌玖貳參陸]){6,}"
)
_DAY: Final = re.compile(r"(\d{2,4})\s?[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日일号號]?")
_BRAILLE: Final = str.maketrans("⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚", "1234567890", "⠼")
_BEYOND_LATIN: Final = re.compile("[\u0370-\u1fff\u2800-\u28ff\u3000-\uffff]")
_SCRIPTS: Final = re2.compile(
    ("(?i)" + "|".join(sorted(map(re.escape, LEXICON.scripts), key=len, reverse=True))).encode()
)
_NAMES: Final = {word.casefold(): name for word, name in LEXICON.scripts.items()}
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
    octets, page = (text.encode("ascii"), _ASCII) if text.isascii() else _to_page(text)
    if b"\r" not in octets:
        return octets.translate(page.table, page.nothing_plain)
    octets = octets.translate(page.table, page.nothing)  # what stands within a line end, and is nothing, goes first
    return octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").translate(None, _CONTROLS)


def _to_page(text: str) -> tuple[bytes, _Page]:
    """Octets of Latin-1, or of Cyrillic's code page, which one table folds quickly; runs of other characters are
    folded one by one.
    """
    page = _LATIN
    try:
        octets = text.encode(page.codec, _NEAR_LATIN)
    except UnicodeEncodeError:
        text = _without_scripts(text)
        page = _CYRILLIC_PAGE if _IN_CYRILLIC.search(text) else _LATIN
        octets = text.encode(page.codec, _ANY)
    for character, folded in page.longer:
        if character in octets:
            octets = octets.replace(character, folded)
    return octets, page


def _without_scripts(text: str) -> str:
    """Words of other scripts that name a kind as that name, and numbers that are counted in them as digits."""
    octets = b"".join(_named(text.encode("utf-8", "ignore")))  # surrogates fold to nothing, and RE2 takes none
    text = octets.decode("utf-8")
    if "年" in text or "년" in text:
        text = _DAY.sub(r"\1-\2-\3 ", text)
    if any(lead in octets for lead in _LEADS_OF_COUNTED):
        text = _COUNTED_RUN.sub(lambda match: match.group().translate(_COUNTED), text)
    return text.translate(_BRAILLE) if "\u283c" in text else text


def _named(octets: bytes) -> Iterator[bytes]:
    last = 0
    for start, end in find_spans(_SCRIPTS, octets):
        yield octets[last:start]
        yield _name_of(octets[start:end])
        last = end
    yield octets[last:]


@lru_cache(maxsize=1_024)
def _name_of(word: bytes) -> bytes:
    told = word.decode("utf-8")
    return b" %b " % _NAMES.get(told.casefold(), told).encode("utf-8")


def _fold_run(problem: UnicodeError) -> tuple[str, int]:
    """A run of characters beyond Latin-1, for `str.encode`."""
    assert isinstance(problem, UnicodeEncodeError)
    return problem.object[problem.start : problem.end].translate(_TABLE), problem.end


def _fold_near_run(problem: UnicodeError) -> tuple[str, int]:
    """The same, and a text in which another script is met begins anew."""
    assert isinstance(problem, UnicodeEncodeError)
    run = problem.object[problem.start : problem.end]
    folded = _near_latin(run) if len(run) <= _SHORT else _near_latin.__wrapped__(run)
    if folded is None:
        raise problem
    return folded, problem.end


@lru_cache(maxsize=1_024)
def _near_latin(run: str) -> str | None:
    return None if _BEYOND_LATIN.search(run) else run.translate(_TABLE)


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


_SHORT: Final = 4  # characters of a run of quotes and dashes, which a text has often
_ANY: Final = "gateway.fold"
_NEAR_LATIN: Final = "gateway.fold.near-latin"
codecs.register_error(_ANY, _fold_run)
codecs.register_error(_NEAR_LATIN, _fold_near_run)


class _Page:
    """A code page whose characters are folded as octets: by a table, but for those that become more than one."""

    def __init__(self, codec: str) -> None:
        self.codec = codec
        folded = {
            octet: _fold_character(character).encode("ascii")
            for octet in range(0x80, 0x100)
            if (character := bytes((octet,)).decode(codec, "ignore"))
        }
        self.table: Final = bytes((*range(0x80), *((folded.get(octet) or b".")[0] for octet in range(0x80, 0x100))))
        self.nothing: Final = bytes(octet for octet, plain in folded.items() if not plain)
        self.nothing_plain: Final = self.nothing + _CONTROLS
        self.longer: Final = tuple((bytes((octet,)), plain) for octet, plain in folded.items() if len(plain) > 1)


_ASCII: Final = _Page("ascii")
_LATIN: Final = _Page("latin-1")
_CYRILLIC_PAGE: Final = _Page("cp1251")
_IN_CYRILLIC: Final = re.compile("[\u0410-\u044f]{3}")
