"""Clean mail: what a firm of this trade gets all day, and mail made to look as if it carried numbers."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from PIL import Image, ImageDraw

from benchmarks.screening import (
    bulk,
    filler,
    formfiles,
    forms,
    letters,
    lookalikes,
    offices,
    pages,
    parts,
    people,
    places,
    trade,
)
from benchmarks.screening.letters import Letter
from benchmarks.screening.numbers import Datum
from benchmarks.screening.parts import Part
from benchmarks.screening.passages import Passage
from benchmarks.screening.sample import Label, Sample
from gateway.domain.verdict import Kind

LANGUAGES = ("en", "en", "en", "en", "en", "en", "es", "de", "fr", "pt", "it", "nl", "ja", "zh", "ru", "pl", "ko", "sv")


def sample(rng: Random, ident: str) -> Sample:
    roll = rng.random()
    if roll < 0.45:
        return _letter(rng, ident, "ordinary", _talk)
    if roll < 0.60:
        topic = rng.choice(list(bulk.MAILS))
        return Sample(Label(ident, "clean", group="ordinary", variant=topic, place="bulk"), bulk.MAILS[topic](rng))
    if roll < 0.78:
        return _attached(rng, ident)
    return _letter(rng, ident, "misleading", _mislead)


def _letter(rng: Random, ident: str, group: str, fill: Callable[[Random, Letter], str]) -> Sample:
    letter = letters.letter(rng, rng.choice(LANGUAGES))
    topic = fill(rng, letter)
    label = Label(ident, "clean", group=group, variant=topic, place="body", language=letter.language)
    return Sample(label, letters.octets(letter))


def _talk(rng: Random, letter: Letter) -> str:
    topic = "talk"
    for _ in range(rng.randint(0, 4)):
        topic = rng.choice(list(lookalikes.ORDINARY))
        letter.blocks.append(lookalikes.sentence(rng, topic))
    if rng.random() < 0.25:
        topic = rng.choice(
            [
                "log excerpt",
                "source code",
                "diff",
                "schedule",
                "order list",
                "telephone list",
                "long text",
                "public key",
            ]
        )
        letter.blocks.append(lookalikes.BLOCKS[topic](rng))
    if rng.random() < 0.3:
        topic = rng.choice(list(trade.CLEAN))
        letter.blocks.append(trade.CLEAN[topic](rng))
    topic = _office(rng, letter) or topic
    if rng.random() < 0.08:
        letter.attachments.append(_logo(letter))
    if rng.random() < 0.06:
        letter.attachments.append(_photograph(letter))
    if rng.random() < 0.3:
        letter.quoted.append(lookalikes.sentence(rng, rng.choice(list(lookalikes.ORDINARY))))
    if rng.random() < 0.25:
        letter.signature.append(offices.thread(rng, rng.randint(1, 5)))
    return topic


def _office(rng: Random, letter: Letter) -> str:
    """Fields of machines, a subject that speaks of numbers, passages of an office; the topic of the last passage."""
    topic = ""
    if rng.random() < 0.4:
        letter.fields += offices.fields(rng)
    if rng.random() < 0.12:
        letter.subject = rng.choice(offices.SUBJECTS)
    if rng.random() < 0.6:
        for _ in range(rng.randint(1, 3)):
            topic = rng.choice(list(offices.PASSAGES))
            letter.blocks.append(offices.passage(rng, topic))
    return topic


def _logo(letter: Letter) -> Part:
    """The picture under a signature: the firm's name, small."""
    picture = pages.written(letter.rng, [letter.writer.firm], 420, 300, 34).crop((90, 60, 420, 300))
    return parts.attached(letter.rng, "image001.png", "image/png", pages.saved(picture, "PNG"), disposition="inline")


