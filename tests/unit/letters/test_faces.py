from __future__ import annotations

import io

import pytest
from PIL import ImageFont

from gateway.letters.faces import NoGlyph, bold, read_face, regular

SPOKEN = "AZaz09 áéíóúüñ¿¡ÁÉÍÓÚÜÑ–—“”‘’•§çàèäöß€"


@pytest.mark.parametrize("face", [regular(), bold()], ids=["regular", "bold"])
def test_every_letter_of_our_languages_has_a_glyph_as_wide_as_another_reader_of_fonts_says(face: object) -> None:
    other = ImageFont.truetype(io.BytesIO(face.octets), 1000, layout_engine=ImageFont.Layout.BASIC)
    for letter in SPOKEN:
        assert face.width(letter, 1000) == pytest.approx(other.getlength(letter), abs=1), letter


def test_a_character_that_the_typeface_does_not_have_is_refused_and_not_drawn_as_a_box() -> None:
    for text in ("Здравствуйте", "日本", "\U0001f4e0", "a\nb"):
        with pytest.raises(NoGlyph):
            regular().codes(text)


def test_what_is_no_font_is_refused() -> None:
    with pytest.raises((ValueError, KeyError)):
        read_face("None", b"\0\1\0\0" + bytes(64))


def test_digits_and_letters_of_references_are_all_different() -> None:
    letters = "23456789ABCDEFGHJKMNPQRSTUVWXYZ-"
    assert len(set(bold().codes(letters))) == len(letters)
