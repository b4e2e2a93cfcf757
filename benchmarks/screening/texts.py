"""Places in the text and the structure of a mail: each writes a passage into a letter."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable

from benchmarks.screening import filler, letters, parts
from benchmarks.screening.letters import Letter
from benchmarks.screening.marks import CLOSE, OPEN, unmarked
from benchmarks.screening.parts import Part
from benchmarks.screening.passages import Passage

Writer = Callable[[Letter, Passage], None]


def into_body(letter: Letter, passage: Passage) -> None:
    """The passage among the blocks; what it answers is quoted below."""
    letter.blocks.insert(letter.rng.randint(1, len(letter.blocks)), passage.prose)
    if passage.question:
        letter.quoted = [passage.question]
        letter.blocks = [passage.prose]


def plain(letter: Letter, passage: Passage) -> None:
    letter.form = "plain"
    into_body(letter, passage)


def html_visible(letter: Letter, passage: Passage) -> None:
    letter.form = letter.rng.choice(["html", "alternative"])
    into_body(letter, passage)
    if letter.form == "alternative" and letter.rng.random() < 0.4:
        letter.plain_says = "Please view this message in an HTML capable reader.\n"


def html_table(letter: Letter, passage: Passage) -> None:
    """The rows as a real table; the plain alternative runs the cells together or has none."""
    letter.form, letter.plain_says = letter.rng.choice(["html", "alternative"]), ""
    attribute = letter.rng.choice(
        ["", ' border="1" cellpadding="4"', ' class="MsoTableGrid" style="border-collapse:collapse"']
    )
    rows = "".join(
        "<tr>" + "".join(f"<td>{letters.marked_up(letter.rng, unmarked(cell), '')}</td>" for cell in row) + "</tr>\n"
        for row in passage.table
    )
    letter.raw_html.append(f"<table{attribute}>{rows}</table>")


def html_hidden(letter: Letter, passage: Passage) -> None:
    _html_only(letter)
    how = letter.rng.choice(
        [
            'style="display:none"',
            'style="font-size:0;color:#ffffff"',
            "hidden",
            'style="visibility:hidden;max-height:0"',
            'style="color:white;background:white"',
        ]
    )
    words = letters.marked_up(letter.rng, unmarked(passage.prose), "")
    letter.raw_html.append(f"<div {how}>{words}</div>")


def html_fields(letter: Letter, passage: Passage) -> None:
    """A form of a page as somebody filled it in and sent the page: each group of the number in a field of its own."""
    _html_only(letter)
    before, _, rest = passage.line.partition(OPEN)
    number, _, after = rest.partition(CLOSE)
    groups = re.findall(r"[A-Za-z0-9]+", number) or [number]
    fields = " - ".join(f'<input type="text" name="f{at}" value="{group}">' for at, group in enumerate(groups))
    letter.raw_html.append(f"<form><p>{html.escape(before)}{fields}{html.escape(after)}</p></form>")


def html_attribute(letter: Letter, passage: Passage) -> None:
    _html_only(letter)
    words = letters.marked_up(letter.rng, unmarked(passage.line), "").replace('"', "&quot;")
    letter.raw_html.append(
        letter.rng.choice(
            [
                f'<img src="cid:logo" alt="{words}">',
                f'<a href="https://{letter.writer.domain}/" title="{words}">contract</a>',
                f'<span data-note="{words}">see note</span>',
                f'<input type="hidden" name="note" value="{words}">',
                f'<a href="mailto:{letter.writer.address}?subject={words.replace(" ", "%20")}">reply</a>',
                f'<meta name="description" content="{words}">',
            ]
        )
    )


def html_comment(letter: Letter, passage: Passage) -> None:
    _html_only(letter)
    letter.raw_html.append(f"<!-- {unmarked(passage.prose)} -->")


def html_style(letter: Letter, passage: Passage) -> None:
    _html_only(letter)
    words = unmarked(passage.line).replace("*/", "")
    letter.raw_html.append(letter.rng.choice([f"<style>/* {words} */ p {{ margin: 0 }}</style>", f"<script>var note = '{words}';</script>",
                                              f"<noscript>{words}</noscript>", f"<title>{words}</title>"]))  # fmt: skip


def _html_only(letter: Letter) -> None:
    letter.form = letter.rng.choice(["html", "alternative"])
    letter.plain_says = "\n\n".join(letter.blocks) + "\n"


def html_markup(letter: Letter, passage: Passage) -> None:
    letter.markup = letter.rng.choice(["spans", "comments", "entities", "tags"])
    letter.form = letter.rng.choice(["html", "alternative"])
    letter.plain_says = "See the HTML version.\n"
    into_body(letter, passage)


def html_cells(letter: Letter, passage: Passage) -> None:
    """Each digit in a cell of its own, as forms on paper have them."""
    letter.markup, letter.form, letter.plain_says = (
        "cells",
        letter.rng.choice(["html", "alternative"]),
        "See the HTML version.\n",
    )
    into_body(letter, passage)


def html_backwards(letter: Letter, passage: Passage) -> None:
    letter.markup, letter.form, letter.plain_says = (
        "backwards",
        letter.rng.choice(["html", "alternative"]),
        "See the HTML version.\n",
    )
    into_body(letter, passage)


def subject(letter: Letter, passage: Passage) -> None:
    letter.subject = letter.rng.choice(["{}", "Re: {}", "{} - urgent", f"{letter.subject} / {{}}"]).format(passage.line)


def subject_pieces(letter: Letter, passage: Passage) -> None:
    """RFC 2047 words cut inside the number, folded, B and Q mixed."""
    words, made = unmarked(passage.line), []
    while words:
        size = letter.rng.randint(2, 6)
        made.append(parts.encoded_word(letter.rng, words[:size]))
        words = words[size:]
    letter.subject = " ".join(made)


def sender_name(letter: Letter, passage: Passage) -> None:
    letter.sender_name = passage.line


def header(letter: Letter, passage: Passage) -> None:
    name = letter.rng.choice(
        ["X-Note", "Comments", "Keywords", "Organization", "X-Case-Data", "Reply-To", "Cc", "X-Priority-Info", "Sender"]
    )
    if name in {"Reply-To", "Cc", "Sender"}:
        letter.fields.append(f"{name}: {letters.display_name(letter.rng, passage.line)} <{letter.reader.address}>")
    else:
        letter.fields.append(f"{name}: {letters.header_text(letter.rng, passage.line)}")


def quoted(letter: Letter, passage: Passage) -> None:
    letter.quoted.insert(letter.rng.randint(0, len(letter.quoted)), passage.prose)
    letter.blocks = [
        filler.greeting(letter.rng, letter.language, letter.reader),
        filler.sentence(letter.rng, letter.language),
    ]


def signature(letter: Letter, passage: Passage) -> None:
    letter.signature.append(passage.line)


def soft_breaks(letter: Letter, passage: Passage) -> None:
    letter.form, letter.soft_break = letter.rng.choice(["plain", "html"]), True
    into_body(letter, passage)


def wide_charset(letter: Letter, passage: Passage) -> None:
    """UTF-16 or UTF-32 without a mark, UTF-7, EBCDIC, declared or not."""
    codec, declared = letter.rng.choice([
        ("utf-16-le", "utf-16"), ("utf-16-be", "utf-16be"), ("utf-16-le", "utf-16le"), ("utf-16-le", ""), ("utf-16", "utf-16"), ("utf-32-le", "utf-32le"),
        ("utf-7", "utf-7"), ("cp037", "ibm037"), ("cp500", "ibm500"), ("cp1140", "IBM01140"), ("utf-8-sig", "utf-8"), ("utf-16-be", ""),
    ])  # fmt: skip
    into_body(letter, passage)
    letter.own_text = parts.in_charset(letters.body_text(letter), codec, declared)


def preamble(letter: Letter, passage: Passage) -> None:
    letter.preamble = f"This is a multi-part message in MIME format.\n{unmarked(passage.prose)}"


def epilogue(letter: Letter, passage: Passage) -> None:
    letter.epilogue = unmarked(passage.prose)


def alternative_only(letter: Letter, passage: Passage) -> None:
    """Said in an alternative that no reader shows: a calendar, an AMP page, or a first plain text that differs."""
    words = unmarked(passage.prose)
    kind = letter.rng.choice(["x-amp-html", "watch-html", "enriched", "plain"])
    hidden = Part(
        (f"Content-Type: text/{kind}; charset=utf-8", "Content-Transfer-Encoding: base64"),
        parts.in_base64(words.encode()),
    )
    shown = parts.text(letter.rng, "\n\n".join(letter.blocks), "html", letter.language)
    letter.own_text = parts.multipart(letter.rng, "alternative", [hidden, shown])


def misdeclared(letter: Letter, passage: Passage) -> None:
    """Text that says it is an image, an archive, or nothing known."""
    kind, name = letter.rng.choice([("image/jpeg", "IMG_2041.jpg"), ("application/octet-stream", "data"), ("audio/wav", "voice.wav"), ("application/pdf", "scan.pdf"),
                                    ("application/x-unknown", "note.xyz"), ("video/mp4", "clip.mp4"), ("font/ttf", "a.ttf")])  # fmt: skip
    letter.attachments.append(parts.attached(letter.rng, name, kind, parts.crlf(unmarked(passage.prose)).encode()))


def uuencode(letter: Letter, passage: Passage) -> None:
    letter.form = "plain"
    letter.blocks.append(parts.uuencoded(unmarked(passage.prose).encode(), "note.txt"))


def base64_block(letter: Letter, passage: Passage) -> None:
    """A paragraph that is base64 of a text, as pasted."""
    letter.form = "plain"
    raw = base64.b64encode(unmarked(passage.prose).encode()).decode()
    letter.blocks.append("\n".join(raw[at : at + 64] for at in range(0, len(raw), 64)))


def text_file(letter: Letter, passage: Passage) -> None:
    name = letter.rng.choice(["notes.txt", "readme.txt", "details.md", "log.log", "data.dat", "info"])
    words = f"{filler.paragraph(letter.rng, letter.language)}\n\n{unmarked(passage.prose)}\n"
    codec = letter.rng.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
    letter.attachments.append(
        parts.attached(
            letter.rng, name, letter.rng.choice(["text/plain", "application/octet-stream"]), words.encode(codec)
        )
    )


def file_name(letter: Letter, passage: Passage) -> None:
    name = unmarked(passage.line).replace("/", "_").replace(":", "").replace("\\", "_").replace('"', "")
    ending, kind = letter.rng.choice(
        [("pdf", "application/pdf"), ("txt", "text/plain"), ("txt", "application/octet-stream")]
    )
    harmless = b"Contract enclosed.\r\n" if ending == "txt" else blank_pdf()
    letter.attachments.append(parts.attached(letter.rng, f"{name}.{ending}", kind, harmless))


def blank_pdf() -> bytes:
    """The smallest PDF of one page that says: see contract."""
    stream = b"BT /F1 12 Tf 72 720 Td (Please see the contract for the schedule of performances.) Tj ET"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>\nstream\n%s\nendstream" % (len(stream), stream), b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]  # fmt: skip
    made, starts = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        starts.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    return (
        made
        + b"xref\n0 6\n0000000000 65535 f \n"
        + table
        + b"trailer\n<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(made)
    )


# place: (writer, tier). Tiers are those of the goals: ordinary, contained, hidden.
PLACES: dict[str, tuple[Writer, str]] = {
    "body plain": (plain, "ordinary"), "body html": (html_visible, "ordinary"), "html table": (html_table, "ordinary"), "subject": (subject, "ordinary"),
    "quoted reply": (quoted, "ordinary"), "signature": (signature, "ordinary"), "sender name": (sender_name, "ordinary"), "text file": (text_file, "ordinary"),
    "html hidden": (html_hidden, "hidden"), "html attribute": (html_attribute, "hidden"), "html fields": (html_fields, "hidden"), "html comment": (html_comment, "hidden"),
    "html style": (html_style, "hidden"), "html markup": (html_markup, "contained"), "html cells": (html_cells, "hidden"), "html backwards": (html_backwards, "hidden"), "subject in pieces": (subject_pieces, "contained"),
    "mail header": (header, "contained"), "soft line breaks": (soft_breaks, "contained"), "odd charset": (wide_charset, "contained"),
    "preamble": (preamble, "hidden"), "epilogue": (epilogue, "hidden"), "unseen alternative": (alternative_only, "hidden"),
    "misdeclared part": (misdeclared, "hidden"), "uuencoded text": (uuencode, "hidden"), "base64 in text": (base64_block, "hidden"),
    "file name": (file_name, "contained"),
}  # fmt: skip
