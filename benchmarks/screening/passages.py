"""Passages: one piece of taxpayer data said in words, as lines, and as a table, with the number marked for its disguise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from benchmarks.screening import foreign, frames, labels, numbers, people, trade, wordings
from benchmarks.screening.grammar import expand
from benchmarks.screening.marks import CLOSE, OPEN, unmarked
from benchmarks.screening.numbers import Datum
from benchmarks.screening.people import Person
from gateway.domain.verdict import Kind

MAKERS: dict[str, Callable[[Random], Datum]] = {**numbers.MAKERS, **foreign.MAKERS}
FOREIGN = ("nino", "utr", "sin", "idnr", "spi", "dni", "nie", "cf", "bsn", "tfn", "mynumber", "cpf", "personnummer", "ppsn",
           "rfc", "pan")  # fmt: skip
NINE = ("ssn", "itin", "atin")
STYLES = ("labelled", "asked", "bare", "table", "headless", "far")


@dataclass(frozen=True, slots=True)
class Passage:
    """`prose` may have several lines; `line` is short enough for a header; `table` has a head when `headed`.

    Everywhere the number stands between OPEN and CLOSE, for whoever writes it out in a disguise of their own.
    """

    datum: Datum
    language: str
    style: str
    person: Person
    prose: str
    line: str
    table: tuple[tuple[str, ...], ...]
    question: str = ""


def datum(rng: Random, variant: str, owner: Person) -> Datum:
    """A number of this variant; what is not a number but a day or a fact is made here too."""
    if variant == "mrz":
        return foreign.mrz(rng, owner.family, owner.given)
    if variant == "return-information":
        return Datum(Kind.RETURN_INFORMATION, "", variant)
    if variant == "birth-date":
        return Datum(Kind.BIRTH_DATE, "", variant)
    return MAKERS[variant](rng)


def passage(rng: Random, variant: str, style: str, language: str, disguise: Callable[[str], str]) -> Passage:
    """`style` as in STYLES or "split"; `disguise` changes the number as written."""
    owner = people.person(rng)
    made = datum(rng, variant, owner)
    if variant == "return-information":
        return _return_information(rng, made, owner, language)
    if variant == "birth-date":
        made = replace(made, text=people.day_text(rng, people.birthday(rng), language))
    slots = _slots(rng, owner, variant, language)
    value = disguise(made.text)
    if variant == "bank":
        return _bank(rng, made, owner, slots, disguise)
    slots["v"] = f"{OPEN}{value}{CLOSE}"
    prose, question = _prose(rng, made, owner, slots, style, language)
    line = expand(rng, rng.choice(["{l} {v}", "{n} {l} {v}", "{l}: {v}", "{v} = {l} {n}", "{n}: {l} {v}"]), slots)
    if style == "bare":
        line = expand(rng, rng.choice(["{n} {v}", "{v}", "{n} - {v}", "{v} {n}"]), slots)
    table = _table(rng, slots, owner, headed=style not in {"bare", "headless"}, far=style == "far")
    if style in {"table", "headless", "far"}:
        prose = _rows_as_text(rng, table)
    return Passage(made, language, style, owner, prose, line.replace("\n", " "), table, question)


def _prose(
    rng: Random, made: Datum, owner: Person, slots: dict[str, str], style: str, language: str
) -> tuple[str, str]:
    """What is said, and the question that it answers if any."""
    if style == "bare":
        return expand(rng, rng.choice(frames.BARE), slots), ""
    if style == "split":
        return _split(rng, made, slots), ""
    if style == "asked":
        asks, answers = frames.ASKED.get(language, frames.ASKED["en"])
        return expand(rng, rng.choice(answers), slots), expand(rng, rng.choice(asks), slots)
    born = made.variant == "birth-date"
    if language == "en" and born and rng.random() < 0.4:
        return expand(rng, rng.choice(wordings.BORN), slots), ""
    if language == "en" and made.variant in wordings.CALLED and rng.random() < 0.4:
        return wordings.said(rng, made.variant, slots["v"], owner.name, owner.given), ""
    known = (frames.BORN if born else frames.LABELLED).get(language, frames.LABELLED["en"])
    if born or rng.random() < 0.5:
        return expand(rng, rng.choice(known), slots), ""
    return _said(rng, slots, language), ""


def _said(rng: Random, slots: dict[str, str], language: str) -> str:
    """The number in a sentence put together, in a contract, a chat, a web form, or under its label."""
    label, value, who = slots["l"], slots["v"], slots["n"]
    if language != "en" and rng.random() < 0.7:
        shapes = (
            f"{label}: {value}",
            f"{who}\n{label}: {value}",
            f"{who} - {label} {value}",
            f"{who} ({label}: {value})",
            f"{label}\n{value}",
            f"* {who}\n* {label}: {value}\n* {slots['city']}",
        )
        return rng.choice(shapes)
    roll = rng.random()
    if roll < 0.55:
        return trade.composed(rng, label, value, slots)
    return rng.choice([trade.chat, trade.clause, trade.web_form])(rng, label, value, who)


def roster(rng: Random) -> Passage:
    """A crew list with what must not be mailed in every row."""
    table = trade.crew_list(rng)
    second = table[1]
    kind = {"Passport no.": Kind.PASSPORT, "ITIN": Kind.ITIN}.get(table[0][1], Kind.SSN)
    made = Datum(kind, second[1], "roster", also=(Kind.SSN, Kind.ITIN, Kind.PASSPORT, Kind.BIRTH_DATE))
    return Passage(
        made,
        "en",
        "roster",
        people.person(rng),
        _rows_as_text(rng, table),
        f"{table[0][1]} {second[0]} {second[1]}",
        table,
    )


def _slots(rng: Random, owner: Person, variant: str, language: str) -> dict[str, str]:
    spoken = labels.label(rng, variant, language) if variant in labels.LABELS else variant
    return {
        "l": spoken, "n": owner.name, "g": owner.given, "act": people.act(rng), "city": people.city(rng),
        "firm": people.firm(rng),
    }  # fmt: skip


def _split(rng: Random, made: Datum, slots: dict[str, str]) -> str:
    plain = made.plain
    slots = {**slots, "a": plain[:3], "b": plain[3:5], "c": plain[5:]}
    filler = (
        "",
        "",
        " We will call about the rest.",
        " The contract is with legal.",
        f" The show is in {slots['city']}.",
    )
    pieces = [expand(rng, piece, slots) for piece in rng.choice(frames.SPLIT)]
    return rng.choice(["\n", " ", "\n\n"]).join(piece + (rng.choice(filler) if piece else "") for piece in pieces)


def _bank(rng: Random, made: Datum, owner: Person, slots: dict[str, str], disguise: Callable[[str], str]) -> Passage:
    routing = made.extra["routing"]
    slots = {**slots, "v": f"{OPEN}{disguise(made.text)}{CLOSE}", "r": routing}
    slots["x"] = rng.choice(
        ["ABA", "routing number", "RTN", "routing #", "ABA routing", "wire routing no.", "transit number"]
    )
    shapes = (
        "{x} {r}, {l} {v}", "Please wire [the settlement|{g}'s share|the fee] to {x} {r}, {l} {v}.",
        "Bank: {city} Savings\n{x}: {r}\n{l}: {v}\nBeneficiary: {n}", "{n}'s new {l} is {v} ({x} {r}).",
        "Direct deposit for {n}: {x} {r} {l} {v}",
    )  # fmt: skip
    table = (("Name", slots["x"], slots["l"]), (owner.name, routing, slots["v"]))
    line = expand(rng, "{x} {r} {l} {v}", slots)
    shape = rng.choice(shapes if rng.random() < 0.5 else wordings.WIRES)
    return Passage(made, "en", "labelled", owner, expand(rng, shape, slots), line, table)


def _return_information(rng: Random, made: Datum, owner: Person, language: str) -> Passage:
    language = language if language in frames.RETURN_INFORMATION else "en"
    slots = {
        "n": owner.name, "year": str(rng.randint(2018, 2025)), "m": people.dollars(rng), "m2": people.dollars(rng, 500, 90_000),
    }  # fmt: skip
    prose = expand(rng, rng.choice(frames.RETURN_INFORMATION[language]), slots)
    if language == "en" and rng.random() < 0.5:
        prose = wordings.fact(rng, owner.name, owner.family)
    head = rng.choice([("Name", "Adjusted gross income", "Federal tax withheld"), ("Taxpayer", "Gross income", "Tax due"),
                       ("Performer", "Box 2 gross income", "Box 7 federal tax withheld")])  # fmt: skip
    table = (head, (owner.name, slots["m"], slots["m2"]))
    made = replace(made, text=slots["m"])
    return Passage(made, language, "labelled", owner, prose, prose, table)


def _table(
    rng: Random, slots: dict[str, str], owner: Person, *, headed: bool, far: bool
) -> tuple[tuple[str, ...], ...]:
    columns = ["name", "v", *rng.sample(["role", "city", "status"], rng.randint(0, 2) if headed else rng.randint(1, 3))]
    if rng.random() < 0.4:
        rng.shuffle(columns)
    count = rng.randint(14, 45) if far else rng.randint(1, 6)
    bearer = count - 1 if far else rng.randrange(count)

    def cell(column: str, at: int) -> str:
        if column == "v":
            return slots["v"] if at == bearer else rng.choice(["pending", "n/a", "", "applied for", "-", "to follow"])
        if column == "name":
            return owner.name if at == bearer else people.person(rng).name
        return {"role": rng.choice(frames.ROLES), "city": people.city(rng), "status": rng.choice(frames.STATES)}[column]

    head = tuple(slots["l"] if column == "v" else rng.choice(frames.HEADS[column]) for column in columns)
    rows = tuple(tuple(cell(column, at) for column in columns) for at in range(count))
    return (head, *rows) if headed else rows


def _rows_as_text(rng: Random, table: tuple[tuple[str, ...], ...]) -> str:
    joint = rng.choice(["\t", " | ", "; ", ", ", "aligned", "aligned"])
    if joint != "aligned":
        return "\n".join(joint.join(row) for row in table)
    widths = [max(len(unmarked(row[at])) for row in table) + 2 for at in range(len(table[0]))]
    padded = (
        "".join(cell + " " * (width - len(unmarked(cell))) for cell, width in zip(row, widths, strict=True))
        for row in table
    )
    return "\n".join(row.rstrip() for row in padded)
