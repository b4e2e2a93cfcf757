"""How a number is written so that a plain search does not see it. Each takes the number as usual and gives another text."""

from __future__ import annotations

import base64
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from benchmarks.screening import spoken

Change = Callable[[Random, str, str], str]
ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\u2063"
MARKS = "\u0301\u0336\u0332\u20dd"


@dataclass(frozen=True, slots=True)
class Disguise:
    """`tier` names the goal that it falls under; `only` what it can be used on: digits only, exactly nine, nine and more ("long"), or what has parts."""

    name: str
    tier: str
    only: str
    change: Change


def _plain(text: str) -> str:
    return "".join(mark for mark in text if mark.isalnum())


def _joined(by: str) -> Change:
    def change(rng: Random, text: str, language: str) -> str:
        made = by
        if any(mark in text for mark in "- ."):
            return "".join(made if mark in "- ." else mark for mark in text)
        plain = _plain(text)
        return made.join(plain[at : at + 3] for at in range(0, len(plain), 3))

    return change


def _every(by: str) -> Change:
    return lambda rng, text, language: by.join(_plain(text))


def _sprinkled(marks: str) -> Change:
    def change(rng: Random, text: str, language: str) -> str:
        return (
            "".join(mark + (rng.choice(marks) if rng.random() < 0.6 else "") for mark in text[:-1])
            + rng.choice(marks)
            + text[-1]
        )

    return change


def _scripted(rng: Random, text: str, language: str) -> str:
    return spoken.script(text, rng.choice(spoken.SCRIPTS))


def _broken(rng: Random, text: str, language: str) -> str:
    at = rng.randrange(2, max(len(text) - 2, 3))
    return f"{text[:at]}{rng.choice(['', '-', ' '])}\n{text[at:].lstrip('- ')}"


def _spoken(rng: Random, text: str, language: str) -> str:
    return spoken.words(rng, _plain(text), language if language in spoken.WORDS else "en")


def _grouped(rng: Random, text: str, language: str) -> str:
    return spoken.grouped(rng, _plain(text))


def _mapped(table: str) -> Change:
    return lambda rng, text, language: "".join(table[int(mark)] if mark.isdigit() else mark for mark in text)


def _half_spoken(rng: Random, text: str, language: str) -> str:
    plain = _plain(text)
    at = rng.randrange(3, len(plain) - 2)
    said = spoken.words(rng, plain[:at], language if language in spoken.WORDS else "en")
    return f"{said} {plain[at:]}" if rng.random() < 0.5 else f"{plain[:at]} {spoken.words(rng, plain[at:], 'en')}"


def _base64(rng: Random, text: str, language: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _hex(rng: Random, text: str, language: str) -> str:
    made = text.encode().hex()
    return rng.choice([made, made.upper(), " ".join(made[at : at + 2] for at in range(0, len(made), 2)), f"0x{made}"])


def _percent(rng: Random, text: str, language: str) -> str:
    return "".join(f"%{octet:02X}" for octet in text.encode())


def _entities(rng: Random, text: str, language: str) -> str:
    return "".join(f"&#{ord(mark)};" if rng.random() < 0.5 else f"&#x{ord(mark):x};" for mark in text)


def _escaped(rng: Random, text: str, language: str) -> str:
    return "".join(f"\\u{ord(mark):04x}" for mark in text)


def _twice(rng: Random, text: str, language: str) -> str:
    first, second = rng.choice(
        [(_base64, _base64), (_hex, _base64), (_percent, _base64), (_base64, _hex), (_percent, _percent_again)]
    )
    return second(rng, first(rng, text, language), language)


def _percent_again(rng: Random, text: str, language: str) -> str:
    return urllib.parse.quote(text, safe="")


def _reversed(rng: Random, text: str, language: str) -> str:
    return f"\u202e{text[::-1]}\u202c"


def _mixed(rng: Random, text: str, language: str) -> str:
    return "".join(f" {mark} " if mark in "-." and rng.random() < 0.8 else mark for mark in text)


def _signs_said(rng: Random, text: str, language: str) -> str:
    """The signs between groups as people say them when they dictate."""
    said = rng.choice([" dash ", " hyphen ", " space ", ", then ", " followed by ", " minus "])
    return said.join("".join(mark if mark.isalnum() else " " for mark in text).split())


DISGUISES: dict[str, Disguise] = {
    each.name: each
    for each in (
        Disguise("none", "ordinary", "any", lambda rng, text, language: text),
        Disguise("no separators", "contained", "any", lambda rng, text, language: _plain(text)),
        Disguise("dots", "contained", "parted", _joined(".")),
        Disguise("slashes", "contained", "parted", _joined("/")),
        Disguise("spaces", "contained", "any", _joined(" ")),
        Disguise("underscores", "contained", "parted", _joined("_")),
        Disguise("spaced dashes", "contained", "any", _mixed),
        Disguise("nbsp", "contained", "any", _joined("\u00a0")),
        Disguise("odd spaces", "contained", "any", lambda r, t, la: _joined(r.choice("\u2009\u202f\u2007\u3000\u2003"))(r, t, la)),
        Disguise("odd dashes", "contained", "any", lambda r, t, la: _joined(r.choice("\u2010\u2011\u2012\u2013\u2014\u2212"))(r, t, la)),
        Disguise("fullwidth", "contained", "any", lambda rng, text, language: spoken.fullwidth(text)),
        Disguise("unicode digits", "hidden", "digits", _scripted),
        Disguise("zero width", "hidden", "any", _sprinkled(ZERO_WIDTH)),
        Disguise("combining marks", "hidden", "any", _sprinkled(MARKS)),
        Disguise("digits apart", "hidden", "any", _every(" ")),
        Disguise("dots between digits", "hidden", "any", _every(".")),
        Disguise("bars between digits", "hidden", "any", lambda r, t, la: r.choice(["|", " | ", "*", "·", "'", " - ", ","]).join(_plain(t))),
        Disguise("line break", "contained", "any", _broken),
        Disguise("words", "hidden", "digits", _spoken),
        Disguise("words in pairs", "hidden", "nine", _grouped),
        Disguise("signs in words", "hidden", "nine", _signs_said),
        Disguise("keycaps", "hidden", "digits", lambda r, t, la: "".join(f"{mark}\ufe0f\u20e3" if mark.isdigit() else mark for mark in t)),
        Disguise("circled digits", "hidden", "digits", _mapped("\u24ea\u2460\u2461\u2462\u2463\u2464\u2465\u2466\u2467\u2468")),
        Disguise("raised digits", "hidden", "digits", _mapped("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")),
        Disguise("half words", "hidden", "long", _half_spoken),
        Disguise("look-alikes", "hidden", "long", lambda rng, text, language: spoken.look_alikes(rng, text)),
        Disguise("base64", "hidden", "any", _base64),
        Disguise("hex", "hidden", "any", _hex),
        Disguise("percent", "hidden", "any", _percent),
        Disguise("entities", "hidden", "any", _entities),
        Disguise("escapes", "hidden", "any", _escaped),
        Disguise("encoded twice", "hidden", "any", _twice),
        Disguise("reversed by RLO", "hidden", "any", _reversed),
    )
}  # fmt: skip
