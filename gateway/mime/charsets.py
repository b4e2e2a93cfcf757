"""Octets to text by a charset's name. Only codecs that map octets to characters are used, never Python's other kinds.

Names follow what mail really carries: `iso-8859-1` and `us-ascii` mean windows-1252 (as the WHATWG Encoding Standard
has it), and what no codec reads is taken as UTF-8, else as windows-1252. UTF-7 is left out on purpose: it spells any
text in ASCII that looks like something else.
"""

from __future__ import annotations

import codecs
import encodings.aliases
import re
from functools import lru_cache

_FALLBACK = "cp1252"
_ASCII = ("us-ascii", "ascii", "ansi_x3.4-1968", "646", "iso646-us", "iso-ir-6", "unknown-8bit", "x-unknown", "")
_PYTHON_NAMES = (
    "utf_8 utf_8_sig utf_16 utf_16_be utf_16_le utf_32 utf_32_be utf_32_le "
    "iso8859_2 iso8859_3 iso8859_4 iso8859_5 iso8859_6 iso8859_7 iso8859_8 iso8859_10 iso8859_11 iso8859_13 "
    "iso8859_14 iso8859_15 iso8859_16 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 "
    "cp437 cp737 cp775 cp850 cp852 cp855 cp857 cp858 cp860 cp861 cp862 cp863 cp864 cp865 cp866 cp869 cp874 "
    "koi8_r koi8_u koi8_t kz1048 ptcp154 mac_roman mac_cyrillic mac_greek mac_latin2 mac_turkish mac_iceland "
    "tis_620 hz gb2312 gbk gb18030 big5 big5hkscs cp950 shift_jis shift_jis_2004 shift_jisx0213 cp932 euc_jp "
    "euc_jis_2004 euc_jisx0213 iso2022_jp iso2022_jp_1 iso2022_jp_2 iso2022_jp_2004 iso2022_jp_3 iso2022_jp_ext "
    "iso2022_kr euc_kr cp949 johab"
).split()
# Names that mail uses and Python does not know, or reads more narrowly than senders mean them.
_ALIASES = {
    "iso8859_1": "cp1252",
    "latin_1": "cp1252",
    "iso8859_9": "cp1254",
    "iso_8859_8_i": "iso8859_8",
    "iso_8859_8_e": "iso8859_8",
    "iso_8859_6_i": "iso8859_6",
    "iso_8859_6_e": "iso8859_6",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb_2312": "gb18030",
    "gb_2312_80": "gb18030",
    "x_gbk": "gb18030",
    "shift_jis": "cp932",
    "x_sjis": "cp932",
    "windows_31j": "cp932",
    "euc_kr": "cp949",
    "ks_c_5601_1987": "cp949",
    "ksc5601": "cp949",
    "ks_c_5601": "cp949",
    "windows_949": "cp949",
    "windows_874": "cp874",
    "cp_850": "cp850",
    "x_mac_cyrillic": "mac_cyrillic",
    "macintosh": "mac_roman",
    "x_mac_roman": "mac_roman",
    "x_x_big5": "big5",
    "big5_hkscs": "big5hkscs",
    "iso_2022_jp_ms": "iso2022_jp_ext",
    "cp50220": "iso2022_jp_ext",
    "utf8mb4": "utf_8",
    "unicode_1_1_utf_8": "utf_8",
    "x_unicode_2_0_utf_8": "utf_8",
    "tis620": "tis_620",
}


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower())


def _table() -> dict[str, str]:
    """Every spelling to its codec. The codecs are loaded now: looking up a name from a mail would import by that name,
    remember each failure for ever, and fail inside of a sandbox.
    """
    table = {_plain(codecs.lookup(name).name): name for name in _PYTHON_NAMES}
    table |= {name: name for name in _PYTHON_NAMES}
    table |= {alias: name for alias, name in encodings.aliases.aliases.items() if name in _PYTHON_NAMES}
    table |= {_plain(alias): "cp1252" for alias, name in encodings.aliases.aliases.items() if name == "latin_1"}
    table |= {_plain(alias): "cp1254" for alias, name in encodings.aliases.aliases.items() if name == "iso8859_9"}
    table |= _ALIASES
    return {spelling: _ALIASES.get(name, name) for spelling, name in table.items()}


_CODECS = _table()


@lru_cache(256)
def codec_for(charset: str) -> str | None:
    """Python's name of the codec for a charset named in mail, or None when we do not read that charset."""
    name = charset.strip("\"' \t").lower()
    if name in _ASCII:
        return _FALLBACK
    return _CODECS.get(_plain(name)) if len(name) <= 40 else None


def decode_octets(octets: bytes, charset: str = "") -> str:
    """Text by its charset. What claims to be ASCII, or names no charset we read, is tried as UTF-8 and then taken as
    windows-1252; what a codec cannot read becomes U+FFFD. Never raises.
    """
    if octets.isascii() and (not charset or codec_for(charset) in (None, _FALLBACK, "utf_8")):
        return octets.decode("ascii")
    codec = codec_for(charset)
    if codec is None or charset.strip("\"' \t").lower() in _ASCII:
        try:
            return octets.decode("utf-8")
        except UnicodeDecodeError:
            codec = _FALLBACK
    try:
        return octets.decode(codec, "replace")
    except UnicodeError:  # a few codecs raise in spite of "replace", on input that ends inside of an escape
        return octets.decode(_FALLBACK, "replace")
