"""Digits in words, as people dictate numbers, and digits in other scripts and look-alikes."""

from __future__ import annotations

from random import Random

WORDS = {
    "en": "zero one two three four five six seven eight nine",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf",
    "pt": "zero um dois três quatro cinco seis sete oito nove",
    "it": "zero uno due tre quattro cinque sei sette otto nove",
}
_SCRIPTS = {
    "arabic": 0x0660, "persian": 0x06F0, "devanagari": 0x0966, "bengali": 0x09E6, "thai": 0x0E50, "fullwidth": 0xFF10,
    "bold": 0x1D7CE, "double-struck": 0x1D7D8, "sans": 0x1D7E2, "mono": 0x1D7F6, "tibetan": 0x0F20, "khmer": 0x17E0,
}  # fmt: skip
SCRIPTS = tuple(_SCRIPTS)
_LOOKS = {"0": "Oo", "1": "lI", "5": "S", "8": "B"}


def words(rng: Random, digits: str, language: str) -> str:
    """`digits` spoken one by one: with "oh", "double" and dashes now and then."""
    spoken = WORDS[language].split()
    made: list[str] = []
    at = 0
    doubling = language == "en" and rng.random() < 0.25
    joint = rng.choice([" ", " ", "-", ", "])
    while at < len(digits):
        word = spoken[int(digits[at])]
        if doubling and digits[at : at + 1] == digits[at + 1 : at + 2]:
            made.append(f"double {word}")
            at += 2
            continue
        if language == "en" and word == "zero" and rng.random() < 0.4:
            word = "oh"
        made.append(word)
        at += 1
    text = joint.join(made)
    return text.capitalize() if rng.random() < 0.15 else text


_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()


def _pair(two: str) -> str:
    tens, ones = int(two[0]), int(two[1])
    spoken = WORDS["en"].split()
    if tens == 0:
        return f"oh {spoken[ones]}" if ones else "double oh"
    if tens == 1:
        return _TEENS[ones]
    return _TENS[tens] + (f"-{spoken[ones]}" if ones else "")


def grouped(rng: Random, digits: str) -> str:
    """Nine digits as people say them in pairs: "nine seventy-two, eighty-one, forty-four fifteen"."""
    first = f"{WORDS['en'].split()[int(digits[0])]} {_pair(digits[1:3])}"
    return f"{first}{rng.choice([', ', ' ', ' - '])}{_pair(digits[3:5])}{rng.choice([', ', ' ', ' - '])}{_pair(digits[5:7])} {_pair(digits[7:9])}"


def script(text: str, name: str) -> str:
    """`text` with its digits in another script."""
    return "".join(chr(_SCRIPTS[name] + int(mark)) if mark in "0123456789" else mark for mark in text)


def fullwidth(text: str) -> str:
    """Every printable ASCII character at full width, as an East Asian keyboard types it."""
    return "".join(chr(ord(mark) + 0xFEE0) if "!" <= mark <= "~" else mark for mark in text)


def look_alikes(rng: Random, text: str, most: int = 3) -> str:
    """Up to `most` digits as the letters that a tired hand or an OCR puts in their place; most of them stay digits."""
    places = [at for at, mark in enumerate(text) if mark in _LOOKS]
    rng.shuffle(places)
    marks = list(text)
    for at in places[:most]:
        marks[at] = rng.choice(_LOOKS[marks[at]])
    return "".join(marks)