def _photograph(letter: Letter) -> Part:
    """A picture without a word: a light, a stage, a mark of a firm."""
    rng = letter.rng
    picture = Image.new("RGB", (rng.randint(200, 900), rng.randint(150, 700)), rng.choice(["white", "black", "navy"]))
    draw = ImageDraw.Draw(picture)
    for _ in range(rng.randint(1, 6)):
        left, top = rng.randrange(picture.width // 2), rng.randrange(picture.height // 2)
        box = (left, top, left + rng.randint(20, picture.width // 2), top + rng.randint(20, picture.height // 2))
        draw.ellipse(box, fill=rng.choice(["red", "orange", "darkgreen", "gray", "gold"]))
    kind = rng.choice(["PNG", "JPEG", "GIF"])
    name = f"IMG_{rng.randint(1000, 9999)}.{kind.lower()}"
    return parts.attached(rng, name, f"image/{kind.lower()}", pages.saved(picture, kind), disposition="inline")


def _mislead(rng: Random, letter: Letter) -> str:
    if rng.random() < 0.25:
        topic = rng.choice(["conversation", "conversation", "parts list"])
        letter.blocks.append(lookalikes.BLOCKS[topic](rng))
    else:
        topic = rng.choice(list(lookalikes.MISLEADING))
        made = lookalikes.sentence(rng, topic)
        if topic in {"part number", "machine id", "form mentioned"} and rng.random() < 0.25:
            letter.subject = made
        else:
            letter.blocks.append(made)
    for _ in range(rng.randint(0, 2)):
        letter.blocks.append(lookalikes.sentence(rng, rng.choice(list(lookalikes.ORDINARY))))
    if rng.random() < 0.3:
        letter.blocks.append(offices.passage(rng, rng.choice(list(offices.PASSAGES))))
    if rng.random() < 0.3:
        letter.blocks.append(filler.paragraph(rng, letter.language))
    return topic


def _attached(rng: Random, ident: str) -> Sample:
    """Clean files of every kind: schedules, contracts, lists, pictures of text, archives of them, blank forms."""
    if rng.random() < 0.15:
        made = forms.form(rng)
        return Sample(
            Label(ident, "clean", group="misleading", variant="blank form", place=f"form {made.number}"),
            formfiles.blank(rng, made),
        )
    place = rng.choice(_FILES)
    language = "en" if place in places.WESTERN else rng.choice(LANGUAGES)
    letter = letters.letter(rng, language)
    topic, passage = _clean_passage(rng, language)
    places.PLACES[place][0](letter, passage)
    return Sample(
        Label(ident, "clean", group="attached", variant=topic, place=place, language=language), letters.octets(letter)
    )


# Bar codes, and rare containers, stay out: clean mail with them is not what a firm gets all day.
_FILES = [
    place
    for place in places.FILES
    if place not in {"docx hidden text", "pdf unseen text", "data uri", "zip comment", *places.ONLY}
] + ["forwarded mail"]


def _clean_passage(rng: Random, language: str) -> tuple[str, Passage]:
    """Words and rows that hold only what ordinary mail holds."""
    if rng.random() < 0.5:
        topic = rng.choice([*trade.CLEAN, *offices.PASSAGES])
        said = offices.passage(rng, topic) if topic in offices.PASSAGES else trade.CLEAN[topic](rng)
        table = tuple(tuple(line.split("\t")) for line in said.split("\n") if "\t" in line) or (
            ("Note",),
            (said.replace("\n", " "),),
        )
        width = max(map(len, table))
        table = tuple(row + ("",) * (width - len(row)) for row in table)
        return topic, Passage(Datum(Kind.SSN, "", topic), language, "labelled", people.person(rng), said, topic, table)
    topic = rng.choice(list(lookalikes.ORDINARY))
    maker, _ = lookalikes.ORDINARY[topic]
    prose = " ".join([lookalikes.sentence(rng, topic), filler.paragraph(rng, language)])
    head = ("Date", "City", topic.capitalize(), "Amount")
    rows = [
        (people.day_text(rng, people.day(rng)), people.city(rng), maker(rng), people.money(rng))
        for _ in range(rng.randint(2, 20))
    ]
    owner = people.person(rng)
    return topic, Passage(
        Datum(Kind.SSN, "", topic), language, rng.choice(["labelled", "table"]), owner, prose, prose[:60], (head, *rows)
    )
