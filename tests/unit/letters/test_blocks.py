from __future__ import annotations

import pytest

from gateway.letters.blocks import Block, Kind, read_blocks


def test_marks_make_blocks_and_lines_between_empty_ones_make_a_paragraph() -> None:
    text = "# Title\nOne line\nand one more.\n\nAnother.\n## Part\n- item\n! BIG\n[code] words\n"
    assert [(one.kind, one.text) for one in read_blocks(text)] == [
        (Kind.TITLE, "Title"),
        (Kind.PARAGRAPH, "One line and one more."),
        (Kind.PARAGRAPH, "Another."),
        (Kind.HEADING, "Part"),
        (Kind.ITEM, "item"),
        (Kind.STRONG, "BIG"),
        (Kind.CODE, "words"),
    ]


@pytest.mark.parametrize("text", ["", "No title.", "Words first.\n# Title", "# One\n# Two"])
def test_a_letter_has_one_title_and_begins_with_it(text: str) -> None:
    with pytest.raises(ValueError, match="title"):
        read_blocks(text)


def test_what_is_no_mark_is_text() -> None:
    assert read_blocks("# T\n#nothing\n-5 degrees")[1] == Block(Kind.PARAGRAPH, "#nothing -5 degrees")
