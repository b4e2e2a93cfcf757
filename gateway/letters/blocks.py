"""What stands on a page, from the few marks that our templates use: headings, paragraphs, lists, a code.

A line that begins with `# ` or `## ` is a heading, with `- ` an item of a list, with `! ` something to be seen at once;
`[code]` draws the code, with words for who cannot see it behind. All other lines make paragraphs, parted by empty ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a block is."""

    TITLE = "title"
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    STRONG = "strong"
    ITEM = "item"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Block:
    """One block and its words; those of a code are told to who cannot see it."""

    kind: Kind
    text: str


_MARKS = (
    ("# ", Kind.TITLE), ("## ", Kind.HEADING), ("- ", Kind.ITEM), ("! ", Kind.STRONG), ("[code] ", Kind.CODE),
)  # fmt: skip


def read_blocks(text: str) -> tuple[Block, ...]:
    """Read a filled template. Raises ValueError where it does not begin with the one title that a document has."""
    blocks: list[Block] = []
    paragraph: list[str] = []
    for line in (*text.splitlines(), ""):
        marked = next(((kind, line[len(mark) :]) for mark, kind in _MARKS if line.startswith(mark)), None)
        if paragraph and (marked or not line.strip()):
            blocks.append(Block(Kind.PARAGRAPH, " ".join(paragraph)))
            paragraph = []
        if marked:
            blocks.append(Block(marked[0], marked[1].strip()))
        elif line.strip():
            paragraph.append(line.strip())
    titles = [place for place, block in enumerate(blocks) if block.kind is Kind.TITLE]
    if titles != [0]:
        raise ValueError("a letter begins with its title, and has one")
    return tuple(blocks)
