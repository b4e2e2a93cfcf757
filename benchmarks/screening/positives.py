"""Mails that carry taxpayer data: a kind, a place, a disguise and a style drawn together so that a human can still tell."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from benchmarks.screening import formfiles, forms, labels, letters, lookalikes, offices, passages, places
from benchmarks.screening.disguises import DISGUISES, Disguise
from benchmarks.screening.passages import FOREIGN, MAKERS, NINE, Passage
from benchmarks.screening.sample import Label, Sample, worst
from gateway.domain.verdict import Kind

# How often each variant is drawn.
WEIGHTS = {
    "ssn": 22, "itin": 18, "atin": 3, "ein": 9, "qi-ein": 2, "ptin": 3, "caf": 3, "giin": 3, "efin": 2, "etin": 2, "ip-pin": 2, "passport": 4,
    "mrz": 2, "visa": 2, "birth-date": 4, "bank": 3, "iban": 4, "card": 4, "return-information": 6, **dict.fromkeys(FOREIGN, 1),
}  # fmt: skip
# Without any keyword these can still be told by their shape or check digits.
TOLD_BY_SHAPE = frozenset(
    {*NINE, "giin", "iban", "card", "mrz", "nino", "cf", "cpf", "rfc", "nie", "dni", "personnummer"}
)
_FACTS = frozenset({"return-information", "birth-date", "mrz"})
_SHORT = frozenset({"efin", "etin", "ip-pin", "visa", "passport", "bank", "caf", "ptin"})


def sample(rng: Random, ident: str) -> Sample:
    roll = rng.random()
    if roll < 0.04:
        return _roster(rng, ident)
    if roll < 0.30:
        return _ordinary(rng, ident)
    if roll < 0.50:
        return _disguised(rng, ident)
    if roll < 0.82:
        return _placed(rng, ident)
    if roll < 0.90:
        return _styled(rng, ident)
    return _form(rng, ident)


def _variant(rng: Random) -> str:
    return rng.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0]


def _language(rng: Random, variant: str) -> str:
    if variant not in labels.LABELS:
        return rng.choice(["en", "en", "es", "de", "fr", "pt", "it"])
    known = labels.languages_of(variant)
    return "en" if "en" in known and rng.random() < 0.55 else rng.choice(known)


def _ordinary(rng: Random, ident: str) -> Sample:
    place = rng.choice([name for name, (_, tier) in places.PLACES.items() if tier == "ordinary"])
    style = rng.choice(["labelled", "labelled", "labelled", "asked", "table"])
    return _made(rng, ident, _variant(rng), place, DISGUISES["none"], style)


def _disguised(rng: Random, ident: str) -> Sample:
    disguise = rng.choice([each for each in DISGUISES.values() if each.name != "none"])
    while True:
        variant = _variant(rng)
        if variant not in _FACTS and variant in _ALLOWED[disguise.only]:
            break
    simple = [
        "body plain",
        "body plain",
        "body html",
        "subject",
        "quoted reply",
        "signature",
        "text file",
        "csv",
        "docx",
        "pdf text",
        "sender name",
    ]
    return _made(rng, ident, variant, rng.choice(simple), disguise, "labelled")


_LONG = frozenset({*NINE, "ein", "qi-ein", "card", "utr", "sin", "idnr", "spi", "bsn", "tfn", "mynumber", "cpf"})
_ALLOWED = {
    "any": frozenset(WEIGHTS), "nine": frozenset({"ssn", "itin", "atin"}), "digits": _LONG | {"efin", "etin", "ip-pin", "bank"}, "long": _LONG,
    "parted": _LONG - {"utr", "idnr", "spi", "bsn"} | {"caf", "iban", "nino", "personnummer"},
}  # fmt: skip


def _placed(rng: Random, ident: str) -> Sample:
    place = rng.choice(list(places.PLACES))
    mild = rng.choice(["none", "none", "none", "none", "no separators", "spaces", "dots"])
    variant = _variant(rng)
    while variant not in places.ONLY.get(place, WEIGHTS):
        variant = _variant(rng)
    if variant in _FACTS or variant in _SHORT or place in places.ONLY:
        mild = "none"
    return _made(rng, ident, variant, place, DISGUISES[mild], rng.choice(["labelled", "labelled", "table"]))


_ROSTERS = (
    "csv",
    "xlsx",
    "html table",
    "body plain",
    "docx table",
    "pdf table",
    "ods",
    "xls",
    "quoted reply",
    "zip",
    "rtf",
    "odt",
    "pptx",
    "fax fine",
    "pdf scan",
)


def _roster(rng: Random, ident: str) -> Sample:
    passage, letter = passages.roster(rng), letters.letter(rng)
    place = rng.choice(_ROSTERS)
    writer, tier = places.PLACES[place]
    writer(letter, passage)
    label = Label(
        ident, "tainted", tier, "", (passage.datum.kind, *passage.datum.also), "roster", place, "none", "roster"
    )
    return Sample(label, letters.octets(letter))


def _styled(rng: Random, ident: str) -> Sample:
    style = rng.choice(["bare", "bare", "headless", "headless", "far", "far", "split"])
    variant = _variant(rng)
    if style in {"bare", "headless"}:
        while variant not in TOLD_BY_SHAPE:
            variant = _variant(rng)
    elif style == "split":
        variant = rng.choice(["ssn", "itin"])
    elif variant in {"bank", "return-information", "mrz"}:
        variant = "itin"
    tables = ["csv", "xlsx", "xlsx", "html table", "body plain", "docx table", "ods"]
    chosen = {"far": tables, "headless": tables}.get(style, ["body plain", "body html", "quoted reply", "text file"])
    return _made(rng, ident, variant, rng.choice(chosen), DISGUISES["none"], style)


_FORMS = {
    **forms.RENDERERS,
    **{place: (formfiles.attach(maker), tier) for place, (maker, tier) in formfiles.MAKERS.items()},
}


def _form(rng: Random, ident: str) -> Sample:
    place = rng.choice(list(_FORMS))
    render, tier = _FORMS[place]
    letter, made = letters.letter(rng), forms.form(rng)
    render(letter, made)
    label = Label(
        ident, "tainted", tier, "", (Kind.FILLED_FORM, *forms.ALSO), f"form {made.number}", place, "none", "form", "en"
    )
    return Sample(label, letters.octets(letter))


# No font that comes with the writer of PDF has their letters.
_NO_FONT = frozenset(
    {
        "fullwidth",
        "unicode digits",
        "keycaps",
        "circled digits",
        "raised digits",
        "zero width",
        "combining marks",
        "odd spaces",
        "odd dashes",
        "reversed by RLO",
    }
)
# Where an answer stands above the question that it answers.
_ANSWERS = frozenset({"body plain", "body html"})
_WESTERN = frozenset({"en", "es", "de", "fr", "pt", "it", "nl"})
_STYLE_TIERS = {"bare": "contained", "headless": "contained", "far": "contained", "split": "hidden"}


def _made(rng: Random, ident: str, variant: str, place: str, disguise: Disguise, style: str) -> Sample:
    if variant in {"bank", "return-information"} and style in {"asked", "table", "bare", "headless", "far"}:
        style = "labelled"
    if (variant == "mrz" and style == "table") or (style == "asked" and place not in _ANSWERS):
        style = "labelled"
    language = _language(rng, variant)
    if place in places.WESTERN and language not in _WESTERN:
        language = "en"
    if disguise.name in _NO_FONT and place in {"pdf text", "pdf table"}:
        place = "docx"
    writer, tier = places.PLACES[place]
    change: Callable[[str], str] = lambda text: disguise.change(rng, text, language)  # noqa: E731 - one expression, used at once
    passage: Passage = passages.passage(rng, variant, style, language, change)
    letter = letters.letter(rng, passage.language)
    for _ in range(rng.choice([0, 0, 1, 2])):
        letter.blocks.append(lookalikes.sentence(rng, rng.choice(list(lookalikes.ORDINARY))))
    if rng.random() < 0.2:
        letter.blocks.append(offices.passage(rng, rng.choice(list(offices.PASSAGES))))
    if rng.random() < 0.2:
        letter.fields += offices.fields(rng)
    if rng.random() < 0.12:
        letter.signature.append(offices.thread(rng, rng.randint(1, 3)))
    writer(letter, passage)
    of_kind = "contained" if variant in FOREIGN or variant in {"mrz", "giin"} else "ordinary"
    label = Label(
        ident, "tainted", worst(tier, disguise.tier, _STYLE_TIERS.get(style, "ordinary"), of_kind), "", (passage.datum.kind, *passage.datum.also),
        variant, place, disguise.name, style, passage.language,
    )  # fmt: skip
    return Sample(label, letters.octets(letter))


assert set(WEIGHTS) <= {*MAKERS, "birth-date", "return-information"}
