"""The papers of a demo say all that their forms ask for, in its form, and can be read."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pypdfium2
import pytest

from gateway.demo.papers import Papers, printed
from gateway.demo.people import invented_people
from gateway.domain.errors import ConfigError
from gateway.domain.paper import check_value, missing_fields
from gateway.domain.programme import FormKind
from gateway.mime.scanner import Scanner
from gateway.programmes import load_programmes
from gateway.resources import programmes_folder

COUNTY = Path(__file__).parents[2] / "programmes" / "county"
TODAY = date(2026, 11, 22)


@pytest.mark.parametrize("folder", [programmes_folder() / "cwa", COUNTY], ids=["cwa", "county"])
def test_the_papers_say_all_that_their_forms_ask_for(folder: Path) -> None:
    papers, (programme,) = Papers.of(folder), load_programmes([folder]).values()
    assert papers.fields[FormKind.CONSENT]
    for form in programme.forms:
        if form.kind.value in papers.fields:
            answers = papers.answers(form, TODAY)
            assert missing_fields(form.fields, answers) == []
            assert [check_value(one, answers[one.key], TODAY) for one in form.fields if one.key in answers]
            assert set(answers) <= {one.key for one in form.fields}
    people = invented_people()
    assert len(papers.roles) <= programme.limits.designated_users
    for key, role in papers.roles.items():
        found = programme.role(role)
        assert found is not None
        assert not people[key].office
        assert found.needs is None or found.needs.value in papers.fields


def test_the_same_papers_are_the_same_octets_and_others_are_not() -> None:
    papers, (programme,) = Papers.of(COUNTY), load_programmes([COUNTY]).values()
    users = [invented_people()[key] for key in papers.roles]
    once = papers.scanned(programme, users, "mark", TODAY)
    assert once == papers.scanned(programme, users, "mark", TODAY)
    assert once != papers.scanned(programme, users, "other", TODAY)
    scanner = Scanner()
    scanner.feed(once)
    (paper,) = scanner.finish().part_map.attachments()
    assert (paper.media_type, paper.filename) == ("application/pdf", "papers.pdf")


def test_what_is_printed_can_be_read() -> None:
    lines = ["Form X: Consent (electronic)", "", r"Owner: Carvalho \ Söhne"]
    page = pypdfium2.PdfDocument(printed(lines))[0]
    assert page.get_textpage().get_text_range().split("\r\n") == [line for line in lines if line]


def test_a_programme_without_answers_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"demo\.toml"):
        Papers.of(tmp_path)
