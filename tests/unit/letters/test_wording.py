from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pypdfium2
import pytest

from gateway.domain.errors import ConfigError, Malformed
from gateway.domain.letter import Reason, Received
from gateway.domain.programme import Programme
from gateway.letters.wording import Letters
from gateway.programmes import load_programme
from gateway.resources import programmes_folder

NOW = datetime(2026, 11, 22, 18, 5, tzinfo=UTC)
SHIPPED = load_programme(programmes_folder() / "cwa")
COUNTY = load_programme(Path(__file__).parents[2] / "programmes" / "county")
LETTERS = Letters("production")
FAX = Received("U-7K2Q-9F4T", NOW, is_own_time=False)
OWN_TIME = {
    "en": "this is when our system took your fax",
    "es": "esta es la hora en que nuestro sistema recibió su fax",
}


def said(octets: bytes) -> list[str]:
    """The words of each page."""
    return [" ".join(page.get_textpage().get_text_range().split()) for page in pypdfium2.PdfDocument(octets)]


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("language", SHIPPED.languages)
def test_each_letter_stands_on_one_page_and_tells_reference_time_and_whom_to_ask(reason: Reason, language: str) -> None:
    (words,) = said(LETTERS.letter(SHIPPED, language, reason, FAX, NOW))
    own = SHIPPED.words(language)
    for told in ("U-7K2Q-9F4T", own.agency, own.telephone, own.hours, SHIPPED.fax or "", "2026", "EST"):
        assert told in words
    assert ("1:05 PM EST" if language == "en" else "13:05 EST") in words
    assert OWN_TIME[language] not in words
    assert "TEST" not in words
    assert "PRUEBA" not in words


@pytest.mark.parametrize("language", SHIPPED.languages)
def test_a_time_by_our_own_clock_is_said_to_be_one(language: str) -> None:
    fax = Received("U-7K2Q-9F4T", NOW, is_own_time=True)
    (words,) = said(LETTERS.letter(SHIPPED, language, Reason.RECEIVED, fax, NOW))
    assert OWN_TIME[language] in words


@pytest.mark.parametrize("language", SHIPPED.languages)
def test_each_sheet_has_a_page_with_its_reference_the_fax_number_and_its_last_day(language: str) -> None:
    references = ["CS-7K2Q-9F4T", "CS-2222-ZZZZ"]
    pages = said(LETTERS.cover_sheets(SHIPPED, language, [(one, NOW) for one in references]))
    assert len(pages) == 2
    for reference, words in zip(references, pages, strict=True):
        assert words.count(reference) == 1
        assert SHIPPED.fax in words
        assert "2026" in words


def test_outside_production_every_page_says_so() -> None:
    trial = Letters("try-out")
    for octets in (
        trial.letter(SHIPPED, "en", Reason.NOT_OURS, FAX, NOW),
        trial.cover_sheets(SHIPPED, "es", [("T-CS-7K2Q-9F4T", NOW)] * 2),
    ):
        assert all("try-out" in words for words in said(octets))


def test_a_programme_without_a_fax_line_has_letters_and_no_cover_sheets() -> None:
    assert COUNTY.fax is None
    (words,) = said(LETTERS.letter(COUNTY, "en", Reason.RECEIVED, FAX, NOW))
    assert "Our fax number" not in words
    with pytest.raises(Malformed, match="no fax line"):
        LETTERS.cover_sheets(COUNTY, "en", [("CS-7K2Q-9F4T", NOW)])


def test_a_language_that_the_programme_does_not_speak_becomes_its_first() -> None:
    (words,) = said(LETTERS.letter(SHIPPED, "fr", Reason.RECEIVED, FAX, NOW))
    assert "We received your fax" in words


def test_a_language_without_letters_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    with pytest.raises(ConfigError, match="no letters in the language en"):
        Letters("production", tmp_path).letter(SHIPPED, "en", Reason.RECEIVED, FAX, NOW)


def test_every_language_has_every_letter() -> None:
    programme: Programme = SHIPPED
    folder = Path(__file__).parents[3] / "templates" / "letters"
    assert {one.name for one in folder.iterdir()} == set(programme.languages)
    names = [sorted(one.name for one in (folder / language).iterdir()) for language in programme.languages]
    assert names[0] == names[1]
    assert len(names[0]) == len(Reason) + 3
